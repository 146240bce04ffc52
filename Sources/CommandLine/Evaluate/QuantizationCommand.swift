import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import Tensors
import Training

struct EvaluateQuantization: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantization", abstract: "Measure what 8 and 4 bits cost a model.",
    discussion: """
      The mean log-probability of a token of the right answers about new scenes, and the share of greedy answers \
      that stay the same. Example: vugen evaluate quantization --scenes 100
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var batching: BatchOptions
  @Option(parsing: .unconditional, help: "Number of scenes, one question each.") var scenes = 100
  @Option(parsing: .unconditional, help: "Seed of the scenes.") var seed: UInt64 = 1
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...100_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 100000.") }
  }

  @NumericActor
  func run() async throws { try Company.run { try measure($0) } }

  @NumericActor
  private func measure(_ ranks: Ranks) throws {
    Interruption.watch(endings: !ranks.isAlone)
    let (loaded, bank) = try ranks.together {
      (try model.load(), try ObjectBank(includingSingles: false))
    }
    let slots = batching.slots(
      loaded, model, asking: "", most: QuantizationEvaluation.mostTokens, of: scenes)
    let composer = SceneComposer(bank, seed: seed, size: loaded.configuration.vision.imageSize)
    let evaluation = QuantizationEvaluation(
      loaded, composer, .validation, scenes: scenes, batch: slots, ranks: ranks)
    let results = try evaluation.run { done in
      ProgressLine.show("\(done) of \(3 * scenes) questions")
      try Interruption.check()
    }
    ProgressLine.end()
    guard ranks.isFirst else { return }
    var report: [String: ReportValue] = ["samples": .number(Double(scenes))]
    let whole = results[0].logProbability
    for result in results {
      let name = result.bits.map { "int\($0.rawValue)" } ?? "stored"
      report["\(name) log-probability"] = .number(result.logProbability)
      report["\(name) same answers"] = .number(result.sameAnswers)
      guard !json else { continue }
      print(
        name.padding(toLength: 8, withPad: " ", startingAt: 0)
          + String(
            format: "%8.4f a token, %+.4f; %5.1f %% of the answers the same", result.logProbability,
            result.logProbability - whole, 100 * result.sameAnswers))
    }
    bank.account(for: &report)
    print(json ? try jsonLine(report) : "scenes of \(bank.account)")
  }
}
