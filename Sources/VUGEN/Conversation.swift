import ModelFiles
import Pictures
import Requests
import Tensors

/// One thing said in a conversation.
public struct Turn: Sendable {
  /// Who speaks; the raw value is what the template writes.
  public enum Role: String, Sendable { case system, user, assistant }

  /// Who speaks.
  public var role: Role
  /// What is said.
  public var text: String
  /// Tiles of each picture, as `VisionConfiguration.tiled` makes them.
  public var pictures: [PictureTiles]

  /// Each argument is the property of its name.
  public init(_ role: Role, _ text: String, tiled pictures: [PictureTiles]) {
    (self.role, self.text, self.pictures) = (role, text, pictures)
  }

  /// Pictures of one tile each, or of tiles whose places in the picture no prompt names.
  public init(_ role: Role, _ text: String, pictures: [Tensor] = []) {
    self.init(role, text, tiled: pictures.map { PictureTiles($0) })
  }
}

extension Turn {
  /// A person's question, its pictures in tiles of the model's own.
  public init(_ question: Question<Picture>, for model: LoadedModel, _ tiling: Tiling = .single) {
    let vision = model.configuration.vision
    self.init(.user, question.text, tiled: question.pictures.map { vision.tiled($0, tiling) })
  }
}

/// Why an answer ended.
public enum StopReason: String, Sendable, Codable { case end, length, cancelled }

/// A chat with an understanding tower. Earlier turns and their pictures are read once: each question costs
/// its own tokens only.
///
/// The prompt has the form of the model's template (`ChatTemplate`).
public final class Conversation {
  /// The model that answers.
  public let model: LoadedModel
  private var tower: UnderstandingTower { model.tower }
  private var form: ChatTemplate { model.template }
  private let cache: ConversationCache
  /// Tokens that are decided but not read yet.
  private var pending: [Int32] = []
  /// The tiles that stand among them.
  private var pendingPictures: [PictureTiles] = []
  /// Whether nothing was asked yet.
  private var isFresh: Bool { cache.count == 0 && pendingPictures.isEmpty }
  /// Every token that was read or written, for the repetition penalty.
  private var seen: Set<Int32> = []
  /// The tokens of the last prompt.
  public private(set) var promptTokens: [Int32] = []

  /// A conversation behind the model's own system message, unless another is given; none for an empty one.
  public init(_ model: LoadedModel, system: String? = nil) {
    self.model = model
    cache = model.tower.makeCache()
    pending = model.template.opening(system: system)
  }

  /// Tokens that were read or written so far.
  public var tokensRead: Int { cache.count }

  /// How fast the last answer grew once its prompt was read; nil where it ended at its first token.
  public private(set) var tokensPerSecond: Double?

  /// Lets turns of another conversation come before all that follows, as if they had been said here.
  public func recall(_ turns: [Turn]) {
    for turn in turns {
      pending += form.turn(turn)
      pendingPictures += turn.pictures
    }
  }

  /// Tokens that asking this would read, pictures included.
  public func tokenCount(asking turn: Turn) -> Int {
    pending.count + form.turn(turn).count + form.header(.assistant).count
  }

  /// Asks, and calls `onText` with each piece of the answer as soon as its characters are whole.
  ///
  /// `isCancelled` is looked at before every token, and while the prompt is read: before every tile and chunk.
  /// What was said so far stays part of the conversation; a prompt that was not read to its end leaves it as it
  /// was. Throws `PromptError` when the context is full; the conversation is then as it was.
  @discardableResult
  public func ask(
    _ turn: Turn, sampling: Sampling = .greedy, most: Int = 256, using random: inout Philox,
    isCancelled: () -> Bool = { false }, onText: (String) -> Void = { _ in }
  ) throws -> (tokens: [Int32], text: String, stop: StopReason) {
    let tokens = pending + form.turn(turn) + form.header(.assistant), before = cache.count
    let context = tower.configuration.text.context
    guard before + tokens.count < context else {
      throw PromptError.tooLong(before + tokens.count, context, isFirst: isFresh)
    }
    guard var logits = try read(tokens, pendingPictures + turn.pictures, isCancelled) else {
      return ([], "", .cancelled)
    }
    (pendingPictures, promptTokens, tokensPerSecond) = ([], tokens, nil)
    seen.formUnion(tokens)
    let begin = ContinuousClock.now
    var answer: [Int32] = [], decoder = StreamingDecoder(model.tokenizer), text = "", stop = StopReason.length
    while answer.count < most, cache.count < context {
      if isCancelled() {
        stop = .cancelled
        break
      }
      let token = sampling.choose(logits, seen: seen, using: &random)
      if form.ends(token) {
        stop = .end
        break
      }
      answer.append(token)
      seen.insert(token)
      let piece = form.shown(decoder.append(token), isFirst: text.isEmpty)
      if !piece.isEmpty { onText(piece) }
      text += piece
      logits = try tower.prefill(tower.embed(text: [token]), into: cache)
    }
    if !answer.isEmpty {
      tokensPerSecond = Double(answer.count) / max((ContinuousClock.now - begin) / .seconds(1), 1e-9)
    }
    let rest = decoder.finish()
    if !rest.isEmpty { onText(rest) }
    pending = form.endOfTurn
    return (answer, text + rest, stop)
  }

  /// The logits behind a prompt; nil where it was cancelled.
  private func read(_ tokens: [Int32], _ pictures: [PictureTiles], _ isCancelled: () -> Bool) throws
    -> Tensor?
  {
    do {
      let projected = try tower.projected(pictures.map(\.values), isCancelled: isCancelled)
      return try tower.prefill(
        tower.embed(tokens, projected: projected), into: cache, isCancelled: isCancelled)
    } catch PromptError.cancelled {
      return nil
    }
  }

  /// Log-probabilities, natural, of each token of `answer` after `turn`, in a conversation of its own.
  public func score(_ answer: String, after turn: Turn) throws -> (tokens: [Int32], logProbabilities: [Float])
  {
    let prompt = pending + form.turn(turn) + form.header(.assistant), tokens = model.tokenizer.encode(answer)
    guard !tokens.isEmpty else { throw PromptError.empty }
    let count = prompt.count + tokens.count, context = tower.configuration.text.context
    guard count <= context else { throw PromptError.answerTooLong(tokens: count, context: context) }
    let tiles = turn.pictures.map(\.values)
    let projected = tiles.isEmpty ? nil : tower.encode(.concatenated(tiles)).projected
    let hidden = tower.core.language(try tower.embed(prompt + tokens, projected: projected))
    let logits = tower.logits(hidden.sliced(prompt.count - 1..<count - 1, axis: 1))
    let losses = tokens.indices.map {
      crossEntropy(logits.sliced($0..<$0 + 1), targets: Tensor(indices: [tokens[$0]]))
    }
    return (tokens, losses.map { -$0.item() })
  }
}
