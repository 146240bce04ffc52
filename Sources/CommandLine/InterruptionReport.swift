import Files
@preconcurrency import Glibc
import Synchronization

/// What a command with `--json` prints where a signal ends it: an object with "error", which is "interrupted", and
/// "status", and beside them what the command has finished by then.
enum InterruptionReport {
  private struct State {
    var finished: (any Encodable & Sendable)?
    var isTold = false
  }

  private static let state = Mutex(State())

  /// What is finished so far, as an object: the last one counts.
  static func note(_ finished: some Encodable & Sendable) { state.withLock { $0.finished = finished } }

  /// The same of names and values.
  static func note(_ finished: [String: ReportValue]) { state.withLock { $0.finished = finished } }

  private struct Line: Encodable {
    private enum Key: CodingKey { case error, status }

    let finished: (any Encodable & Sendable)?
    let status: Int32

    func encode(to encoder: any Encoder) throws {
      try finished?.encode(to: encoder)
      var own = encoder.container(keyedBy: Key.self)
      try own.encode("interrupted", forKey: .error)
      try own.encode(status, forKey: .status)
    }
  }

  /// The object, once; nil where nobody wants it.
  private static func line(status: Int32) -> String? {
    guard ProgramArguments.wantsJSON, !Company.isSilent else { return nil }
    return state.withLock { state in
      guard !state.isTold else { return nil }
      state.isTold = true
      let whole = try? jsonLine(of: Line(finished: state.finished, status: status))
      return (whole ?? "{\"error\":\"interrupted\",\"status\":\(status)}") + "\n"
    }
  }

  /// Where work has ended because a signal asked for it.
  static func tell(status: Int32) { if let line = line(status: status) { print(line, terminator: "") } }

  /// From now on a signal that ends the program at once, whatever it is at, is told, too.
  static func watch() {
    guard ProgramArguments.wantsJSON else { return }
    PartialOutput.beforeEnding { number in
      if let line = line(status: 128 + number) { sayAtOnce(line) }
    }
  }

  /// From beside the work, which may be printing a line at this moment: that goes to its end. Where nobody takes what is
  /// printed, nobody waits for that.
  private static func sayAtOnce(_ line: String) {
    var rounds = 0
    while ftrylockfile(stdout) != 0 {
      guard rounds < 100 else { return }
      poll(nil, 0, 10)
      rounds += 1
    }
    var rest = Array(line.utf8)[...]
    guard isTaken(), fflush(stdout) == 0 else { return }
    while !rest.isEmpty, isTaken() {
      let written = rest.prefix(Int(PIPE_BUF)).withUnsafeBytes {
        write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return }
      rest = rest.dropFirst(written)
    }
  }

  /// Whether standard output takes as much as a pipe takes at once.
  private static func isTaken() -> Bool {
    var ask = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&ask, 1, 1000) > 0 && Int32(ask.revents) & POLLOUT != 0
  }
}
