import DataSets
import Pictures
import Tensors
import Training
import VUGEN

/// Says what a picture shows, without being told what it should show.
///
/// A question such as "What is left of the cat?" takes for granted that there is a cat with something beside it; in a
/// picture of two things it gives its own answer away. So the judge describes the picture, and its caption is compared
/// with the scene, and it is asked only what a wrong picture would be asked in the same words.
public struct DrawingJudge {
  /// What a drawing is judged by, in the order of reports.
  public enum Measure: String, CaseIterable, Codable, Sendable {
    case single = "single object"
    case twoObjects = "two objects"
    case count
    case colour
    case relation
    case colours = "colour attribution"

    /// Those that a scene tests.
    static func of(_ record: SceneRecord) -> [Measure] {
      switch record.kind {
      case .single: [.single]
      case .colour: [.colour]
      case .count: [.count]
      case .pair: [.twoObjects, .relation]
      case .colourPair: [.twoObjects, .relation, .colours]
      case .assortment, .wide: []
      }
    }

    /// Whether a caption with this truth is right.
    func holds(_ truth: ClaimTruth) -> Bool {
      switch self {
      case .single, .count, .twoObjects: truth.things && truth.numbers
      case .colour, .colours: truth.things && truth.numbers && truth.colours
      case .relation: truth.things && truth.numbers && truth.relation
      }
    }
  }

  private static let request = "Describe this picture."
  private static let mostTokens = 48
  /// Pictures that are described at once.
  private static let together = 16

  private let model: LoadedModel

  /// - Parameter model: the judge.
  public init(_ model: LoadedModel) { self.model = model }

  /// The judge's caption of a picture.
  public func caption(of picture: Picture) throws -> String {
    try answer(Self.request, about: picture)
  }

  /// A question whose right answer is not in it, for a measure; nil where there is none.
  static func question(_ measure: Measure, _ record: SceneRecord) -> (question: String, answers: [String])? {
    let first = record.objects[0]
    switch measure {
    case .single: return ("What kind of thing is this?", [first.singular])
    case .colour: return ("What is this?", [first.noun])
    case .count: return ("How many things are there?", [SceneClaim.word(for: record.objects.count)])
    case .relation:
      guard let relation = record.relation else { return nil }
      return ("Where is the \(first.singular)?", ["\(relation.rawValue) the \(record.objects[1].singular)"])
    case .twoObjects, .colours: return nil
    }
  }

  /// Whether the judge's answer to that question is right; nil where there is no such question.
  public func answersRightly(_ measure: Measure, _ record: SceneRecord, about picture: Picture) throws
    -> Bool?
  {
    guard let (question, answers) = Self.question(measure, record) else { return nil }
    let said = try answer(question, about: picture).lowercased()
    let bare = said.split(separator: " ").drop { ["a", "an", "the"].contains($0) }.joined(separator: " ")
    return answers.contains(bare)
  }

  // MARK: - The judge's own error

  /// What the judge's verdicts are worth.
  public struct Reliability: Sendable {
    /// Of pictures that show what they should: called right.
    public var right: [Measure: UnderstandingEvaluation.Score] = [:]
    /// Of pictures with a fault: called wrong.
    public var caught: [SceneFault: UnderstandingEvaluation.Score] = [:]

    mutating func count(_ record: SceneRecord, _ claim: SceneClaim) {
      let truth = record.truth(of: claim)
      for measure in Measure.of(record) { right[measure, default: .init()].count(measure.holds(truth)) }
      for fault in SceneFault.allCases {
        guard let asked = record.asked(beforeFault: fault) else { continue }
        caught[fault, default: .init()].count(asked.truth(of: claim) != ClaimTruth(everything: true))
      }
    }
  }

  /// Shows the judge `scenes` composed scenes, which are right, and claims of each what it would be with each fault.
  /// On all ranks but the first, nothing comes of it.
  ///
  /// - Parameters:
  ///   - ranks: who shares the scenes.
  ///   - progress: called with the scenes done; throws to stop.
  public func reliability(
    _ composer: SceneComposer, _ split: Split, scenes: Int, ranks: Ranks = .alone,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> Reliability {
    var result = Reliability(), done = 0
    try ranks.inOrder { (_, one: Described) in
      result.count(one.record, SceneClaim(caption: one.caption))
      done += 1
      try progress(done)
    } work: { row in
      var next = 0, asked: [(place: Int, record: SceneRecord)] = []
      let isWhole = try AnswerBatch(model, slots: Self.together).run {
        while next < scenes {
          defer { next += 1 }
          guard row.isOwn(next) else { continue }
          let scene = composer.scene(UInt64(next), split)
          guard !Measure.of(scene.record).isEmpty else { continue }
          asked.append((next, scene.record))
          let tiles = model.configuration.vision.tiles(of: scene.picture)
          return .success(
            BatchQuestion(Turn(.user, Self.request, pictures: [tiles]), most: Self.mostTokens))
        }
        return nil
      } isCancelled: {
        !row.help()
      } onAnswer: { number, answer in
        let (place, record) = asked[number]
        try row.put(place, Described(record: record, caption: try answer.get().text))
        if !ranks.isFirst { try progress(number + 1) }
      }
      guard isWhole else { throw CancellationError() }
    }
    return result
  }

  /// What the judge says of a scene, as ranks send it.
  private struct Described: Codable {
    let record: SceneRecord
    let caption: String
  }

  private func answer(_ question: String, about picture: Picture) throws -> String {
    let conversation = Conversation(model)
    var random = Philox(seed: 0)
    let turn = Turn(.user, question, pictures: [model.configuration.vision.tiles(of: picture)])
    return try conversation.ask(turn, most: Self.mostTokens, using: &random).text
  }
}
