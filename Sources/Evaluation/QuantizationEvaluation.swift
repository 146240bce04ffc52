import DataSets
import Layers
import Tensors
import Training
import VUGEN

/// What fewer bits cost: how probable a model finds right answers, and how often it says the same.
public struct QuantizationEvaluation {
  /// What one number of bits costs.
  public struct Result: Sendable, Equatable {
    /// nil for the weights as they are stored.
    public var bits: QuantizedTensor.Bits?
    /// Mean natural log-probability of a token of the right answers.
    public var logProbability = 0.0
    /// Share of the greedy answers that are word for word those of the stored weights.
    public var sameAnswers = 1.0
  }

  private let model: LoadedModel
  private let ranks: Ranks
  /// This rank's.
  private let questions: [(picture: Tensor, question: QuestionAnswer)]
  /// Of all.
  private let count: Int
  private let batch: Int

  /// Longest answer in tokens.
  public static let mostTokens = 64

  /// One question about each of `scenes` scenes of a split, `batch` of them answered at once.
  ///
  /// - Parameter ranks: who shares them.
  public init(
    _ model: LoadedModel, _ composer: SceneComposer, _ split: Split, scenes: Int, batch: Int = 16,
    ranks: Ranks = .alone
  ) {
    (self.model, self.batch, self.ranks, count) = (model, batch, ranks, scenes)
    questions = stride(from: ranks.rank, to: scenes, by: ranks.count).map { i in
      let scene = composer.scene(UInt64(i), split), list = scene.record.questions
      return (model.configuration.vision.tiles(of: scene.picture), list[i % list.count])
    }
  }

  /// Measures the stored weights, then 8 bits, then 4. The tower ends in 4 bits. On all ranks but the first, nothing comes
  /// of it.
  ///
  /// - Parameter progress: called with the number of questions done, of three times as many, and in between; throws to
  ///   stop.
  public func run(progress: (Int) throws -> Void) throws -> [Result] {
    let tower = model.tower
    var results: [Result] = [], said: [String] = [], done = 0
    let plain = Self.plainWeights(tower)
    for bits in [nil, QuantizedTensor.Bits.eight, .four] {
      if let bits {
        for (layer, weight) in plain { layer.adopt(QuantizedTensor(weight, bits: bits, group: 32)) }
        if QuantizedFolder.hasOwnOutput(tower, bits) {
          tower.adopt(output: QuantizedTensor(tower.core.language.embedding.weight.value, bits: .eight))
        }
      }
      let score = try logProbability { try progress(done) }
      var same = 0
      try answers { place, text in
        if bits == nil { said.append(text) } else if said[place] == text { same += 1 }
        done += 1
      } progress: {
        try progress(done)
      }
      let share = bits == nil ? 1 : Double(same) / Double(max(1, count))
      results.append(Result(bits: bits, logProbability: score, sameAnswers: share))
    }
    return ranks.isFirst ? results : []
  }

  /// The mean of a token of the right answers.
  private func logProbability(progress: () throws -> Void) throws -> Double {
    struct Scored: Codable {
      let sum: Double
      let tokens: Int
    }
    var sum = 0.0, tokens = 0
    try ranks.inOrder { (_, one: Scored) in
      sum += one.sum
      tokens += one.tokens
      try progress()
    } work: { row in
      for (number, item) in questions.enumerated() {
        let values = try Conversation(model).score(item.question.answer, after: Self.turn(item))
          .logProbabilities
        let own = values.reduce(0) { $0 + Double($1) }
        try row.put(row.place(number), Scored(sum: own, tokens: values.count))
        if !ranks.isFirst { try progress() }
      }
    }
    return sum / Double(max(1, tokens))
  }

  /// What is answered to each question.
  private func answers(_ take: (Int, String) -> Void, progress: () throws -> Void) throws {
    try ranks.inOrder { (place, text: String) in
      take(place, text)
      try progress()
    } work: { row in
      var rest = questions[...]
      let isWhole = try AnswerBatch(model, slots: batch).run {
        rest.popFirst().map { .success(BatchQuestion(Self.turn($0), most: Self.mostTokens)) }
      } isCancelled: {
        !row.help()
      } onAnswer: { number, answer in
        try row.put(row.place(number), answer.get().text)
        if !ranks.isFirst { try progress() }
      }
      guard isWhole else { throw CancellationError() }
    }
  }

  private static func turn(_ item: (picture: Tensor, question: QuestionAnswer)) -> Turn {
    Turn(.user, item.question.question, pictures: [item.picture])
  }

  /// The language model's linear layers: what a quantised folder stores in fewer bits.
  private static func plainWeights(_ tower: UnderstandingTower) -> [(Linear, Tensor)] {
    var list: [(Linear, Tensor)] = []
    tower.core.language.visitModules("") { _, module in
      if let linear = module as? Linear, let weight = linear.weight?.value { list.append((linear, weight)) }
    }
    return list
  }
}
