import Files
import Foundation
import Pictures
import Requests
import SessionLog
import Synchronization

/// Reads pictures of sessions from disk, and those that are not there yet, from any thread.
final class PictureSource: Sendable {
  private struct State {
    /// Sessions whose pictures are looked for, the newest last.
    var ids: [String] = []
    /// Pictures that requests brought, by the request's number, until they are written or dropped.
    var fresh: [Int: [PictureID: Data]] = [:]
    /// Pictures that the disk has not taken yet.
    var waiting: [PictureID: Data] = [:]
  }

  let store: SessionStore
  private let state = Mutex(State())

  init(_ store: SessionStore) { self.store = store }

  /// A session's pictures are looked for from here on.
  func use(_ id: String) { state.withLock { if !$0.ids.contains(id) { $0.ids.append(id) } } }

  /// A picture that a request brought.
  func hold(_ png: Data, _ picture: PictureID, of request: Int) {
    state.withLock { $0.fresh[request, default: [:]][picture] = png }
  }

  /// What a request brought is written, or belongs to nobody.
  func dropFresh(of request: Int) { state.withLock { $0.fresh[request] = nil } }

  /// All pictures that are nowhere else until the disk takes them.
  func setWaiting(_ pictures: [PictureID: Data]) { state.withLock { $0.waiting = pictures } }

  /// The file as it was written, with what it tells of itself.
  func bytes(of picture: PictureID) -> Data? {
    let (ids, held) = state.withLock { state in
      (state.ids, state.waiting[picture] ?? state.fresh.values.lazy.compactMap { $0[picture] }.first)
    }
    return held
      ?? picture.stored.flatMap { stored in
        ids.reversed().lazy.compactMap { try? self.store.picture(stored, of: $0) }.first
      }
  }

  /// Width and height from the head of a stored picture, or of one that waits.
  func size(of picture: PictureID) -> (width: Int, height: Int)? {
    let (ids, held) = state.withLock { ($0.ids, $0.waiting[picture]) }
    if let held { return Self.size(head: held.prefix(24)) }
    guard let name = picture.stored, name.allSatisfy(\.isHexDigit) else { return nil }
    for id in ids.reversed() {
      let path = "\(store.folder(of: id))/pictures/\(name).png"
      guard let file = try? FileName.openPlain(path) else { continue }
      defer { try? file.close() }
      return Self.size(head: (try? file.read(upToCount: 24)) ?? Data())
    }
    return nil
  }

  private static func size(head data: Data) -> (width: Int, height: Int)? {
    let head = [UInt8](data)
    guard head.count == 24, head.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return nil }
    func number(_ at: Int) -> Int { head[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    // A picture without pixels, or with more than any has, is damaged.
    let (width, height) = (number(16), number(20)), sides = 1...1 << 20
    return sides.contains(width) && sides.contains(height) ? (width, height) : nil
  }

  func picture(_ picture: PictureID) -> Picture? {
    bytes(of: picture).flatMap { try? Picture(bytes: [UInt8]($0), name: picture.short) }
  }
}
