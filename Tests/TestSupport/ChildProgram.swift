import Foundation
import ProgramStart

/// A program that a test starts, and what it writes.
///
/// It gets nothing of ours but its three descriptors, and nothing waits for it for ever. Foundation's `Process` does
/// both: what it learns an end by is inherited by whatever another thread starts at that moment.
public final class ChildProgram {
  /// What a program that has ended left.
  public struct Outcome: Sendable {
    /// What it wrote to its standard output, byte for byte.
    public let bytes: Data
    /// What it wrote to its standard error.
    public let errors: String
    /// Its exit status; 128 and the signal's number where it died of one, as a shell says it.
    public let status: Int32
    /// The signal that it died of.
    public let signal: Int32?

    /// What it wrote to its standard output.
    public var output: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// A program that could not be started or did not end.
  public struct Failure: Error, CustomStringConvertible {
    /// What was to be run, and what went wrong.
    public let description: String
  }

  /// Its process, which leads a group of its own.
  public let identifier: pid_t
  private let words: [String], output: Int32, errors: Int32
  private var end: Int32?

  /// Starts a program with an empty standard input.
  ///
  /// - Parameters:
  ///   - words: the program's absolute path and its arguments.
  ///   - folder: where it works; here by default.
  ///   - environment: its variables, this program's by default; where it says nothing of threads, one.
  /// - Throws: `Failure` where it cannot be started.
  public init(_ words: [String], in folder: String? = nil, environment: [String: String]? = nil) throws {
    self.words = words
    (output, errors) = (nameless_file(), nameless_file())
    var list = words.map { strdup($0) } + [nil]
    var environment = environment ?? ProcessInfo.processInfo.environment
    // Tests run beside each other: a second thread would wait for a processor.
    if environment["OMP_NUM_THREADS"] == nil { environment["OMP_NUM_THREADS"] = "1" }
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (list + variables).forEach { free($0) } }
    var child: pid_t = 0
    let problem = start_program(&list, &variables, folder, "/dev/null", output, errors, &child)
    identifier = child
    guard problem == 0 else {
      end = 0
      throw Failure(description: "\(words[0]): \(String(cString: strerror(problem)))")
    }
  }

  deinit {
    if end == nil {
      kill(-identifier, SIGKILL)
      var status: Int32 = 0
      waitpid(identifier, &status, 0)
    }
    close(output)
    close(errors)
  }

  /// Whether it has not ended yet.
  public var isRunning: Bool {
    if end != nil { return false }
    var status: Int32 = 0
    guard waitpid(identifier, &status, WNOHANG) == identifier else { return true }
    end = status
    return false
  }

  /// What it has written to its standard output so far.
  public var written: Data { Self.contents(output) }

  /// Waits until it has written so many bytes or has ended.
  public func wait(forBytes count: Int, within seconds: Double = 600) {
    let clock = ContinuousClock(), limit = clock.now + .seconds(seconds)
    while Self.size(output) < count, isRunning, clock.now < limit { usleep(500) }
  }

  /// Waits until it has ended.
  ///
  /// - Throws: `Failure` where it has not after so many seconds; it is killed then.
  public func outcome(within seconds: Double = 600) throws -> Outcome {
    let clock = ContinuousClock(), limit = clock.now + .seconds(seconds)
    var nap: UInt32 = 500
    while isRunning {
      guard clock.now < limit else {
        let threads = states
        kill(-identifier, SIGKILL)
        throw Failure(description: "\(words) did not end in \(seconds) s: \(threads)")
      }
      usleep(nap)
      nap = min(nap * 2, 2000)
    }
    let status = end ?? 0, signal = status & 0x7F
    return Outcome(
      bytes: Self.contents(output),
      errors: String(decoding: Self.contents(errors), as: UTF8.self),
      status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, signal: signal == 0 ? nil : signal)
  }

  /// Runs a program to its end.
  public static func run(
    _ words: [String], in folder: String? = nil, environment: [String: String]? = nil
  ) throws -> Outcome {
    try ChildProgram(words, in: folder, environment: environment).outcome()
  }

  /// State and place of waiting of each of its threads.
  private var states: String {
    let folder = "/proc/\(identifier)/task"
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { thread in
      let stat = (try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)) ?? ""
      let place = (try? String(contentsOfFile: "\(folder)/\(thread)/wchan", encoding: .utf8)) ?? ""
      return "\(stat.split(separator: ")").last?.prefix(2) ?? "") \(place)"
    }.joined(separator: "; ")
  }

  private static func size(_ file: Int32) -> Int {
    var status = stat()
    return fstat(file, &status) == 0 ? Int(status.st_size) : 0
  }

  private static func contents(_ file: Int32) -> Data {
    var data = Data(count: size(file))
    let count = data.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
    return data.prefix(max(0, count))
  }
}
