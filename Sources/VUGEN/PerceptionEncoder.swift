import Layers
import Tensors

/// Patches as vectors: one convolution whose stride is its kernel.
///
/// Shapes: pictures `[batch, side, side, 3]` → `[batch, patches, width]`, row by row.
public final class PatchEmbedding: Module {
  @Child("proj") var projection: Convolution2D

  init(_ c: VisionConfiguration, using random: inout Philox) {
    projection = Convolution2D(
      3, c.width, kernel: c.patchSize, stride: c.patchSize, bias: false, using: &random)
  }

  func callAsFunction(_ pictures: Tensor) -> Tensor {
    let grid = projection(pictures)
    return grid.reshaped([grid.size(0), grid.size(1) * grid.size(2), grid.size(3)])
  }
}

/// Full attention over a picture's tokens, with a two-dimensional rotary embedding in interleaved pairs.
public final class VisionAttention: Module {
  @Child("qkv") var qkv: Linear
  @Child("proj") var output: Linear
  let heads: Int

  init(_ c: VisionConfiguration, using random: inout Philox) {
    heads = c.heads
    qkv = Linear(c.width, 3 * c.width, using: &random)
    output = Linear(c.width, c.width, using: &random)
  }

  func callAsFunction(_ x: Tensor, rope: RotaryTable) -> Tensor {
    let parts = qkv(x).split(into: 3).map { $0.reshaped([x.size(0), x.size(1), heads, x.size(2) / heads]) }
    let q = parts[0].rotated(by: rope, pairing: .interleaved),
      k = parts[1].rotated(by: rope, pairing: .interleaved)
    return output(attention(q, k, parts[2]).reshaped(x.shape))
  }
}

/// Linear, GELU, Linear.
public final class VisionMLP: Module {
  @Child("fc1") var up: Linear
  @Child("fc2") var down: Linear
  let activation: Activation

  init(_ c: VisionConfiguration, activation: Activation = .geluErf, using random: inout Philox) {
    self.activation = activation
    up = Linear(c.width, c.hidden, using: &random)
    down = Linear(c.hidden, c.width, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { down(up(x, activation: activation)) }
}

/// One encoder block.
///
///     h = x + γ₁ · Attention(LayerNorm(x))
///     y = h + γ₂ · MLP(LayerNorm(h))          γ: LayerScale, a factor a channel
public final class VisionBlock: Module {
  @Child("norm1") var attentionNorm: LayerNorm
  @Child("attn") var attention: VisionAttention
  @Weight("gamma_1") var attentionScale: Parameter?
  @Child("norm2") var mlpNorm: LayerNorm
  @Child("mlp") var mlp: VisionMLP
  @Weight("gamma_2") var mlpScale: Parameter?

  init(_ c: VisionConfiguration, using random: inout Philox) {
    attentionNorm = LayerNorm(c.width, epsilon: c.epsilon)
    attention = VisionAttention(c, using: &random)
    mlpNorm = LayerNorm(c.width, epsilon: c.epsilon)
    mlp = VisionMLP(c, using: &random)
    attentionScale = c.hasLayerScale ? Parameter(.full([c.width], 0.1)) : nil
    mlpScale = c.hasLayerScale ? Parameter(.full([c.width], 0.1)) : nil
  }

  func callAsFunction(_ x: Tensor, rope: RotaryTable) -> Tensor {
    let h = x + scaled(attention(attentionNorm(x), rope: rope), attentionScale)
    return h + scaled(mlp(mlpNorm(h)), mlpScale)
  }

  private func scaled(_ x: Tensor, _ scale: Parameter?) -> Tensor {
    scale.map { x * $0.tensor(as: x.type) } ?? x
  }
}

/// The vision tower: a ViT whose last block's output, without the class token, is the understanding
/// embedding z of the paper.
///
/// Shapes: pictures `[batch, side, side, 3]` in −1…1 → features `[batch, patches, width]`, row by row.
/// Source: Perception Encoder, arXiv 2504.13181. Keys relative to `model.vision_tower.timm_model`.
public final class PerceptionEncoder: Module {
  @Weight("cls_token") var classToken: Parameter?
  @Weight("pos_embed") var positions: Parameter
  @Child("patch_embed") var patches: PatchEmbedding
  @Child("norm_pre") var firstNorm: LayerNorm
  @Child("blocks") var blocks: [VisionBlock]
  /// Its sizes.
  public let configuration: VisionConfiguration
  private let rope: RotaryTable

  /// Random weights.
  public init(_ c: VisionConfiguration, using random: inout Philox) {
    configuration = c
    rope = Self.rotaryTable(c)
    classToken = c.hasClassToken ? Parameter.normal([1, 1, c.width], deviation: 0.02, using: &random) : nil
    let tokens = c.grid * c.grid + (c.hasClassToken ? 1 : 0)
    positions = Parameter.normal([1, tokens, c.width], deviation: 0.02, using: &random)
    patches = PatchEmbedding(c, using: &random)
    firstNorm = LayerNorm(c.width, epsilon: c.epsilon)
    var list: [VisionBlock] = []
    for _ in 0..<c.layers { list.append(VisionBlock(c, using: &random)) }
    blocks = list
  }

  /// Pictures `[batch, side, side, 3]` → features `[batch, patches, width]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    let prefix = classToken == nil ? 0 : 1
    let x = blocks.reduce(embedded(pictures), output)
    return prefix == 0 ? x : x.sliced(prefix..<x.size(1), axis: 1)
  }

  /// Every block's output, without the class token, in order; the last is the understanding embedding.
  public func blockOutputs(_ pictures: Tensor) -> [Tensor] {
    let prefix = classToken == nil ? 0 : 1
    var x = embedded(pictures), list: [Tensor] = []
    for block in blocks {
      x = output(x, block)
      list.append(prefix == 0 ? x : x.sliced(prefix..<x.size(1), axis: 1))
    }
    return list
  }

  private func output(_ x: Tensor, _ block: VisionBlock) -> Tensor {
    checkpointed([x]) { [rope] in block($0[0], rope: rope) }
  }

  /// What the first block reads: class token, patches, positions, norm.
  func embedded(_ pictures: Tensor) -> Tensor {
    precondition(
      pictures.rank == 4 && pictures.size(1) == configuration.imageSize
        && pictures.size(2) == configuration.imageSize,
      "pictures \(pictures) for an encoder of \(configuration.imageSize) × \(configuration.imageSize)")
    var x = patches(pictures)
    if let classToken {
      let first = classToken.tensor(as: x.type).broadcast(to: [x.size(0), 1, x.size(2)])
      x = .concatenated([first, x], axis: 1)
    }
    return firstNorm(x + positions.tensor(as: x.type))
  }

  /// The class token does not turn; a patch turns by its column, then by its row.
  private static func rotaryTable(_ c: VisionConfiguration) -> RotaryTable {
    let channels = c.width / c.heads, perAxis = channels / 4, prefix = c.hasClassToken ? 1 : 0
    let scale = Double(c.referenceGrid) / Double(c.grid)
    return RotaryTable(positions: prefix + c.grid * c.grid, pairs: channels / 2) { token, pair in
      guard token >= prefix else { return 0 }
      let patch = token - prefix
      let place = pair < perAxis ? patch % c.grid : patch / c.grid
      let frequency = power(c.ropeBase, -2 * Double(pair % perAxis) / Double(channels / 2))
      return Double(place + c.ropeOffset) * scale * frequency
    }
  }
}
