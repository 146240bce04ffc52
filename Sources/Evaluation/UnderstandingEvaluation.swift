import DataSets
import Foundation
import ModelFiles
import Pictures
import Tensors
import VUGEN

/// How well a model answers questions about scenes whose content is known.
public struct UnderstandingEvaluation {
  /// Right answers of one kind of question.
  public struct Score: Sendable, Equatable {
    public var right = 0
    public var asked = 0

    public var share: Double { asked == 0 ? .nan : Double(right) / Double(asked) }
  }

  /// One wrong answer that was given several times.
  public struct Confusion: Sendable, Equatable {
    public var measure, expected, said: String
    public var count: Int
  }

  /// What is measured, in the order of reports.
  public static let measures = ["class", "colour", "count", "relation", "yes/no", "background", "caption"]

  public let folder: String
  private let tower: UnderstandingTower
  private let tokenizer: Tokenizer

  public init(_ tower: UnderstandingTower, _ tokenizer: Tokenizer, folder: String) {
    (self.tower, self.tokenizer, self.folder) = (tower, tokenizer, folder)
  }

  /// Asks about `scenes` scenes of a split, greedily.
  ///
  /// - Parameter progress: called with the number of scenes done; throws to stop.
  public func run(_ composer: SceneComposer, _ split: Split, scenes: Int, progress: (Int) throws -> Void)
    throws -> (scores: [String: Score], confusions: [Confusion])
  {
    var scores: [String: Score] = [:], wrong: [String: Confusion] = [:]
    for i in 0..<scenes {
      let scene = composer.scene(UInt64(i), split)
      for (measure, question) in Self.questions(of: scene.record) {
        let said = try answer(question.question, about: scene.picture)
        let isRight = Self.isRight(said, question, measure, scene.record)
        scores[measure, default: Score()].asked += 1
        scores[measure, default: Score()].right += isRight ? 1 : 0
        guard !isRight else { continue }
        // Yes and no mean nothing without their question.
        let expected = measure == "yes/no" ? "\(question.question) \(question.answer)" : question.answer
        let key = "\(measure)|\(expected)|\(said)"
        wrong[key, default: Confusion(measure: measure, expected: expected, said: said, count: 0)].count += 1
      }
      try progress(i + 1)
    }
    let order = wrong.values.sorted {
      ($1.count, $0.measure, $0.expected) < ($0.count, $1.measure, $1.expected)
    }
    return (scores, order)
  }

  private func answer(_ question: String, about picture: Picture) throws -> String {
    let conversation = try Conversation(tower, tokenizer, folder: folder)
    var random = Philox(seed: 0)
    let turn = Turn(.user, question, pictures: [tower.configuration.vision.tiles(of: picture)])
    return try conversation.ask(turn, most: 96, using: &random).text
  }

  /// What is asked about a scene, each under what it measures. One object is also a count.
  package static func questions(of record: SceneRecord) -> [(measure: String, question: QuestionAnswer)] {
    record.questions.compactMap { question in
      switch question.task {
      case .what: ("class", question)
      case .colour: ("colour", question)
      case .count: [.count, .single].contains(record.kind) ? ("count", question) : nil
      case .relation: ("relation", question)
      case .exists: ("yes/no", question)
      case .background: ("background", question)
      case .describe: ("caption", question)
      case .detail, .place: nil
      }
    }
  }

  package static func isRight(
    _ said: String, _ question: QuestionAnswer, _ measure: String, _ record: SceneRecord
  )
    -> Bool
  {
    switch measure {
    case "class": SceneRecord.noun(in: said) == record.objects[0].singular
    case "caption": record.agrees(with: said)
    default: said == question.answer
    }
  }
}
