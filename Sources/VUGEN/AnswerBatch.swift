import ModelFiles
import Tensors

/// A question in a conversation of its own, and how it is to be answered.
public struct BatchQuestion {
  /// The question with its pictures.
  public var turn: Turn
  /// How its words are chosen.
  public var sampling: Sampling
  /// Longest answer in tokens.
  public var most: Int
  /// Of the random numbers that choose its tokens.
  public var seed: UInt64

  /// Each argument is the property of its name; an answer has room for one token at least.
  public init(_ turn: Turn, sampling: Sampling = .greedy, most: Int = 256, seed: UInt64 = 0) {
    (self.turn, self.sampling, self.most, self.seed) = (turn, sampling, max(1, min(most, 1 << 40)), seed)
  }
}

/// What became of a question in a batch.
public struct BatchAnswer: Sendable {
  /// Of the answer, without the one that ended it, and of everything before it.
  public var tokens, promptTokens: [Int32]
  /// The answer.
  public var text: String
  /// Why it ended.
  public var stop: StopReason
  /// From the moment when its pictures were taken up to its last token, while others were answered beside it.
  public var seconds: Double
  /// How fast it grew once its prompt was read, without the time in which others' prompts were; nil where it ended at
  /// its first token.
  public var tokensPerSecond: Double?
}

/// Answers many questions at once, each in a conversation of its own.
///
/// Up to `slots` answers grow together, a token each at a step, so that one pass over the weights serves all of them;
/// one that ends makes room for the next question at once, whatever the lengths of the others (Orca, OSDI 2022).
/// Questions that follow each other about the same pictures' tensors read these once.
///
/// In f32 the tokens are those of `Conversation.ask` with the same seed: each sequence's numbers are computed as they
/// would be alone. Products of bf16 round more where there are many rows, as they do in a prompt.
public final class AnswerBatch {
  /// More would gain little: from here on the products, and no longer reading the weights, take the time.
  public static let mostSlots = 32

  /// Seconds of the last run in each kind of work.
  public struct Times: Sendable {
    /// Encoding pictures.
    public var pictures = 0.0
    /// Reading prompts.
    public var prompts = 0.0
    /// Choosing and computing tokens.
    public var tokens = 0.0
  }

  /// How many answers grow together.
  public let slots: Int
  /// Of the last run.
  public private(set) var times = Times()
  private let tower: UnderstandingTower
  private let reader: PromptReader
  private var active: [AnsweringSequence] = []
  private var order = AnswerOrder()
  private var isExhausted = false

  /// Answers behind the model's own system message, unless another is given; none for an empty one.
  public init(_ model: LoadedModel, system: String? = nil, slots: Int) {
    tower = model.tower
    self.slots = min(Self.mostSlots, max(1, slots))
    reader = PromptReader(model, opening: model.template.opening(system: system))
  }

  /// Asks what `next` gives until it gives nil, and hands over the answers in the order of the questions, each as soon
  /// as those before it are there. A question that could not be made, or not be read, fails alone.
  ///
  /// `isCancelled` is looked at before every step: before tiles, parts of prompts, and tokens. Then answers that are
  /// whole are handed over, gaps left out, and the result is false.
  @discardableResult
  public func run(
    _ next: () -> Result<BatchQuestion, any Error>?, isCancelled: () -> Bool = { false },
    onAnswer: (Int, Result<BatchAnswer, any Error>) throws -> Void
  ) throws -> Bool {
    (active, order, isExhausted, times) = ([], AnswerOrder(), false, Times())
    defer {
      active = []
      reader.forgetPictures()
    }
    while !(isExhausted && active.isEmpty) {
      do {
        if isCancelled() { throw PromptError.cancelled }
        try admit(next, isCancelled)
      } catch PromptError.cancelled {
        for (index, result) in order.rest() { try onAnswer(index, result) }
        return false
      }
      if !active.isEmpty { timed(\.tokens) { step() } }
      while let (index, result) = order.next() { try onAnswer(index, result) }
    }
    return true
  }

  private func timed<R>(_ kind: WritableKeyPath<Times, Double>, _ work: () throws -> R) rethrows -> R {
    let start = ContinuousClock.now
    defer { times[keyPath: kind] += (ContinuousClock.now - start) / .seconds(1) }
    return try work()
  }

  /// Fills the free slots: draws as many questions, encodes their pictures, and reads the prompts. Those that fail, or
  /// are answered by their first token, leave their slots free until the answers so far are handed over.
  private func admit(_ next: () -> Result<BatchQuestion, any Error>?, _ isCancelled: () -> Bool) throws {
    var waiting: [WaitingPrompt] = []
    let end = order.expected + slots - active.count
    while !isExhausted, order.expected < end {
      let drawn = draw(next, until: end)
      waiting += try timed(\.pictures) { try reader.encode(drawn, isCancelled) }
      if reader.fillsAPass(waiting) {
        try start(waiting, isCancelled)
        waiting = []
      }
    }
    try start(waiting, isCancelled)
  }

  /// Questions for one pass of the encoder, none from place `end` on.
  private func draw(_ next: () -> Result<BatchQuestion, any Error>?, until end: Int) -> [DrawnQuestion] {
    var drawn: [DrawnQuestion] = []
    while order.expected < end, !reader.fillsTheEncoder(drawn) {
      guard let question = next() else {
        isExhausted = true
        break
      }
      let index = order.expect()
      do {
        let question = try question.get()
        drawn.append(try DrawnQuestion(index, question, reader.tokens(of: question.turn)))
      } catch {
        order.finish(index, .failure(error))
      }
    }
    return drawn
  }

  private func start(_ waiting: [WaitingPrompt], _ isCancelled: () -> Bool) throws {
    guard !waiting.isEmpty else { return }
    let logits = try timed(\.prompts) { try reader.read(waiting, isCancelled) }
    let sequences = waiting.map { AnsweringSequence($0) }
    active += take(sequences, logits)
  }

  /// One token for each answer.
  private func step() {
    let begin = ContinuousClock.now
    let logits = StoredWeights.decodingBatch {
      tower.logits(
        tower.core.language(
          tower.embed(text: active.map(\.last)), parts: active.map { SequencePart(cache: $0.cache, count: 1) }
        ))
    }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    for sequence in active { sequence.stepped(in: seconds) }
    active = take(active, logits)
  }

  /// Chooses each sequence's next token of its row, and returns those that go on.
  private func take(_ sequences: [AnsweringSequence], _ logits: Tensor) -> [AnsweringSequence] {
    let context = tower.configuration.text.context
    return sequences.enumerated().filter { i, sequence in
      sequence.take(logits.sliced(i..<i + 1), reader.form, context: context)
      if let answer = sequence.answer() { order.finish(sequence.index, .success(answer)) }
      return sequence.stop == nil
    }.map(\.element)
  }
}

/// An answer that grows.
private final class AnsweringSequence {
  let index: Int
  let cache: ConversationCache
  private(set) var stop: StopReason?
  private(set) var last: Int32 = 0
  private let question: BatchQuestion, promptTokens: [Int32], begin: ContinuousClock.Instant
  private var random: Philox, seen: Set<Int32>
  private var tokens: [Int32] = [], text = "", decoder: StreamingDecoder
  private var steps = 0, stepSeconds = 0.0

  init(_ prompt: WaitingPrompt) {
    (index, cache, begin) = (prompt.drawn.index, prompt.cache, prompt.drawn.begin)
    (question, promptTokens, decoder) = (prompt.drawn.question, prompt.drawn.tokens, prompt.decoder)
    random = Philox(seed: question.seed)
    seen = Set(promptTokens)
  }

  /// Chooses the next token, of logits `[1, vocabulary]`.
  func take(_ logits: Tensor, _ form: ChatTemplate, context: Int) {
    let token = question.sampling.choose(logits, seen: seen, using: &random)
    guard !form.ends(token) else {
      stop = .end
      return
    }
    tokens.append(token)
    seen.insert(token)
    text += form.shown(decoder.append(token), isFirst: text.isEmpty)
    last = token
    if tokens.count >= question.most || cache.count + 1 >= context { stop = .length }
  }

  /// A step was done for it, and for others beside it.
  func stepped(in seconds: Double) { (steps, stepSeconds) = (steps + 1, stepSeconds + seconds) }

  /// The whole answer, once it has ended.
  func answer() -> BatchAnswer? {
    guard let stop else { return nil }
    return BatchAnswer(
      tokens: tokens, promptTokens: promptTokens, text: text + decoder.finish(), stop: stop,
      seconds: (ContinuousClock.now - begin) / .seconds(1),
      tokensPerSecond: steps == 0 ? nil : Double(steps) / max(stepSeconds, 1e-9))
  }
}

/// Puts answers that end in any order back into that of their questions.
private struct AnswerOrder {
  /// Questions that have a place.
  private(set) var expected = 0
  private var handed = 0
  private var finished: [Int: Result<BatchAnswer, any Error>] = [:]

  /// The next question's place.
  mutating func expect() -> Int {
    defer { expected += 1 }
    return expected
  }

  mutating func finish(_ index: Int, _ result: Result<BatchAnswer, any Error>) { finished[index] = result }

  /// The next one, if it is there.
  mutating func next() -> (Int, Result<BatchAnswer, any Error>)? {
    guard let result = finished.removeValue(forKey: handed) else { return nil }
    defer { handed += 1 }
    return (handed, result)
  }

  /// All that are there, in order.
  mutating func rest() -> [(Int, Result<BatchAnswer, any Error>)] {
    defer { finished = [:] }
    return finished.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
