import Files
import Foundation

/// Starts works and their rivals as processes of this program, and keeps the ratios of neighbouring times.
public final class BusyBench {
  /// A drawing, start-up included, or one of the works that a process repeats.
  private enum Subject: Hashable {
    case drawing
    case repeated(BusyKind)

    var title: String {
      switch self {
      case .drawing: "imagine"
      case .repeated(let kind): kind.title
      }
    }
  }

  private let threads: [String]
  private let place: TemporaryFolder
  private var folder: String { place.path }
  private var running: [Process] = []
  private var alone: [Subject: [Double]] = [:], keys: [Double] = []
  private var ratios: [(name: String, bar: Measurement.Bar, values: [Double])] = []

  private static let subjects: [Subject] = [
    .drawing, .repeated(.answer), .repeated(.trainStep), .repeated(.sampling),
  ]

  /// - Parameter threads: of each process; nil for one a core.
  public init(threads: Int32?) throws {
    self.threads = threads.map { ["--threads", String($0)] } ?? []
    place = try TemporaryFolder("vugen-busy")
  }

  /// Ends what still runs. What was drawn goes with this object.
  public func end() { running.forEach(stop) }

  /// Times everything once. Throws `BenchmarkError` where a process fails.
  public func round() throws {
    for subject in Self.subjects {
      let first = try seconds(subject), toSpinning = try aloneToSpinning(subject)
      let rivals = try (0..<ProcessInfo.processInfo.activeProcessorCount).map { _ in try start(.loop) }
      let beside = try seconds(subject)
      rivals.forEach(stop)
      let both = try twoAtOnce(subject), second = try seconds(subject)
      let own = (first + second) / 2
      alone[subject, default: []].append(own)
      keep("\(subject.title): beside a busy loop a core", .atMost(3), beside / own)
      keep("\(subject.title): two at once, each one's share of its speed", .atLeast(0.4), own / both)
      keep("\(subject.title): alone, to spinning threads", .atMost(1.03), toSpinning)
    }
    try besideTraining()
  }

  /// Medians over the rounds.
  public var results: [Measurement] {
    Self.subjects.map { subject in
      Measurement(name: "\(subject.title): alone", seconds: (alone[subject] ?? []).median)
    }
      + ratios.map {
        Measurement(name: $0.name, seconds: 0, ratio: $0.values.median, bar: $0.bar)
      }
      + [
        Measurement(name: "key to screen beside a training run, slowest in 100", seconds: keys.median / 1000)
      ]
  }

  // MARK: - Times

  /// A drawing, and keys in the studio, beside a run of `train` that stands back.
  private func besideTraining() throws {
    let own = try seconds(.drawing), run = try training()
    defer { stop(run) }
    keep("imagine: beside a training run", .atMost(1.5), try seconds(.drawing) / own)
    let text = try output(of: ["bench", "studio", "--json"])
    guard let report = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Double],
      let slowest = report["… slowest in 100, ms"]
    else { return }
    keys.append(slowest)
  }

  /// The shortest of a few drawings, or the median of a work's repetitions.
  private func seconds(_ subject: Subject, waiting: String? = nil) throws -> Double {
    switch subject {
    case .drawing: try (0..<3).map { _ in try wait(for: draw(waiting)) }.median
    case .repeated(let kind): try value(of: start(kind, waiting))
    }
  }

  /// The time alone as a share of the time under spinning threads. In this order of the runs, a machine that slows down or
  /// recovers meanwhile moves both alike.
  private func aloneToSpinning(_ subject: Subject) throws -> Double {
    let policies: [String?] = [nil, "active", "active", nil, nil, "active", "active", nil]
    var sums: [String?: Double] = [:]
    for policy in policies { sums[policy, default: 0] += try seconds(subject, waiting: policy) }
    return (sums[nil] ?? 0) / (sums["active"] ?? 1)
  }

  /// The slower of two that run at the same time.
  private func twoAtOnce(_ subject: Subject) throws -> Double {
    switch subject {
    case .drawing:
      let pairs = try (0..<3).map { _ in
        let pair = [try draw(nil), try draw(nil)]
        return try pair.map(wait).max() ?? 0
      }
      return pairs.median
    case .repeated(let kind):
      let pair = [try start(kind), try start(kind)]
      return try pair.map(value).max() ?? 0
    }
  }

  private func keep(_ name: String, _ bar: Measurement.Bar, _ ratio: Double) {
    if let i = ratios.firstIndex(where: { $0.name == name }) {
      ratios[i].values.append(ratio)
    } else {
      ratios.append((name, bar, [ratio]))
    }
  }

  // MARK: - Processes

  private struct Started {
    let process: Process
    let output: Pipe
    let since: ContinuousClock.Instant
  }

  private func draw(_ waiting: String?) throws -> Started {
    try launch(
      ["imagine", "a cat", "--seed", "1", "--output", "\(folder)/\(UUID().uuidString).png"] + threads, waiting
    )
  }

  private func start(_ kind: BusyKind, _ waiting: String? = nil) throws -> Started {
    try launch(["bench", "busy-work", "--work", kind.rawValue] + threads, waiting)
  }

  /// A training run under way: its first steps are done.
  private func training() throws -> Started {
    let run = "\(folder)/run-\(UUID().uuidString)"
    let started = try launch(["train", "decoder", "--output", run] + threads, nil)
    let clock = ContinuousClock()
    while clock.now - started.since < .seconds(120), started.process.isRunning {
      let log = try? String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
      if let log, log.split(separator: "\n").count >= 2 { return started }
      usleep(50_000)
    }
    stop(started)
    throw BenchmarkError("the training run did not start; try `vugen train decoder` by itself")
  }

  private func launch(_ arguments: [String], _ waiting: String?) throws -> Started {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    var environment = ProcessInfo.processInfo.environment
    if let waiting { environment["OMP_WAIT_POLICY"] = waiting }
    process.environment = environment
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let since = ContinuousClock().now
    try process.run()
    running.append(process)
    return Started(process: process, output: output, since: since)
  }

  private func wait(for started: Started) throws -> Double {
    started.process.waitUntilExit()
    let elapsed = (ContinuousClock().now - started.since) / .seconds(1)
    try check(started)
    return elapsed
  }

  private func value(of started: Started) throws -> Double {
    let text = String(decoding: started.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    try check(started)
    guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw BenchmarkError("a benchmark process printed '\(text)' instead of its time")
    }
    return seconds
  }

  private func output(of arguments: [String]) throws -> String {
    let started = try launch(arguments, nil)
    let text = String(decoding: started.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    try check(started)
    return text
  }

  private func check(_ started: Started) throws {
    started.process.waitUntilExit()
    running.removeAll { $0 === started.process }
    guard started.process.terminationStatus == 0 else {
      throw BenchmarkError(
        "vugen \((started.process.arguments ?? []).joined(separator: " ")) ended with status "
          + "\(started.process.terminationStatus)")
    }
  }

  private func stop(_ started: Started) { stop(started.process) }

  private func stop(_ process: Process) {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    running.removeAll { $0 === process }
  }
}
