import Tensors

/// Random choices: the same of the same seed and round.
struct Dice {
  private var random: Philox

  init(seed: UInt64, round: Int) { random = Philox(seed: seed, stream: UInt64(max(0, round))) }

  /// 0 up to `bound`, which is not reached.
  mutating func number(below bound: Int) -> Int {
    Int(random.integers(below: UInt32(clamping: max(1, bound)), count: 1)[0])
  }

  /// Once in so many times.
  mutating func isOne(in times: Int) -> Bool { number(below: times) == 0 }

  /// nil of nothing.
  mutating func pick<T>(_ list: [T]) -> T? { list.isEmpty ? nil : list[number(below: list.count)] }

  mutating func pick<T>(_ list: [T], else fallback: T) -> T { pick(list) ?? fallback }

  /// For helpers that take the generator itself.
  mutating func use<T>(_ body: (inout Philox) -> T) -> T { body(&random) }
}
