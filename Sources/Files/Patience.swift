import Foundation
import Synchronization

/// Waiting for others, such as whoever writes into a pipe, which a person can end.
public enum Patience {
  /// Somebody asked for the end.
  public struct Ended: Error, CustomStringConvertible {
    /// - Parameter leavesWork: whether a thread still works, so that the program must end without tidying up.
    public init(leavesWork: Bool = false) {
      if leavesWork { Patience.hasLeftWork.store(true, ordering: .relaxed) }
    }

    public var description: String { "interrupted" }
  }

  private struct Watch {
    var isEnded: @Sendable () -> Bool = { false }
    var tell: @Sendable (String) -> Void = { _ in }
  }

  private static let watch = Mutex(Watch())
  private static let hasWatch = Atomic(false)
  private static let hasLeftWork = Atomic(false)

  /// Whether somebody is there to ask.
  public static var isWatched: Bool { hasWatch.load(ordering: .relaxed) }
  /// Whether a thread was left at its work.
  public static var leavesWork: Bool { hasLeftWork.load(ordering: .relaxed) }

  /// Whom to ask whether work should end, and whom to tell what is waited for. Set once, where signals are taken.
  public static func watch(
    isEnded: @escaping @Sendable () -> Bool, tell: @escaping @Sendable (String) -> Void
  ) {
    watch.withLock { $0 = Watch(isEnded: isEnded, tell: tell) }
    hasWatch.store(true, ordering: .relaxed)
  }

  /// Whether work should end now; false where nobody watches.
  public static var isEnded: Bool { watch.withLock { $0.isEnded }() }

  /// The system restarts what a signal interrupts, and may give the signal to another thread: so it is looked for.
  private static let patience: Int32 = 100

  /// Waits until a descriptor can be read or written, as `events` says. Throws `Ended`.
  public static func wait(for descriptor: Int32, _ events: Int32, _ what: @autoclosure () -> String) throws {
    var rounds = 0
    while true {
      guard !isEnded else { throw Ended() }
      var ask = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
      if poll(&ask, 1, patience) > 0 { return }
      try pass(&rounds, what())
    }
  }

  /// Opens what a person names for writing; a pipe is waited for until somebody reads it. Throws `Ended`.
  ///
  /// - Returns: a descriptor, or −1 with `errno`.
  public static func openForWriting(_ path: String) throws -> Int32 {
    var rounds = 0
    while true {
      guard !isEnded else { throw Ended() }
      let descriptor = FileName.open(path, O_WRONLY | O_NONBLOCK)
      let isPipe = FileName.status(path).map { $0.st_mode & S_IFMT == S_IFIFO } ?? false
      guard descriptor < 0, errno == ENXIO, isPipe else {
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
        return descriptor
      }
      _ = poll(nil, 0, patience)
      try pass(&rounds, "\(path): waiting for somebody who reads this pipe; Ctrl-C ends it")
    }
  }

  /// A second later a person is told.
  private static func pass(_ rounds: inout Int, _ what: @autoclosure () -> String) throws {
    rounds += 1
    if rounds == 10 { watch.withLock { $0.tell }(what()) }
  }

  /// Writes all bytes. What is no plain file is given little at a time once it takes any, so that a pipe that nobody
  /// empties can be left. Throws `Ended`.
  ///
  /// - Returns: false with `errno` where it did not go.
  public static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ name: String) throws
    -> Bool
  {
    var status = stat(), rest = bytes[...]
    let isPlain = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    while !rest.isEmpty {
      if !isPlain {
        try wait(for: descriptor, POLLOUT, "\(name): waiting for somebody who reads this; Ctrl-C ends it")
      }
      let piece = UnsafeRawBufferPointer(rebasing: isPlain ? rest : rest.prefix(4096))
      let written = Foundation.write(descriptor, piece.baseAddress, piece.count)
      if written < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return false
      }
      rest = rest.dropFirst(written)
    }
    return true
  }
}
