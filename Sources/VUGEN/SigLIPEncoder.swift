import Layers
import Tensors

/// One encoder block.
///
///     h = x + Attention(LayerNorm(x))
///     y = h + MLP(LayerNorm(h))
public final class SigLIPBlock: Module {
  @Child("layer_norm1") var attentionNorm: LayerNorm
  @Child("self_attn") var attention: FullAttention
  @Child("layer_norm2") var mlpNorm: LayerNorm
  @Child("mlp") var mlp: VisionMLP

  init(_ c: VisionConfiguration, using random: inout Philox) {
    attentionNorm = LayerNorm(c.width, epsilon: c.epsilon)
    attention = FullAttention(
      width: c.width, heads: c.heads,
      names: .init(query: "q_proj", key: "k_proj", value: "v_proj", output: "out_proj"), using: &random)
    mlpNorm = LayerNorm(c.width, epsilon: c.epsilon)
    mlp = VisionMLP(c, activation: .geluTanh, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = x + attention(attentionNorm(x))
    return h + mlp(mlpNorm(h))
  }
}

/// SmolVLM's vision tower: a ViT with learnt positions, without a class token. Pictures fill its whole grid, so that a
/// patch's position is its number.
///
/// Shapes: pictures `[batch, side, side, 3]` in −1…1 → features `[batch, patches, width]`, row by row.
/// Source: SigLIP, arXiv 2303.15343, as in Idefics3 (arXiv 2408.12637). Keys relative to `model.vision_model`.
public final class SigLIPEncoder: Module {
  @Child("embeddings.patch_embedding") var patches: Convolution2D
  @Child("embeddings.position_embedding") var positions: Embedding
  @Child("encoder.layers") var blocks: [SigLIPBlock]
  @Child("post_layernorm") var lastNorm: LayerNorm
  /// Its sizes.
  public let configuration: VisionConfiguration

  /// Random weights.
  public init(_ c: VisionConfiguration, using random: inout Philox) {
    configuration = c
    patches = Convolution2D(3, c.width, kernel: c.patchSize, stride: c.patchSize, using: &random)
    positions = Embedding(c.grid * c.grid, c.width, deviation: 0.02, using: &random)
    var list: [SigLIPBlock] = []
    for _ in 0..<c.layers { list.append(SigLIPBlock(c, using: &random)) }
    blocks = list
    lastNorm = LayerNorm(c.width, epsilon: c.epsilon)
  }

  /// Pictures `[batch, side, side, 3]` → features `[batch, patches, width]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    lastNorm(blocks.reduce(embedded(pictures), output))
  }

  /// Every block's output in order, the last behind the final norm: it is the understanding embedding.
  public func blockOutputs(_ pictures: Tensor) -> [Tensor] {
    var x = embedded(pictures), list: [Tensor] = []
    for block in blocks {
      x = output(x, block)
      list.append(x)
    }
    return list.dropLast() + list.suffix(1).map { lastNorm($0) }
  }

  private func output(_ x: Tensor, _ block: SigLIPBlock) -> Tensor { checkpointed([x]) { block($0[0]) } }

  private func embedded(_ pictures: Tensor) -> Tensor {
    precondition(
      pictures.rank == 4 && pictures.size(1) == configuration.imageSize
        && pictures.size(2) == configuration.imageSize,
      "pictures \(pictures) for an encoder of \(configuration.imageSize) × \(configuration.imageSize)")
    let grid = patches(pictures)
    let x = grid.reshaped([grid.size(0), grid.size(1) * grid.size(2), grid.size(3)])
    return x + positions.weight.tensor(as: x.type).expanded(at: 0)
  }
}
