import Tensors

/// In which order samples of several sources are drawn: each source in an order that is drawn anew for each pass through it,
/// and as often as its weight says, in each ten thousand examples as exactly as whole numbers allow.
///
/// Which sample an example is follows from its number alone, so that ranks and runs that are resumed draw the same.
package struct Mixture {
  private let counts: [Int]
  /// How many of a block's examples each source has.
  package let shares: [Int]

  private static let block = 10_000

  /// - Parameters:
  ///   - counts: samples of each source; what has none is not drawn from.
  ///   - weights: of each source.
  package init(counts: [Int], weights: [Double]) {
    self.counts = counts
    shares = Self.shares(zip(weights, counts).map { $1 > 0 ? $0 : 0 })
  }

  /// Whole numbers in the weights' proportion that make up a block; what has a weight has one at least.
  private static func shares(_ weights: [Double]) -> [Int] {
    let sum = weights.reduce(0, +)
    let exact = weights.map { sum > 0 ? $0 / sum * Double(block) : 0 }
    var shares = exact.map { $0 > 0 ? max(1, Int($0)) : 0 }
    var rest = block - shares.reduce(0, +)
    // The largest remainders have one more; where small weights took too many, the largest shares have fewer.
    let order = exact.indices.filter { exact[$0] > 0 }.sorted {
      (exact[$0] - Double(shares[$0]), $1) > (exact[$1] - Double(shares[$1]), $0)
    }
    for i in order.prefix(max(0, rest)) { shares[i] += 1 }
    while rest < 0, let largest = shares.indices.max(by: { shares[$0] < shares[$1] }) {
      (shares[largest], rest) = (shares[largest] - 1, rest + 1)
    }
    return shares
  }

  /// Which source an example of a number is drawn from, and the place of its sample in it.
  package func draw(_ number: Int, seed: UInt64) -> (source: Int, place: Int) {
    let block = number / Self.block
    var random = Philox(seed: seed, .mixture)
    let words = random.nextWords(), key = UInt64(words[0]) << 32 | UInt64(words[1])
    var slot = ExampleSource.shuffled(number % Self.block, of: Self.block, seed: key, pass: block), source = 0
    while slot >= shares[source] {
      slot -= shares[source]
      source += 1
    }
    let turn = block * shares[source] + slot, count = counts[source]
    return (source, ExampleSource.shuffled(turn % count, of: count, seed: seed, pass: turn / count))
  }
}
