import ArgumentParser
import Files
@preconcurrency import Glibc

/// Writes to standard error, and goes on where nobody takes it.
func writeError(_ text: String) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if written < 0, errno == EINTR { continue }
    guard written > 0 else { return }
    rest = rest.dropFirst(written)
  }
}

/// Standard output, which may be full or closed.
enum Output {
  /// At the program's start. A closed descriptor would be given to the next file that is opened, and what is printed
  /// would go there; a pipe that nobody reads would end the program without a word.
  static func prepare() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // Reading only: what is printed fails as it should.
      _ = open("/dev/null", O_RDONLY)
    }
    // Swift's own handler prints a report of a crash, and the program goes on.
    Signals.take(SIGQUIT, SIG_DFL)
    // A handler, not SIG_IGN: that would be handed on to other programs.
    signal(SIGPIPE) { _ in }
    // The same for a limit on files' sizes: writing then fails, with a reason.
    signal(SIGXFSZ) { _ in }
  }

  /// A file's name, and what follows it on its line: the name's own bytes for a program that reads it; on a terminal
  /// without control characters, and `\xE9` for a byte that belongs to no UTF-8.
  static func show(name path: String, _ rest: String = "") throws {
    if isatty(STDOUT_FILENO) == 1 { return try show(path.oneLine + rest.terminalSafe + "\n") }
    try show(FileName.bytes(path) + Array((rest + "\n").utf8))
  }

  /// What a model says, as it says it; a terminal gets no commands from it.
  static func show(said text: String) throws {
    try show(isatty(STDOUT_FILENO) == 1 ? text.terminalSafe : text)
  }

  /// Text that appears at once. Throws `CommandError` where nobody takes it.
  static func show(_ text: String) throws {
    fputs(text, stdout)
    try finish()
  }

  /// The same of bytes.
  static func show(_ bytes: [UInt8]) throws {
    fwrite(bytes, 1, bytes.count, stdout)
    try finish()
  }

  /// Whether what is printed goes to standard error: see `BinaryOutput`.
  fileprivate nonisolated(unsafe) static var isLeft = false

  /// Whether it is a pipe or a connection that nobody reads.
  private static var isClosed: Bool {
    var ask = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&ask, 1, 0) > 0 && Int32(ask.revents) & (POLLERR | POLLHUP) != 0
  }

  /// Throws `CommandError` where not all that was printed could be written.
  static func finish() throws {
    if isLeft { return }
    errno = 0
    guard fflush(stdout) == 0, ferror(stdout) == 0 else {
      // It may have failed long ago, while more was printed.
      if errno == 0, isClosed { errno = EPIPE }
      let reason = errno == 0 ? "not all of it could be written" : String(cString: strerror(errno))
      clearerr(stdout)
      throw CommandError("standard output: \(reason)")
    }
  }
}

/// Outputs that are a file of their own, such as a picture: where one goes to standard output, nothing else goes there.
enum BinaryOutput {
  /// Throws `ValidationError` where two of them mean standard output, or one and an object.
  static func check(_ outputs: [String?], isJSON: Bool = false) throws {
    let taking = outputs.compactMap { $0 }.filter(AtomicFile.isStandardOutput)
    guard let first = taking.first, isJSON || taking.count > 1 else { return }
    throw ValidationError(
      isJSON
        ? "an output of \(first) and JSON both mean standard output; name a file, or leave out --json."
        : "two outputs mean standard output; name a file for one of them.")
  }

  /// Before the work: where one of them goes to standard output, what is printed goes to standard error.
  static func take(_ outputs: [String?]) {
    guard outputs.contains(where: { $0.map(AtomicFile.isStandardOutput) ?? false }) else { return }
    Output.isLeft = true
    stdout = stderr
  }
}
