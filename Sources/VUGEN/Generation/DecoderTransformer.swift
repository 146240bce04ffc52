import Layers
import Tensors

/// A norm of tokens without weights of its own, which follows the latents.
///
///     y = LN(x) · (1 + γ) + β,   (β, γ) = W · SiLU(c) at the latents' grid
///
/// Shift before scale, as published.
final class ContextLayerNorm: Module {
  @Child("linear") var linear: Linear?
  /// The narrow design's, of 1 × 1.
  @Child("conv") var convolution: Convolution2D?

  init(_ width: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    let isNarrow = c.design == .narrow
    linear = isNarrow ? nil : Linear(c.context, 2 * width, using: &random)
    convolution = isNarrow ? Convolution2D(c.context, 2 * width, kernel: 1, using: &random) : nil
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition) -> Tensor {
    let context = condition.activatedContext
    let parts = linear.map { $0(context) } ?? convolution.map { $0(context) } ?? context
    return modulated(
      layerNorm(x, epsilon: 1e-5), by: condition.fitted(parts, height: x.size(1), width: x.size(2)),
      order: .shiftFirst)
  }
}

/// Attention among the places of a grid that lie within a window of each other, with learnt relative positions.
///
/// Shapes: `[batch, height, width, channels]`.
final class WindowAttention: Module {
  @Child("to_q") var query: Linear?
  @Child("to_k") var key: Linear?
  @Child("to_v") var value: Linear?
  /// The narrow design's, in one and with a bias.
  @Child("qkv") var fused: Linear?
  @Child("out_proj") var output: Linear
  let heads: Int

  init(_ width: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    heads = c.heads
    if c.design == .narrow {
      (query, key, value) = (nil, nil, nil)
      fused = Linear(width, 3 * width, using: &random)
    } else {
      query = Linear(width, width, bias: false, using: &random)
      key = Linear(width, width, bias: false, using: &random)
      value = Linear(width, width, bias: false, using: &random)
      fused = nil
    }
    output = Linear(width, width, using: &random)
  }

  func callAsFunction(_ x: Tensor, bias: GridBias) -> Tensor {
    let (batch, tokens, width) = (x.size(0), x.size(1) * x.size(2), x.size(3))
    let rows = x.reshaped([batch, tokens, width])
    let all = fused.map { $0(rows).split(into: 3) } ?? [query, key, value].compactMap { $0?(rows) }
    let parts = all.map { $0.reshaped([batch, tokens, heads, width / heads]) }
    let seen = attention(parts[0], parts[1], parts[2], gridBias: bias)
    return output(seen.reshaped([batch, tokens, width])).reshaped(x.shape)
  }
}

/// Linear to twice 4 d channels, value before gate, `value · GELU(gate)`, Linear back.
final class GatedFeedForward: Module {
  @Child("proj_in_act.proj") var first: Linear
  @Child("proj_out") var second: Linear

  init(_ width: Int, using random: inout Philox) {
    first = Linear(width, 8 * width, using: &random)
    second = Linear(4 * width, width, using: &random)
    second.startAtZero()
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(gated(.geGLU, upAndGate: first(x))) }
}

/// A transformer block over the deepest grid.
///
///     h = x + Attention(LN(x) · (1 + γ(z)) + β(z))
///     y = h + GEGLU(LN(h))          whose last product begins at zero
///
/// The second norm has weights of its own; in the narrow design it follows the latents, too. Shapes:
/// `[batch, height, width, channels]`. Source: SSDD, arXiv 2510.04961.
final class DecoderTransformerBlock: Module {
  @Child("norm1") var attentionNorm: ContextLayerNorm
  @Child("attn1") var attention: WindowAttention
  /// `[window², heads]`.
  @Weight("relative_position_bias.relative_bias_table") var positions: Parameter
  @Child("norm2") var norm: LayerNorm?
  /// The narrow design's.
  @Child("norm2") var contextNorm: ContextLayerNorm?
  @Child("ff") var feedForward: GatedFeedForward

  init(_ width: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    let isNarrow = c.design == .narrow
    attentionNorm = ContextLayerNorm(width, c, using: &random)
    attention = WindowAttention(width, c, using: &random)
    let places = [c.window * c.window, c.heads]
    positions =
      isNarrow
      ? Parameter.normal(places, deviation: 0.02, using: &random) : Parameter(.zeros(places))
    norm = isNarrow ? nil : LayerNorm(width)
    contextNorm = isNarrow ? ContextLayerNorm(width, c, using: &random) : nil
    feedForward = GatedFeedForward(width, using: &random)
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition, _ window: WindowTable) -> Tensor {
    let h = x + attention(attentionNorm(x, condition), bias: window.bias(positions.tensor(as: .f32)))
    let normed = norm.map { $0(h) } ?? contextNorm.map { $0(h, condition) } ?? h
    return h + feedForward(normed.reshaped([h.size(0), -1, h.size(3)])).reshaped(h.shape)
  }
}

/// The blocks between the ways down and up.
///
///     y = x + W_out · blocks(W_in · GN(x))
///
/// The narrow design has the blocks alone. Shapes: `[batch, height, width, channels]`.
final class DecoderTransformer: Module {
  @Child("norm") var norm: GroupNorm?
  @Child("proj_in") var input: Linear?
  @Child("transformer_blocks") var blocks: [DecoderTransformerBlock]
  @Child("proj_out") var output: Linear?
  private let configuration: PixelDecoderConfiguration
  private var tables: [[Int]: WindowTable] = [:]

  init(_ c: PixelDecoderConfiguration, using random: inout Philox) {
    configuration = c
    let width = c.deepestChannels, isNarrow = c.design == .narrow
    norm = isNarrow ? nil : GroupNorm(groups: c.groups, channels: width, epsilon: 1e-6)
    input = isNarrow ? nil : Linear(width, width, using: &random)
    blocks = (0..<c.layers).map { _ in DecoderTransformerBlock(width, c, using: &random) }
    output = isNarrow ? nil : Linear(width, width, using: &random)
  }

  /// The block, counted from 0, whose output alignment sees: the fifth, or the middle one of fewer.
  private var aligned: Int {
    configuration.design == .narrow ? min(4, (blocks.count + 1) / 2) - 1 : min(4, blocks.count / 2)
  }

  /// Features are what alignment sees; nil without blocks.
  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition) -> (output: Tensor, features: Tensor?) {
    let grid = [x.size(1), x.size(2)]
    let table = tables[grid] ?? WindowTable(height: grid[0], width: grid[1], configuration)
    tables[grid] = table
    var h = norm.map { $0(x) } ?? x, features: Tensor?
    h = input.map { $0(h) } ?? h
    for (i, block) in blocks.enumerated() {
      h = condition.block([h]) { block($0[0], $1, table) }
      if i == aligned { features = h }
    }
    return (output.map { x + $0(h) } ?? h, features)
  }
}

/// Where each offset between two places of a grid stands in the table of relative positions; an offset past the window
/// stands behind its end. Worked out once a grid.
struct WindowTable {
  /// i32 `[2 · height − 1, 2 · width − 1]`.
  private let places: Tensor
  private let reach: Int

  init(height: Int, width: Int, _ c: PixelDecoderConfiguration) {
    let window = c.window, reach = window / 2
    // Published tables count from the key to the query, the narrow design's the other way round.
    let sign = c.design == .narrow ? 1 : -1
    var places: [Int32] = []
    for dy in 1 - height..<height {
      for dx in 1 - width..<width {
        let isWithin = abs(dy) <= reach && abs(dx) <= reach
        places.append(
          Int32(isWithin ? (sign * dy + reach) * window + sign * dx + reach : window * window))
      }
    }
    self.reach = reach
    self.places = Tensor(indices: places, shape: [2 * height - 1, 2 * width - 1])
  }

  /// What attention adds, of learnt positions `[window², heads]`.
  func bias(_ positions: Tensor) -> GridBias {
    // What is past the window has a place of its own behind the table, and is never seen.
    let table = Tensor.concatenated([positions, .full([1, positions.size(1)], -Float.infinity)])
    return GridBias(table.gathered(places).transposed([2, 0, 1]), reach: reach)
  }
}
