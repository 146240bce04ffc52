import Flow
import Layers
import Tensors

/// What a generation tower's last layer gives.
public enum TowerPrediction: String, Codable, Sendable, CaseIterable {
  /// The path's velocity.
  case velocity
  /// The data at the path's end; the velocity leads there (x-prediction, arXiv 2605.21981).
  case data
}

/// Sizes of a generation tower beyond those of the language model whose layers it copies.
public struct GenerationTowerConfiguration: Codable, Sendable, Equatable {
  /// Channels of a latent.
  public var latents: Int
  /// Latents along one side of a picture.
  public var grid: Int
  /// Latents along one side of the square that one token stands for (a diffusion transformer's patch size,
  /// arXiv 2212.09748): fine latents at the price of coarse ones.
  public var patch: Int
  /// What the last layer gives.
  public var predicts: TowerPrediction

  /// Each argument is the property of its name.
  public init(latents: Int, grid: Int, patch: Int = 1, predicts: TowerPrediction = .velocity) {
    (self.latents, self.grid, self.patch, self.predicts) = (latents, grid, patch, predicts)
  }

  /// Tokens of a picture behind a prompt.
  public var tokens: Int { (grid / patch) * (grid / patch) }
  var channelsOfToken: Int { latents * patch * patch }
}

/// Prompts as the frozen tower has read them: all that the generation tower needs to know of the text.
public struct ReadPrompts {
  /// One a layer, `[batch, time, kv heads, head size]`.
  var layers: [KeyValues]
  /// Tokens of each prompt.
  var lengths: [Int]

  /// Each prompt `count` times, in order.
  public func repeated(_ count: Int) -> ReadPrompts {
    guard count > 1 else { return self }
    let rows = lengths.indices.flatMap { [Int](repeating: $0, count: count) }
    return picked(rows)
  }

  /// Some of the prompts.
  public func picked(_ rows: [Int]) -> ReadPrompts {
    let places = Tensor(indices: rows.map(Int32.init))
    return ReadPrompts(
      layers: layers.map {
        KeyValues(keys: $0.keys.gathered(places), values: $0.values.gathered(places))
      }, lengths: rows.map { lengths[$0] })
  }
}

/// The second tower of a Mixture-of-Transformers: a trainable copy of every layer of the language model.
///
/// Text goes through the frozen layers, latents through these; each layer's attention runs over both. Latents see
/// the whole prompt before them and each other; text never sees latents, so that its keys and values are the same
/// at every step and the frozen tower's answers are those it gives alone.
///
///     h₀ = W_in x_t + time(t) + position        v = W_out RMSNorm(h_L)          W_out begins at zero
///
/// Where the last layer gives the data x̂ instead, v = (x̂ − x_t) / max(1 − t, 0.05).
///
/// A token is one latent, or a square of them. Shapes: x, v `[batch, patches, channels]`, t `[batch]`,
/// 0 = noise → 1 = data.
/// Source: VUGEN §3.1, arXiv 2510.06529; Mixture-of-Transformers, arXiv 2411.04996; the mask of Transfusion,
/// arXiv 2408.11039.
public final class GenerationTower: Module {
  @Child("latent_in") var input: Linear
  @Child("time") var time: TimeEmbedding
  /// `[tokens, width]`.
  @Weight("position") var positions: Parameter
  @Child("layers") var layers: [TextBlock]
  @Child("norm") var norm: RMSNorm
  @Child("latent_out") var output: Linear
  /// Sizes beyond the language model's.
  public let configuration: GenerationTowerConfiguration
  private let text: TextConfiguration

  /// Random layers of the language model's sizes, and an output that starts at zero.
  public init(
    _ c: GenerationTowerConfiguration, text: TextConfiguration, using random: inout Philox
  ) {
    (configuration, self.text) = (c, text)
    input = Linear(c.channelsOfToken, text.width, using: &random)
    time = TimeEmbedding(width: text.width, hidden: text.width, outputs: text.width, using: &random)
    positions = Parameter.normal([c.tokens, text.width], deviation: 0.02, using: &random)
    layers = (0..<text.layers).map { _ in TextBlock(text, using: &random) }
    norm = RMSNorm(text.width, epsilon: text.epsilon)
    output = Linear(text.width, c.channelsOfToken, using: &random)
    output.startAtZero()
  }

  /// Takes the frozen layers' and the last norm's weights as its first ones. Throws `ModuleLoadError` where the
  /// language model has other sizes.
  public func copyLayers(of language: LanguageModel) throws {
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in language.tensorsByName where name.hasPrefix("layers.") || name.hasPrefix("norm.") {
      tensors[name] = tensor.cast(to: .f32).copied()
    }
    let own = tensorsByName.filter { !$0.key.hasPrefix("layers.") && !$0.key.hasPrefix("norm.") }
    try load(tensors.merging(own) { first, _ in first }, from: "the language model")
  }

  /// The velocity of latents behind their prompts.
  public func callAsFunction(
    _ x: Tensor, at t: Tensor, prompts: ReadPrompts, language: LanguageModel, type: ElementType = .f32
  ) -> Tensor {
    let (batch, c) = (x.size(0), configuration), tokens = c.tokens
    precondition(
      x.size(1) == c.grid * c.grid && prompts.lengths.count == batch,
      "\(x) for a grid of \(c.grid) and \(prompts.lengths.count) prompts")
    let squares = x.cast(to: type).reshaped([batch, c.grid, c.grid, c.latents]).spaceToDepth(c.patch)
      .reshaped([batch, tokens, c.channelsOfToken])
    var h = input(squares) + positions.tensor(as: type)
    h = h + time(t, type: type).reshaped([batch, 1, h.size(2)])
    let places = prompts.lengths.flatMap { length in (0..<tokens).map { Int32(length + $0) } }
    let table = language.rotaryTable(at: places), mask = Self.mask(prompts, tokens)
    for (layer, before) in zip(layers, prompts.layers) {
      let prompt = KeyValues(keys: before.keys.cast(to: type), values: before.values.cast(to: type))
      h = checkpointed([h]) { layer($0[0], after: prompt, rope: table, mask: mask) }
    }
    let side = c.grid / c.patch
    let predicted = output(norm(h)).cast(to: .f32).reshaped([batch, side, side, c.channelsOfToken])
      .depthToSpace(c.patch).reshaped(x.shape)
    return switch c.predicts {
    case .velocity: predicted
    case .data: StraightPath.velocity(towards: predicted, from: x.cast(to: .f32), at: t)
    }
  }

  /// Everything but what stands behind a shorter prompt's end.
  private static func mask(_ prompts: ReadPrompts, _ tokens: Int) -> AttentionMask {
    let time = prompts.layers.first?.keys.size(1) ?? 0
    guard prompts.lengths.contains(where: { $0 != time }) else { return .bidirectional }
    let bounds = prompts.lengths.flatMap { length in
      (0..<tokens).flatMap { _ in [0, length, time, time + tokens].map(Int32.init) }
    }
    return .ranges(
      VisibleKeys(bounds, batch: prompts.lengths.count, queries: tokens, keys: time + tokens))
  }
}

extension UnderstandingTower {
  /// Reads prompts with the frozen tower, once. Without gradients.
  ///
  /// - Parameter pictureTokens: of the generation tower, behind each prompt.
  ///
  /// Throws `PromptError.descriptionTooLong` where a prompt and a picture have no room.
  public func read(prompts: [[Int32]], pictureTokens: Int) throws -> ReadPrompts {
    let longest = prompts.map(\.count).max() ?? 0, context = configuration.text.context
    guard longest + pictureTokens <= context else {
      throw PromptError.descriptionTooLong(tokens: longest + pictureTokens, context: context)
    }
    return withoutGradients {
      let tokens = Tensor(indices: prompts.flatMap { $0 }, shape: [1, prompts.reduce(0) { $0 + $1.count }])
      let lengths = prompts.map(\.count)
      return ReadPrompts(
        layers: core.language.promptKeyValues(core.language.embedding(tokens, type: type), lengths: lengths),
        lengths: lengths)
    }
  }
}
