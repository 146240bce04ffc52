import Foundation
import Layers
import Tensors

/// A time as a vector: sines and cosines, Linear, SiLU, Linear.
///
/// Shapes: t `[batch]` in 0…1 → `[batch, outputs]`. Source: arXiv 2006.11239; t is multiplied by 1000.
public final class TimeEmbedding: Module {
  @Child("fc1") var first: Linear
  @Child("fc2") var second: Linear
  let width: Int

  /// - Parameters:
  ///   - width: sines and cosines together; even.
  ///   - names: of the two products in model files.
  init(
    width: Int, hidden: Int, outputs: Int, names: (String, String) = ("fc1", "fc2"),
    using random: inout Philox
  ) {
    self.width = width
    (_first, _second) = (Child(names.0), Child(names.1))
    first = Linear(width, hidden, using: &random)
    second = Linear(hidden, outputs, using: &random)
  }

  func callAsFunction(_ t: Tensor, type: ElementType) -> Tensor {
    second(first(Self.sinusoids(t, width: width).cast(to: type)).silu())
  }

  /// cos(1000 t ω), then sin(1000 t ω), ω falling from 1 to 1/10000: `[batch, width]`, f32.
  static func sinusoids(_ t: Tensor, width: Int) -> Tensor {
    let half = width / 2
    let frequencies = (0..<half).map { Float(1000 * exp(-log(10_000.0) * Double($0) / Double(half))) }
    let angles = t.cast(to: .f32).reshaped([t.count, 1]) * Tensor(frequencies, shape: [1, half])
    return .concatenated([angles.map(.cos), angles.map(.sin)], axis: 1)
  }
}
