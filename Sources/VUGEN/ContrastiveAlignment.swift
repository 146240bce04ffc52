import Layers
import ModelFiles
import Tensors

/// Picture and text vectors that can be compared, as the Perception Encoder was trained.
///
///     p = normalised(W_p · mean over patches of z)
///     t = normalised(W_t · hidden state of the caption's last token)
///     L = ½ (CE(s · p tᵀ, rows) + CE(s · t pᵀ, rows)),   s = exp(scale)
///
/// Source: CLIP, arXiv 2103.00020; Perception Encoder, arXiv 2504.13181.
public final class ContrastiveAlignment: Module {
  @Child("picture") var picture: Linear
  @Child("text") var text: Linear
  /// Logarithm of the factor on cosines, f32 `[1]`.
  @Weight("logit_scale") var scale: Parameter

  /// Random projections of both towers to vectors of `width`.
  public init(_ c: UnderstandingConfiguration, width: Int, using random: inout Philox) {
    picture = Linear(c.vision.width, width, bias: false, using: &random)
    text = Linear(c.text.width, width, bias: false, using: &random)
    scale = Parameter(.full([1], 2.66))  // a factor of 14, as CLIP begins
  }

  /// Features `[batch, patches, vision width]` → unit vectors f32 `[batch, width]`.
  public func pictureVectors(_ features: Tensor) -> Tensor {
    Self.normalised(picture(features.mean(axes: [1])))
  }

  /// Hidden states `[batch, text width]` → unit vectors f32 `[batch, width]`.
  public func textVectors(_ hidden: Tensor) -> Tensor { Self.normalised(text(hidden)) }

  private static func normalised(_ x: Tensor) -> Tensor {
    let rows = x.cast(to: .f32)
    return rmsNorm(rows, epsilon: 1e-8) * (1 / Float(rows.size(1)).squareRoot())
  }

  /// The loss of a batch whose i-th picture belongs to its i-th text.
  public func loss(pictures: Tensor, texts: Tensor) -> Tensor {
    let factor = scale.tensor(as: .f32).exp(),
      rows = Tensor(indices: (0..<Int32(pictures.size(0))).map { $0 })
    let cosines = matmul(pictures, texts, transposeB: true) * factor
    let forward = crossEntropy(cosines, targets: rows)
    return (forward + crossEntropy(cosines.transposed(), targets: rows)) * 0.5
  }
}

extension ContrastiveAlignment {
  static let file = "alignment.safetensors"

  /// Loads `alignment.safetensors` of a model folder. Throws `ModelFileError` or `ModuleLoadError`.
  public convenience init(folder: String, _ c: UnderstandingConfiguration) throws {
    let path = "\(folder)/\(Self.file)"
    let file = try SafetensorsFile(path: path)
    guard let entry = file.header.entries["picture.weight"], let width = entry.shape.first,
      (1...1 << 16).contains(width)
    else {
      throw ModelFileError(
        path, tensor: "picture.weight", "is missing or of no size; train or copy the model again")
    }
    var random = Philox(seed: 0)
    self.init(c, width: width, using: &random)
    try load(try file.allTensors(), from: path)
  }
}
