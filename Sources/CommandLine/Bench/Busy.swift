import ArgumentParser
import Foundation
import Tensors
import VUGEN

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
    @Option(help: "Number of rounds.") var rounds = 3

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
      let parent = getppid()
      switch work {
      case .loop:
        var x: UInt64 = 1
        while getppid() == parent, x != 0 {
          for _ in 0..<1_000_000 { x = (x &* 6_364_136_223_846_793_005) | 1 }
        }
      case .answer: report(try answering())
      case .trainStep: report(trainStepWork(.bf16))
      case .sampling: report(samplingWork(.bf16, cachingText: true))
      }
    }

    @NumericActor
    private func report(_ body: @NumericActor () -> Void) {
      body()
      let clock = ContinuousClock(), start = clock.now
      var times: [Double] = []
      while times.isEmpty || clock.now - start < .seconds(seconds) {
        times.append(clock.measure(body) / .seconds(1))
      }
      print(times.sorted()[times.count / 2])
    }
  }
}

enum BusyKind: String, ExpressibleByArgument, CaseIterable {
  case loop, answer, sampling
  case trainStep = "train-step"

  var title: String {
    switch self {
    case .loop: "busy loop"
    case .answer: "answer of 64 tokens"
    case .sampling: "50 guided steps"
    case .trainStep: "training step"
    }
  }
}

/// 64 tokens of the embedded model behind a short prompt, whether they end the answer or not.
@NumericActor
private func answering() throws -> @NumericActor () -> Void {
  let tower = try LoadedModel(folder: EmbeddedModel.folder).tower
  return {
    let cache = tower.makeCache()
    for token in 0..<64 { _ = try? tower.prefill(tower.embed([Int32(token + 40)]), into: cache) }
  }
}
