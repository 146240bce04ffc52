import ArgumentParser
import Benchmarks
import Files
import Recipes
import Tensors

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine and the numeric core on it.",
    discussion: """
      Peak rates are measured at the start of each run; shares are fractions of those.
      Example: vugen bench train-step --json
      """,
    subcommands: [
      Kernels.self, TrainStep.self, ConvStep.self, Sampling.self, Understanding.self, Generation.self,
      StudioBench.self, Captions.self, Busy.self, BusyWork.self,
    ])

  struct Options: ParsableArguments {
    @Flag(help: "Print one JSON object.") var json = false
    @Option(parsing: .unconditional, help: "Number of timed runs; the median is printed.") var repeats = 5
    @Option(parsing: .unconditional, help: "Number of threads (default: one per physical core).") var threads:
      Int32?

    func validate() throws {
      if !(1...1_000_000).contains(repeats) { throw ValidationError("--repeats must be 1 to 1000000.") }
      if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
    }

    @NumericActor
    func run(_ measure: @NumericActor (Machine) throws -> [Measurement]) throws {
      if let threads { Threads.count = threads }
      let machine = Machine.measured()
      let report = BenchReport(machine: machine, results: try measure(machine))
      print(json ? try jsonLine(of: report) : report.lines.joined(separator: "\n"))
    }
  }

  struct Kernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Single operations: products, convolutions, attention, norms.")
    @OptionGroup var options: Options

    func run() async throws {
      try await options.run { kernelMeasurements($0, repeats: options.repeats) }
    }
  }

  struct TrainStep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A training step of 8 transformer blocks: width 256, batch 32 × 128 tokens.")
    @OptionGroup var options: Options
    @Flag(
      help:
        "Measure a step of `train understanding` instead, with batches prepared and with batches made on the fly."
    )
    var understanding = false
    @Option(name: .customLong("set"), help: "Override one value of that run's recipe, as SECTION.KEY=VALUE.")
    var settings: [String] = []

    func validate() throws {
      if !settings.isEmpty, !understanding { throw ValidationError("--set needs --understanding.") }
      // Before this machine is measured.
      _ = try RecipeFile.merged(UnderstandingRecipe(), file: nil, options: settings)
    }

    func run() async throws {
      try await options.run { machine in
        guard !understanding else {
          let recipe = try RecipeFile.merged(UnderstandingRecipe(), file: nil, options: settings)
          return try understandingSteps(recipe, repeats: options.repeats)
        }
        return Precision.allCases.map { trainStep($0, machine, repeats: options.repeats) }
      }
    }
  }

  struct ConvStep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A training step of a U-Net: 64 × 64, channels 32/64/96, batch 16.")
    @OptionGroup var options: Options

    func run() async throws {
      try await options.run { machine in
        Precision.allCases.map { convStep($0, machine, repeats: options.repeats) }
      }
    }
  }

  struct Sampling: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "50 guided Euler steps of 12 blocks, width 384: with and without cached text.")
    @OptionGroup var options: Options

    func run() async throws {
      try await options.run { machine in
        Precision.allCases.flatMap { precision in
          [false, true].map { sampling(precision, machine, cachingText: $0, repeats: options.repeats) }
        }
      }
    }
  }
}
