import Tensors
import TestSupport
import Testing

/// Attention over two ranges of keys for each query, against a bias of −∞ on the others, which PyTorch has checked.
@Suite(.serialized)
@NumericActor
struct VisibleKeysTests {
  /// Two ranges of `keys` for each query, now and then an empty one or none at all.
  private func bounds(_ batch: Int, _ queries: Int, _ keys: Int, using random: inout Philox) -> [Int32] {
    var bounds: [Int32] = []
    for row in 0..<batch * queries {
      let ends = random.integers(below: UInt32(keys + 1), count: 4).map(Int32.init).sorted()
      if row % 11 == 5 {
        bounds += [ends[0], ends[0], ends[0], ends[0]]
      } else {
        bounds += row % 3 == 0 ? [0, ends[0], ends[3], ends[3]] : ends
      }
    }
    return bounds
  }

  private func bias(_ bounds: [Int32], _ batch: Int, _ queries: Int, _ keys: Int) -> Tensor {
    var values = [Float](repeating: -.infinity, count: batch * queries * keys)
    for row in 0..<batch * queries {
      for i in [4 * row, 4 * row + 2] {
        for key in bounds[i]..<bounds[i + 1] { values[row * keys + Int(key)] = 0 }
      }
    }
    return Tensor(values, shape: [batch, 1, queries, keys])
  }

  /// Across the blocks of the kernel, which are 48 queries and 128 keys.
  @Test(
    arguments: [ElementType.f32, .bf16],
    [(2, 5, 9, 2), (1, 130, 300, 1), (3, 60, 129, 3), (2, 50, 640, 1), (1, 1, 257, 1)])
  func rangesAreABiasOnAllOthers(_ type: ElementType, _ sizes: (Int, Int, Int, Int)) {
    let (batch, queries, keys, patterns) = sizes
    var random = Philox(seed: 31)
    let bounds = bounds(patterns, queries, keys, using: &random)
    let visible = VisibleKeys(bounds, batch: patterns, queries: queries, keys: keys)
    let others = bias(bounds, patterns, queries, keys)
    let x = [(queries, 4), (keys, 2), (keys, 2)].map { time, heads in
      Tensor.normal([batch, time, heads, 24], using: &random).cast(to: type)
    }
    let weights = Tensor.normal([batch, queries, 4, 24], using: &random)
    func run(_ attend: (Tensor, Tensor, Tensor) -> Tensor) -> [[Float]] {
      let (y, gradients) = grad(at: x) { (attend($0[0], $0[1], $0[2]).cast(to: .f32) * weights).sum() }
      return [attend(x[0], x[1], x[2]).toArray(), y.toArray()] + gradients.map { $0?.toArray() ?? [] }
    }
    let found = run { attention($0, $1, $2, mask: .ranges(visible)) }
    let expected = run { attention($0, $1, $2, bias: others) }
    #expect(found == expected && found.allSatisfy { $0.allSatisfy(\.isFinite) })
  }

  /// Blocks that nobody sees are not read.
  @Test func whatNobodySeesCostsNothing() {
    var random = Philox(seed: 32)
    let q = Tensor.normal([1, 20, 2, 16], using: &random), k = Tensor.normal([1, 300, 2, 16], using: &random)
    var spoilt = k.toArray()
    // The keys 128 ..< 256: one block.
    for i in 128 * 32..<256 * 32 { spoilt[i] = .nan }
    let odd = Tensor(spoilt, shape: k.shape)
    let visible = VisibleKeys((0..<20).flatMap { _ in [Int32(0), 100, 256, 300] }, queries: 20, keys: 300)
    let found = attention(q, odd, odd, mask: .ranges(visible)).toArray()
    #expect(found == attention(q, k, k, mask: .ranges(visible)).toArray())
  }
}
