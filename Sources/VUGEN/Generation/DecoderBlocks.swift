import Layers
import Tensors

/// What every block of the decoder is conditioned on.
struct DecoderCondition {
  /// `[batch, time channels]`, behind a SiLU.
  var time: Tensor
  /// `[batch, latent height, latent width, context channels]`, behind a SiLU.
  var context: Tensor

  /// Scale and shift at a level's grid. Where that grid is no whole multiple of the latents', bilinear.
  func parts(_ convolution: Convolution2D, height: Int, width: Int) -> Tensor {
    let parts = convolution(context)
    let isMultiple = height % parts.size(1) == 0 && height / parts.size(1) * parts.size(2) == width
    return isMultiple ? parts : parts.resizedBilinear(height: height, width: width)
  }
}

/// A residual block: adaptive norm on the latents, then on the time.
///
///     h = conv₁(SiLU(GN(x) · (1 + γ(z)) + β(z)))
///     y = skip(x) + conv₂(SiLU(GN(h) · (1 + γ(t)) + β(t)))          conv₂ begins at zero
///
/// Shapes: x `[batch, height, width, inputs]`, y `[…, outputs]`. Source: SSDD, arXiv 2510.04961.
final class DecoderBlock: Module {
  @Child("context") var context: Convolution2D
  @Child("conv1") var first: Convolution2D
  @Child("time") var time: Linear
  @Child("norm2") var norm: GroupNorm
  @Child("conv2") var second: Convolution2D
  @Child("skip") var skip: Convolution2D?
  let groups: Int

  init(_ inputs: Int, _ outputs: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    groups = c.groups
    context = Convolution2D(c.context, 2 * inputs, kernel: 3, padding: 1, using: &random)
    first = Convolution2D(inputs, outputs, kernel: 3, padding: 1, using: &random)
    time = Linear(c.time, 2 * outputs, using: &random)
    norm = GroupNorm(groups: c.groups, channels: outputs)
    second = Convolution2D(outputs, outputs, kernel: 3, padding: 1, using: &random)
    second.startAtZero()
    skip = inputs == outputs ? nil : Convolution2D(inputs, outputs, kernel: 1, using: &random)
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition) -> Tensor {
    let parts = condition.parts(context, height: x.size(1), width: x.size(2))
    let h = first(groupNorm(x, groups: groups, epsilon: 1e-5, modulatedBy: parts, activation: .silu))
    let step = time(condition.time).split(into: 2)
    return (skip.map { $0(x) } ?? x)
      + second(norm(h, scale: step[0], shift: step[1], activation: .silu))
  }
}

/// A transformer block over the deepest grid, with learnt relative positions.
///
///     h = x + Attention(LN(x) · (1 + γ₁(z)) + β₁(z))
///     y = h + W₂ · GEGLU(W₁ · (LN(h) · (1 + γ₂(z)) + β₂(z)))          W₂ begins at zero
///
/// Queries see keys within the window; shapes: `[batch, height, width, channels]`. Source: SSDD.
final class WindowBlock: Module {
  @Child("context1") var attentionContext: Convolution2D
  @Child("qkv") var qkv: Linear
  @Child("proj") var output: Linear
  /// `[window², heads]`.
  @Weight("position_bias") var positionBias: Parameter
  @Child("context2") var mlpContext: Convolution2D
  @Child("mlp") var mlp: FusedGatedMLP
  let heads: Int

  init(_ width: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    heads = c.heads
    attentionContext = Convolution2D(c.context, 2 * width, kernel: 1, using: &random)
    qkv = Linear(width, 3 * width, using: &random)
    output = Linear(width, width, using: &random)
    positionBias = Parameter.normal([c.window * c.window, c.heads], deviation: 0.02, using: &random)
    mlpContext = Convolution2D(c.context, 2 * width, kernel: 1, using: &random)
    mlp = FusedGatedMLP(width: width, hidden: 4 * width, unit: .geGLU, bias: true, using: &random)
    mlp.down.startAtZero()
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition, _ window: WindowTable) -> Tensor {
    let (batch, height, width, channels) = (x.size(0), x.size(1), x.size(2), x.size(3))
    let tokens = [batch, height * width, channels]
    func normed(_ y: Tensor, _ context: Convolution2D) -> Tensor {
      modulated(layerNorm(y, epsilon: 1e-5), by: condition.parts(context, height: height, width: width))
        .reshaped(tokens)
    }
    let parts = qkv(normed(x, attentionContext)).split(into: 3).map {
      $0.reshaped([batch, tokens[1], heads, channels / heads])
    }
    let bias = window.bias(positionBias.tensor(as: .f32))
    let seen = attention(parts[0], parts[1], parts[2], gridBias: bias)
    let h = x + output(seen.reshaped(tokens)).reshaped(x.shape)
    return h + mlp(normed(h, mlpContext)).reshaped(x.shape)
  }
}

/// Where each offset between two places of a grid stands in the table of relative positions; an offset past the window
/// stands behind its end. Worked out once a grid.
struct WindowTable {
  /// i32 `[2 · height − 1, 2 · width − 1]`.
  private let places: Tensor
  private let reach: Int

  init(height: Int, width: Int, window: Int) {
    reach = window / 2
    var places: [Int32] = []
    for dy in 1 - height..<height {
      for dx in 1 - width..<width {
        let isWithin = abs(dy) <= reach && abs(dx) <= reach
        places.append(Int32(isWithin ? (dy + reach) * window + dx + reach : window * window))
      }
    }
    self.places = Tensor(indices: places, shape: [2 * height - 1, 2 * width - 1])
  }

  /// What attention adds, of learnt positions `[window², heads]`.
  func bias(_ positions: Tensor) -> GridBias {
    // What is past the window has a place of its own behind the table, and is never seen.
    let table = Tensor.concatenated([positions, .full([1, positions.size(1)], -Float.infinity)])
    return GridBias(table.gathered(places).transposed([2, 0, 1]), reach: reach)
  }
}
