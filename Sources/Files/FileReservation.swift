import Foundation

/// A name for a new file that is nobody else's, from before it is written until it is there.
public enum FileReservation {
  /// Calls `body` with a name under which it may write, and which several programs at once do not get twice: the path
  /// itself where nothing is there, or only an empty file, as mktemp makes it; else the next free one, `name-2.png` and
  /// so on. A link is followed, and what is no plain file is nobody's. Throws what `body` throws; an empty file that was made for the name is gone then.
  public static func withName<R>(_ path: String, _ body: (_ free: String) throws -> R) throws -> R {
    guard path != "-", !AtomicFile.isSpecial(path) else { return try body(path) }
    var name = path, number = 1
    while true {
      switch claim(try AtomicFile.followed(name)) {
      case .mine(let claim):
        defer { claim.end() }
        return try body(name)
      // Whoever writes says why it cannot.
      case .impossible: return try body(name)
      case .taken:
        number += 1
        name = numbered(path, number)
      }
    }
  }

  /// `name-2.png`, no longer than names can be.
  static func numbered(_ path: String, _ number: Int) -> String {
    let folder = path.dropLast(FileName.last(of: path).count), name = FileName.last(of: path)
    let dot = name.dropFirst().lastIndex(of: ".") ?? name.endIndex
    let ending = "-\(number)\(name[dot...])"
    return folder + FileName.fitting(String(name[..<dot]), before: ending) + ending
  }

  private enum Found {
    case mine(Claim), taken, impossible
  }

  /// An empty file that is locked for as long as nothing else stands under its name.
  private struct Claim {
    let path: String, descriptor: Int32
    /// Of a file that was made for the name.
    let made: PartialOutput?

    func end() {
      if made != nil, FileReservation.isSame(descriptor, path) { FileName.withPath(path) { _ = unlink($0) } }
      made?.forget()
      close(descriptor)
    }
  }

  private static func claim(_ path: String) -> Found {
    let new = PartialOutput.makeFile(path), made = new?.care
    let descriptor = new?.descriptor ?? FileName.open(path, O_RDWR | O_NONBLOCK)
    guard descriptor >= 0 else { return FileName.exists(path) ? .taken : .impossible }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      flock(descriptor, LOCK_EX | LOCK_NB) == 0, status.st_size == 0, isSame(descriptor, path)
    else {
      made?.forget()
      close(descriptor)
      return .taken
    }
    return .mine(Claim(path: path, descriptor: descriptor, made: made))
  }

  /// Whether an open file is still the one of this name, and empty.
  private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, let there = FileName.status(path) else { return false }
    return status.st_dev == there.st_dev && status.st_ino == there.st_ino && there.st_size == 0
  }
}
