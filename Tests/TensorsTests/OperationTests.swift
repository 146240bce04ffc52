import Foundation
import TestSupport
import Testing

import Tensors

/// Every operation and its gradient against PyTorch and against finite differences, under each
/// instruction set that this machine has.
@Suite(.serialized)
struct OperationTests {
  static let references: References = {
    let url = Bundle.module.url(forResource: "Fixtures/operations", withExtension: "safetensors")
    do {
      return try References(path: url?.path ?? "Tests/TensorsTests/Fixtures/operations.safetensors")
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  static let instructionSets = Hardware.InstructionSet.allCases.filter(\.isAvailable)

  @NumericActor
  @Test(arguments: instructionSets)
  func matchesPyTorch(_ set: Hardware.InstructionSet) {
    let before = Hardware.instructionSet
    Hardware.instructionSet = set
    defer { Hardware.instructionSet = before }
    #expect(Self.references.cases.count > 200)
    for c in Self.references.cases {
      let (value, gradients) = grad(at: c.inputs, seed: c.seed) { perform(c, $0) ?? Tensor(scalar: .nan) }
      let error = relativeError(value, c.result)
      #expect(error < 2e-5, "\(c.name): result off by \(error)")
      for (i, (found, expected)) in zip(gradients, c.gradients).enumerated() {
        let error = relativeError(found ?? .zeros(expected.shape), expected, floor: 1e-2)
        #expect(error < 5e-5, "\(c.name): gradient \(i) off by \(error)")
      }
    }
  }

  /// bf16 activations keep 8 bits: the same numbers to about one per cent.
  @NumericActor
  @Test(arguments: instructionSets)
  func matchesPyTorchInBF16(_ set: Hardware.InstructionSet) {
    let before = Hardware.instructionSet
    Hardware.instructionSet = set
    defer { Hardware.instructionSet = before }
    // Rounding the input decides which element is the largest, and a large mean costs GroupNorm its digits.
    let skipped: Set<String> = ["max", "groupNorm", "divide"]
    for c in Self.references.cases where !skipped.contains(c.op) {
      let inputs = c.inputs.map { $0.cast(to: .bf16) }
      let exact = grad(at: inputs.map { $0.cast(to: .f32) }, seed: c.seed) {
        perform(c, $0) ?? Tensor(scalar: .nan)
      }
      let low = grad(at: inputs, seed: c.seed) { perform(c, $0) ?? Tensor(scalar: .nan) }
      let error = relativeError(low.value, exact.value)
      #expect(error < 2e-2, "\(c.name): bf16 result off by \(error)")
      for (i, (found, expected)) in zip(low.gradients, exact.gradients).enumerated() {
        guard let found, let expected else { continue }
        let error = relativeError(found, expected, floor: 0.1)
        #expect(error < 3e-2, "\(c.name): bf16 gradient \(i) off by \(error)")
      }
    }
  }

  @NumericActor
  @Test func matchesFiniteDifferences() {
    var random = Philox(seed: 5)
    for c in Self.references.cases where c.result.count > 0 {
      let function: ([Tensor]) -> Tensor = { perform(c, $0) ?? Tensor(scalar: .nan) }
      let gradients = grad(at: c.inputs, seed: c.seed, function).gradients.enumerated().map {
        $1 ?? .zeros(c.inputs[$0].shape)
      }
      // Small where the numbers are, and where two of them may change places.
      let isSmall = c.inputs[0].toArray().allSatisfy { abs($0) < 0.05 }
      let step: Float = isSmall ? 1e-5 : c.op == "max" ? 3e-4 : 3e-3
      let error = finiteDifferenceError(
        at: c.inputs, seed: c.seed, gradients: gradients, step: step, random: &random, function)
      #expect(error < 1.5e-2, "\(c.name): finite differences off by \(error)")
    }
  }

  /// A grid's bias gives what the same numbers give when they are written out for each pair of places (a form that
  /// PyTorch's references cover), with and without blocks that nothing is seen of.
  @NumericActor
  @Test(arguments: instructionSets)
  func gridBiasIsTheBiasOfEachPair(_ set: Hardware.InstructionSet) throws {
    let before = Hardware.instructionSet
    Hardware.instructionSet = set
    defer { Hardware.instructionSet = before }
    var random = Philox(seed: 31)
    for (height, width, reach) in [(1, 1, 0), (3, 5, 9), (2, 7, 1), (40, 9, 3), (6, 33, 2), (24, 24, 8)] {
      let places = height * width, across = 2 * width - 1, heads = 2
      let qkv = (0..<3).map { _ in Tensor.normal([2, places, heads, 12], using: &random) }
      let free = Tensor.normal([heads, 2 * height - 1, across], using: &random)
      // Past the reach nothing is seen, in either direction.
      let wall = Tensor(
        (0..<(2 * height - 1) * across).map { i -> Float in
          let isSeen = abs(i / across - height + 1) <= reach && abs(i % across - width + 1) <= reach
          return isSeen ? 0 : -.infinity
        }, shape: [1, 2 * height - 1, across])
      let pairs = Tensor(
        indices: (0..<places * places).map { i -> Int32 in
          let (q, k) = (i / places, i % places)
          return Int32((k / width - q / width + height - 1) * across + k % width - q % width + width - 1)
        }, shape: [places, places])
      func written(_ x: [Tensor]) -> Tensor {
        let table = (x[3] + wall).reshaped([heads, -1]).transposed([1, 0])
        return attention(
          x[0], x[1], x[2], bias: table.gathered(pairs).transposed([2, 0, 1]).expanded(at: 0))
      }
      func relative(_ x: [Tensor]) -> Tensor {
        attention(x[0], x[1], x[2], gridBias: GridBias(x[3] + wall, reach: reach))
      }
      for type in [ElementType.f32, .bf16] {
        let inputs = qkv.map { $0.cast(to: type) } + [free]
        let seed = Tensor.normal([2, places, heads, 12], type: type, using: &random)
        let expected = grad(at: inputs, seed: seed, written), found = grad(at: inputs, seed: seed, relative)
        #expect(relativeError(found.value, expected.value) < 1e-6, "\(height) × \(width), \(type)")
        for (i, (a, b)) in zip(found.gradients, expected.gradients).enumerated() {
          let error = a.flatMap { a in b.map { relativeError(a, $0, floor: 1e-2) } }
          #expect(try #require(error) < 1e-5, "\(height) × \(width), \(type): gradient \(i)")
        }
      }
    }
  }

  /// A case of every operation exists, so that a new one cannot be forgotten.
  @Test func everyUnaryFunctionHasAReference() {
    let known = Set(Self.references.cases.map(\.op))
    for function in UnaryFunction.allCases { #expect(known.contains("unary.\(function)")) }
  }

  /// Each number is one sum in the order of its terms, whatever block and tile it falls into and however its matrices lie.
  @NumericActor
  @Test(.enabled(if: !Hardware.hasSteadyProducts && Hardware.instructionSet != .baseline))
  func productsAreSumsInOrder() throws {
    var random = Philox(seed: 9)
    for (m, n, k) in [(1, 5, 3), (7, 16, 300), (97, 130, 257), (100, 17, 8), (193, 48, 521), (250, 129, 30)] {
      let a = Tensor.normal([m, k], using: &random), b = Tensor.normal([k, n], using: &random)
      let x = a.toArray(), w = b.toArray()
      let wanted = (0..<m * n).map { at in
        (0..<k).reduce(Float(0)) { $0.addingProduct(x[at / n * k + $1], w[$1 * n + at % n]) }
      }
      for transposeA in [false, true] {
        for transposeB in [false, true] {
          let left = transposeA ? a.transposed() : a, right = transposeB ? b.transposed() : b
          let y = matmul(left, right, transposeA: transposeA, transposeB: transposeB)
          #expect(y.toArray() == wanted, "\(m) × \(n) × \(k), \(transposeA), \(transposeB)")
        }
      }
    }
  }
}
