import Flow
import Foundation
import Tensors
import Training
import VUGEN

/// Everything that decides the training of reducer and pixel decoder.
public struct DecoderRecipe: TrainingRecipe, Equatable {
  /// Sizes, and what stays as it is.
  public struct Model: Codable, Sendable, Equatable {
    /// A published size (S, B, M, L, XL, H) or `nano`.
    public var size = PixelDecoderConfiguration.Size.nano
    /// `mlp`, trained with the decoder, or `pca`, fitted before.
    public var reducer = ReducerConfiguration.Kind.mlp
    /// r: channels of a feature over channels of a latent.
    public var ratio = 16
    /// Side in pixels of the pictures that are drawn; 0 for what the encoder looks at.
    public var outputSize = 0
    /// Whether latents have mean 0 and deviation 1, by each batch's own statistics in training. Not the paper's.
    public var standardised = true
    /// Whether the reducer stays as `--from` gives it: the decoder learns on, and a generation tower that was trained
    /// in its latents stays valid.
    public var frozenReducer = false
    /// Seed of the first weights.
    public var seed: UInt64 = 1

    /// The defaults.
    public init() {}
  }

  /// Weights of the parts of the loss.
  public struct Objectives: Codable, Sendable, Equatable {
    /// The velocity's error (flow matching).
    public var flow: Float = 1
    /// Distance of the one-step estimate in features of the understanding encoder.
    public var perceptual: Float = 0.5
    /// Cosine distance of the transformer's features to the understanding encoder's (REPA).
    public var alignment: Float = 0.25
    /// Folder with VGG-16's or AlexNet's weights and LPIPS's linear heads; empty for the understanding encoder's
    /// features in their place.
    public var lpipsFolder = ""
    /// Folder of DINOv2 in the Hugging Face layout; empty for the understanding encoder in its place.
    public var dinoFolder = ""
    /// Deviation of the noise that is added to latents, so that sampled ones, which are never exact, are drawn as well.
    /// Not the paper's.
    public var latentNoise: Float = 0.1

    /// The defaults.
    public init() {}
  }

  /// How training times are drawn.
  public struct Times: Codable, Sendable, Equatable {
    /// `uniform` or `logit-normal`.
    public var distribution = TimeDistribution.Kind.logitNormal
    /// Mean of logit-normal's normal; above 0 is nearer to the picture.
    public var mean: Float = 0
    /// Its deviation.
    public var deviation: Float = 1
    /// Share of the batch that starts from nothing but noise: what one-step decoding needs.
    public var pureNoise = 0.0

    /// The defaults.
    public init() {}

    private var values: TimeDistribution { TimeDistribution(distribution, mean: mean, deviation: deviation) }

    /// Times of a batch, `[count]`.
    ///
    /// - Parameter ranks: who draw together; `random` gives this one's part.
    func draw(_ count: Int, using random: inout Philox, _ ranks: Ranks) -> Tensor {
      // Those of all ranks come first in the batch that they have together.
      let all = Int(Double(count * ranks.count) * pureNoise),
        pure = min(count, max(0, all - count * ranks.rank))
      let t = values.draw(count, using: &random)
      return pure > 0 ? Tensor([Float](repeating: 0, count: pure) + t.toArray().dropFirst(pure)) : t
    }
  }

  /// Sizes, and what stays as it is.
  public var model = Model()
  /// Pictures and batches.
  public var data = PictureData()
  /// Weights of the parts of the loss.
  public var objectives = Objectives()
  /// How training times are drawn.
  public var times = Times()
  /// Steps, rates, averages.
  public var optimization = Optimization()
  /// Checkpoints, samples, precision.
  public var run = DrawingRun()

  /// The defaults.
  public init() {
    optimization = .published(rate: 8e-4)
    optimization.steps = 5000
  }

  /// Throws `RecipeError` naming the first value that makes no sense.
  public func check() throws {
    try checkValues()
  }

  /// - Parameter hasWeights: whether the run begins with some.
  func check(hasWeights: Bool) throws {
    try check()
    guard !model.frozenReducer || hasWeights else {
      throw RecipeError(
        "model.frozenReducer leaves a random reducer as it is; name a trained model by --from")
    }
  }

  func configuration(for c: UnderstandingConfiguration) throws -> GenerationConfiguration {
    guard c.vision.width % model.ratio == 0 else {
      throw RecipeError(
        "model.ratio = \(model.ratio) does not divide the encoder's \(c.vision.width) channels; give a number that does"
      )
    }
    let latents = c.vision.width / model.ratio
    let side = model.outputSize == 0 ? c.vision.imageSize : model.outputSize
    let decoder = PixelDecoderConfiguration.named(model.size, latents: latents, imageSize: side)
    guard side % decoder.multiple == 0, side / decoder.multiple <= 128 else {
      let most = 128 * decoder.multiple
      throw RecipeError(
        "model.outputSize: pictures of \(side) pixels do not suit this decoder; give a multiple of \(decoder.multiple) up to \(most)"
      )
    }
    let reducer = ReducerConfiguration(
      kind: model.reducer, features: c.vision.width, latents: latents)
    return GenerationConfiguration(reducer: reducer, decoder: decoder, grid: c.vision.grid, imageSize: side)
  }
}

extension Optimization {
  /// What SSDD's code trains by: RAdam without a schedule, evaluated at the average of its weights.
  static func published(rate: Float) -> Optimization {
    var o = Optimization()
    (o.optimizer, o.rate, o.warmUp, o.floor) = (.scheduleFreeRAdam, rate, 0, 1)
    (o.decay, o.beta1, o.beta2, o.clip) = (1e-2, 0.9, 0.999, 0.1)
    (o.averageDecay, o.averageRises) = (0.999, true)
    return o
  }
}
