import DataSets
import ModelFiles
import Pictures
import Tensors
import VUGEN

/// Says what a picture shows, without being told what it should show.
///
/// A question such as "What is left of the cat?" takes for granted that there is a cat with something beside it; in a
/// picture of two things it gives its own answer away. So the judge describes the picture, and its caption is compared
/// with the scene, and it is asked only what a wrong picture would be asked in the same words.
public struct DrawingJudge {
  /// What a drawing is judged by, in the order of reports.
  public enum Measure: String, CaseIterable, Sendable {
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

  private let tower: UnderstandingTower
  private let tokenizer: Tokenizer
  private let folder: String

  /// - Parameter folder: the judge's model folder.
  public init(_ tower: UnderstandingTower, _ tokenizer: Tokenizer, folder: String) {
    (self.tower, self.tokenizer, self.folder) = (tower, tokenizer, folder)
  }

  /// The judge's caption of a picture.
  public func caption(of picture: Picture) throws -> String {
    try answer("Describe this picture.", about: picture)
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
  }

  /// Shows the judge `scenes` composed scenes, which are right, and claims of each what it would be with each fault.
  ///
  /// - Parameter progress: called with the scenes done; throws to stop.
  public func reliability(
    _ composer: SceneComposer, _ split: Split, scenes: Int, progress: (Int) throws -> Void = { _ in }
  ) throws -> Reliability {
    var result = Reliability()
    for index in 0..<scenes {
      let scene = composer.scene(UInt64(index), split), measures = Measure.of(scene.record)
      guard !measures.isEmpty else { continue }
      let claim = SceneClaim(caption: try caption(of: scene.picture)), truth = scene.record.truth(of: claim)
      for measure in measures { result.right[measure, default: .init()].count(measure.holds(truth)) }
      for fault in SceneFault.allCases {
        guard let asked = scene.record.asked(beforeFault: fault) else { continue }
        let truth = asked.truth(of: claim), isCalledRight = truth == ClaimTruth(everything: true)
        result.caught[fault, default: .init()].count(!isCalledRight)
      }
      try progress(index + 1)
    }
    return result
  }

  private func answer(_ question: String, about picture: Picture) throws -> String {
    let conversation = try Conversation(tower, tokenizer, folder: folder)
    var random = Philox(seed: 0)
    let turn = Turn(.user, question, pictures: [tower.configuration.vision.tiles(of: picture)])
    return try conversation.ask(turn, most: 48, using: &random).text
  }
}
