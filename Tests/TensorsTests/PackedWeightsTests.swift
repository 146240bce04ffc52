import Foundation
import TestSupport
import Testing

import ModelFiles
import Tensors

/// Weights that are packed for reading, in bf16, 8 and 4 bits, under each instruction set and thread count.
@Suite(.serialized)
@NumericActor
struct PackedWeightsTests {
  /// Runs `body` under each set of instructions that this machine has.
  private func underEachSet(_ body: (Hardware.InstructionSet) throws -> Void) rethrows {
    let before = Hardware.instructionSet
    defer { Hardware.instructionSet = before }
    for set in OperationTests.instructionSets {
      Hardware.instructionSet = set
      try body(set)
    }
  }

  /// The bits of a result for 1, 2 and 5 threads, which must be the same.
  private func withEachThreadCount(_ body: () -> Tensor) -> [Float] {
    let threads = Threads.count
    defer { Threads.count = threads }
    var all: [[Float]] = []
    for count: Int32 in [1, 2, 5] {
      Threads.count = count
      all.append(body().toArray())
    }
    #expect(all[0] == all[1] && all[0] == all[2])
    return all[0]
  }

  /// What the file's bytes say, number by number.
  private func numbers(_ q: QuantizedTensor) -> [Float] {
    let scales = q.scales.toArray()
    return q.withValues { bytes in
      (0..<q.rows * q.columns).map { (i: Int) -> Float in
        let scale = scales[i / q.group]
        if q.bits == .eight { return Float(Int8(bitPattern: bytes[i])) * scale }
        let byte = bytes[i / 32 * 16 + i % 16]
        let half = i % 32 < 16 ? byte & 15 : byte >> 4
        return Float(Int(half) - 8) * scale
      }
    }
  }

  @Test(arguments: QuantizedTensor.Bits.allCases)
  func packingKeepsEveryNumber(_ bits: QuantizedTensor.Bits) throws {
    var random = Philox(seed: 31)
    for (rows, columns, group) in [(1, 32, 32), (16, 96, 32), (37, 160, 32), (50, 192, 64), (17, 256, 128)] {
      let weight = Tensor.normal([rows, columns], using: &random)
      try underEachSet { set in
        let q = QuantizedTensor(weight, bits: bits, group: group), plain = numbers(q)
        #expect(q.dequantized().toArray() == plain, "\(set), \(rows) × \(columns)")
        let limit: Float = bits == .eight ? 0.006 : 0.09
        #expect(relativeError(Tensor(plain, shape: [rows, columns]), weight) < limit)
        let scales = q.scales
        let again = try #require(
          q.withValues { QuantizedTensor(values: $0, scales: scales, columns: columns, bits: bits) })
        #expect(again.dequantized().toArray() == plain)
        #expect(
          q.dequantized(as: .bf16).toArray()
            == Tensor(plain, shape: [rows, columns]).cast(to: .bf16).toArray())
      }
    }
  }

  /// Products of exact x are those of the plain numbers.
  @Test(arguments: QuantizedTensor.Bits.allCases)
  func exactProductsAreThoseOfThePlainNumbers(_ bits: QuantizedTensor.Bits) {
    var random = Philox(seed: 32)
    for (rows, columns, group) in [(16, 96, 32), (37, 160, 32), (50, 192, 64), (520, 2048, 32)] {
      let q = QuantizedTensor(.normal([rows, columns], using: &random), bits: bits, group: group)
      let x = Tensor.normal([3, columns], using: &random), expected = linear(x, weight: q.dequantized())
      underEachSet { set in
        let found = withEachThreadCount { q.linear(x) }
        #expect(relativeError(Tensor(found, shape: [3, rows]), expected) < 2e-6, "\(set)")
        #expect(q.linear(x.sliced(1..<2)).toArray() == Array(found[rows..<2 * rows]))
        let many = Tensor.normal([2, 50, columns], using: &random),
          bias = Tensor.normal([rows], using: &random)
        let plain = linear(many, weight: q.dequantized(), bias: bias)
        let panels = q.panelProduct(many, bias: bias)
        #expect(panels.shape == [2, 50, rows] && relativeError(panels, plain) < 2e-6, "\(set)")
        // Our own kernel's sums have one order, however the weight lies.
        if !Hardware.hasSteadyProducts {
          #expect(
            panels.toArray() == plain.toArray() && q.linear(many, bias: bias).toArray() == plain.toArray())
        }
      }
    }
  }

  /// Whole-number products: with the processor's own instructions as with plain ones, and many rows at once as each
  /// alone, bit by bit.
  @Test(arguments: QuantizedTensor.Bits.allCases)
  func roundedProductsAreTheSameEverywhere(_ bits: QuantizedTensor.Bits) {
    var random = Philox(seed: 33)
    for (rows, columns, group) in [
      (16, 96, 32), (37, 160, 32), (50, 192, 64), (100, 1184, 32), (33, 1536, 128),
    ] {
      let q = QuantizedTensor(.normal([rows, columns], using: &random), bits: bits, group: group)
      let x = Tensor.normal([23, columns], using: &random)
      let exact = linear(x, weight: q.dequantized())
      var naive: Tensor?
      underEachSet { set in
        let bits = withEachThreadCount { q.roundedProduct(x) }
        let found = Tensor(bits, shape: [23, rows])
        #expect(relativeError(found, exact) < 1e-2, "\(set)")
        if let naive { #expect(relativeError(found, naive) < 1e-6, "\(set)") } else { naive = found }
        for first in [0, 22] {
          let alone = q.roundedProduct(x.sliced(first..<first + 1))
          #expect(alone.toArray() == found.sliced(first..<first + 1).toArray(), "\(set), row \(first)")
        }
        #expect(q.roundedProduct(Tensor.zeros([9, columns])).toArray().allSatisfy { $0 == 0 })
        var broken = x.toArray()
        broken[5] = .nan
        let spoilt = q.roundedProduct(Tensor(broken, shape: [23, columns])).toArray()
        #expect(spoilt[0].isNaN && spoilt[rows].isFinite)
      }
    }
  }

  /// Large bf16 weights of a file: a few rows and many, before and after packing, as the plain weight gives them.
  @Test func packedRowsAreTheWeight() throws {
    var random = Philox(seed: 34)
    let path = temporaryPath(".safetensors")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let weight = Tensor.normal([1088, 1056], type: .bf16, using: &random)
    try SafetensorsWriter.write(
      [.init(name: "w", type: .bf16, shape: weight.shape)], metadata: [:], to: path
    ) { _, body in try weight.withBytes(body) }
    let plain = weight.cast(to: .f32)
    try underEachSet { set in
      let stored = Parameter(try SafetensorsFile(path: path).tensor("w"))
      for rows in [1, 2, 3, 4, 70, 200] {
        let x = Tensor.normal([rows, 1056], using: &random), expected = linear(x, weight: plain)
        let found = withEachThreadCount { linearFromStored(x, weight: stored.value) }
        #expect(relativeError(Tensor(found, shape: expected.shape), expected) < 2e-6, "\(set), \(rows) rows")
        // Our own kernel's sums have one order, however the weight lies.
        if rows > 4, !Hardware.hasSteadyProducts {
          #expect(found == expected.toArray(), "\(set), \(rows) rows")
        }
        let together = rowProducts(x.sliced(0..<1), [stored.value, stored.value])
        #expect(together[1].toArray() == linearFromStored(x.sliced(0..<1), weight: stored.value).toArray())
        let rounded = linearFromStored(x, weight: stored.value, precision: .bf16)
        #expect(relativeError(rounded, expected) < 1e-2, "\(set), \(rows) rows")
      }
      // The file's pages are let go, and still say the same.
      #expect(stored.value.toArray() == plain.toArray())
    }
  }

  /// The distance with the fastest products is chosen, once all have had their turns; small products do not count.
  @Test func theFastestDistanceIsChosen() {
    let tuning = StreamTuning(), best = StreamTuning.distances[2]
    tuning.run(1000) { _ in }
    var turns = 0
    while tuning.chosen == nil, turns < 1000 {
      tuning.run(StreamTuning.leastBytes) { distance in
        if distance != best { Thread.sleep(forTimeInterval: 0.0005) }
      }
      turns += 1
    }
    #expect(tuning.chosen == best && turns < 200)
    var used: Int64 = 0
    tuning.run(StreamTuning.leastBytes) { used = $0 }
    #expect(used == best)
  }
}
