import CKernels

/// A counter-based random generator: Philox 4×32-10 (Salmon et al., SC 2011).
///
/// A value: copying it copies its place in the stream. Draws are the same bits on every machine and for
/// any number of threads. Each draw of n numbers takes a whole number of blocks of four words.
public struct Philox: Sendable, Hashable, Codable {
  /// The key: another seed is another generator.
  public let seed: UInt64
  /// Separates independent sequences of one seed.
  public let stream: UInt64
  /// Blocks of four words that were used.
  public private(set) var position: UInt64
  private var part = 0, parts = 1

  /// The place in a stream at which `position` blocks of four words were used.
  public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    (self.seed, self.stream, self.position) = (seed, stream, position)
  }

  /// Another sequence of the same seed, such as one an example or a worker.
  public func substream(_ number: UInt64) -> Philox { Philox(seed: seed, stream: number) }

  /// One of several that draw a whole together, each its part: `uniform`, `normal` and `integers` then give the numbers of
  /// part `part` of `parts` times as many, and go on behind all of these.
  public func part(_ part: Int, of parts: Int) -> Philox {
    precondition((0..<parts).contains(part), "there is no part \(part) of \(parts)")
    var copy = self
    (copy.part, copy.parts) = (part, parts)
    return copy
  }

  /// The raw rounds, as the published test vectors give them.
  public static func rounds(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    precondition(counter.count == 4 && key.count == 2, "Philox 4×32 takes four counter and two key words")
    var words = [UInt32](repeating: 0, count: 4)
    vugen_philox_rounds(counter, key, &words)
    return words
  }

  /// The next four words.
  public mutating func nextWords() -> [UInt32] {
    var words = [UInt32](repeating: 0, count: 4)
    vugen_philox(seed, stream, position, &words)
    position += 1
    return words
  }

  /// `count` numbers in `0 ..< bound`, without bias for the small bounds of data sets (Lemire's method).
  public mutating func integers(below bound: UInt32, count: Int) -> [UInt32] {
    precondition(bound > 0, "there is no number below 0")
    var result: [UInt32] = [], words: ArraySlice<UInt32> = []
    let all = count * parts
    result.reserveCapacity(all)
    let limit = (0 &- bound) % bound
    while result.count < all {
      if words.isEmpty { words = nextWords()[...] }
      let product = UInt64(words.removeFirst()) * UInt64(bound)
      if UInt32(truncatingIfNeeded: product) >= limit { result.append(UInt32(product >> 32)) }
    }
    return parts == 1 ? result : Array(result[part * count..<(part + 1) * count])
  }

  /// The numbers `0 ..< count` in random order (Fisher–Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    precondition(parts == 1, "an order is drawn as a whole")
    guard count > 1 else { return order }
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(integers(below: UInt32(i + 1), count: 1)[0]))
    }
    return order
  }

  fileprivate mutating func fill(
    _ kernel: Kernel<vg_random_args>, _ shape: [Int], _ type: ElementType, _ low: Float, _ high: Float
  ) -> Tensor {
    // Numbers of a part may begin within a block.
    let count = shape.product, first = part * count, lead = first % 4
    let y = Tensor.empty(lead == 0 ? shape : [lead + count], type)
    run(
      kernel, type,
      vg_random_args(
        y: y.pointer, n: Int64(y.count), seed: seed, stream: stream, offset: position + UInt64(first / 4),
        low: low, high: high),
      items: blocks(y.count))
    position += UInt64((count * parts + 3) / 4)
    return lead == 0 ? y : y.sliced(lead..<lead + count).copied().reshaped(shape)
  }
}

extension Tensor {
  /// Numbers in `[low, high)`, each of 24 random bits.
  public static func uniform(
    _ shape: [Int], low: Float = 0, high: Float = 1, type: ElementType = .f32, using random: inout Philox
  ) -> Tensor {
    random.fill(.uniform, shape, type, low, high)
  }

  /// Normal numbers (Box–Muller).
  public static func normal(
    _ shape: [Int], mean: Float = 0, deviation: Float = 1, type: ElementType = .f32,
    using random: inout Philox
  ) -> Tensor {
    random.fill(.normal, shape, type, mean, deviation)
  }

  /// Unit normal numbers of this tensor's shape and type.
  public static func normal(like other: Tensor, using random: inout Philox) -> Tensor {
    normal(other.shape, type: other.type, using: &random)
  }
}
