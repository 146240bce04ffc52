import Foundation

/// Pieces of work that processes share out among themselves: what one of them has claimed, no other one gets.
///
/// A piece is a number, and a claim is a lock on the byte of that number in a file that stays empty. It ends with the
/// process, however that ends, and two that share one file within a process keep each other out as well (locks of the open
/// file, Linux). Where a file system has no such locks, every claim is granted, and work may be done twice.
public final class WorkClaims {
  /// F_OFD_SETLK, which headers show to GNU sources alone.
  private static let setLock: Int32 = 37
  private let descriptor: Int32

  /// Makes the file where it is not there. Throws `FileAccessError`.
  public init(_ path: String) throws {
    descriptor = FileName.open(path, O_RDWR | O_CREAT, 0o666)
    guard descriptor >= 0 else { throw FileAccessError(path, "cannot be made: " + FileName.systemReason) }
  }

  /// Whether the piece is this one's now. Numbers are below 2⁶².
  public func claim(_ number: UInt64) -> Bool {
    if set(F_WRLCK, from: Int(number & (1 << 62 - 1)), count: 1) { return true }
    return errno != EAGAIN && errno != EACCES
  }

  /// Gives all pieces back.
  public func releaseAll() { _ = set(F_UNLCK, from: 0, count: 0) }

  private func set(_ kind: Int32, from start: Int, count: Int) -> Bool {
    var lock = flock()
    lock.l_type = Int16(kind)
    (lock.l_whence, lock.l_start, lock.l_len) = (Int16(SEEK_SET), start, count)
    return fcntl(descriptor, Self.setLock, &lock) == 0
  }

  deinit { close(descriptor) }
}
