import Foundation

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
    var attributes = posix_spawnattr_t(), all = sigset_t(), none = sigset_t()
    guard posix_spawnattr_init(&attributes) == 0 else { return nil }
    defer { posix_spawnattr_destroy(&attributes) }
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    // POSIX_SPAWN_SETSIGMASK and POSIX_SPAWN_SETSIGDEF.
    posix_spawnattr_setflags(&attributes, 0x08 | 0x04)
    var list = (["/bin/sh", "-c", line, "sh"] + arguments).map { strdup($0) } + [nil]
    defer { list.forEach { free($0) } }
    var child: pid_t = 0, status: Int32 = 0
    guard posix_spawn(&child, "/bin/sh", nil, &attributes, &list, environ) == 0 else { return nil }
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
