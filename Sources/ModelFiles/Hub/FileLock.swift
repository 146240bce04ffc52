import Files
import Foundation

/// A lock file as the hub's own client takes it, so that the two wait for each other: flock(2) on a file that stays or, with
/// some versions of that client, goes.
final class FileLock {
  private let descriptor: Int32

  /// Waits until nobody else holds it.
  ///
  /// - Parameters:
  ///   - wait: called a few times a second meanwhile; what it throws ends the waiting.
  init(_ path: String, wait: () throws -> Void) throws {
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
      guard file >= 0 else {
        throw ModelFileError(path, "cannot be made: " + FileName.systemReason)
      }
      var isTaken = flock(file, LOCK_EX | LOCK_NB) == 0
      // Where a file system knows no locks, there is none to wait for.
      if !isTaken, errno == ENOSYS || errno == EOPNOTSUPP { isTaken = true }
      if isTaken, Self.isStill(file, path) {
        descriptor = file
        return
      }
      close(file)
      if isTaken { continue }
      try wait()
      usleep(100_000)
    }
  }

  /// Whoever held it may have removed it: then another file has its name.
  private static func isStill(_ file: Int32, _ path: String) -> Bool {
    var held = stat(), named = stat()
    return fstat(file, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
      && held.st_dev == named.st_dev
  }

  deinit {
    // Closing is not enough: a program that is just being started has the descriptor, too, until it runs.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
