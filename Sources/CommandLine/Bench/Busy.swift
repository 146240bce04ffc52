import ArgumentParser
import Benchmarks
import Tensors

/// A person's machine is seldom idle: this makes it busy, and measures.
extension Bench {
  struct Busy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Speed beside other programs: a busy loop per core, a second vugen, a training run.",
      discussion: """
        Each task is timed alone, alone with spinning threads (OMP_WAIT_POLICY=active), beside one busy loop per core, \
        and as two instances at once; a drawing also beside a training run, which yields to it. The figures are \
        ratios of neighbouring times, medians of the rounds. Takes about a minute per round. \
        Example: vugen bench busy
        """)
    @OptionGroup var options: Options
    @Option(parsing: .unconditional, help: "Number of rounds.") var rounds = 3

    func validate() throws {
      if !(1...100).contains(rounds) { throw ValidationError("--rounds must be 1 to 100.") }
    }

    func run() async throws {
      let bench = try BusyBench(threads: options.threads)
      defer { bench.end() }
      for round in 1...rounds {
        note("round \(round) of \(rounds)")
        try bench.round()
      }
      let results = bench.results
      try await options.run { _ in results }
      if results.contains(where: { r in r.bar.map { !$0.holds(r.ratio ?? 0) } ?? false }) {
        throw ExitCode(1)
      }
    }
  }

  /// What `bench busy` starts beside itself.
  struct BusyWork: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "busy-work", shouldDisplay: false)
    @OptionGroup var options: Options
    @Option var work: BusyKind
    @Option var seconds = 2.0

    func validate() throws {
      if !(0...3600).contains(seconds) { throw ValidationError("--seconds must be 0 to 3600.") }
    }

    @NumericActor
    func run() async throws {
      if let threads = options.threads { Threads.count = threads }
      if let median = try work.run(seconds: seconds) { print(median) }
    }
  }
}

extension BusyKind: ExpressibleByArgument {}
