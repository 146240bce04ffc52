import Flow
import Layers
import Requests
import Tensors

/// One level of the U: its blocks, and the change of grid behind them.
final class DecoderLevel: Module {
  @Child("resnets") var blocks: [DecoderBlock]
  @Child("downsamplers.0.conv") var downsampler: Convolution2D?
  @Child("upsamplers.0.conv") var upsampler: Convolution2D?

  init(_ blocks: [DecoderBlock], downsampler: Convolution2D? = nil, upsampler: Convolution2D? = nil) {
    (self.blocks, self.downsampler, self.upsampler) = (blocks, downsampler, upsampler)
  }
}

/// The pixel diffusion decoder: a U-ViT that turns noise into the picture that latents stand for.
///
/// Its velocity is that of the straight path from noise to picture, u = x − ε; time runs 0 = noise → 1 = data,
/// and the network itself is given the noise's share, 1 − t, as published. Shapes: pictures
/// `[batch, height, width, 3]` in −1…1, latents `[batch, latent height, latent width, channels]` of any grid.
/// Source: SSDD, arXiv 2510.04961, with the tensor names of its code; files of earlier names: `named(_:)`.
public final class PixelDecoder: Module {
  /// The narrow design's convolutions of picture and latents, before `conv_in` joins them.
  @Child("picture_in") var pictureIn: Convolution2D?
  @Child("latent_in") var latentIn: Convolution2D?
  @Child("conv_in") var input: Convolution2D
  @Child("time_embedding") var time: TimeEmbedding
  @Child("ada_ctx_proj") var context: LatentContext
  @Child("down_blocks") var down: [DecoderLevel]
  @Child("mid_block") var middle: DecoderTransformer
  @Child("up_blocks") var up: [DecoderLevel]
  @Child("conv_norm_out") var lastNorm: GroupNorm
  @Child("conv_out") var pictureOut: Convolution2D
  /// Its sizes.
  public let configuration: PixelDecoderConfiguration

  /// Random weights, as the design begins.
  public init(_ c: PixelDecoderConfiguration, using random: inout Philox) {
    configuration = c
    let pixel = 3 * c.stem * c.stem, isNarrow = c.design == .narrow, half = c.channels / 2
    pictureIn = isNarrow ? Convolution2D(pixel, half, kernel: 3, padding: 1, using: &random) : nil
    latentIn = isNarrow ? Convolution2D(c.latents, half, kernel: 3, padding: 1, using: &random) : nil
    input = Convolution2D(
      isNarrow ? c.channels : pixel + c.latents, c.channels, kernel: 3, padding: 1, using: &random)
    time = TimeEmbedding(
      width: c.channels, hidden: c.time, outputs: c.time, names: ("linear_1", "linear_2"), using: &random)
    context = LatentContext(c, using: &random)
    var skips: [Int] = []
    down = Self.levelsDown(c, &skips, &random)
    middle = DecoderTransformer(c, using: &random)
    up = Self.levelsUp(c, &skips, &random)
    lastNorm = GroupNorm(groups: c.groups, channels: c.channels)
    pictureOut = Convolution2D(c.channels, pixel, kernel: 3, padding: 1, using: &random)
    if isNarrow { pictureOut.startAtZero() } else { startAsPublished(using: &random) }
  }

  /// - Parameter skips: channels of what is kept for the way up, in order.
  private static func levelsDown(
    _ c: PixelDecoderConfiguration, _ skips: inout [Int], _ random: inout Philox
  ) -> [DecoderLevel] {
    var width = c.channels, list: [DecoderLevel] = []
    skips = [width]
    for (i, channels) in c.widths.enumerated() {
      var blocks: [DecoderBlock] = []
      for _ in 0..<c.blocks {
        blocks.append(DecoderBlock(width, channels, c, using: &random))
        width = channels
        skips.append(width)
      }
      let isLast = i == c.widths.count - 1
      list.append(
        DecoderLevel(
          blocks,
          downsampler: isLast
            ? nil : Convolution2D(width, width, kernel: 3, stride: 2, padding: 1, using: &random)))
      if !isLast { skips.append(width) }
    }
    return list
  }

  private static func levelsUp(_ c: PixelDecoderConfiguration, _ skips: inout [Int], _ random: inout Philox)
    -> [DecoderLevel]
  {
    var width = c.deepestChannels, list: [DecoderLevel] = []
    for (i, channels) in c.widths.enumerated().reversed() {
      var blocks: [DecoderBlock] = []
      for _ in 0...c.blocks {
        blocks.append(DecoderBlock(width + skips.removeLast(), channels, c, using: &random))
        width = channels
      }
      list.append(
        DecoderLevel(
          blocks,
          upsampler: i == 0 ? nil : Convolution2D(width, width, kernel: 3, padding: 1, using: &random)))
    }
    return list
  }

  /// The velocity at noised pictures, and the features of the transformer that alignment sees (nil where it has no
  /// block).
  ///
  /// Shapes: x `[batch, height, width, 3]`, t `[batch]` → velocity like x, f32; features
  /// `[batch, deepest height, deepest width, channels]`.
  public func velocity(_ x: Tensor, at t: Tensor, latents: Tensor, type: ElementType = .f32) -> (
    velocity: Tensor, features: Tensor?
  ) {
    let c = configuration, z = latents.cast(to: type)
    let condition = condition(time(1 - t, type: type), context(z))
    var h = joined(x.cast(to: type).spaceToDepth(c.stem), z)
    var skips = [h]
    for level in down {
      for block in level.blocks {
        h = condition.block([h]) { block($0[0], $1) }
        skips.append(h)
      }
      if let downsampler = level.downsampler {
        h = downsampler(h)
        skips.append(h)
      }
    }
    let seen = middle(h, condition)
    h = seen.output
    for level in up {
      for block in level.blocks {
        h = condition.block([h, skips.removeLast()]) { block(.concatenated($0, axis: 3), $1) }
      }
      if let upsampler = level.upsampler {
        h = checkpointed([h]) { upsampler($0[0].upsampledNearest(by: 2)) }
      }
    }
    let out = pictureOut(lastNorm(h, activation: .silu)).depthToSpace(c.stem).cast(to: .f32)
    return (
      c.prediction == .velocity ? out : StraightPath.velocity(towards: out, from: x.cast(to: .f32), at: t),
      seen.features
    )
  }

  private func condition(_ time: Tensor, _ context: Tensor) -> DecoderCondition {
    let activated = context.silu(), isNarrow = configuration.design == .narrow
    return DecoderCondition(
      time: time.silu(), context: isNarrow ? activated : context, activatedContext: activated,
      isBilinear: isNarrow)
  }

  /// The first convolution, over the picture and the latents at its grid.
  private func joined(_ image: Tensor, _ z: Tensor) -> Tensor {
    let grown = z.resizedNearest(height: image.size(1), width: image.size(2))
    let parts = [pictureIn.map { $0(image) } ?? image, latentIn.map { $0(grown) } ?? grown]
    return input(.concatenated(parts, axis: 3))
  }

  /// Pictures of latents, in −1…1.
  ///
  /// - Parameters:
  ///   - noise: `[batch, height, width, 3]`.
  ///   - steps: 1 for a distilled decoder.
  ///   - onStep: called behind each step; throws to stop.
  public func decode(
    _ latents: Tensor, from noise: Tensor, steps: Int, type: ElementType = .f32,
    onStep: (Int) throws -> Void
  ) rethrows -> Tensor {
    let batch = noise.size(0)
    return try Solver.euler.integrate(
      from: noise, times: TimeGrid.power(2).times(steps), onStep: { step, _, _, _ in try onStep(step) }
    ) { x, t in
      velocity(x, at: .full([batch], t), latents: latents, type: type).velocity
    }
  }
}
