import DataSets
import Foundation
import Pictures
import Requests
import Tensors
import VUGEN

/// How well pictures come back from their latents.
public struct ReconstructionEvaluation {
  private let understanding: UnderstandingTower
  private let model: GenerationModel

  /// The understanding tower makes the features, the generation half draws them again.
  public init(_ understanding: UnderstandingTower, _ model: GenerationModel) {
    (self.understanding, self.model) = (understanding, model)
  }

  /// PSNR in dB of each of `scenes` scenes of a split.
  ///
  /// - Parameters:
  ///   - part: which of them are drawn here: every `part.of`-th one from `part.number` on.
  ///   - progress: called with the scenes done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, steps: Int,
    part: (number: Int, of: Int) = (0, 1), progress: (Int) throws -> Void
  ) throws -> [Double] {
    try stride(from: part.number, to: scenes, by: part.of).map { i in
      let picture = composer.scene(UInt64(i), split).picture
      let drawn = model.reconstruct(picture, understanding, steps: steps, seed: UInt64(i))
      try progress(i + 1)
      return drawn.psnr(picture)
    }
  }
}

/// How well drawn pictures show what their prompts say, as a judge describes them: see `DrawingJudge`.
public struct GenerationEvaluation {
  /// What of a prompt is judged.
  public typealias Measure = DrawingJudge.Measure
  /// Right answers of those that were asked for.
  public typealias Score = UnderstandingEvaluation.Score

  /// Right pictures of each measure.
  public struct Result: Sendable {
    /// The judge's caption says what the prompt says.
    public var byCaption: [Measure: Score] = [:]
    /// The judge's answer to a question that does not give its answer away, where there is one.
    public var byQuestion: [Measure: Score] = [:]
  }

  /// One picture that was judged.
  public struct Drawn {
    /// As it was drawn.
    public let picture: Picture
    /// What it was drawn from.
    public let prompt: String
    /// `right`, or what the judge sees in its place, in quotes.
    public let verdict: String
  }

  private let imaginer: Imaginer
  private let judge: DrawingJudge

  /// What draws, and what looks; they may be the same model.
  public init(_ imaginer: Imaginer, judge: DrawingJudge) { (self.imaginer, self.judge) = (imaginer, judge) }

  /// Draws scenes' captions until each measure has been tested `samples` times, and lets the judge describe the pictures.
  ///
  /// - Parameter progress: called with the pictures done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, samples: Int, settings: ImageSettings,
    progress: (Int) throws -> Void, drawn keep: (Drawn) -> Void = { _ in }
  ) throws -> Result {
    var result = Result(), done = 0
    // The held-out split has no single objects as they are drawn by nature.
    let wanted = Measure.allCases.filter { split != .heldOut || $0 != .single }
    func isOpen(_ measure: Measure) -> Bool { result.byCaption[measure]?.asked ?? 0 < samples }
    for index in 0..<UInt64(samples * 200) {
      let record = composer.record(index, split)
      let tested = Measure.of(record).filter { wanted.contains($0) && isOpen($0) }
      guard !tested.isEmpty else { continue }
      var one = settings
      (one.prompt, one.seed) = (record.caption, settings.seed &+ index)
      guard let picture = try imaginer.imagine(one)?.picture else { break }
      let caption = try judge.caption(of: picture), truth = record.truth(of: SceneClaim(caption: caption))
      for measure in tested {
        result.byCaption[measure, default: .init()].count(measure.holds(truth))
        if let isRight = try judge.answersRightly(measure, record, about: picture) {
          result.byQuestion[measure, default: .init()].count(isRight)
        }
      }
      let isRight = tested.allSatisfy { $0.holds(truth) }
      keep(.init(picture: picture, prompt: record.caption, verdict: isRight ? "right" : "'\(caption)'"))
      done += 1
      try progress(done)
      if !wanted.contains(where: isOpen) { break }
    }
    return result
  }
}
