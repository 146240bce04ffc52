import DataSets
import Foundation
import Pictures
import Tensors
import VUGEN

/// How well a model answers questions about scenes whose content is known.
public struct UnderstandingEvaluation {
  /// Right answers of one kind of question.
  public struct Score: Sendable, Equatable, Codable {
    /// Answers that were right.
    public var right = 0
    /// Questions that were asked.
    public var asked = 0

    /// right / asked; NaN where nothing was asked.
    public var share: Double { asked == 0 ? .nan : Double(right) / Double(asked) }

    mutating func count(_ isRight: Bool) {
      asked += 1
      right += isRight ? 1 : 0
    }
  }

  /// One wrong answer that was given several times.
  public struct Confusion: Sendable, Equatable, Codable {
    /// Which kind of question, the right answer, and the one that was given.
    public var measure, expected, said: String
    /// How often it was given.
    public var count: Int
  }

  /// What is measured, in the order of reports.
  public static let measures = ["class", "colour", "count", "relation", "yes/no", "background", "caption"]

  private let model: LoadedModel
  private let batch: Int

  /// Longest answer in tokens.
  public static let mostTokens = 96

  /// - Parameter batch: questions that are answered at once.
  public init(_ model: LoadedModel, batch: Int = 16) { (self.model, self.batch) = (model, batch) }

  /// A question that is being answered.
  private struct Asked {
    let scene: Int, record: SceneRecord, measure: String, question: QuestionAnswer
  }

  /// Asks about `scenes` scenes of a split, greedily.
  ///
  /// - Parameters:
  ///   - part: which of them are asked about here: every `part.of`-th one from `part.number` on.
  ///   - isCancelled: looked at before every step; the run then ends with a `CancellationError`.
  ///   - progress: called with the number of scenes done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, part: (number: Int, of: Int) = (0, 1),
    isCancelled: () -> Bool = { false }, progress: (Int) throws -> Void
  ) throws -> (scores: [String: Score], confusions: [Confusion]) {
    var scores: [String: Score] = [:], wrong: [String: Confusion] = [:]
    var next = part.number, rest: [Asked] = [], tiles: Tensor?, asked: [Asked] = [], done = 0
    let batch = AnswerBatch(model, slots: batch)
    let isWhole = try batch.run {
      while rest.isEmpty, next < scenes {
        let scene = composer.scene(UInt64(next), split)
        tiles = model.configuration.vision.tiles(of: scene.picture)
        rest = Self.questions(of: scene.record).map {
          Asked(scene: next, record: scene.record, measure: $0, question: $1)
        }
        next += part.of
      }
      guard let tiles, !rest.isEmpty else { return nil }
      asked.append(rest.removeFirst())
      return .success(
        BatchQuestion(
          Turn(.user, asked[asked.count - 1].question.question, pictures: [tiles]), most: Self.mostTokens))
    } isCancelled: {
      isCancelled()
    } onAnswer: { _, result in
      let one = asked.removeFirst()
      if one.scene > done {
        done = one.scene
        try progress(done)
      }
      Self.count(try result.get().text, one, &scores, &wrong)
    }
    guard isWhole else { throw CancellationError() }
    try progress(scenes)
    return (scores, Self.ordered(wrong.values))
  }

  private static func ordered(_ wrong: some Sequence<Confusion>) -> [Confusion] {
    wrong.sorted {
      ($1.count, $0.measure, $0.expected, $0.said) < ($0.count, $1.measure, $1.expected, $1.said)
    }
  }

  /// What came of all parts.
  public static func merged(_ scores: [[String: Score]], _ wrong: [[Confusion]]) -> (
    scores: [String: Score], confusions: [Confusion]
  ) {
    var all: [String: Score] = [:], kinds: [[String]: Confusion] = [:]
    for part in scores { all.merge(part) { Score(right: $0.right + $1.right, asked: $0.asked + $1.asked) } }
    for one in wrong.joined() {
      let key = [one.measure, one.expected, one.said]
      let before = kinds[key]?.count ?? 0
      kinds[key] = one
      kinds[key]?.count += before
    }
    return (all, ordered(kinds.values))
  }

  private static func count(
    _ said: String, _ one: Asked, _ scores: inout [String: Score], _ wrong: inout [String: Confusion]
  ) {
    let (measure, question) = (one.measure, one.question)
    let isRight = isRight(said, question, measure, one.record)
    scores[measure, default: Score()].count(isRight)
    guard !isRight else { return }
    // Yes and no mean nothing without their question.
    let expected = measure == "yes/no" ? "\(question.question) \(question.answer)" : question.answer
    let key = "\(measure)|\(expected)|\(said)"
    wrong[key, default: Confusion(measure: measure, expected: expected, said: said, count: 0)].count += 1
  }

  /// What is asked about a scene, each under what it measures. One object is also a count.
  package static func questions(of record: SceneRecord) -> [(measure: String, question: QuestionAnswer)] {
    record.questions.compactMap { question in
      switch question.task {
      case .what: ("class", question)
      case .colour: ("colour", question)
      case .count: [.count, .single].contains(record.kind) ? ("count", question) : nil
      // "What is left of the cat?" answers itself in a scene of two; "Where is the cat?" does not.
      case .relation: question.question.hasPrefix("Where") ? ("relation", question) : nil
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
