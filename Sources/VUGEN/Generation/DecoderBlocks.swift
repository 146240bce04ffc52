import Layers
import Tensors

/// What every block of the decoder is conditioned on.
struct DecoderCondition {
  /// `[batch, time channels]`, behind a SiLU.
  var time: Tensor
  /// `[batch, latent height, latent width, context channels]`.
  var context: Tensor
  /// The same behind a SiLU, which the transformer reads.
  var activatedContext: Tensor
  /// How grids meet that are no whole multiples of the latents'.
  var isBilinear: Bool

  /// A block's output, of which on the way back only the inputs are there where a step wants that.
  func block(_ inputs: [Tensor], _ body: @escaping ([Tensor], DecoderCondition) -> Tensor) -> Tensor {
    let count = inputs.count
    return checkpointed(inputs + [time, context, activatedContext]) { [isBilinear] all in
      body(
        Array(all[..<count]),
        DecoderCondition(
          time: all[count], context: all[count + 1], activatedContext: all[count + 2], isBilinear: isBilinear)
      )
    }
  }

  /// Scale and shift, made at the latents' grid, at a level's.
  func fitted(_ parts: Tensor, height: Int, width: Int) -> Tensor {
    let isMultiple = height % parts.size(1) == 0 && height / parts.size(1) * parts.size(2) == width
    // The norms spread entries over blocks of pixels themselves.
    if isMultiple { return parts }
    return isBilinear
      ? parts.resizedBilinear(height: height, width: width)
      : parts.resizedNearest(height: height, width: width)
  }
}

/// The latents as what blocks are conditioned on, at their own grid: `conv(SiLU(conv(z)))`, or the first of the two alone.
final class LatentContext: Module {
  @Child("0") var first: Convolution2D
  @Child("2") var second: Convolution2D?

  init(_ c: PixelDecoderConfiguration, using random: inout Philox) {
    first = Convolution2D(c.latents, c.context, kernel: 3, padding: 1, using: &random)
    second =
      c.design == .narrow
      ? nil : Convolution2D(c.context, c.context, kernel: 3, padding: 1, using: &random)
  }

  func callAsFunction(_ z: Tensor) -> Tensor {
    let c = first(z)
    return second.map { $0(c.silu()) } ?? c
  }
}

/// A norm of groups without weights of its own, which follows the latents.
///
///     y = SiLU(GN(x) · (1 + γ) + β),   (γ, β) = conv(c) at the latents' grid
final class ContextGroupNorm: Module {
  @Child("ctx_proj") var projection: Convolution2D
  let groups: Int

  init(_ channels: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    groups = c.groups
    let kernel = c.design == .narrow ? 3 : 1
    projection = Convolution2D(
      c.context, 2 * channels, kernel: kernel, padding: kernel / 2, using: &random)
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition) -> Tensor {
    let parts = condition.fitted(projection(condition.context), height: x.size(1), width: x.size(2))
    return groupNorm(x, groups: groups, epsilon: 1e-5, modulatedBy: parts, activation: .silu)
  }
}

/// A residual block: adaptive norm on the latents, then on the time.
///
///     h = conv₁(SiLU(GN(x) · (1 + γ(z)) + β(z)))
///     y = shortcut(x) + conv₂(SiLU(GN(h) · (1 + γ(t)) + β(t)))          conv₂ begins at zero
///
/// Shapes: x `[batch, height, width, inputs]`, y `[…, outputs]`. Source: SSDD, arXiv 2510.04961.
final class DecoderBlock: Module {
  @Child("norm1") var contextNorm: ContextGroupNorm
  @Child("conv1") var first: Convolution2D
  @Child("time_emb_proj") var time: Linear
  @Child("norm2") var norm: GroupNorm
  @Child("conv2") var second: Convolution2D
  @Child("conv_shortcut") var shortcut: Convolution2D?

  init(_ inputs: Int, _ outputs: Int, _ c: PixelDecoderConfiguration, using random: inout Philox) {
    contextNorm = ContextGroupNorm(inputs, c, using: &random)
    first = Convolution2D(inputs, outputs, kernel: 3, padding: 1, using: &random)
    time = Linear(c.time, 2 * outputs, using: &random)
    norm = GroupNorm(groups: c.groups, channels: outputs)
    second = Convolution2D(outputs, outputs, kernel: 3, padding: 1, using: &random)
    second.startAtZero()
    shortcut = inputs == outputs ? nil : Convolution2D(inputs, outputs, kernel: 1, using: &random)
  }

  func callAsFunction(_ x: Tensor, _ condition: DecoderCondition) -> Tensor {
    let h = first(contextNorm(x, condition))
    let step = time(condition.time).split(into: 2)
    return (shortcut.map { $0(x) } ?? x)
      + second(norm(h, scale: step[0], shift: step[1], activation: .silu))
  }
}
