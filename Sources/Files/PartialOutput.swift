import Foundation
import Synchronization

/// A file or folder that is being written under a temporary name. Where a signal ends the program, it is removed.
public final class PartialOutput {
  private struct State {
    var paths: [Int: String] = [:]
    var last = 0
    var watchesSignals = false
  }

  private static let state = Mutex(State())
  private let id: Int

  /// Before anything is put at `path`.
  public init(_ path: String) {
    let absolute = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    id = Self.state.withLock { state in
      if !state.watchesSignals {
        state.watchesSignals = true
        Self.watchSignals()
      }
      state.last += 1
      state.paths[state.last] = absolute
      return state.last
    }
  }

  /// It is renamed or removed.
  public func forget() { Self.state.withLock { $0.paths[id] = nil } }

  /// Removes all that is being written, where the program ends at once.
  public static func removeAll() {
    state.withLock { for path in $0.paths.values { FileName.remove(path) } }
  }

  // MARK: Signals

  /// The end of a pipe at which a thread waits: all that a signal handler may know of this.
  private nonisolated(unsafe) static var wakeDescriptor: Int32 = -1

  /// Signals that nobody takes end the program as they would have, behind the removal. Handlers do no more than write their
  /// number into a pipe; the rest is a thread's.
  private static func watchSignals() {
    // The end for want of memory comes from anywhere.
    atexit { PartialOutput.removeAll() }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wakeDescriptor = ends[1]
    let reader = ends[0]
    Thread.detachNewThread { waitForSignal(reader) }
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXCPU, SIGXFSZ, SIGALRM, SIGUSR1, SIGUSR2] {
      var old = sigaction()
      guard sigaction(number, nil, &old) == 0, old.__sigaction_handler.sa_handler == nil else { continue }
      signal(number) { number in
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(PartialOutput.wakeDescriptor, &byte, 1)
        errno = before
      }
    }
  }

  /// Nothing is begun or ended from the removal to the end.
  private static func waitForSignal(_ descriptor: Int32) {
    var byte: UInt8 = 0
    while true {
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      let number = Int32(byte)
      state.withLock { state in
        for path in state.paths.values { FileName.remove(path) }
        signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
      }
    }
  }
}
