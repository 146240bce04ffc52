import Layers
import ModelFiles
import Tensors

/// `model.` of the checkpoint: both towers and what joins them, under the names of its family.
public final class UnderstandingCore: Module {
  /// Picture → features.
  @Child public var encoder: VisionEncoder
  /// Features → tokens.
  @Child public var projector: Connector
  /// Tokens → hidden states.
  @Child public var language: LanguageModel

  init(_ c: UnderstandingConfiguration, using random: inout Philox) {
    let names = c.names
    _encoder = Child(names.encoder)
    _projector = Child(names.projector)
    _language = Child(names.language)
    encoder = VisionEncoder(c.vision, using: &random)
    projector = Connector(c, using: &random)
    language = LanguageModel(c.text, using: &random)
  }
}

/// The frozen half of VUGEN: a model that reads pictures and text and answers.
///
/// Sources: Perception Language Model, arXiv 2504.13180; SmolVLM, arXiv 2504.05299.
public final class UnderstandingTower: Module {
  /// Everything but the output.
  @Child("model") public var core: UnderstandingCore
  /// Only where the output is not tied to the embedding.
  @Child("lm_head") public var head: Linear?
  /// A tied output in fewer bits than the embedding it repeats, which is then read by the row only.
  public private(set) var quantizedOutput: QuantizedTensor?
  /// Its sizes.
  public let configuration: UnderstandingConfiguration
  /// The type in which it computes.
  public var type: ElementType = .f32
  /// How its stored weights meet many rows of activations, whatever other models do.
  public var precision = Precision.f32 {
    didSet {
      setPrecision(precision)
      quantizedOutput?.precision = precision
    }
  }

  /// A tower with random weights.
  public convenience init(_ c: UnderstandingConfiguration, using random: inout Philox) {
    self.init(creating: c, deferred: false, &random)
  }

  private init(creating c: UnderstandingConfiguration, deferred: Bool, _ random: inout Philox) {
    configuration = c
    func build() -> (UnderstandingCore, Linear?) {
      (
        UnderstandingCore(c, using: &random),
        c.text.isTied ? nil : Linear(c.text.width, c.text.vocabulary, bias: false, using: &random)
      )
    }
    (core, head) = deferred ? Parameter.deferringValues(build) : build()
  }

  /// A tower whose weights are still to come.
  private convenience init(deferred c: UnderstandingConfiguration) {
    var random = Philox(seed: 0)
    self.init(creating: c, deferred: true, &random)
  }

  /// Loads a folder in the Hugging Face layout. Throws `ModelFileError` or `ModuleLoadError`, each naming the
  /// file or folder and what is wrong.
  public convenience init(folder: String) throws {
    let configuration = try UnderstandingConfiguration(folder: folder)
    let weights = try ModelWeights(folder: folder)
    self.init(deferred: configuration)
    let quantized = try QuantizedFolder.adopt(weights, into: self)
    var tensors: [String: Tensor] = [:]
    for (name, file) in weights.files where !quantized.contains(name) {
      tensors[name] = try file.tensor(name)
    }
    if configuration.text.isTied { tensors["lm_head.weight"] = nil }
    try load(tensors, from: folder)
  }

  /// The type in which most of its weights lie in memory: f32 where any large one does.
  public var storedType: ElementType {
    namedParameters.contains { $0.parameter.value.rank > 1 && $0.parameter.value.type == .f32 } ? .f32 : .bf16
  }

  /// In which precision a person would want it: nobody waits for a small model, so that it may be exact.
  public var usualPrecision: Precision {
    var count = parameterCount
    visitModules("") { _, module in
      if let quantized = (module as? Linear)?.quantized { count += quantized.rows * quantized.columns }
    }
    return count > 200_000_000 ? .bf16 : .f32
  }

  /// Vision features and their tokens: pictures `[tiles, side, side, 3]` in −1…1 → features
  /// `[tiles, patches, vision width]`, projected `[tiles, tokens, text width]`.
  ///
  /// Where stored weights meet bf16, the activations between them are bf16 as well, as in the reference's own runs.
  public func encode(_ pictures: Tensor) -> (features: Tensor, projected: Tensor) {
    let features = core.encoder(pictures.cast(to: pictureType))
    return (features.cast(to: type), core.projector(features).cast(to: type))
  }

  /// In which the encoder computes.
  var pictureType: ElementType {
    precision.multipliesBF16 && core.encoder.storedType == .bf16 ? .bf16 : type
  }

  /// Embeddings of a prompt `[1, tokens, width]`, its image tokens replaced by `projected` in order.
  /// Throws `PromptError` when their numbers differ.
  public func embed(_ tokens: [Int32], projected: Tensor? = nil) throws -> Tensor {
    let places = tokens.indices.filter { tokens[$0] == configuration.imageToken }
    let given = projected.map { $0.size(0) * $0.size(1) } ?? 0
    guard places.count == given else {
      throw PromptError.pictureTokens(prompt: places.count, pictures: given)
    }
    let text = core.language.embedding(Tensor(indices: tokens), type: type)
    guard let projected, given > 0 else { return text.expanded(at: 0) }
    let rows = projected.reshaped([given, projected.size(2)]).cast(to: type)
    var parts: [Tensor] = [], at = 0, used = 0
    while at < tokens.count {
      let isPicture = tokens[at] == configuration.imageToken
      var end = at
      while end < tokens.count, (tokens[end] == configuration.imageToken) == isPicture { end += 1 }
      parts.append(isPicture ? rows.sliced(used..<used + end - at) : text.sliced(at..<end))
      if isPicture { used += end - at }
      at = end
    }
    return Tensor.concatenated(parts).expanded(at: 0)
  }

  /// Embeddings of words alone, `[1, tokens, width]`: of an answer, in which a picture's token is one like any other.
  func embed(text tokens: [Int32]) -> Tensor {
    core.language.embedding(Tensor(indices: tokens), type: type).expanded(at: 0)
  }

  /// Logits f32 `[time, vocabulary]` of hidden states `[1, time, width]`.
  public func logits(_ hidden: Tensor) -> Tensor {
    let rows = hidden.reshaped([hidden.size(1), hidden.size(2)])
    if let quantizedOutput { return quantizedOutput.linear(rows).cast(to: .f32) }
    let y =
      head.map { $0(rows) } ?? product(rows, weight: core.language.embedding.weight)
    return y.cast(to: .f32)
  }

  /// Takes a copy of the embedding in fewer bits as its output. Only where the two are tied.
  public func adopt(output: QuantizedTensor) {
    precondition(configuration.text.isTied, "an output of its own is a Linear, and adopts weights itself")
    quantizedOutput = output
    quantizedOutput?.precision = precision
  }

  /// A conversation's memory, empty.
  public func makeCache() -> ConversationCache { ConversationCache(layers: configuration.text.layers) }

  /// The same, tile by tile: `isCancelled` is looked at before each. Throws `PromptError.cancelled`.
  func projected(_ pictures: [Tensor], isCancelled: () -> Bool) throws -> Tensor? {
    var parts: [Tensor] = []
    for picture in pictures {
      for tile in 0..<picture.size(0) {
        if isCancelled() { throw PromptError.cancelled }
        parts.append(encode(picture.sliced(tile..<tile + 1)).projected)
      }
    }
    return parts.isEmpty ? nil : .concatenated(parts)
  }

  /// Reads a prompt's embeddings in chunks behind what the cache holds, and returns the logits of the last
  /// token, f32 `[vocabulary]`.
  ///
  /// `isCancelled` is looked at before each chunk. Throws `PromptError.contextFull` or `.cancelled`; the cache is
  /// then as it was.
  public func prefill(
    _ embeddings: Tensor, into cache: ConversationCache, chunk: Int = 512,
    isCancelled: () -> Bool = { false }
  ) throws -> Tensor {
    let total = embeddings.size(1), context = configuration.text.context
    guard cache.count + total <= context else {
      throw PromptError.contextFull(tokens: cache.count + total, context: context)
    }
    var last: Tensor?
    let before = cache.count
    for start in stride(from: 0, to: total, by: max(1, chunk)) {
      if isCancelled() {
        cache.truncate(to: before)
        throw PromptError.cancelled
      }
      let end = min(total, start + max(1, chunk))
      let hidden = core.language(embeddings.sliced(start..<end, axis: 1), cache: cache)
      last = hidden.sliced(hidden.size(1) - 1..<hidden.size(1), axis: 1)
    }
    guard let last else { throw PromptError.empty }
    return logits(last).reshaped([-1])
  }
}

/// What keeps a prompt from being read.
public enum PromptError: Error, CustomStringConvertible, Equatable {
  case empty
  case pictureTokens(prompt: Int, pictures: Int)
  /// A conversation.
  case contextFull(tokens: Int, context: Int)
  /// A question by itself, with its pictures.
  case questionTooLong(tokens: Int, context: Int)
  /// What an answer's probability is asked of, with the answer.
  case answerTooLong(tokens: Int, context: Int)
  /// The description of a picture that is to be drawn, with the picture's own tokens.
  case descriptionTooLong(tokens: Int, context: Int)
  case cancelled

  /// Of a question, which may be the first of a conversation.
  static func tooLong(_ tokens: Int, _ context: Int, isFirst: Bool) -> PromptError {
    isFirst
      ? .questionTooLong(tokens: tokens, context: context) : .contextFull(tokens: tokens, context: context)
  }

  public var description: String {
    switch self {
    case .empty: "the prompt is empty; ask a question"
    case .pictureTokens(let prompt, let pictures):
      "the prompt has room for \(prompt) picture tokens, but the pictures make \(pictures)"
    case .cancelled: "the prompt was not read to its end: it was cancelled"
    case .contextFull(let tokens, let context):
      "\(tokens) tokens are more than the model's \(context); drop earlier turns, pictures or tiles"
    case .questionTooLong(let tokens, let context):
      "the question has \(tokens) tokens with its pictures, more than the model's \(context); shorten it, or drop pictures or tiles"
    case .answerTooLong(let tokens, let context):
      "the text has \(tokens) tokens with the question and its picture, more than the model's \(context); shorten the text or the question"
    case .descriptionTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens with those of the picture, more than the model's \(context); shorten the prompt"
    }
  }
}
