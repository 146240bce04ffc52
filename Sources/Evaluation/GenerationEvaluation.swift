import DataSets
import Foundation
import Pictures
import Requests
import Tensors
import Training
import VUGEN

/// How well pictures come back from their latents.
public struct ReconstructionEvaluation {
  private let understanding: UnderstandingTower
  private let model: GenerationModel

  /// The understanding tower makes the features, the generation half draws them again.
  public init(_ understanding: UnderstandingTower, _ model: GenerationModel) {
    (self.understanding, self.model) = (understanding, model)
  }

  /// PSNR in dB of each of `scenes` scenes of a split; on all ranks but the first, of none.
  ///
  /// - Parameters:
  ///   - ranks: who shares the scenes.
  ///   - progress: called with the scenes done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, steps: Int, ranks: Ranks = .alone,
    progress: (Int) throws -> Void
  ) throws -> [Double] {
    var values: [Double] = []
    try ranks.inOrder { (_, value: Double) in
      values.append(value)
      try progress(values.count)
    } work: { row in
      for i in 0..<scenes where row.isOwn(i) {
        let picture = composer.scene(UInt64(i), split).picture
        try row.put(i, model.reconstruct(picture, understanding, steps: steps, seed: UInt64(i)).psnr(picture))
        if !ranks.isFirst { try progress(i + 1) }
      }
    }
    return values
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
  /// On all ranks but the first, nothing comes of it.
  ///
  /// - Parameters:
  ///   - ranks: who shares the pictures.
  ///   - kept: how many pictures `keep` is for, which are the first ones.
  ///   - progress: called with the pictures done; throws to stop.
  ///   - keep: called with each picture of those.
  public func run(
    _ composer: SceneComposer, _ split: Split, samples: Int, settings: ImageSettings,
    ranks: Ranks = .alone, progress: (Int) throws -> Void, kept: Int = .max,
    drawn keep: (Drawn) -> Void = { _ in }
  ) throws -> Result {
    var result = Result(), plan = Plan(composer, split, samples: samples)
    try ranks.inOrder { (place, drawing: Drawing) in
      for verdict in drawing.verdicts { result.count(verdict) }
      if let picture = try drawing.image?.picture() {
        keep(.init(picture: picture, prompt: drawing.prompt, verdict: drawing.verdict))
      }
      try progress(place + 1)
    } work: { row in
      var place = 0
      while let trial = plan.next() {
        defer { place += 1 }
        guard row.isOwn(place) else { continue }
        try row.put(place, draw(trial, settings, keepsPicture: place < kept))
        if !ranks.isFirst { try progress(place + 1) }
      }
    }
    return result
  }

  private func draw(_ trial: Plan.Trial, _ settings: ImageSettings, keepsPicture: Bool) throws -> Drawing {
    let record = trial.record
    var one = settings
    (one.prompt, one.seed) = (record.caption, settings.seed &+ trial.index)
    guard let picture = try imaginer.imagine(one)?.picture else { throw CancellationError() }
    let caption = try judge.caption(of: picture), truth = record.truth(of: SceneClaim(caption: caption))
    let verdicts = try trial.tested.map { measure in
      Verdict(
        measure: measure, byCaption: measure.holds(truth),
        byQuestion: try judge.answersRightly(measure, record, about: picture))
    }
    let isRight = trial.tested.allSatisfy { $0.holds(truth) }
    return Drawing(
      prompt: record.caption, verdict: isRight ? "right" : "'\(caption)'", verdicts: verdicts,
      image: keepsPicture ? TravellingPicture(picture) : nil)
  }

  /// What came of a picture, as ranks send it.
  private struct Drawing: Codable {
    let prompt, verdict: String
    let verdicts: [Verdict]
    /// nil where nobody keeps it.
    let image: TravellingPicture?
  }

  fileprivate struct Verdict: Codable {
    let measure: Measure
    let byCaption: Bool
    /// nil where there is no question.
    let byQuestion: Bool?
  }
}

extension GenerationEvaluation.Result {
  fileprivate mutating func count(_ verdict: GenerationEvaluation.Verdict) {
    byCaption[verdict.measure, default: .init()].count(verdict.byCaption)
    if let isRight = verdict.byQuestion { byQuestion[verdict.measure, default: .init()].count(isRight) }
  }
}

/// Which scenes are drawn, and what each tests: the same on all ranks, whatever comes of the pictures.
private struct Plan {
  struct Trial {
    let index: UInt64
    let record: SceneRecord
    let tested: [DrawingJudge.Measure]
  }

  private let composer: SceneComposer
  private let split: Split
  private let samples: Int
  private let wanted: [DrawingJudge.Measure]
  private var asked: [DrawingJudge.Measure: Int] = [:]
  private var index: UInt64 = 0

  init(_ composer: SceneComposer, _ split: Split, samples: Int) {
    (self.composer, self.split, self.samples) = (composer, split, samples)
    // The held-out split has no single objects as they are drawn by nature.
    wanted = DrawingJudge.Measure.allCases.filter { split != .heldOut || $0 != .single }
  }

  private func isOpen(_ measure: DrawingJudge.Measure) -> Bool { asked[measure] ?? 0 < samples }

  /// nil once each measure is tested often enough.
  mutating func next() -> Trial? {
    while index < UInt64(samples * 200), wanted.contains(where: isOpen) {
      let record = composer.record(index, split)
      defer { index += 1 }
      let tested = DrawingJudge.Measure.of(record).filter { wanted.contains($0) && isOpen($0) }
      guard !tested.isEmpty else { continue }
      for measure in tested { asked[measure, default: 0] += 1 }
      return Trial(index: index, record: record, tested: tested)
    }
    return nil
  }
}

/// A picture that ranks send to each other: within one process itself, as a file between two.
struct TravellingPicture: Codable {
  private let held: Picture?
  private let file: Data?

  init(_ picture: Picture) { (held, file) = (picture, nil) }

  init(from decoder: any Decoder) throws {
    (held, file) = (nil, try decoder.singleValueContainer().decode(Data.self))
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(try held.map { Data(try $0.pngData()) } ?? file ?? Data())
  }

  func picture() throws -> Picture {
    try held ?? Picture(bytes: Array(file ?? Data()), name: "a drawn picture")
  }
}
