import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import Tensors
import Training
import VUGEN

struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measure what a model knows and draws.",
    discussion: """
      Several processes (mpirun -n 4 vugen evaluate generation) share the scenes and pictures of every measure; the first \
      one prints.
      """,
    subcommands: [
      EvaluateUnderstanding.self, EvaluateReconstruction.self, EvaluateGeneration.self,
      EvaluatePromptUse.self,
      EvaluateQuantization.self,
    ])
}

extension ObjectBank {
  /// Tells what the scenes were made of: with fewer cut-outs they are others.
  func account(for report: inout [String: ReportValue]) {
    report["classes"] = .number(Double(entries.count))
    report["cutOuts"] = .number(Double(named))
    report["missingCutOuts"] = .list(missing.map { .text($0) })
  }
}

/// How an evaluation ends that something goes wrong for: what it has measured is printed as its object, by the first rank,
/// with what it was.
func evaluationEnd(
  _ report: [String: ReportValue], knownBefore count: Int, asJSON: Bool, _ ranks: Ranks, by error: any Error
) -> any Error {
  guard asJSON, ranks.isFirst, report.count > count, !(error is CancellationError) else { return error }
  var report = report
  report["error"] = .text(Failure.reason(of: error))
  guard let line = try? jsonLine(report) else { return error }
  ProgressLine.end()
  print(line)
  return ranks.isAlone ? ExitCode(1) : Company.Told()
}

struct EvaluateUnderstanding: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "understanding", abstract: "Ask about scenes whose content is known.",
    discussion: """
      Answers are greedy. "val" means new scenes with combinations that training shows; "held-out", pairs, colours \
      and numbers that it never shows. A caption counts as right when object, number, colour and relation are.

      Example: vugen evaluate understanding --scenes 500
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var batching: BatchOptions
  @Option(parsing: .unconditional, help: "Number of scenes per split.") var scenes = 500
  @Option(parsing: .unconditional, help: "Seed of the scenes.")
  var seed: UInt64 = 1
  @Option(parsing: .unconditional, help: "Number of confusions to list.") var confusions = 12
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if confusions < 0 { throw ValidationError("--confusions must be 0 or more.") }
    if !(1...1_000_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 1000000.") }
  }

  @NumericActor
  func run() async throws { try Company.run { try measure($0) } }

  @NumericActor
  private func measure(_ ranks: Ranks) throws {
    Interruption.watch(endings: !ranks.isAlone)
    let (loaded, bank) = try ranks.together {
      (try model.load(), try ObjectBank(includingSingles: false))
    }
    let composer = SceneComposer(bank, seed: seed, size: loaded.configuration.vision.imageSize)
    let slots = batching.slots(
      loaded, model, asking: "", most: UnderstandingEvaluation.mostTokens, of: 8 * scenes)
    let evaluation = UnderstandingEvaluation(loaded, batch: slots)
    var report: [String: ReportValue] = ["samples": .number(Double(2 * scenes))]
    var wrong: [UnderstandingEvaluation.Confusion] = []
    do {
      for split in [Split.validation, .heldOut] {
        let result = try evaluation.run(
          composer, split, scenes: scenes, ranks: ranks, isCancelled: { Interruption.isRequested },
          progress: { ProgressLine.show("\(split.rawValue): \($0) of \(scenes) scenes") })
        ProgressLine.end()
        guard ranks.isFirst else { continue }
        wrong += result.confusions
        for (name, score) in result.scores { report["\(split.rawValue) \(name)"] = .number(score.share) }
        InterruptionReport.note(report)
        if !json { show(result.scores, split) }
        try Output.finish()
      }
    } catch {
      throw evaluationEnd(report, knownBefore: 1, asJSON: json, ranks, by: error)
    }
    guard ranks.isFirst else { return }
    if let retrieval = try? Retrieval(loaded) {
      let share = try retrieval.share(composer, .heldOut, scenes: 100, top: 5)
      report["retrieval top 5 of 100"] = .number(share)
      if !json { print("right caption among the 5 nearest of 100, held-out: \(percent(share))") }
    }
    bank.account(for: &report)
    if json { print(try jsonLine(report)) } else { show(wrong) }
    if !json { print("scenes of \(bank.account)") }
  }

  private func show(_ scores: [String: UnderstandingEvaluation.Score], _ split: Split) {
    print("\(split.rawValue), \(scenes) scenes")
    for name in UnderstandingEvaluation.measures {
      guard let score = scores[name] else { continue }
      print(
        "  \(name.padding(toLength: 12, withPad: " ", startingAt: 0))\(percent(score.share))  of \(score.asked)"
      )
    }
  }

  private func show(_ wrong: [UnderstandingEvaluation.Confusion]) {
    let order = wrong.filter { $0.measure != "caption" }.sorted { $0.count > $1.count }
    guard !order.isEmpty else { return }
    print("most frequent mistakes")
    for item in order.prefix(confusions) {
      print("  \(item.count) × \(item.measure): '\(item.said.oneLine)' for '\(item.expected)'")
    }
  }

  private func percent(_ share: Double) -> String { String(format: "%5.1f %%", 100 * share) }
}
