import Foundation
import Synchronization

/// Files that were being written when their process was killed: `.vugen-HOST-PID-NUMBER.partial`.
enum LeftPartials {
  private static let (start, end) = (".vugen-", ".partial")
  /// Folders that this process has looked through: once is enough, as they may be large.
  private static let swept = Mutex<Set<String>>([])

  /// A new one of this process.
  static func name() -> String {
    "\(start)\(ThisHost.name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))\(end)"
  }

  /// Removes those of a folder whose processes are no more: this machine's, which nobody holds open.
  static func sweep(_ folder: String) {
    let place = folder.isEmpty ? FileManager.default.currentDirectoryPath : folder
    guard swept.withLock({ $0.insert(place).inserted }) else { return }
    for name in (try? FileName.names(in: place)) ?? [] where isOfNobody(name) {
      let path = place.joined(name), descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { FileName.withPath(path) { _ = unlink($0) } }
      close(descriptor)
    }
  }

  /// Whether a name is one of these, whosever it is.
  static func isOne(_ name: String) -> Bool {
    name.hasPrefix(start) && name.hasSuffix(end) && name.count > start.count + end.count
  }

  private static func isOfNobody(_ name: String) -> Bool {
    guard isOne(name) else { return false }
    // A host's name may hold hyphens.
    let words = name.dropFirst(start.count).dropLast(end.count).split(separator: "-")
    guard words.count > 2, let process = pid_t(words[words.count - 2]), process > 0, process != getpid()
    else {
      return false
    }
    return words.dropLast(2).joined(separator: "-") == ThisHost.name
      && kill(process, 0) != 0 && errno == ESRCH
  }
}
