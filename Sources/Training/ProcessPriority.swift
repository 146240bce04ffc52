import Foundation

/// How politely this process asks for the processor.
public enum ProcessPriority {
  /// Gives all threads of this process at least this niceness, and with them those that they will start. Terminals
  /// that have groups of their own in Linux' scheduler ("autogroup") share the processor by group before niceness
  /// counts, so that this session's group gets it, too, until the process exits.
  ///
  /// Threads that are nicer already stay so; 0 changes nothing.
  public static func lower(to niceness: Int32) {
    guard niceness > 0 else { return }
    let which = __priority_which_t(PRIO_PROCESS.rawValue)
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    for thread in threads.compactMap({ id_t($0) }) where getpriority(which, thread) < niceness {
      setpriority(which, thread, niceness)
    }
    guard let before = groupNiceness(), before < niceness, setGroupNiceness(niceness) else { return }
    groupBefore = before
    atexit { ProcessPriority.giveBack() }
  }

  /// Gives the session's group its niceness back, which happens by itself at an ordinary exit; for one by `_exit`.
  public static func giveBack() {
    guard let before = groupBefore else { return }
    _ = setGroupNiceness(before)
  }

  /// Written once, before the exit handler that reads it is there.
  private nonisolated(unsafe) static var groupBefore: Int32?
  private static let group = "/proc/self/autogroup"

  /// "/autogroup-12 nice 0"; nil where there are no groups.
  static func groupNiceness() -> Int32? {
    guard let text = try? String(contentsOfFile: group, encoding: .utf8) else { return nil }
    return text.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
  }

  private static func setGroupNiceness(_ niceness: Int32) -> Bool {
    let file = open(group, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    let text = "\(niceness)"
    return write(file, text, text.utf8.count) == text.utf8.count
  }
}
