import DataSets
import Layers
import Tensors
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
  private let questions: [(picture: Tensor, question: QuestionAnswer)]
  private let batch: Int

  /// Longest answer in tokens.
  public static let mostTokens = 64

  /// One question about each of `scenes` scenes of a split, `batch` of them answered at once.
  public init(
    _ model: LoadedModel, _ composer: SceneComposer, _ split: Split, scenes: Int, batch: Int = 16
  ) {
    (self.model, self.batch) = (model, batch)
    questions = (0..<scenes).map { i in
      let scene = composer.scene(UInt64(i), split), list = scene.record.questions
      return (model.configuration.vision.tiles(of: scene.picture), list[i % list.count])
    }
  }

  /// Measures the stored weights, then 8 bits, then 4. The tower ends in 4 bits.
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
      var result = Result(bits: bits), sum = 0.0, tokens = 0, same = 0
      for item in questions {
        let values = try Conversation(model).score(item.question.answer, after: Self.turn(item))
          .logProbabilities
        sum += values.reduce(0) { $0 + Double($1) }
        tokens += values.count
        try progress(done)
      }
      var rest = questions[...]
      let answers = AnswerBatch(model, slots: batch)
      try answers.run {
        rest.popFirst().map { .success(BatchQuestion(Self.turn($0), most: Self.mostTokens)) }
      } onAnswer: { i, answer in
        let text = try answer.get().text
        if bits == nil { said.append(text) } else if said[i] == text { same += 1 }
        done += 1
        try progress(done)
      }
      result.logProbability = sum / Double(max(1, tokens))
      if bits != nil { result.sameAnswers = Double(same) / Double(max(1, questions.count)) }
      results.append(result)
    }
    return results
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
