import DataSets
import Foundation
import Pictures
import Tensors
import Training
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

  /// What came of a question, as ranks send it.
  private struct Answered: Codable {
    let measure, expected, said: String
    let isRight: Bool
  }

  /// Asks about `scenes` scenes of a split, greedily. On all ranks but the first, nothing comes of it.
  ///
  /// - Parameters:
  ///   - ranks: who shares the scenes.
  ///   - isCancelled: looked at before every step; the run then ends with a `CancellationError`.
  ///   - progress: called with the number of scenes done; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, ranks: Ranks = .alone,
    isCancelled: () -> Bool = { false }, progress: (Int) throws -> Void
  ) throws -> (scores: [String: Score], confusions: [Confusion]) {
    var scores: [String: Score] = [:], wrong: [String: Confusion] = [:]
    try ranks.inOrder { (scene, answers: [Answered]) in
      for answer in answers { Self.count(answer, &scores, &wrong) }
      try progress(scene + 1)
    } work: { row in
      try ask(composer, split, scenes, row, isCancelled)
    }
    if ranks.isFirst { try progress(scenes) }
    return (scores, Self.ordered(wrong.values))
  }

  /// Asks about this rank's scenes, and puts what comes of each.
  private func ask(
    _ composer: SceneComposer, _ split: Split, _ scenes: Int, _ row: InOrder<[Answered]>,
    _ isCancelled: () -> Bool
  ) throws {
    var next = 0, rest: [Asked] = [], tiles: Tensor?, asked: [Asked] = []
    var answers: [Answered] = [], scene = 0
    func putScene() throws {
      if !answers.isEmpty { try row.put(scene, answers) }
      answers = []
    }
    let isWhole = try AnswerBatch(model, slots: batch).run {
      while rest.isEmpty, next < scenes {
        defer { next += 1 }
        guard row.isOwn(next) else { continue }
        let scene = composer.scene(UInt64(next), split)
        tiles = model.configuration.vision.tiles(of: scene.picture)
        rest = Self.questions(of: scene.record).map {
          Asked(scene: next, record: scene.record, measure: $0, question: $1)
        }
      }
      guard let tiles, !rest.isEmpty else { return nil }
      asked.append(rest.removeFirst())
      return .success(
        BatchQuestion(
          Turn(.user, asked[asked.count - 1].question.question, pictures: [tiles]), most: Self.mostTokens))
    } isCancelled: {
      !row.help() || isCancelled()
    } onAnswer: { _, result in
      let one = asked.removeFirst()
      if one.scene != scene { try putScene() }
      scene = one.scene
      answers.append(Self.answered(try result.get().text, one))
    }
    guard isWhole else { throw CancellationError() }
    try putScene()
  }

  private static func ordered(_ wrong: some Sequence<Confusion>) -> [Confusion] {
    wrong.sorted {
      ($1.count, $0.measure, $0.expected, $0.said) < ($0.count, $1.measure, $1.expected, $1.said)
    }
  }

  private static func answered(_ said: String, _ one: Asked) -> Answered {
    let (measure, question) = (one.measure, one.question)
    // Yes and no mean nothing without their question.
    let expected = measure == "yes/no" ? "\(question.question) \(question.answer)" : question.answer
    return Answered(
      measure: measure, expected: expected, said: said,
      isRight: isRight(said, question, measure, one.record))
  }

  private static func count(
    _ one: Answered, _ scores: inout [String: Score], _ wrong: inout [String: Confusion]
  ) {
    scores[one.measure, default: Score()].count(one.isRight)
    guard !one.isRight else { return }
    let key = "\(one.measure)|\(one.expected)|\(one.said)"
    let new = Confusion(measure: one.measure, expected: one.expected, said: one.said, count: 0)
    wrong[key, default: new].count += 1
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
