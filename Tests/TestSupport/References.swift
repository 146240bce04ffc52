import Foundation
import ModelFiles
import Tensors

/// One stored PyTorch result: an operation's inputs, result, and gradients.
public struct ReferenceCase: Sendable, CustomTestStringConvertibleName {
  public let name, op: String
  public let arguments: [String: [Double]]
  public let inputs, constants: [Tensor]
  public let seed, result: Tensor
  public let gradients: [Tensor]

  public var description: String { name }

  /// An argument that is one number; `fallback` where the case has none.
  public func number(_ key: String, _ fallback: Double = 0) -> Double { arguments[key]?.first ?? fallback }
  public func integer(_ key: String, _ fallback: Int = 0) -> Int { Int(number(key, Double(fallback))) }
  public func integers(_ key: String) -> [Int] { (arguments[key] ?? []).map { Int($0) } }
}

public protocol CustomTestStringConvertibleName: CustomStringConvertible {}

/// The file that `Tests/Fixtures/make_references.py` writes.
public struct References: Sendable {
  private struct Listed: Decodable {
    let name, op: String
    let inputs, constants: Int
    let arguments: [String: [Double]]
  }

  public let cases: [ReferenceCase]
  public let file: SafetensorsFile

  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    self.file = file
    let text = file.header.metadata["cases"] ?? "[]"
    cases = try JSONDecoder().decode([Listed].self, from: Data(text.utf8)).map { item in
      func tensors(_ kind: String, _ count: Int) throws -> [Tensor] {
        try (0..<count).map { try file.tensor("\(item.name).\(kind).\($0)") }
      }
      return ReferenceCase(
        name: item.name, op: item.op, arguments: item.arguments, inputs: try tensors("input", item.inputs),
        constants: try tensors("constant", item.constants), seed: try file.tensor(item.name + ".seed"),
        result: try file.tensor(item.name + ".result"), gradients: try tensors("gradient", item.inputs))
    }
  }
}

/// Largest difference as a share of the reference's largest number (at least `floor`); infinite where the
/// shapes differ or a number is not finite.
public func relativeError(_ found: Tensor, _ expected: Tensor, floor: Float = 1e-3) -> Float {
  guard found.shape == expected.shape else { return .infinity }
  var difference: Float = 0, largest = floor
  for (x, y) in zip(found.toArray(), expected.toArray()) {
    guard x.isFinite else { return .infinity }
    difference = max(difference, abs(x - y))
    largest = max(largest, abs(y))
  }
  return difference / largest
}

/// The dot product in f64.
public func dot(_ a: Tensor, _ b: Tensor) -> Double {
  zip(a.toArray(), b.toArray()).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
}

/// Compares gradients with central differences along a random direction, sums in f64.
///
///     ⟨∇, d⟩  against  (⟨f(x + h d), s⟩ − ⟨f(x − h d), s⟩) / 2h
///
/// Returns the difference as a share of ‖s‖·‖d‖-sized numbers: of the larger of both sides and `floor`.
public func finiteDifferenceError(
  at inputs: [Tensor], seed: Tensor, gradients: [Tensor], step h: Float, random: inout Philox,
  _ function: ([Tensor]) -> Tensor
) -> Double {
  let directions = inputs.map { Tensor.normal($0.shape, using: &random) }
  let plus = zip(inputs, directions).map { $0 + $1 * h }, minus = zip(inputs, directions).map { $0 + $1 * -h }
  // Differences first, then the sum: what is equal on both sides costs no digits.
  let change = zip(function(plus).toArray(), function(minus).toArray()).map { Double($0) - Double($1) }
  let weights = seed.toArray().map(Double.init)
  let numeric = zip(change, weights).reduce(0.0) { $0 + $1.0 * $1.1 } / (2 * Double(h))
  let exact = zip(gradients, directions).reduce(0.0) { $0 + dot($1.0, $1.1) }
  let scale = weights.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
  return abs(numeric - exact) / max(abs(numeric), abs(exact), scale, 1e-3)
}
