/// Sizes of a pixel diffusion decoder.
public struct PixelDecoderConfiguration: Codable, Sendable, Equatable {
  /// Channels of a latent.
  public var latents: Int
  /// Pixels along a patch: a latent stands for `patchSize × patchSize` pixels.
  public var patchSize: Int
  /// C; a multiple of the groups.
  public var channels: Int
  /// Channels of each level, as multiples of C.
  public var multipliers: [Int]
  /// Transformer blocks at the deepest level.
  public var layers: Int
  /// Side of the blocks of pixels that the first convolution reads as channels: 1 in the published sizes.
  public var stem = 1
  /// Residual blocks a level on the way down; one more on the way up.
  public var blocks = 2
  /// Channels of the latent context that every block is modulated by.
  public var context: Int
  /// Channels of the embedded time; 4 C in the published sizes.
  public var time: Int
  /// Groups of each GroupNorm.
  public var groups = 32
  /// What the network's last convolution gives. A stem of more values than channels cannot carry the noise through,
  /// and need not: the picture itself lies in fewer dimensions (arXiv 2511.13720).
  public enum Prediction: String, Codable, Sendable { case velocity, data }
  /// What the network's last convolution gives.
  public var prediction = Prediction.velocity
  /// Side of the window of relative positions in the transformer.
  public var window = 17

  /// The published sizes' remaining values; `context` is as wide as `channels` unless given.
  public init(
    latents: Int, patchSize: Int, channels: Int, multipliers: [Int], layers: Int, context: Int? = nil
  ) {
    (self.latents, self.patchSize, self.channels) = (latents, patchSize, channels)
    (self.multipliers, self.layers) = (multipliers, layers)
    self.context = context ?? channels
    time = 4 * channels
  }

  /// The published sizes of SSDD (arXiv 2510.04961), channels rounded up to a multiple of 32, and a narrow one.
  public enum Size: String, Codable, Sendable, CaseIterable {
    case small = "S"
    case base = "B"
    case medium = "M"
    case large = "L"
    case extraLarge = "XL"
    case huge = "H"
    case nano
  }

  /// The sizes that a name stands for.
  public static func named(_ size: Size, latents: Int, patchSize: Int) -> PixelDecoderConfiguration {
    func published(_ channels: Int, _ layers: Int, _ multipliers: [Int]) -> PixelDecoderConfiguration {
      .init(
        latents: latents, patchSize: patchSize, channels: (channels + 31) / 32 * 32,
        multipliers: multipliers, layers: layers)
    }
    switch size {
    case .small: return published(48, 8, [1, 2, 3, 3])
    case .base: return published(64, 10, [1, 2, 3, 3])
    case .medium: return published(96, 12, [1, 2, 3, 3])
    case .large: return published(96, 16, [1, 2, 4, 4])
    case .extraLarge: return published(128, 16, [1, 2, 4, 4])
    case .huge: return published(192, 16, [1, 2, 4, 4])
    case .nano:
      var c = PixelDecoderConfiguration(
        latents: latents, patchSize: patchSize, channels: 64, multipliers: [1, 1, 2], layers: 2, context: 16)
      (c.stem, c.blocks, c.groups, c.time, c.prediction) = (4, 1, 16, 128, .data)
      return c
    }
  }

  /// Channels at the deepest level.
  public var deepestChannels: Int { levels.last ?? channels }
  var levels: [Int] { multipliers.map { $0 * channels } }
  /// Heads of about 64 channels, at least 4.
  var heads: Int {
    let width = levels.last ?? channels
    var heads = max(4, (width + 32) / 64)
    while width % heads != 0 { heads -= 1 }
    return heads
  }
  /// A picture's sides must be multiples of this.
  public var multiple: Int { stem << (multipliers.count - 1) }

  /// Throws `GenerationError` where the sizes make no network.
  public func check() throws {
    let isWhole =
      latents > 0 && patchSize > 0 && channels > 0 && !multipliers.isEmpty
      && multipliers.allSatisfy { $0 > 0 }
      && layers >= 0 && stem > 0 && blocks > 0 && context > 0 && time > 0 && groups > 0 && window > 0
      && window % 2 == 1
    let largest =
      [latents, patchSize, channels, layers, stem, blocks, context, time, groups, window].max() ?? 0
    guard isWhole, largest <= 1 << 14, max(layers, blocks) <= 256, multipliers.count <= 8,
      (multipliers.max() ?? 0) <= 64,
      channels % 2 == 0, levels.allSatisfy({ $0 % groups == 0 }), stem <= patchSize, patchSize % stem == 0
    else {
      throw GenerationError(
        "the decoder's sizes do not fit together; copy the file from the model's source again")
    }
  }
}

/// What keeps a picture from being drawn, in one line.
public struct GenerationError: Error, CustomStringConvertible, Equatable {
  /// What cannot be drawn and why, in one line.
  public let description: String

  /// One line.
  public init(_ description: String) { self.description = description }
}
