import Files
import Foundation
import Synchronization

/// A pipe that wakes whoever waits at its end.
enum WakingPipe {
  /// Neither end waits, and no other program gets them; nil where there can be none.
  static func ends() -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    return (ends[0], ends[1])
  }
}

/// Messages for the interface's thread, from any other, and a pipe that wakes it.
final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  let wakeDescriptor: Int32
  /// Where a byte wakes the interface: all that a signal handler may know of this.
  let writeDescriptor: Int32

  init() {
    // Without a pipe the loop still wakes by its clock.
    (wakeDescriptor, writeDescriptor) = WakingPipe.ends() ?? (-1, -1)
  }

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    wake()
  }

  func wake() { wakeInterface(writeDescriptor) }

  func take() -> [Message] {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(wakeDescriptor, &bytes, bytes.count) > 0 {}
    return messages.withLock { list in
      defer { list = [] }
      return list
    }
  }
}

/// One system call on a number: a signal handler may do that, and what it interrupts does not see it.
private func wakeInterface(_ descriptor: Int32) {
  let before = errno
  var byte: UInt8 = 1
  _ = write(descriptor, &byte, 1)
  errno = before
}

/// Signals as flags, and a byte into a pipe: a handler may do no more. It touches no object.
enum StudioSignals {
  private nonisolated(unsafe) static var resized: sig_atomic_t = 0
  private nonisolated(unsafe) static var ended: sig_atomic_t = 0
  private nonisolated(unsafe) static var resumed: sig_atomic_t = 0
  private nonisolated(unsafe) static var interrupted: sig_atomic_t = 0
  private nonisolated(unsafe) static var isTerminalLent: sig_atomic_t = 0
  /// Set before the handlers are; the pipe stays open as long as the process.
  private nonisolated(unsafe) static var wakeDescriptor: Int32 = -1

  /// Has something to read once a signal ends the studio, and is never read: for whoever waits for another program.
  private(set) nonisolated(unsafe) static var endDescriptor: Int32 = -1
  private nonisolated(unsafe) static var endWriter: Int32 = -1

  /// Whether another program has the terminal for a while.
  static func lendTerminal(_ isLent: Bool) { isTerminalLent = isLent ? 1 : 0 }

  /// Each signal wakes the interface.
  static func watch(waking mailbox: Mailbox<StudioMessage>) {
    wakeDescriptor = mailbox.writeDescriptor
    if endWriter < 0, let ends = WakingPipe.ends() { (endDescriptor, endWriter) = ends }
    signal(SIGWINCH) { _ in
      StudioSignals.resized = 1
      wakeInterface(StudioSignals.wakeDescriptor)
    }
    // The studio reads Ctrl-C as a key. As a signal it comes where the terminal was not the studio's for a moment: while
    // it starts, stands still or takes the terminal back. It means the same then.
    Signals.take(SIGINT) { _ in
      // Ctrl-C is the editor's while it has the terminal.
      if StudioSignals.isTerminalLent != 0 { return }
      StudioSignals.interrupted = 1
      wakeInterface(StudioSignals.wakeDescriptor)
    }
    for name in [SIGTERM, SIGHUP, SIGQUIT] {
      Signals.take(name) { number in
        // The terminal sends this one to the editor, while that has it. A handler, not SIG_IGN: that would be handed on.
        if number == SIGQUIT, StudioSignals.isTerminalLent != 0 { return }
        StudioSignals.ended = number
        wakeInterface(StudioSignals.endWriter)
        wakeInterface(StudioSignals.wakeDescriptor)
      }
    }
    signal(SIGCONT) { _ in
      StudioSignals.resumed = 1
      wakeInterface(StudioSignals.wakeDescriptor)
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Stands still, as any program does that needs the whole screen, until the shell brings it to the front: what it asked
  /// of the terminal before, the shell would read the replies to. False where it stays in the background, because there
  /// is no shell to wait for.
  static func waitForForeground() -> Bool {
    while ended == 0 {
      let owner = tcgetpgrp(0)
      // No terminal of this session's, or one whose groups are not seen from here.
      guard owner > 0, owner != getpgrp() else { return true }
      resumed = 0
      // A parent may have handed on that it waits.
      var stop = sigset_t()
      sigemptyset(&stop)
      sigaddset(&stop, SIGTTIN)
      pthread_sigmask(SIG_UNBLOCK, &stop, nil)
      raise(SIGTTIN)
      // Whoever stood still is told that it goes on; the word may reach another thread a little later.
      for _ in 0..<20 where resumed == 0 && ended == 0 { usleep(10_000) }
      if resumed == 0 { return false }
    }
    return true
  }

  static func takeResize() -> Bool {
    defer { resized = 0 }
    return resized != 0
  }

  static func takeInterrupt() -> Bool {
    defer { interrupted = 0 }
    return interrupted != 0
  }

  static func takeResume() -> Bool {
    defer { resumed = 0 }
    return resumed != 0
  }

  static var endSignal: Int32 { Int32(ended) }
}
