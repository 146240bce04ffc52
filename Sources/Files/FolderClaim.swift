import Foundation
import Synchronization

/// A folder that this process writes into, and no other one meanwhile.
///
/// The lock lies on the folder itself (flock), so that it ends with the process, however that ends, and leaves no file.
/// Some file systems that machines share have none for folders; there nothing is locked.
public final class FolderClaim: Sendable {
  /// Which folder, whatever it is called by now.
  struct Identity: Hashable, Sendable {
    var device, number: UInt64

    init?(_ path: String) {
      guard let status = FileName.status(path) else { return nil }
      (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }

  enum State: Equatable {
    /// `nil` where the system does not say by which process.
    case held(process: pid_t?)
    case free
    /// The file system has no such locks, or the folder cannot be opened.
    case unknown
  }

  let identity: Identity
  /// Whether the lock is there: else others are not kept out.
  let isLocked: Bool
  private let descriptor: Int32

  /// nil where the folder was replaced meanwhile. Throws `FileAccessError` where another process writes into it.
  ///
  /// - Parameter name: what a person calls it.
  init?(_ path: String, name: String) throws {
    let (descriptor, state) = Self.lock(path)
    guard state == .free || state == .unknown else {
      throw FileAccessError(name, Self.refusal(state))
    }
    guard let identity = Identity(path), descriptor < 0 || Self.isStill(descriptor, identity) else {
      if descriptor >= 0 { close(descriptor) }
      return nil
    }
    (self.identity, self.descriptor, isLocked) = (identity, descriptor, state == .free)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether somebody writes into a folder, this process included.
  static func state(_ path: String) -> State {
    let (descriptor, state) = lock(path)
    if descriptor >= 0 { close(descriptor) }
    return state
  }

  static func refusal(_ state: State) -> String {
    var who = ""
    if case .held(let process?) = state { who = " (pid \(process))" }
    return "another run writes here\(who); wait for its end, or name another folder"
  }

  private static func lock(_ path: String) -> (Int32, State) {
    let descriptor = FileName.open(path, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { return (-1, .unknown) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (descriptor, .free) }
    let isHeld = errno == EWOULDBLOCK
    let state = isHeld ? State.held(process: Identity(path).flatMap(holder)) : .unknown
    close(descriptor)
    return (-1, state)
  }

  /// Who holds the lock, as the kernel lists it.
  private static func holder(_ identity: Identity) -> pid_t? {
    let table = (try? String(contentsOfFile: "/proc/locks", encoding: .utf8)) ?? ""
    for line in table.split(separator: "\n") {
      // "1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF"
      let words = line.split(separator: " ")
      guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(identity.number)") else { continue }
      return pid_t(words[4]).flatMap { $0 > 0 ? $0 : nil }
    }
    return nil
  }

  private static func isStill(_ descriptor: Int32, _ identity: Identity) -> Bool {
    var held = stat()
    return fstat(descriptor, &held) == 0 && UInt64(held.st_ino) == identity.number
      && UInt64(held.st_dev) == identity.device
  }

  // MARK: For as long as the process lives

  private static let kept = Mutex<[Identity: FolderClaim]>([:])

  /// Claims a folder that is written bit by bit, until the process ends. Throws `FileAccessError`.
  public static func keep(_ folder: String) throws {
    try kept.withLock { kept in
      if let identity = Identity(folder), kept[identity] != nil { return }
      guard let claim = try FolderClaim(folder, name: folder) else {
        throw FileAccessError(folder, "was replaced meanwhile; begin again")
      }
      kept[claim.identity] = claim
    }
  }

  /// Whether `keep` has claimed it.
  static func isKept(_ path: String) -> Bool {
    Identity(path).map { identity in kept.withLock { $0[identity] != nil } } ?? false
  }

  /// Throws `FileAccessError` where another process writes into a folder.
  public static func check(_ folder: String) throws {
    guard !isKept(folder) else { return }
    let state = state(folder)
    if case .held = state { throw FileAccessError(folder, refusal(state)) }
  }
}
