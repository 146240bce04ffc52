import Foundation
import Tensors

/// How the next token is chosen from its logits.
public struct Sampling: Sendable, Equatable {
  /// 0 takes the most likely token.
  public var temperature: Float
  /// Only the k most likely tokens; 0 for all.
  public var topK: Int
  /// Only the most likely tokens that together reach this probability.
  public var topP: Float
  /// Only tokens at least this likely, as a share of the most likely one's probability.
  public var minP: Float
  /// Divides the positive logits of tokens that were there already, multiplies the negative ones (arXiv 1909.05858).
  public var repetitionPenalty: Float

  /// The most likely token each time.
  public static let greedy = Sampling(temperature: 0)

  /// Each argument is the property of its name.
  public init(
    temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1
  ) {
    (self.temperature, self.topK, self.topP, self.minP) = (temperature, topK, topP, minP)
    self.repetitionPenalty = repetitionPenalty
  }

  /// Chooses a token. `seen` are the tokens that the repetition penalty counts.
  public func choose(_ logits: Tensor, seen: Set<Int32> = [], using random: inout Philox) -> Int32 {
    var values = logits.toArray()
    if repetitionPenalty != 1 {
      for token in seen where values.indices.contains(Int(token)) {
        let value = values[Int(token)]
        values[Int(token)] = value > 0 ? value / repetitionPenalty : value * repetitionPenalty
      }
    }
    guard temperature > 0 else { return Self.largest(values) }
    let top = values.max() ?? 0
    var kept = values.indices.map { (token: Int32($0), weight: exp((values[$0] - top) / temperature)) }
    kept.sort { ($1.weight, $0.token) < ($0.weight, $1.token) }
    if topK > 0 { kept = Array(kept.prefix(topK)) }
    if minP > 0 { kept = kept.filter { $0.weight >= minP } }
    let total = kept.reduce(0) { $0 + $1.weight }
    if topP < 1 {
      var sum: Float = 0
      kept = Array(
        kept.prefix { item in
          defer { sum += item.weight }
          return sum < topP * total
        })
    }
    let share = kept.reduce(0) { $0 + $1.weight }
    var rest = Float(random.nextWords()[0] >> 8) * 0x1p-24 * share
    for item in kept {
      rest -= item.weight
      if rest < 0 { return item.token }
    }
    return kept.last?.token ?? Self.largest(values)
  }

  private static func largest(_ values: [Float]) -> Int32 {
    var best = 0
    for i in values.indices where values[i] > values[best] { best = i }
    return Int32(best)
  }
}
