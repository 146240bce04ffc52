import DataSets
import Foundation
import ModelFiles
import Pictures
import Tensors
import VUGEN

/// How well pictures come back from their latents.
public struct ReconstructionEvaluation {
  private let understanding: UnderstandingTower
  private let model: GenerationModel

  public init(_ understanding: UnderstandingTower, _ model: GenerationModel) {
    (self.understanding, self.model) = (understanding, model)
  }

  /// PSNR in dB of each of `scenes` scenes of a split.
  ///
  /// - Parameter progress: called with the scenes done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, steps: Int, progress: (Int) throws -> Void
  ) throws -> [Double] {
    try (0..<scenes).map { i in
      let picture = composer.scene(UInt64(i), split).picture
      let drawn = model.reconstruct(picture, understanding, steps: steps, seed: UInt64(i))
      try progress(i + 1)
      return drawn.psnr(picture)
    }
  }
}

/// How well drawn pictures show what their prompts say, judged by the understanding tower: the judge and the
/// generator share a model, so that these shares say more of a model's own progress than of pictures.
public struct GenerationEvaluation {
  /// What is measured, in the order of reports.
  public static let measures = ["single object", "colour", "count", "relation"]

  public struct Drawn {
    public let picture: Picture
    public let prompt: String
    public let verdict: String
  }

  private let imaginer: Imaginer
  private let tokenizer: Tokenizer
  private let folder: String

  public init(_ imaginer: Imaginer, _ tokenizer: Tokenizer, folder: String) {
    (self.imaginer, self.tokenizer, self.folder) = (imaginer, tokenizer, folder)
  }

  /// Which of a scene's questions test its prompt, and under which measure: one a picture.
  static func test(of record: SceneRecord) -> (measure: String, question: QuestionAnswer)? {
    func first(_ task: QuestionAnswer.Task) -> QuestionAnswer? { record.questions.first { $0.task == task } }
    switch record.kind {
    case .single: return first(.what).map { ("single object", $0) }
    case .colour: return first(.colour).map { ("colour", $0) }
    case .count: return first(.count).map { ("count", $0) }
    case .pair, .colourPair: return first(.relation).map { ("relation", $0) }
    case .assortment, .wide: return nil
    }
  }

  /// Draws scenes' captions until each measure has been tested `samples` times, and asks about the pictures.
  ///
  /// - Parameter progress: called with the pictures done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, samples: Int, settings: ImagineSettings,
    progress: (Int) throws -> Void, drawn keep: (Drawn) -> Void = { _ in }
  ) throws -> [String: UnderstandingEvaluation.Score] {
    var scores: [String: UnderstandingEvaluation.Score] = [:], done = 0
    // The held-out split has no single objects as they are drawn by nature.
    let wanted = split == .heldOut ? Self.measures.dropFirst() : Self.measures[...]
    for index in 0..<UInt64(samples * 200) {
      let record = composer.record(index, split)
      guard let (measure, question) = Self.test(of: record), wanted.contains(measure),
        scores[measure]?.asked ?? 0 < samples
      else { continue }
      var one = settings
      (one.prompt, one.seed) = (record.caption, settings.seed &+ index)
      guard let picture = try imaginer.imagine(one)?.picture else { break }
      let said = try answer(question.question, about: picture)
      let judged = measure == "single object" ? "class" : measure
      let isRight = UnderstandingEvaluation.isRight(said, question, judged, record)
      scores[measure, default: .init()].asked += 1
      scores[measure, default: .init()].right += isRight ? 1 : 0
      keep(.init(picture: picture, prompt: record.caption, verdict: isRight ? "right" : "'\(said)'"))
      done += 1
      try progress(done)
      if wanted.allSatisfy({ scores[$0]?.asked ?? 0 >= samples }) { break }
    }
    return scores
  }

  private func answer(_ question: String, about picture: Picture) throws -> String {
    let tower = imaginer.understanding
    let conversation = try Conversation(tower, tokenizer, folder: folder)
    var random = Philox(seed: 0)
    let turn = Turn(.user, question, pictures: [tower.configuration.vision.tiles(of: picture)])
    return try conversation.ask(turn, most: 32, using: &random).text
  }
}
