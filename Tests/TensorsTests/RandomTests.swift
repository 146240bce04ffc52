import Testing

import Tensors

@Suite(.serialized)
struct RandomTests {
  /// The known answers of Random123's test file for Philox 4×32-10.
  @Test func givesThePublishedWords() {
    let max = UInt32.max
    let answers: [(counter: [UInt32], key: [UInt32], words: [UInt32])] = [
      ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      ([max, max, max, max], [max, max], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ]
    for answer in answers {
      #expect(Philox.rounds(counter: answer.counter, key: answer.key) == answer.words)
    }
  }

  @NumericActor
  @Test func doesNotDependOnThreadsOrInstructions() {
    let (threads, set) = (Threads.count, Hardware.instructionSet)
    defer { (Threads.count, Hardware.instructionSet) = (threads, set) }
    var all: [[Float]] = []
    for count: Int32 in [1, 2, 3] {
      for set in OperationTests.instructionSets {
        (Threads.count, Hardware.instructionSet) = (count, set)
        var random = Philox(seed: 42)
        let normal = Tensor.normal([50_001], using: &random)
        all.append(normal.toArray() + Tensor.uniform([777], using: &random).toArray())
      }
    }
    #expect(all.allSatisfy { $0 == all[0] })
  }

  @NumericActor
  @Test func hasTheRightMoments() {
    var random = Philox(seed: 1)
    let n = 400_000
    let normal = Tensor.normal([n], mean: 2, deviation: 3, using: &random).toArray().map(Double.init)
    let mean = normal.reduce(0, +) / Double(n)
    let variance = normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
    #expect(abs(mean - 2) < 0.02 && abs(variance - 9) < 0.1)
    let fourth = normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / Double(n)
    #expect(abs(fourth / (variance * variance) - 3) < 0.05)
    let uniform = Tensor.uniform([n], low: -1, high: 1, using: &random).toArray()
    #expect(uniform.allSatisfy { $0 >= -1 && $0 < 1 })
    #expect(abs(uniform.reduce(0, +) / Float(n)) < 0.01)
    #expect(Set(normal.prefix(1000)).count == 1000)
  }

  @Test func permutesAndDrawsIntegers() {
    var random = Philox(seed: 3)
    let order = random.permutation(1000)
    #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
    #expect(random.permutation(0).isEmpty && random.permutation(1) == [0])
    let draws = random.integers(below: 7, count: 70_000)
    for value: UInt32 in 0..<7 { #expect(abs(draws.count { $0 == value } - 10_000) < 500) }
    var other = random.substream(1), same = random.substream(1)
    #expect(other.nextWords() == same.nextWords())
    #expect(other.nextWords() != random.nextWords())
  }
}
