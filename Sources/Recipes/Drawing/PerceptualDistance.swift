import Tensors
import VUGEN

/// Distance of pictures in features of the frozen understanding encoder: it takes LPIPS's place where no weights
/// of VGG or AlexNet are at hand, and is no LPIPS.
///
///     d(x, y) = mean over blocks l and patches of ‖ f̂_l(x) − f̂_l(y) ‖²,   f̂ = f / ‖f‖
///
/// Shapes: pictures `[batch, side, side, 3]` in −1…1 → `[]`, f32. After LPIPS, arXiv 1801.03924.
struct PerceptualDistance {
  let encoder: VisionEncoder
  let type: ElementType

  /// Unit features of every other block, early ones included: those see edges and shades.
  func features(_ pictures: Tensor) -> [Tensor] {
    features(ofBlocks: encoder.blockOutputs(pictures.cast(to: type)))
  }

  /// The same of blocks' outputs that are there already.
  func features(ofBlocks all: [Tensor]) -> [Tensor] {
    stride(from: (all.count - 1) % 2, to: all.count, by: 2).map { Self.unit(all[$0]) }
  }

  func callAsFunction(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
    let parts = zip(a, b).map { ($0 - $1).squared().sum(axes: [2]).mean() }
    return parts.dropFirst().reduce(parts[0], +) * (1 / Float(parts.count))
  }

  private static func unit(_ x: Tensor) -> Tensor {
    rmsNorm(x.cast(to: .f32), epsilon: 1e-8) * (1 / Float(x.size(2)).squareRoot())
  }
}
