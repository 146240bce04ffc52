import TestSupport
import Tensors
import Testing

/// What decoding of many sequences at once stands on: a sequence's numbers do not depend on those beside it.
@Suite(.serialized)
@NumericActor
struct BatchTests {
  /// More sequences than one call of the team takes, of all lengths, prompts and single tokens mixed.
  @Test(arguments: [ElementType.f32, .bf16])
  func packedSequencesAttendToTheirOwn(_ type: ElementType) {
    var random = Philox(seed: 21)
    let lengths = (0..<11).map { (queries: $0 % 3 == 0 ? 1 + $0 * 7 : 1, before: $0 * 37 % 150) }
    let parts = lengths.map { length in
      let keys = length.queries + length.before
      return (
        Tensor.normal([1, length.queries, 8, 32], type: type, using: &random),
        Tensor.normal([1, keys, 2, 32], type: type, using: &random),
        Tensor.normal([1, keys, 2, 32], type: type, using: &random)
      )
    }
    let together = attention(
      .concatenated(parts.map(\.0), axis: 1),
      of: parts.map { AttendedSequence(queries: $0.0.size(1), keys: $0.1, values: $0.2) })
    var at = 0
    for (q, k, v) in parts {
      let alone = attention(q, k, v, mask: .causal)
      #expect(together.sliced(at..<at + q.size(1), axis: 1).toArray() == alone.toArray())
      at += q.size(1)
    }
  }

  /// In f32 up to 32 rows meet a stored weight as one row does, in every format.
  @Test func rowsOfABatchAreThoseOfOne() {
    var random = Philox(seed: 22)
    let weight = Tensor.normal([70, 96], type: .bf16, using: &random)
    let eight = QuantizedTensor(weight, bits: .eight), four = QuantizedTensor(weight, bits: .four)
    let x = Tensor.normal([32, 96], using: &random)
    let products: [(Tensor) -> Tensor] = [
      { linearFromStored($0, weight: weight) }, { eight.linear($0) }, { four.linear($0) },
    ]
    for product in products {
      let single = (0..<32).flatMap { product(x.sliced($0..<$0 + 1)).toArray() }
      for rows in [2, 5, 17, 32] {
        let many = StoredWeights.decodingBatch { product(x.sliced(0..<rows)).toArray() }
        #expect(many == Array(single.prefix(rows * 70)), "\(rows) rows")
      }
    }
  }

  /// With bf16 products they are rounded to bf16, each by itself; rows and columns need not fill the tiles.
  @Test func rowsOfABatchInBF16() {
    guard Hardware.hasBF16Products else { return }
    StoredWeights.precision = .bf16
    defer { StoredWeights.precision = .f32 }
    var random = Philox(seed: 24)
    for (outputs, columns) in [(70, 96), (4, 2048), (33, 40), (1, 32)] {
      let weight = Tensor.normal([outputs, columns], type: .bf16, using: &random)
      let x = Tensor.normal([32, columns], using: &random)
      let expected = linear(x.cast(to: .bf16).cast(to: .f32), weight: weight.cast(to: .f32))
      let all = StoredWeights.decodingBatch { linearFromStored(x, weight: weight) }
      #expect(
        relativeError(all, columns % 32 == 0 ? expected : linear(x, weight: weight.cast(to: .f32))) < 1e-5)
      for rows in 5...31 {
        let some = StoredWeights.decodingBatch { linearFromStored(x.sliced(0..<rows), weight: weight) }
        #expect(some.toArray() == Array(all.toArray().prefix(rows * outputs)), "\(rows) rows")
      }
    }
  }

  @Test func cachesBeginWithWhatTheyCopy() {
    var random = Philox(seed: 23)
    func tokens(_ count: Int) -> Tensor { .normal([1, count, 2, 16], using: &random) }
    let first = tokens(5), second = tokens(3), third = tokens(4)
    let cache = KeyValueCache()
    _ = cache.append(first, first)
    let copy = cache.copied(reserving: 600)
    let (own, _) = cache.append(second, second), (other, _) = copy.append(third, third)
    #expect(own.toArray() == first.toArray() + second.toArray())
    #expect(other.toArray() == first.toArray() + third.toArray())
    // Room that was asked for is taken once.
    let bytes = copy.byteCount
    _ = copy.append(tokens(590), tokens(590))
    #expect(copy.byteCount == bytes && KeyValueCache().copied().count == 0)
  }
}
