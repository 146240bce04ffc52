import Foundation
import Terminal

/// A program that has the terminal for a while, such as an editor.
///
/// Foundation's `Process` gives what it starts a process group of its own, which may not read from the terminal, and
/// hands on this thread's blocked signals.
enum ForegroundProgram {
  /// Runs a shell's line to its end, with this program's input and output, in its process group: what it needs to be
  /// in the foreground as this program is.
  ///
  /// - Parameter arguments: `$1` and so on in the line.
  /// - Returns: the status as `wait` tells it; nil where it cannot be started.
  static func run(_ line: String, _ arguments: [String]) -> Int32? {
    let shell = ["/bin/sh", "-c", line, "sh"] + arguments
    guard let child = CleanSpawn.start(shell, hasOwnGroup: false, isSilent: false) else { return nil }
    var status: Int32 = 0
    // What stops the program (Ctrl-Z) stops this one with it, without drawing anything.
    var before = sigaction()
    sigaction(SIGTSTP, nil, &before)
    signal(SIGTSTP, SIG_DFL)
    defer { sigaction(SIGTSTP, &before, nil) }
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status
  }

  /// How it ended, in words; nil where all went well.
  static func problem(_ status: Int32) -> String? {
    if status == 0 { return nil }
    let signal = status & 0x7F
    return signal == 0 ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"
  }
}
