import Foundation
import Layers
import Tensors

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// Patches' features as tokens of the language model.
///
///     tokens = averagePool(Linear(GELU(Linear(z))))      the pooling comes after the MLP
///
/// Shapes: z `[batch, patches, vision width]` → `[batch, patches / ratio², text width]`.
public final class Projector: Module {
  @Child("linear_1") var first: Linear
  @Child("linear_2") var second: Linear
  let grid, ratio: Int

  init(_ c: UnderstandingConfiguration, using random: inout Philox) {
    (grid, ratio) = (c.vision.grid, c.poolingRatio)
    first = Linear(c.vision.width, c.text.width, using: &random)
    second = Linear(c.text.width, c.text.width, using: &random)
  }

  /// z `[batch, patches, vision width]` → tokens `[batch, patches / ratio², text width]`.
  public func callAsFunction(_ z: Tensor) -> Tensor {
    let y = second(first(z, activation: .geluErf))
    let pooled = y.reshaped([y.size(0), grid, grid, y.size(2)]).averagePooled(by: ratio)
    return pooled.reshaped([y.size(0), -1, y.size(2)])
  }
}
