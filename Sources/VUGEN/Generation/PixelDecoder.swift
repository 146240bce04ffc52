import Flow
import Layers
import Requests
import Tensors

/// One level of the U: its blocks, and the change of grid behind them.
final class DecoderLevel: Module {
  @Child("blocks") var blocks: [DecoderBlock]
  @Child("resample") var resample: Convolution2D?

  init(_ blocks: [DecoderBlock], resample: Convolution2D?) {
    self.blocks = blocks
    self.resample = resample
  }
}

/// The pixel diffusion decoder: a U-ViT that turns noise into the picture that latents stand for.
///
/// Its velocity is that of the straight path from noise to picture, u = x − ε; time runs 0 = noise → 1 = data,
/// and the network itself is given the noise's share, 1 − t, as published. Shapes: pictures
/// `[batch, height, width, 3]` in −1…1, latents `[batch, height / patch, width / patch, channels]`.
/// Source: SSDD, arXiv 2510.04961, with skips as in diffusers' UNet2D.
public final class PixelDecoder: Module {
  @Child("picture_in") var pictureIn: Convolution2D
  @Child("latent_in") var latentIn: Convolution2D
  @Child("conv_in") var joined: Convolution2D
  @Child("time") var time: TimeEmbedding
  @Child("context") var context: Convolution2D
  @Child("down") var down: [DecoderLevel]
  @Child("middle") var middle: [WindowBlock]
  @Child("up") var up: [DecoderLevel]
  @Child("norm_out") var lastNorm: GroupNorm
  @Child("conv_out") var pictureOut: Convolution2D
  /// Its sizes.
  public let configuration: PixelDecoderConfiguration
  private var tables: [[Int]: WindowTable] = [:]

  /// Random weights, and an output that starts at zero.
  public init(_ c: PixelDecoderConfiguration, using random: inout Philox) {
    configuration = c
    let pixel = 3 * c.stem * c.stem, half = c.channels / 2
    pictureIn = Convolution2D(pixel, half, kernel: 3, padding: 1, using: &random)
    latentIn = Convolution2D(c.latents, half, kernel: 3, padding: 1, using: &random)
    joined = Convolution2D(c.channels, c.channels, kernel: 3, padding: 1, using: &random)
    time = TimeEmbedding(width: c.channels, hidden: c.time, outputs: c.time, using: &random)
    context = Convolution2D(c.latents, c.context, kernel: 3, padding: 1, using: &random)
    var skips: [Int] = []
    down = Self.levelsDown(c, &skips, &random)
    middle = (0..<c.layers).map { _ in WindowBlock(c.levels.last ?? c.channels, c, using: &random) }
    up = Self.levelsUp(c, &skips, &random)
    lastNorm = GroupNorm(groups: c.groups, channels: c.channels)
    pictureOut = Convolution2D(c.channels, pixel, kernel: 3, padding: 1, using: &random)
    pictureOut.startAtZero()
  }

  /// - Parameter skips: channels of what is kept for the way up, in order.
  private static func levelsDown(
    _ c: PixelDecoderConfiguration, _ skips: inout [Int], _ random: inout Philox
  ) -> [DecoderLevel] {
    var width = c.channels, list: [DecoderLevel] = []
    skips = [width]
    for (i, channels) in c.levels.enumerated() {
      var blocks: [DecoderBlock] = []
      for _ in 0..<c.blocks {
        blocks.append(DecoderBlock(width, channels, c, using: &random))
        width = channels
        skips.append(width)
      }
      let isLast = i == c.levels.count - 1
      list.append(
        DecoderLevel(
          blocks,
          resample: isLast
            ? nil : Convolution2D(width, width, kernel: 3, stride: 2, padding: 1, using: &random)))
      if !isLast { skips.append(width) }
    }
    return list
  }

  private static func levelsUp(_ c: PixelDecoderConfiguration, _ skips: inout [Int], _ random: inout Philox)
    -> [DecoderLevel]
  {
    var width = c.levels.last ?? c.channels, list: [DecoderLevel] = []
    for (i, channels) in c.levels.enumerated().reversed() {
      var blocks: [DecoderBlock] = []
      for _ in 0...c.blocks {
        blocks.append(DecoderBlock(width + skips.removeLast(), channels, c, using: &random))
        width = channels
      }
      list.append(
        DecoderLevel(
          blocks, resample: i == 0 ? nil : Convolution2D(width, width, kernel: 3, padding: 1, using: &random))
      )
    }
    return list
  }

  /// The velocity at noised pictures, and the features of the transformer's block `featuresAt` (alignment's
  /// source; nil where it has none).
  ///
  /// Shapes: x `[batch, height, width, 3]`, t `[batch]` → velocity like x, f32; features
  /// `[batch, deepest height, deepest width, channels]`.
  public func velocity(_ x: Tensor, at t: Tensor, latents: Tensor, type: ElementType = .f32) -> (
    velocity: Tensor, features: Tensor?
  ) {
    let c = configuration, z = latents.cast(to: type)
    let condition = DecoderCondition(
      time: time(1 - t, type: type).silu(), context: context(z).silu())
    let image = x.cast(to: type).spaceToDepth(c.stem)
    let grown = z.upsampledNearest(by: c.patchSize / c.stem)
    var h = joined(.concatenated([pictureIn(image), latentIn(grown)], axis: 3))
    var skips = [h]
    for level in down {
      for block in level.blocks {
        h = block(h, condition)
        skips.append(h)
      }
      if let resample = level.resample {
        h = resample(h)
        skips.append(h)
      }
    }
    let features = transform(&h, condition)
    for level in up {
      for block in level.blocks { h = block(.concatenated([h, skips.removeLast()], axis: 3), condition) }
      if let resample = level.resample { h = resample(h.upsampledNearest(by: 2)) }
    }
    let out = pictureOut(lastNorm(h, activation: .silu)).depthToSpace(c.stem).cast(to: .f32)
    return (
      c.prediction == .velocity ? out : StraightPath.velocity(towards: out, from: x.cast(to: .f32), at: t),
      features
    )
  }

  /// Block 4 or the middle one, whichever comes first, is what alignment sees.
  private func transform(_ h: inout Tensor, _ condition: DecoderCondition) -> Tensor? {
    guard !middle.isEmpty else { return nil }
    let grid = [h.size(1), h.size(2)], seen = min(4, (middle.count + 1) / 2)
    let table = tables[grid] ?? WindowTable(height: grid[0], width: grid[1], window: configuration.window)
    tables[grid] = table
    var features: Tensor?
    for (i, block) in middle.enumerated() {
      h = block(h, condition, table)
      if i + 1 == seen { features = h }
    }
    return features
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
