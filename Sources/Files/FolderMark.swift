import Foundation

/// What a process puts beside a folder for a while, called `FOLDER.HOST.PID.KIND`: whoever finds it, on this machine or
/// another one that shares the folder, knows whose it is.
struct FolderMark {
  enum Kind: String {
    /// What is being made.
    case partial
    /// What is to be replaced.
    case old
    /// What was made and found no place.
    case new
  }

  let path, host: String
  let process: pid_t

  /// This process's own.
  static func path(_ kind: Kind, of place: String) -> String {
    "\(place).\(ThisHost.name).\(getpid()).\(kind.rawValue)"
  }

  /// All that lie beside a folder, in the order of their names.
  static func all(_ kind: Kind, of place: String) -> [FolderMark] {
    let parent = FileName.parent(of: place), start = FileName.last(of: place) + "."
    let names = (try? FileName.names(in: parent)) ?? [], end = "." + kind.rawValue
    return names.compactMap { name in
      guard name.hasPrefix(start), name.hasSuffix(end), name.count > start.count + end.count else {
        return nil
      }
      let words = name.dropFirst(start.count).dropLast(end.count).split(
        separator: ".", omittingEmptySubsequences: false)
      guard words.count > 1, let process = words.last.flatMap({ pid_t($0) }), process > 0 else { return nil }
      return FolderMark(
        path: parent == "/" ? "/\(name)" : "\(parent)/\(name)",
        host: words.dropLast().joined(separator: "."), process: process)
    }
  }

  var isOfThisHost: Bool { host == ThisHost.name }

  /// Whether whoever made it is known to be no more: it holds a lock on it for as long as it lives. Where there are no
  /// locks, its number says so.
  var isLeft: Bool {
    guard isOfThisHost, process != getpid() else { return false }
    return switch FolderClaim.state(path) {
    case .held: false
    case .free: true
    case .unknown: kill(process, 0) != 0 && errno == ESRCH
    }
  }
}
