import Tensors

/// The random choices of one scene, from a stream of its own.
struct SceneRandom {
  private var philox: Philox
  private var words: [UInt32] = []

  init(seed: UInt64, split: Split, index: UInt64) {
    let part = UInt64(Split.allCases.firstIndex(of: split) ?? 0)
    philox = Philox(seed: seed, .scene(split: part, index: index))
  }

  private mutating func word() -> UInt32 {
    if words.isEmpty { words = philox.nextWords() }
    return words.removeLast()
  }

  /// 0 ..< bound; the bias of a few in 2³² does not matter here.
  mutating func below(_ bound: Int) -> Int { Int((UInt64(word()) * UInt64(bound)) >> 32) }

  mutating func number(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(word()) / 4_294_967_296
  }

  mutating func chance(_ probability: Double) -> Bool { number(0, 1) < probability }

  mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }

  mutating func shuffled<T>(_ list: [T]) -> [T] {
    var list = list
    for i in stride(from: list.count - 1, to: 0, by: -1) { list.swapAt(i, below(i + 1)) }
    return list
  }
}
