import Foundation
import Layers
import Tensors

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// Patches' features as tokens of the language model, in the way of the model's family.
///
/// Shapes: z `[batch, patches, vision width]` → `[batch, patches / ratio², text width]`.
public enum Connector: ParameterTree {
  /// Perception Language Models'.
  case pooled(Projector)
  /// SmolVLM's.
  case shuffled(PixelShuffle)

  init(_ c: UnderstandingConfiguration, using random: inout Philox) {
    self =
      switch c.vision.kind {
      case .perception: .pooled(Projector(c, using: &random))
      case .sigLIP: .shuffled(PixelShuffle(c, using: &random))
      }
  }

  private var module: any Module {
    switch self {
    case .pooled(let projector): projector
    case .shuffled(let shuffle): shuffle
    }
  }

  /// z `[batch, patches, vision width]` → tokens `[batch, patches / ratio², text width]`.
  public func callAsFunction(_ z: Tensor) -> Tensor {
    switch self {
    case .pooled(let projector): projector(z)
    case .shuffled(let shuffle): shuffle(z)
    }
  }

  /// Appends its parameters.
  public func collect(_ prefix: String, into list: inout [NamedParameter]) {
    module.collect(prefix, into: &list)
  }

  /// Visits its modules.
  public func visitModules(_ path: String, _ visit: (String, any Module) -> Void) {
    module.visitModules(path, visit)
  }
}

/// Means of blocks of patches behind an MLP.
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

/// Blocks of patches laid side by side in the channels, row by row in a block, and one product.
///
/// Shapes: z `[batch, patches, vision width]` → `[batch, patches / ratio², text width]`.
/// Source: Idefics3, arXiv 2408.12637.
public final class PixelShuffle: Module {
  @Child("modality_projection.proj") var projection: Linear
  let grid, ratio: Int

  init(_ c: UnderstandingConfiguration, using random: inout Philox) {
    (grid, ratio) = (c.vision.grid, c.poolingRatio)
    projection = Linear(c.vision.width * ratio * ratio, c.text.width, bias: false, using: &random)
  }

  /// z `[batch, patches, vision width]` → tokens `[batch, patches / ratio², text width]`.
  public func callAsFunction(_ z: Tensor) -> Tensor {
    let (batch, channels, side) = (z.size(0), z.size(2), grid / ratio)
    let blocks = z.reshaped([batch * side, ratio, side, ratio * channels]).transposed([0, 2, 1, 3])
    return projection(blocks.reshaped([batch, side * side, ratio * ratio * channels]))
  }
}
