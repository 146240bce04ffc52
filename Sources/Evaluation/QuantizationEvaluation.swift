import DataSets
import Layers
import ModelFiles
import Tensors
import VUGEN

/// What fewer bits cost: how probable a model finds right answers, and how often it says the same.
public struct QuantizationEvaluation {
  public struct Result: Sendable, Equatable {
    /// nil for the weights as they are stored.
    public var bits: QuantizedTensor.Bits?
    /// Mean natural log-probability of a token of the right answers.
    public var logProbability = 0.0
    /// Share of the greedy answers that are word for word those of the stored weights.
    public var sameAnswers = 1.0
  }

  private let folder: String
  private let tokenizer: Tokenizer
  private let questions: [(picture: Tensor, question: QuestionAnswer)]

  /// One question about each of `scenes` scenes of a split.
  ///
  /// Throws `ModelFileError`.
  public init(
    folder: String, tower: UnderstandingTower, _ composer: SceneComposer, _ split: Split, scenes: Int
  )
    throws
  {
    (self.folder, tokenizer) = (folder, try Tokenizer(folder: folder))
    questions = (0..<scenes).map { i in
      let scene = composer.scene(UInt64(i), split), list = scene.record.questions
      return (tower.configuration.vision.tiles(of: scene.picture), list[i % list.count])
    }
  }

  /// Measures the stored weights, then 8 bits, then 4. The tower ends in 4 bits.
  ///
  /// - Parameter progress: called with the number of questions done, of three times as many; throws to stop.
  public func run(_ tower: UnderstandingTower, progress: (Int) throws -> Void) throws -> [Result] {
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
      for (i, item) in questions.enumerated() {
        let turn = Turn(.user, item.question.question, pictures: [item.picture])
        let values = try Conversation(tower, tokenizer, folder: folder).score(
          item.question.answer, after: turn
        )
        .logProbabilities
        sum += values.reduce(0) { $0 + Double($1) }
        tokens += values.count
        var random = Philox(seed: 0)
        let answer = try Conversation(tower, tokenizer, folder: folder).ask(turn, most: 64, using: &random)
          .text
        if bits == nil { said.append(answer) } else if said[i] == answer { same += 1 }
        done += 1
        try progress(done)
      }
      result.logProbability = sum / Double(max(1, tokens))
      if bits != nil { result.sameAnswers = Double(same) / Double(max(1, questions.count)) }
      results.append(result)
    }
    return results
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
