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

  /// Parts of a draw are the whole draw, wherever they begin, and all go on at the same place.
  @Test(arguments: [[2, 3], [1, 5], [4, 16], [3, 1]])
  func partsMakeTheWhole(_ shape: [Int]) {
    for parts in [2, 3, 5] {
      var whole = Philox(seed: 8, stream: 1)
      let all = [shape[0] * parts, shape[1]]
      let normal = Tensor.normal(all, deviation: 2, using: &whole).toArray()
      let uniform = Tensor.uniform(all, using: &whole).toArray()
      let integers = whole.integers(below: 77, count: all[0])
      var drawn: [[Float]] = [[], []], counted: [UInt32] = []
      for part in 0..<parts {
        var random = Philox(seed: 8, stream: 1).part(part, of: parts)
        drawn[0] += Tensor.normal(shape, deviation: 2, using: &random).toArray()
        drawn[1] += Tensor.uniform(shape, using: &random).toArray()
        counted += random.integers(below: 77, count: shape[0])
        #expect(random.position == whole.position)
      }
      #expect(drawn == [normal, uniform] && counted == integers)
    }
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

  /// Runs and pictures of before can be repeated: each stream begins with the words that it always began with.
  @Test func streamsKeepTheirWords() {
    let streams: [(stream: RandomStream, words: [UInt32])] = [
      (.latentNoise, [0xc417_681d, 0x11d8_5194, 0xfbd6_2c3b, 0xf739_e278]),
      (.decoderNoise, [0x6331_9a34, 0x53df_d057, 0x8146_3c6d, 0xb5fc_d5d5]),
      (.promptUse(scene: 7), [0x9ab9_467e, 0x4e4f_74f7, 0xdca1_292f, 0xdf26_7ff4]),
      (.scene(split: 2, index: 9), [0xfa4a_b03a, 0x8418_6ea2, 0xbf1c_062f, 0x7f7e_db4c]),
      (.generatorBatch(3), [0x8c2a_4000, 0xe715_e918, 0x1036_dc49, 0x6057_69aa]),
      (.distillationBatch(3), [0xeed7_3898, 0x689b_84ce, 0x0b8c_d219, 0x13d0_e982]),
      (.decoderBatch(3), [0xa057_ce2c, 0x24a7_c6c7, 0x5abf_d0d8, 0xa823_a3fc]),
      (.packedExample(3), [0xc443_99d1, 0xd51f_2b7f, 0x94e6_7938, 0xc5e4_d95e]),
      (.heldOut, [0x38b0_0d6c, 0x29ee_8b00, 0x24c9_6e4d, 0xd284_a0f4]),
      (.validationBatch(3), [0x399d_4c7b, 0x344c_9b15, 0xab8c_944a, 0xd9d0_3588]),
    ]
    for (stream, words) in streams {
      var random = Philox(seed: 5, stream)
      #expect(random.nextWords() == words, "\(stream)")
    }
  }
}
