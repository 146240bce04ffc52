import Tensors
import Training

/// The mean loss over samples that are held out: the same batches with the same random numbers whenever it is measured, and
/// by however many ranks.
struct HeldOutLoss {
  /// Samples.
  let count: Int
  /// Samples in a batch: of all ranks' batches together no more than a few, so that the numbers do not depend on how many
  /// ranks there are, and one rank has room for them.
  let batch: Int
  private let ranks: Ranks

  private static let most = 8

  /// - Parameter batch: a rank's batch in training.
  init(count: Int, batch: Int, _ ranks: Ranks) {
    (self.count, self.ranks) = (count, ranks)
    self.batch = min(Self.most, batch * ranks.count)
  }

  /// - Parameter loss: of one batch, worked out by one rank alone: its number, its samples, and its random numbers.
  func mean(_ loss: (_ number: Int, _ samples: Range<Int>, inout Philox) throws -> [LossTerm]) throws
    -> Double
  {
    let own: [Double] = try ranks.together {
      var sum = 0.0, samples = 0
      for number in stride(from: ranks.rank, to: (count + batch - 1) / batch, by: ranks.count) {
        let some = number * batch..<min(count, (number + 1) * batch)
        var random = Philox(seed: 0, .validationBatch(number))
        let terms = try loss(number, some, &random)
        sum += Double(some.count) * terms.reduce(0) { $0 + Double($1.weight) * Double($1.value.item()) }
        samples += some.count
      }
      return [sum, Double(samples)]
    }
    let all = try ranks.summed(own)
    return all[0] / all[1]
  }
}
