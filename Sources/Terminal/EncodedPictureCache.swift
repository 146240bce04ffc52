import Foundation
import Frames
import Pictures
import Requests
import Synchronization

/// Pictures by name and their encodings, worked out off the interface's thread and kept.
public final class EncodedPictureCache: Sendable {
  private struct State {
    var pictures: [PictureID: Picture] = [:]
    var encoded: [EncodingKey: EncodedPicture] = [:]
    var order: [EncodingKey] = []
    var bytes = 0
    var pending: Set<EncodingKey> = []
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "vugen.pictures", qos: .userInitiated)
  /// Reads a picture that is not in memory.
  private let load: @Sendable (PictureID) -> Picture?
  /// Called from any thread when an encoding is ready.
  private let onReady: @Sendable () -> Void
  private static let mostBytes = 48 << 20, mostPictures = 256

  /// An empty cache. `onReady` is called from any thread when an encoding that was missing is there.
  public init(load: @escaping @Sendable (PictureID) -> Picture?, onReady: @escaping @Sendable () -> Void) {
    (self.load, self.onReady) = (load, onReady)
  }

  /// Keeps a picture in memory under its name.
  public func add(_ picture: Picture, _ name: PictureID) {
    state.withLock {
      if $0.pictures.count >= Self.mostPictures { $0.pictures.removeAll() }
      $0.pictures[name] = picture
    }
  }

  /// The picture of this name, read where it is not in memory; nil where it cannot be read.
  public func picture(_ name: PictureID) -> Picture? {
    if let found = state.withLock({ $0.pictures[name] }) { return found }
    guard let loaded = load(name) else { return nil }
    add(loaded, name)
    return loaded
  }

  /// Whether two pictures have the same proportions, so that one covers the other in the same cells; false where that is
  /// not known.
  func haveOneShape(_ one: PictureID, _ other: PictureID) -> Bool {
    state.withLock { state in
      guard let a = state.pictures[one], let b = state.pictures[other] else { return false }
      return a.width * b.height == b.width * a.height
    }
  }

  /// The encoding if it is there; else it is begun.
  func encoded(_ key: EncodingKey) -> EncodedPicture? {
    let (found, isNew) = state.withLock { state -> (EncodedPicture?, Bool) in
      if let found = state.encoded[key] { return (found, false) }
      return (nil, state.pending.insert(key).inserted)
    }
    guard isNew else { return found }
    queue.async { [self] in
      let encoded = picture(key.picture).map { PictureEncoding.encode($0, key) } ?? EncodedPicture(rows: [])
      keep(encoded, key)
      onReady()
    }
    return nil
  }

  private func keep(_ encoded: EncodedPicture, _ key: EncodingKey) {
    state.withLock { state in
      state.pending.remove(key)
      state.encoded[key] = encoded
      state.order.append(key)
      state.bytes += encoded.byteCount
      while state.bytes > Self.mostBytes, state.order.count > 1 {
        let oldest = state.order.removeFirst()
        state.bytes -= state.encoded.removeValue(forKey: oldest)?.byteCount ?? 0
      }
    }
  }
}
