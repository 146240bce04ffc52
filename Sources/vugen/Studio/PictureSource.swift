import Foundation
import Pictures
import SessionLog
import Synchronization

/// Reads pictures of sessions from disk, from any thread.
final class PictureSource: Sendable {
  private struct State {
    /// Sessions whose pictures are looked for, the newest last.
    var ids: [String] = []
    /// Pictures that the disk has not taken yet.
    var held: [String: Data] = [:]
  }

  private let store: SessionStore
  private let state = Mutex(State())

  init(_ store: SessionStore) { self.store = store }

  /// A session's pictures are looked for from here on.
  func use(_ id: String) { state.withLock { if !$0.ids.contains(id) { $0.ids.append(id) } } }

  /// Pictures that are nowhere else until the disk takes them.
  func hold(_ pictures: [String: Data]) {
    if !pictures.isEmpty { state.withLock { $0.held.merge(pictures) { old, _ in old } } }
  }

  /// The file as it was written, with what it tells of itself.
  func bytes(of hash: String) -> Data? {
    let (ids, held) = state.withLock { ($0.ids, $0.held[hash]) }
    return held ?? ids.reversed().lazy.compactMap { try? self.store.picture(hash, of: $0) }.first
  }

  /// Width and height from a stored picture's head.
  func size(of hash: String) -> (width: Int, height: Int)? {
    for id in state.withLock({ $0.ids }).reversed() where hash.allSatisfy(\.isHexDigit) {
      let path = "\(store.folder(of: id))/pictures/\(hash).png"
      guard let file = FileHandle(forReadingAtPath: path) else { continue }
      defer { try? file.close() }
      guard let head = try? file.read(upToCount: 24), head.count == 24,
        head.starts(with: [0x89, 0x50, 0x4E, 0x47])
      else { return nil }
      func number(_ at: Int) -> Int { head[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
      // A picture without pixels, or with more than any has, is damaged.
      let (width, height) = (number(16), number(20)), sides = 1...1 << 20
      return sides.contains(width) && sides.contains(height) ? (width, height) : nil
    }
    return nil
  }

  func picture(_ hash: String) -> Picture? {
    bytes(of: hash).flatMap { try? Picture(bytes: [UInt8]($0), name: hash) }
  }
}
