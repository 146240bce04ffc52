import Foundation
import Synchronization

/// How politely this process asks for the processor.
public enum ProcessPriority {
  /// Gives all threads of this process at least this niceness, and with them those that they will start. Terminals
  /// that have groups of their own in Linux' scheduler ("autogroup") share the processor by group before niceness
  /// counts, so that this session's group gets it, too, until the process ends.
  ///
  /// Threads that are nicer already stay so; 0 changes nothing.
  public static func lower(to niceness: Int32) {
    guard niceness > 0 else { return }
    let which = __priority_which_t(PRIO_PROCESS.rawValue)
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    for thread in threads.compactMap({ id_t($0) }) where getpriority(which, thread) < niceness {
      setpriority(which, thread, niceness)
    }
    guard let before = groupNiceness(), before < niceness, restoreAtTheEnd(before) else { return }
    _ = setGroupNiceness(niceness)
  }

  /// Starts what gives the group its niceness back when this process ends, in whatever way: a shell that waits for the end
  /// of a pipe. A handler of this process would not run when it is killed, and the terminal would stay slow.
  private static func restoreAtTheEnd(_ niceness: Int32) -> Bool {
    let shell = Process(), pipe = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    // Linux takes such a change ten times a second at most, from everybody together.
    let giveBack = "for i in 1 2 3 4 5; do echo \(niceness) >\(group) && break; sleep 0.2; done"
    shell.arguments = ["-c", "trap '' INT TERM HUP QUIT; read -r x; \(giveBack)"]
    (shell.standardInput, shell.standardOutput, shell.standardError) = (
      pipe, FileHandle.nullDevice, FileHandle.nullDevice
    )
    guard (try? shell.run()) != nil else { return false }
    lifeline.withLock { $0 = pipe.fileHandleForWriting }
    return true
  }

  /// Open as long as this process lives.
  private static let lifeline = Mutex<FileHandle?>(nil)
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
