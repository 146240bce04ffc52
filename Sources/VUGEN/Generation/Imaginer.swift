import Flow
import Foundation
import Layers
import ModelFiles
import Pictures
import Requests
import Tensors

/// Draws pictures of prompts: the generation tower samples latents, a pixel decoder draws them.
public final class Imaginer {
  /// The frozen tower that reads prompts.
  public let understanding: UnderstandingTower
  /// The half that draws.
  public let model: GenerationModel
  private let generator: GenerationTower
  private let template: ChatTemplate
  /// How its steps are moved towards the noise, where the tower is another than the model's; nil for the model's own.
  public var timeShift: Double?
  /// The type in which it computes: the model's unless set.
  public var type: ElementType
  /// The last prompts that were read: a slider that moves changes nothing about them.
  private var lastRead: (texts: [String], prompts: ReadPrompts)?

  /// From parts that are in memory.
  public init(
    _ understanding: UnderstandingTower, _ model: GenerationModel, generator: GenerationTower,
    template: ChatTemplate
  ) {
    (self.understanding, self.model, self.generator) = (understanding, model, generator)
    type = model.type
    self.template = template
  }

  /// Throws `ModelFileError` or `ModuleLoadError` where the folder cannot draw.
  public convenience init(_ model: LoadedModel) throws {
    let drawing = try model.generation()
    guard let generator = drawing.generator else {
      throw ModelFileError(
        "\(model.folder)/\(GenerationFiles.generator)",
        "no such file: the model reconstructs pictures but cannot draw; train it with vugen train generator"
      )
    }
    self.init(model.tower, drawing, generator: generator, template: model.template)
  }

  /// One step that is done.
  public struct Step {
    /// From 1 to `total`.
    public let number, total: Int
    /// What the velocity of this step says of the clean latents, `[1, patches, channels]`.
    public let estimate: Tensor
    private let draw: (Tensor) -> Picture

    fileprivate init(_ number: Int, _ total: Int, _ estimate: Tensor, _ draw: @escaping (Tensor) -> Picture) {
      (self.number, self.total, self.estimate, self.draw) = (number, total, estimate, draw)
    }

    /// The estimate drawn by the one-step decoder. Costs a decoder's step; ask for few.
    public func preview() -> Picture { draw(estimate) }
  }

  /// A picture, whole or as far as it came.
  public struct Result {
    /// As it is kept or shown.
    public var picture: Picture
    /// Steps of the sampler that were really done.
    public var stepsDone: Int
    /// Whether it was cancelled on the way.
    public var isPartial: Bool
  }

  /// Draws one picture.
  ///
  /// Cancelled between two steps, it draws the last estimate of the clean latents, or nothing before the first
  /// step. Throws `GenerationError` or `PromptError` for settings that make no sense.
  public func imagine(
    _ settings: ImageSettings, isCancelled: () -> Bool = { false }, onStep: (Step) -> Void = { _ in }
  ) throws -> Result? {
    try settings.check()
    var random = Philox(seed: settings.seed, .latentNoise)
    let patches = model.configuration.grid * model.configuration.grid
    let noise = Tensor.normal([1, patches, model.configuration.reducer.latents], using: &random)
    var estimate: Tensor?, done = 0
    struct Stop: Error {}
    var latents = noise
    do {
      if isCancelled() { return nil }
      latents = try sample(settings, noise) { number, guess in
        (estimate, done) = (guess, number)
        onStep(Step(number, settings.steps, guess) { [self] in preview($0, settings) })
        if number < settings.steps, isCancelled() { throw Stop() }
      }
    } catch is Stop {
      guard let estimate else { return nil }
      return Result(picture: preview(estimate, settings), stepsDone: done, isPartial: true)
    }
    var decoderRandom = Philox(seed: settings.seed, .decoderNoise)
    do {
      let values = try model.decode(latents, steps: settings.decoderSteps, type: type, using: &decoderRandom)
      {
        if $0 < settings.decoderSteps, isCancelled() { throw Stop() }
      }
      return Result(picture: Picture(values: values), stepsDone: done, isPartial: false)
    } catch is Stop {
      return Result(picture: preview(latents, settings), stepsDone: done, isPartial: true)
    }
  }

  private func preview(_ latents: Tensor, _ settings: ImageSettings) -> Picture {
    var random = Philox(seed: settings.seed, .decoderNoise)
    return Picture(values: model.decode(latents, steps: 1, type: type, using: &random) { _ in })
  }

  /// Latents `[1, patches, channels]` for the prompt; `onStep` is given the estimate of the clean ones.
  private func sample(
    _ settings: ImageSettings, _ noise: Tensor, onStep: (Int, Tensor) throws -> Void
  ) throws -> Tensor {
    let both = try read([settings.prompt, settings.negative]), alone = both.picked([0])
    let guidance = settings.guidance, language = understanding.core.language
    let times = TimeGrid.shifted(timeShift ?? model.configuration.timeShift).times(settings.steps)
    return try settings.solver.integrate(
      from: noise, times: times,
      onStep: { number, x, v, _ in
        try onStep(number, StraightPath.dataEstimate(x, velocity: v, at: Tensor([times[number]])))
      }
    ) { x, t in
      guard guidance.scale(at: t) != 1 else {
        return generator(x, at: Tensor([t]), prompts: alone, language: language, type: type)
      }
      let twice = Tensor.concatenated([x, x])
      let v = generator(twice, at: Tensor([t, t]), prompts: both, language: language, type: type)
      return guidance.combine(conditional: v.sliced(0..<1), unconditional: v.sliced(1..<2), at: t)
    }
  }

  /// The mean squared error of the velocity behind each prompt, at one time of the same path: how well a prompt explains
  /// these latents.
  ///
  /// Shapes: data and noise `[1, patches, channels]`; t in 0…1, 0 = noise; a result for each prompt.
  public func velocityErrors(_ prompts: [String], data: Tensor, noise: Tensor, at t: Float) throws -> [Float]
  {
    let times = Tensor([Float](repeating: t, count: prompts.count))
    let point = StraightPath.point(data, noise, at: Tensor([t]))
    let points = Tensor.concatenated(prompts.map { _ in point })
    let read = try understanding.read(
      prompts: prompts.map(template.description), pictureTokens: generator.configuration.tokens)
    let velocities = generator(
      points, at: times, prompts: read, language: understanding.core.language, type: type)
    let wanted = StraightPath.velocity(data, noise)
    return prompts.indices.map { meanSquaredError(velocities.sliced($0..<$0 + 1), wanted).toArray()[0] }
  }

  /// The latents that the reducer makes of a picture, `[1, patches, channels]`.
  public func latents(of picture: Picture) -> Tensor {
    let tiles = understanding.configuration.vision.tiles(of: picture)
    return model.reducer(understanding.core.encoder(tiles.cast(to: understanding.pictureType))).cast(to: .f32)
  }

  /// The settings with prompts that the model's context holds, and which of them were cut.
  public func fitted(_ settings: ImageSettings) -> (settings: ImageSettings, cut: [String]) {
    let most = understanding.configuration.text.context - generator.configuration.tokens
    var result = settings, cut: [String] = []
    if let part = template.beginning(of: settings.prompt, tokens: most) {
      result.prompt = part
      cut.append("prompt")
    }
    if let part = template.beginning(of: settings.negative, tokens: most) {
      result.negative = part
      cut.append("negative prompt")
    }
    return (result, cut)
  }

  private func read(_ texts: [String]) throws -> ReadPrompts {
    if let lastRead, lastRead.texts == texts { return lastRead.prompts }
    let tokens = texts.map { template.description($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    let read = try understanding.read(
      prompts: tokens, pictureTokens: generator.configuration.tokens)
    lastRead = (texts, read)
    return read
  }
}

extension GenerationModel {
  /// A picture as the decoder draws it from its own latents.
  public func reconstruct(
    _ picture: Picture, _ understanding: UnderstandingTower, steps: Int, seed: UInt64 = 0,
    type: ElementType? = nil
  ) -> Picture {
    reconstruct(picture, understanding, steps: steps, seed: seed, type: type) { _ in }
  }

  /// The same; `onStep` is called before the first step and behind each, and throws to stop.
  public func reconstruct(
    _ picture: Picture, _ understanding: UnderstandingTower, steps: Int, seed: UInt64 = 0,
    type: ElementType? = nil, onStep: (Int) throws -> Void
  ) rethrows -> Picture {
    let tiles = understanding.configuration.vision.tiles(of: picture)
    let latents = reducer(understanding.core.encoder(tiles.cast(to: understanding.pictureType)))
    try onStep(0)
    var random = Philox(seed: seed, .decoderNoise)
    return Picture(values: try decode(latents, steps: steps, type: type, using: &random, onStep: onStep))
  }
}
