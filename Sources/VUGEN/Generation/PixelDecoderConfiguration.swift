/// Sizes of a pixel diffusion decoder.
public struct PixelDecoderConfiguration: Codable, Sendable, Equatable {
  /// Channels of a latent.
  public var latents: Int
  /// C: channels of the first convolution, and of sines and cosines of the time.
  public var channels: Int
  /// Channels of each level, the finest first; multiples of the groups.
  public var widths: [Int]
  /// Transformer blocks at the deepest level.
  public var layers: Int
  /// Their heads.
  public var heads: Int
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
  /// Side of the window of relative positions in the transformer: queries see keys up to half of it away.
  public var window = 15
  /// What of the network is put together otherwise than in SSDD's published code.
  public enum Design: String, Codable, Sendable {
    /// Nothing.
    case published
    /// nano's, from before the code was read: picture and latents are convolved apart before they are joined, the
    /// context is one convolution that blocks read by 3 × 3 and stretch bilinearly, both norms of the transformer follow
    /// it, queries, keys and values have biases, and nothing projects into and out of the transformer.
    case narrow
  }
  /// What of the network is put together otherwise than in SSDD's published code.
  public var design = Design.published

  /// The published sizes' remaining values; `context` is as wide as `channels` unless given.
  public init(latents: Int, channels: Int, widths: [Int], layers: Int, context: Int? = nil) {
    (self.latents, self.channels, self.widths, self.layers) = (latents, channels, widths, layers)
    self.context = context ?? channels
    time = 4 * channels
    heads = min(16, max(4, (widths.last ?? channels) / 64))
  }

  /// Folders from before there was a choice say less: their networks are narrow ones.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    latents = try values.decode(Int.self, forKey: .latents)
    channels = try values.decode(Int.self, forKey: .channels)
    layers = try values.decode(Int.self, forKey: .layers)
    stem = try values.decode(Int.self, forKey: .stem)
    blocks = try values.decode(Int.self, forKey: .blocks)
    context = try values.decode(Int.self, forKey: .context)
    time = try values.decode(Int.self, forKey: .time)
    groups = try values.decode(Int.self, forKey: .groups)
    prediction = try values.decode(Prediction.self, forKey: .prediction)
    window = try values.decode(Int.self, forKey: .window)
    guard values.contains(.design) else {
      design = .narrow
      let earlier = try decoder.container(keyedBy: EarlierKeys.self)
      let channels = channels
      widths = try earlier.decode([Int].self, forKey: .multipliers).map {
        $0.multipliedReportingOverflow(by: channels).partialValue
      }
      heads = Self.narrowHeads(widths.last ?? channels)
      return
    }
    design = try values.decode(Design.self, forKey: .design)
    widths = try values.decode([Int].self, forKey: .widths)
    heads = try values.decode(Int.self, forKey: .heads)
  }

  /// What folders from before there was a choice say in place of widths and a picture's size.
  enum EarlierKeys: String, CodingKey { case multipliers, patchSize }

  /// Heads of about 64 channels, at least 4.
  private static func narrowHeads(_ width: Int) -> Int {
    guard (1...1 << 14).contains(width) else { return 1 }
    var heads = max(4, (width + 32) / 64)
    while width % heads != 0 { heads -= 1 }
    return heads
  }

  /// The published sizes of SSDD (arXiv 2510.04961), and a narrow one.
  public enum Size: String, Codable, Sendable, CaseIterable {
    case small = "S"
    case base = "B"
    case medium = "M"
    case large = "L"
    case extraLarge = "XL"
    case huge = "H"
    case nano
  }

  /// The sizes that a name stands for, for pictures of `imageSize` pixels a side.
  public static func named(_ size: Size, latents: Int, imageSize: Int) -> PixelDecoderConfiguration {
    /// Each level's channels are rounded up by themselves.
    func published(_ channels: Int, _ layers: Int, _ multipliers: [Int]) -> PixelDecoderConfiguration {
      let widths = multipliers.map { ($0 * channels + 31) / 32 * 32 }
      return .init(latents: latents, channels: widths[0], widths: widths, layers: layers)
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
        latents: latents, channels: 64, widths: [64, 64, 128], layers: 2, context: 16)
      (c.blocks, c.groups, c.time, c.window) = (1, 16, 128, 17)
      (c.prediction, c.design) = (.data, .narrow)
      // Nano's own is 4; a picture that this does not divide has a smaller one.
      c.stem = [4, 2].first { imageSize % ($0 * 4) == 0 } ?? 1
      return c
    }
  }

  /// Channels at the deepest level.
  public var deepestChannels: Int { widths.last ?? channels }
  /// A picture's sides must be multiples of this.
  public var multiple: Int { stem << (widths.count - 1) }

  /// Throws `GenerationError` where the sizes make no network.
  public func check() throws {
    let sizes = [latents, channels, stem, blocks, context, time, groups, window, heads] + widths
    guard !widths.isEmpty, sizes.allSatisfy({ (1...1 << 14).contains($0) }), (0...256).contains(layers),
      blocks <= 256, widths.count <= 8, stem <= 64, window % 2 == 1, channels % 2 == 0,
      (widths + [channels]).allSatisfy({ $0 % groups == 0 }), deepestChannels % heads == 0
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
