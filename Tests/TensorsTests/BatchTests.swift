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

  /// In f32 up to 32 rows meet a stored weight as one row does, in every format; the large one is packed.
  @Test func rowsOfABatchAreThoseOfOne() {
    var random = Philox(seed: 22)
    let weight = Tensor.normal([70, 96], type: .bf16, using: &random)
    let large = Parameter(Tensor.normal([1024, 512], type: .bf16, using: &random)).value
    let eight = QuantizedTensor(weight, bits: .eight), four = QuantizedTensor(weight, bits: .four)
    let products: [(columns: Int, of: (Tensor) -> Tensor)] = [
      (96, { linearFromStored($0, weight: weight) }), (512, { linearFromStored($0, weight: large) }),
      (96, { eight.linear($0) }), (96, { four.linear($0) }),
    ]
    for (i, product) in products.enumerated() {
      let x = Tensor.normal([32, product.columns], using: &random)
      let single = (0..<32).map { product.of(x.sliced($0..<$0 + 1)).toArray() }
      for rows in [2, 5, 17, 32] {
        let many = StoredWeights.decodingBatch { product.of(x.sliced(0..<rows)).toArray() }
        #expect(many == Array(single.prefix(rows).joined()), "product \(i), \(rows) rows")
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
