import ModelFiles
import Tensors

/// A question that has a place in a batch.
struct DrawnQuestion {
  let index: Int
  let question: BatchQuestion
  /// Its whole prompt.
  let tokens: [Int32]
  let begin = ContinuousClock.now

  init(_ index: Int, _ question: BatchQuestion, _ tokens: [Int32]) {
    (self.index, self.question, self.tokens) = (index, question, tokens)
  }

  /// Whether it is about the very tensors that `pictures` are.
  func isAbout(_ pictures: [PictureTiles]) -> Bool {
    let own = question.turn.pictures
    return own.count == pictures.count && zip(own, pictures).allSatisfy { $0.isSame(as: $1) }
  }
}

/// A question whose pictures are encoded: what its cache does not hold yet is still to be read.
struct WaitingPrompt {
  let drawn: DrawnQuestion
  let cache: ConversationCache
  /// Of the tokens that are still to be read, `[1, tokens, width]`.
  let embeddings: Tensor
  let decoder: StreamingDecoder

  var rows: Int { embeddings.size(1) }
}

/// Reads the prompts of a batch: pictures several at a time, what prompts begin with once, and the rest of several
/// prompts in one pass.
final class PromptReader {
  private let tower: UnderstandingTower
  let form: ChatTemplate
  private let opening: [Int32]
  /// What every prompt begins with, once it is read: the opening and the header of the question.
  private var beginning: ConversationCache?
  /// The pictures of the last question, and the prompt up to their end where several questions share it.
  private var last: (pictures: [PictureTiles], projected: Tensor, cache: ConversationCache?)?

  /// Rows of a part of a prompt, as everywhere; rows of a pass over several prompts; patches of one of the encoder.
  static let partRows = 512, passRows = 640, encoderPatches = 1024
  /// A beginning that is shorter is read again with each prompt.
  private static let shortestBeginning = 16

  init(_ model: LoadedModel, opening: [Int32]) {
    (tower, form, self.opening) = (model.tower, model.template, opening)
  }

  func forgetPictures() { last = nil }

  /// A question's prompt. Throws `PromptError.questionTooLong`.
  func tokens(of turn: Turn) throws -> [Int32] {
    let tokens = opening + form.turn(turn) + form.header(.assistant),
      context = tower.configuration.text.context
    guard tokens.count < context else {
      throw PromptError.questionTooLong(tokens: tokens.count, context: context)
    }
    return tokens
  }

  /// Whether the encoder is busy enough with these.
  func fillsTheEncoder(_ drawn: [DrawnQuestion]) -> Bool {
    var tiles = 0, before: [PictureTiles] = []
    for one in drawn where !one.isAbout(before) {
      before = one.question.turn.pictures
      tiles += before.reduce(0) { $0 + $1.count }
    }
    return tiles >= tilesAtOnce
  }

  func fillsAPass(_ waiting: [WaitingPrompt]) -> Bool {
    waiting.reduce(0) { $0 + $1.rows } >= (tower.precision.multipliesBF16 ? Self.passRows : 1)
  }

  private var tilesAtOnce: Int {
    let grid = tower.configuration.vision.grid
    return max(1, Self.encoderPatches / max(1, grid * grid))
  }

  // MARK: - Pictures

  /// The questions with their pictures encoded, and their caches as far as they share one with others.
  func encode(_ drawn: [DrawnQuestion], _ isCancelled: () -> Bool) throws -> [WaitingPrompt] {
    var runs: [[DrawnQuestion]] = []
    for one in drawn {
      if let first = runs.last?.first, one.isAbout(first.question.turn.pictures) {
        runs[runs.count - 1].append(one)
      } else {
        runs.append([one])
      }
    }
    var lists = runs.map { $0[0].question.turn.pictures }
    if let last, let first = runs.first?.first, first.isAbout(last.pictures) { lists[0] = [] }
    let projected = try self.projected(lists, isCancelled)
    return try zip(runs, projected).flatMap { run, projected in
      try waiting(run, projected, isCancelled)
    }
  }

  /// Each list of tiles as tokens of the language model, `[tokens, width]`; nil for an empty one.
  private func projected(_ lists: [[PictureTiles]], _ isCancelled: () -> Bool) throws -> [Tensor?] {
    let all = lists.flatMap { $0.map(\.values) }, count = all.reduce(0) { $0 + $1.size(0) }
    guard count > 0 else { return lists.map { _ in nil } }
    let tiles = Tensor.concatenated(all)
    var parts: [Tensor] = []
    for start in stride(from: 0, to: count, by: tilesAtOnce) {
      if isCancelled() { throw PromptError.cancelled }
      parts.append(tower.encode(tiles.sliced(start..<min(count, start + tilesAtOnce))).projected)
    }
    let rows = Tensor.concatenated(parts)
    var at = 0
    return lists.map { list in
      let own = list.reduce(0) { $0 + $1.count }
      defer { at += own }
      return own == 0 ? nil : rows.sliced(at..<at + own)
    }
  }

  /// Questions about the same pictures: one alone reads all of its prompt, several what follows the pictures.
  private func waiting(_ run: [DrawnQuestion], _ projected: Tensor?, _ isCancelled: () -> Bool) throws
    -> [WaitingPrompt]
  {
    let isKnown = last.map { run[0].isAbout($0.pictures) } ?? false
    if let projected { last = (run[0].question.turn.pictures, projected, nil) }
    guard let last, run.count > 1 || isKnown, run[0].isAbout(last.pictures) else {
      let shared = try sharedBeginning(isCancelled)
      return try run.map { try waiting($0, behind: shared, projected) }
    }
    let shared = try last.cache ?? read(pictures: run[0], last.projected, isCancelled)
    self.last?.cache = shared
    return try run.map { try waiting($0, behind: shared, nil) }
  }

  private func waiting(_ drawn: DrawnQuestion, behind shared: ConversationCache?, _ projected: Tensor?) throws
    -> WaitingPrompt
  {
    let most = min(drawn.tokens.count + drawn.question.most, tower.configuration.text.context)
    let cache = shared?.copied(reserving: most) ?? tower.makeCache(reserving: most)
    let rest = Array(drawn.tokens[cache.count...])
    return WaitingPrompt(
      drawn: drawn, cache: cache, embeddings: try tower.embed(rest, projected: projected),
      decoder: StreamingDecoder(form.tokenizer))
  }

  // MARK: - Beginnings

  private func sharedBeginning(_ isCancelled: () -> Bool) throws -> ConversationCache? {
    if let beginning { return beginning }
    let tokens = opening + form.header(.user)
    guard tokens.count >= Self.shortestBeginning else { return nil }
    let cache = tower.makeCache(reserving: tokens.count)
    try read(tower.embed(text: tokens), into: cache, isCancelled)
    beginning = cache
    return cache
  }

  /// The prompt up to the end of its pictures.
  private func read(pictures drawn: DrawnQuestion, _ projected: Tensor, _ isCancelled: () -> Bool) throws
    -> ConversationCache
  {
    let tokens = opening + form.pictures(of: drawn.question.turn)
    let cache =
      try sharedBeginning(isCancelled)?.copied(reserving: tokens.count)
      ?? tower.makeCache(reserving: tokens.count)
    try read(tower.embed(Array(tokens[cache.count...]), projected: projected), into: cache, isCancelled)
    return cache
  }

  private func read(_ embeddings: Tensor, into cache: ConversationCache, _ isCancelled: () -> Bool) throws {
    let count = embeddings.size(1)
    for start in stride(from: 0, to: count, by: Self.partRows) {
      if isCancelled() { throw PromptError.cancelled }
      let rows = start..<min(count, start + Self.partRows)
      _ = tower.core.language(embeddings.sliced(rows, axis: 1), cache: cache)
    }
  }

  // MARK: - The rest of prompts

  /// Rows of one prompt in a pass.
  private struct Part {
    let prompt: Int
    let rows: Range<Int>
  }

  /// Reads what is left of the prompts; returns the logits of each one's last token, f32 `[prompts, vocabulary]`.
  func read(_ prompts: [WaitingPrompt], _ isCancelled: () -> Bool) throws -> Tensor {
    var ends: [Tensor] = []
    for pass in passes(prompts) {
      if isCancelled() { throw PromptError.cancelled }
      let hidden = tower.core.language(
        .concatenated(pass.map { prompts[$0.prompt].embeddings.sliced($0.rows, axis: 1) }, axis: 1),
        parts: pass.map { SequencePart(cache: prompts[$0.prompt].cache, count: $0.rows.count) })
      var at = 0
      for part in pass {
        at += part.rows.count
        if part.rows.upperBound == prompts[part.prompt].rows {
          ends.append(hidden.sliced(at - 1..<at, axis: 1))
        }
      }
    }
    return StoredWeights.decodingBatch { tower.logits(.concatenated(ends, axis: 1)) }
  }

  /// Prompts in parts, and as many parts together as a pass takes; in f32 each by itself, as it would be read alone.
  private func passes(_ prompts: [WaitingPrompt]) -> [[Part]] {
    let most = tower.precision.multipliesBF16 ? Self.passRows : 0
    var passes: [[Part]] = [], rows = 0
    for (i, prompt) in prompts.enumerated() {
      for start in stride(from: 0, to: prompt.rows, by: Self.partRows) {
        let part = Part(prompt: i, rows: start..<min(prompt.rows, start + Self.partRows))
        // A part must find the one before it in the cache.
        if start == 0, !passes.isEmpty, rows + part.rows.count <= most {
          passes[passes.count - 1].append(part)
          rows += part.rows.count
        } else {
          passes.append([part])
          rows = part.rows.count
        }
      }
    }
    return passes
  }
}

extension UnderstandingTower {
  func makeCache(reserving tokens: Int) -> ConversationCache {
    ConversationCache(layers: configuration.text.layers, reserving: tokens)
  }
}
