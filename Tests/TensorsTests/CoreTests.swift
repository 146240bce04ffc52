import Foundation
import TestSupport
import Testing

import Tensors

@Suite(.serialized)
@NumericActor
struct CoreTests {
  @Test func poolAlignsAndRecycles() {
    let pool = MemoryPool.shared
    let first = Tensor.zeros([1000]).pointer
    #expect(Int(bitPattern: first) % 64 == 0)
    let before = pool.counters
    for _ in 0..<10 { _ = Tensor.zeros([1000]) }
    #expect(pool.counters.systemAllocations == before.systemAllocations)
    #expect(pool.counters.reuses == before.reuses + 10)
    #expect(pool.counters.bytesInUse == before.bytesInUse)
    for bytes in [1, 64, 65, 4096, 4097, 5000, 123_456_789] {
      let capacity = MemoryPool.capacity(for: bytes)
      #expect(capacity >= bytes && capacity % 64 == 0)
      #expect(bytes < 4096 || Double(capacity) <= Double(bytes) * 1.1251)
    }
    pool.trim()
    #expect(pool.counters.bytesFree == 0)
  }

  /// Row-wise kernels and fixed chunks: the same bits for any number of threads.
  @Test func resultsDoNotDependOnThreads() {
    let threads = Threads.count
    defer { Threads.count = threads }
    let operations: Set<String> = [
      "sum", "sumAll", "layerNorm", "rmsNorm", "groupNorm", "softmax", "attention", "selfAttention", "gather",
    ]
    for c in OperationTests.references.cases where operations.contains(c.op) {
      var all: [[[Float]]] = []
      for count: Int32 in [1, 2, 5] {
        Threads.count = count
        let (y, g) = grad(at: c.inputs, seed: c.seed) { perform(c, $0) ?? Tensor(scalar: .nan) }
        all.append([y.toArray()] + g.map { $0?.toArray() ?? [] })
      }
      #expect(all[0] == all[1] && all[0] == all[2], "\(c.name)")
    }
  }

  @Test func quantisedWeightsAreNearTheirNumbers() {
    var random = Philox(seed: 8)
    for type in [ElementType.f32, .bf16] {
      let w = Tensor.normal([37, 96], using: &random).cast(to: type),
        x = Tensor.normal([3, 96], type: type, using: &random)
      for (bits, limit) in [(QuantizedTensor.Bits.eight, Float(0.006)), (.four, 0.09)] {
        let q = QuantizedTensor(w, bits: bits, group: 32)
        #expect(q.byteCount == 37 * 96 * bits.rawValue / 8 + 37 * 3 * 4)
        // Half a step of the largest group.
        #expect(relativeError(q.dequantized(), w.cast(to: .f32)) < limit)
        let plain = linear(x.cast(to: .f32), weight: q.dequantized())
        #expect(relativeError(q.linear(x), plain) < (type == .f32 ? 1e-5 : 1e-2))
        let many = Tensor.normal([20, 96], type: type, using: &random)
        #expect(relativeError(q.linear(many), linear(many.cast(to: .f32), weight: q.dequantized())) < 2e-2)
      }
    }
  }

  /// A norm that is never written out gives what the two steps give.
  @Test func normsModulatedAtOnceAreThoseInTwoSteps() {
    var random = Philox(seed: 28)
    for (side, factor, channels) in [(4, 1, 12), (6, 2, 8), (8, 4, 40)] {
      let x = Tensor.normal([2, side * factor, side * factor, channels], mean: 3, using: &random)
      let parts = Tensor.normal([2, side, side, 2 * channels], using: &random)
      for activation in [NormActivation.none, .silu] {
        let two = modulated(groupNorm(x, groups: 4, epsilon: 1e-5), by: parts, activation: activation)
        let one = groupNorm(x, groups: 4, epsilon: 1e-5, modulatedBy: parts, activation: activation)
        #expect(relativeError(one, two) < 1e-5)
        let (tracked, gradients) = grad(at: [x, parts], seed: two) {
          groupNorm($0[0], groups: 4, epsilon: 1e-5, modulatedBy: $0[1], activation: activation)
        }
        #expect(relativeError(tracked, two) < 1e-6 && gradients.allSatisfy { $0 != nil })
      }
    }
  }

  /// Where the processor multiplies small numbers itself, quantised rows may meet x rounded: as near as that rounding.
  @Test(arguments: QuantizedTensor.Bits.allCases)
  func quantisedRowsTimesRoundedInput(_ bits: QuantizedTensor.Bits) {
    var random = Philox(seed: 18)
    for columns in [128, 384, 2048] {
      let w = Tensor.normal([37, columns], using: &random), x = Tensor.normal([3, columns], using: &random)
      var q = QuantizedTensor(w, bits: bits)
      let exact = linear(x, weight: q.dequantized())
      #expect(relativeError(q.linear(x), exact) < 1e-5)
      q.precision = .bf16
      #expect(relativeError(q.linear(x), exact) < 1e-2)
      // Nothing is left to round of whole numbers up to 127 in each group.
      let whole = (0..<3 * columns).map { (i: Int) -> Float in i % 128 == 0 ? 127 : Float(i * 37 % 255 - 127)
      }
      let rounded = Tensor(whole, shape: [3, columns])
      let expected = linear(rounded, weight: q.dequantized())
      #expect(relativeError(q.linear(rounded), expected) < 1e-5)
      #expect(q.linear(Tensor.zeros([2, columns])).toArray().allSatisfy { $0 == 0 })
    }
  }

  @Test func eigenvectorsDiagonalise() throws {
    var random = Philox(seed: 9)
    let n = 40, a = Tensor.normal([n, n], using: &random)
    let matrix = (a + a.transposed()).toArray().map(Double.init)
    let (values, vectors) = try LinearAlgebra.symmetricEigen(matrix, size: n)
    #expect(values == values.sorted())
    for (value, vector) in zip(values, vectors) {
      for row in 0..<n {
        let product = (0..<n).reduce(0.0) { $0 + matrix[row * n + $1] * vector[$1] }
        #expect(abs(product - value * vector[row]) < 1e-9)
      }
    }
    #expect(throws: LinearAlgebra.Failure.self) { try LinearAlgebra.symmetricEigen([.nan], size: 1) }
    #expect(try LinearAlgebra.symmetricEigen([], size: 0).values.isEmpty)
  }

  /// What `VUGEN_ISA` chooses at start, chosen while running.
  @Test func namesItsInstructionSets() {
    #expect(Hardware.InstructionSet.baseline.isAvailable)
    let before = Hardware.instructionSet
    for set in OperationTests.instructionSets {
      Hardware.instructionSet = set
      #expect(Hardware.instructionSet == set)
    }
    Hardware.instructionSet = before
  }

  @Test func nonFiniteNumbersStayVisible() {
    let x = Tensor([.nan, 1, .infinity, -.infinity])
    #expect(x.silu().toArray()[0].isNaN && x.exp().toArray()[0].isNaN)
    #expect(x.exp().toArray()[3] == 0)
    #expect(Tensor([-1, 0, 1]).log().toArray()[0].isNaN)
    #expect(Tensor([0]).log().item() == -.infinity)
    #expect(x.cast(to: .bf16).cast(to: .f32).toArray()[0].isNaN)
    #expect(x.cast(to: .bf16).toArray()[2] == .infinity)
    #expect(crossEntropy(Tensor([.nan, 0], shape: [1, 2]), targets: Tensor(indices: [1])).item().isNaN)
  }

  @Test func roundsToNearestEvenInBF16() {
    let x: [Float] = [1.00390625, 1.01171875, 1.005, -1.00390625, 3.4e38]
    #expect(Tensor(x).cast(to: .bf16).toArray()[0...3] == [1.0, 1.015625, 1.0078125, -1.0])
  }

  @Test func numericWorkStaysOnItsThread() async {
    var names = Set<String>()
    func threadName() -> String { Thread.current.name ?? "" }
    for _ in 0..<20 {
      names.insert(threadName())
      await Task.yield()
    }
    #expect(names == ["vugen.numeric"])
  }
}
