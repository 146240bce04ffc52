import Foundation
import Synchronization
import Terminal

/// A program that has the terminal for a while, such as an editor.
///
/// Foundation's `Process` gives what it starts a process group of its own, which may not read from the terminal, and
/// hands on this thread's blocked signals.
enum ForegroundProgram {
  /// Runs a shell's line to its end, with this program's input and output, in its process group: what it needs to be
  /// in the foreground as this program is. A signal that ends this program is handed on, and ends the other one a second
  /// later at the latest.
  ///
  /// - Parameter arguments: `$1` and so on in the line.
  /// - Returns: the status as `wait` tells it; nil where it cannot be started.
  static func run(_ line: String, _ arguments: [String]) -> Int32? {
    let shell = ["/bin/sh", "-c", line, "sh"] + arguments
    guard let child = CleanSpawn.start(shell, hasOwnGroup: false, isSilent: false) else { return nil }
    // What stops the program (Ctrl-Z) stops this one with it, without drawing anything.
    var before = sigaction()
    sigaction(SIGTSTP, nil, &before)
    signal(SIGTSTP, SIG_DFL)
    defer { sigaction(SIGTSTP, &before, nil) }
    guard let done = WakingPipe.ends() else { return Self.status(of: child) }
    let end = End()
    // A thread of its own waits for the process: this one waits for a signal, too.
    Thread.detachNewThread {
      end.status.withLock { $0 = Self.status(of: child) }
      close(done.write)
    }
    if !isOver(done.read, orSignal: true, within: -1) {
      for signal in [StudioSignals.endSignal, SIGCONT] { kill(child, signal) }
      if !isOver(done.read, orSignal: false, within: 1000) { kill(child, SIGKILL) }
      _ = isOver(done.read, orSignal: false, within: 1000)
    }
    close(done.read)
    return end.status.withLock(\.self)
  }

  private final class End: Sendable {
    let status = Mutex<Int32?>(nil)
  }

  private static func status(of child: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status
  }

  /// Waits until the other end of a pipe is closed. False where a signal ends this program first, or the time is over.
  private static func isOver(_ pipe: Int32, orSignal: Bool, within milliseconds: Int32) -> Bool {
    while true {
      var watched = [
        pollfd(fd: pipe, events: Int16(POLLIN), revents: 0),
        pollfd(fd: orSignal ? StudioSignals.endDescriptor : -1, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&watched, 2, milliseconds)
      if count < 0, errno == EINTR { continue }
      return watched[0].revents != 0
    }
  }

  /// How it ended, in words; nil where all went well.
  static func problem(_ status: Int32) -> String? {
    if status == 0 { return nil }
    let signal = status & 0x7F
    return signal == 0 ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"
  }
}
