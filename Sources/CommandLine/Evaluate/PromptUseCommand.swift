import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import Tensors
import Training
import VUGEN

struct EvaluatePromptUse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt-use",
    abstract: "Measure how much of a prompt the generation tower uses, without a judge.",
    discussion: """
      The tower predicts the velocity of scenes' latents behind their captions, and behind captions with one thing made \
      wrong. It prints the share of scenes in which the wrong caption gives the higher error (100 % where the tower uses \
      what was changed, 50 % where it does not) and by how much the error is higher. Times run from 0 (noise) to 1 (data).

      Example: vugen evaluate prompt-use --scenes 96 --time 0.1
      """)

  @OptionGroup var model: ModelOptions
  @Option(parsing: .unconditional, help: "Number of scenes for each kind of change.") var scenes = 96
  @Option(
    name: .customLong("time"),
    help: "Time on the path, 0 to 1; repeat for several (default: 0.01, 0.1, 0.3, 0.6).")
  var times: [Float] = []
  @Option(help: "Split of the scenes: val or held-out.") var split = Split.validation
  @Option(parsing: .unconditional, help: "Seed of the scenes and the noise.") var seed: UInt64 = 1
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...100_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 100000.") }
    if !times.allSatisfy({ $0 >= 0 && $0 < 1 }) {
      throw ValidationError("--time must be from 0 to less than 1.")
    }
    if times.count > 100 { throw ValidationError("--time can be repeated up to 100 times.") }
  }

  @NumericActor
  func run() async throws { try Company.run { try measure($0) } }

  @NumericActor
  private func measure(_ ranks: Ranks) throws {
    Interruption.watch(endings: !ranks.isAlone)
    let (loaded, imaginer, bank) = try ranks.together {
      let loaded = try model.load()
      return (loaded, try Imaginer(loaded), try ObjectBank(includingSingles: false))
    }
    let composer = SceneComposer(bank, seed: seed, size: loaded.configuration.vision.imageSize)
    let times = times.isEmpty ? PromptUse.usualTimes : times
    let found = try PromptUse(imaginer).run(composer, split, scenes: scenes, times: times, ranks: ranks) {
      ProgressLine.show("\($0) of \($1) scenes")
      try Interruption.check()
    }
    ProgressLine.end()
    guard ranks.isFirst else { return }
    var report: [String: ReportValue] = ["samples": .number(Double(scenes))]
    for change in PromptChange.allCases {
      for (t, score) in zip(times, found[change] ?? []) where score.scenes > 0 {
        report["\(change.rawValue), t \(t)"] = .number(Double(score.higher) / Double(score.scenes))
        report["\(change.rawValue), t \(t), excess"] = .number(score.meanExcess)
        guard !json else { continue }
        print(
          String(
            format: "t %.2f  %@ %4d of %d  the error %.1f %% higher", t,
            change.rawValue.padding(toLength: 18, withPad: " ", startingAt: 0), score.higher, score.scenes,
            100 * score.meanExcess))
      }
    }
    bank.account(for: &report)
    print(json ? try jsonLine(report) : "captions of \(bank.account)")
  }
}
