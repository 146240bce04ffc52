import Foundation
import Synchronization

/// A pseudo-terminal in place of standard input and output, and the bytes that were sent to it.
final class PseudoTerminal: Sendable {
  private let master: Int32
  private let savedInput, savedOutput: Int32
  private let received = Mutex(Received())

  fileprivate struct Received {
    var count = 0
    /// What is waited for, and what may be its beginning.
    var wanted = Data(), last = Data()
    var found: DispatchSemaphore?
  }

  init(columns: Int, rows: Int) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // TIOCSPTLCK and TIOCGPTN, whose C macros do not reach Swift.
    var isLocked: Int32 = 0, number: Int32 = 0
    guard master >= 0, ioctl(master, 0x4004_5431, &isLocked) == 0, ioctl(master, 0x8004_5430, &number) == 0
    else {
      throw BenchmarkError("cannot open a pseudo-terminal")
    }
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: UInt16(columns * 9),
      ws_ypixel: UInt16(rows * 18))
    _ = ioctl(slave, UInt(TIOCSWINSZ), &size)
    (savedInput, savedOutput) = (dup(0), dup(1))
    dup2(slave, 0)
    dup2(slave, 1)
    close(slave)
    Thread.detachNewThread { [self] in
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(master, &bytes, bytes.count)
        guard count > 0 else { return }
        received.withLock { $0.take(bytes[..<count]) }
      }
    }
  }

  /// Bytes so far, once no more come.
  func settledCount() -> Int {
    var last = -1
    while true {
      usleep(30_000)
      let now = received.withLock { $0.count }
      if now == last { return now }
      last = now
    }
  }

  /// Whether a program that is started here writes a text within so many seconds.
  func shows(_ text: String, within seconds: Double, once start: () throws -> Void) rethrows -> Bool {
    let found = DispatchSemaphore(value: 0)
    received.withLock { ($0.wanted, $0.last, $0.found) = (Data(text.utf8), Data(), found) }
    try start()
    return found.wait(timeout: .now() + seconds) == .success
  }

  func restore() {
    dup2(savedInput, 0)
    dup2(savedOutput, 1)
  }
}

extension PseudoTerminal.Received {
  fileprivate mutating func take(_ bytes: ArraySlice<UInt8>) {
    count += bytes.count
    guard let waiting = found else { return }
    last += bytes
    if last.range(of: wanted) != nil {
      waiting.signal()
      found = nil
    }
    last = Data(last.suffix(wanted.count))
  }
}
