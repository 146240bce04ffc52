import DataSets
import Evaluation
import Files
import Foundation
import Recipes
import Tensors

/// What of a prompt a generation tower uses as its training goes on: a line for a person, and one in the run's
/// `prompt-use.jsonl`. A loss says nothing of it: that two things change places is worth a hundredth of it.
@NumericActor
final class PromptUseLog {
  /// Near the noise, where a drawing's layout is decided, and where the layout can be seen already.
  private static let times: [Float] = [0.02, 0.1]

  private let training: GeneratorTraining
  private let path: String
  private var lines: [String] = []
  private var composer: SceneComposer?
  private var isWithoutScenes = false
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant

  /// Keeps what an earlier part of the run has measured.
  init(_ training: GeneratorTraining) {
    self.training = training
    path = training.folder + "/prompt-use.jsonl"
    last = clock.now
    struct Line: Decodable { let step: Double }
    let text = (try? MappedFile.contents(of: path)) ?? Data()
    lines = text.split(separator: 10).filter { line in
      let old = try? JSONDecoder().decode(Line.self, from: line)
      return old.map { Int($0.step) <= training.trainer.stepCount } ?? false
    }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Measures where it is time to.
  func measure(step: Int) throws {
    let minutes = training.recipe.measure.minutes
    guard minutes > 0, clock.now - last >= .seconds(minutes * 60) else { return }
    last = clock.now
    guard let composer = scenes() else { return }
    let use = PromptUse(try training.imaginer())
    let found = try use.run(
      composer, .train, scenes: training.recipe.measure.scenes, times: Self.times)
    var report: [String: ReportValue] = ["step": .number(Double(step))]
    var told: [String] = []
    for (i, t) in Self.times.enumerated() {
      var shares: [String] = []
      for change in PromptChange.allCases {
        guard let score = found[change]?[i], score.scenes > 0 else { continue }
        report["\(change.rawValue), t \(t)"] = .number(Double(score.higher) / Double(score.scenes))
        report["\(change.rawValue), t \(t), excess"] = .number(score.meanExcess)
        shares.append("\(change.rawValue) \(score.higher) of \(score.scenes)")
      }
      told.append("t \(t): " + shares.joined(separator: ", "))
    }
    ProgressLine.end()
    note("step \(step), wrong prompts told apart at " + told.joined(separator: "; "))
    lines.append(try jsonLine(report))
    try AtomicFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  /// A run whose latents are there goes on without the pictures that they were made of.
  private func scenes() -> SceneComposer? {
    if composer == nil, !isWithoutScenes {
      do { composer = try training.unseenScenes() } catch { note("nothing is measured: \(error)") }
      isWithoutScenes = composer == nil
    }
    return composer
  }
}
