import Digests
import Foundation
import Pictures
import Requests
import Synchronization
import Tensors
import VUGEN

/// What a loaded model is.
public struct ModelFacts: Sendable, Equatable {
  /// The folder's own name.
  public var name: String
  /// Numbers in all weights.
  public var parameters: Int
  /// Bytes of its weights as they lie in its files.
  public var bytes: Int
  /// Whether it has a generation tower.
  public var canDraw: Bool
  /// Pixels of a side of what it sees.
  public var imageSize: Int
  /// Tells models apart in sessions.
  public var hash: String
}

extension ModelFacts {
  /// A model's hash without loading it: of its files' headers and sizes, enough to tell one training from another without
  /// reading gigabytes. Throws `DigestError`.
  public static func hash(of folder: String) throws -> String {
    var text = ""
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    for name in names where name.hasSuffix(".safetensors") || name.hasSuffix(".json") {
      guard let file = FileHandle(forReadingAtPath: "\(folder)/\(name)") else { continue }
      let size = (try? file.seekToEnd()) ?? 0
      text += "\(name) \(size) "
      try? file.seek(toOffset: size / 2)
      text += try Digest.sha256((try? file.read(upToCount: 65536)) ?? Data())
    }
    return String(try Digest.sha256(Array(text.utf8)).prefix(16))
  }
}

/// The model behind the studio: one actor on the numeric thread, one request at a time, each a stream of events
/// that can be cancelled between any two steps.
public actor StudioEngine {
  private let folder: String
  private var model: LoadedModel?
  private var imaginer: Imaginer?
  private var conversation: Conversation?
  /// What was said in it.
  private var turns: [Turn] = []
  /// Why the model cannot draw.
  private var drawingFailure = ""

  /// The shared numeric thread: nothing else computes beside a request.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    NumericThread.shared.asUnownedSerialExecutor()
  }

  /// Nothing is read before `load`.
  public init(folder: String) { self.folder = folder }

  /// Loads the model. Throws what is wrong with its folder.
  public func load() throws -> ModelFacts {
    let model = try LoadedModel(folder: folder)
    self.model = model
    do {
      imaginer = try Imaginer(model)
    } catch {
      drawingFailure = "\(error)"
    }
    // As `model info` and `doctor` say it: of some weights there are wider copies in memory.
    let parts = try ModelFolderReport(folder: folder).parts
    return ModelFacts(
      name: model.name, parameters: parts.reduce(0) { $0 + $1.parameters },
      bytes: parts.reduce(0) { $0 + $1.bytes },
      canDraw: imaginer != nil, imageSize: model.configuration.vision.imageSize,
      hash: try ModelFacts.hash(of: folder))
  }

  /// Forgets earlier turns.
  public func forget() { (conversation, turns) = (nil, []) }

  /// The likeliest answer to a question about a picture, aside of the conversation; nil where it was cancelled or fails.
  public func consult(_ text: String, about picture: Picture, cancelledBy flag: CancellationFlag) -> String? {
    guard let model, !flag.isSet else { return nil }
    let turn = Turn(.user, text, pictures: [model.configuration.vision.tiles(of: picture)])
    var random = Philox(seed: 0)
    let answer = try? Conversation(model).ask(turn, most: 64, using: &random, isCancelled: { flag.isSet })
    return answer.flatMap { $0.stop == .cancelled ? nil : $0.text }
  }

  /// A drawing aside of all requests; nil where it was cancelled or fails.
  public func sketch(_ settings: ImageSettings, cancelledBy flag: CancellationFlag) -> Picture? {
    guard let imaginer, !flag.isSet else { return nil }
    let result = try? imaginer.imagine(imaginer.fitted(settings).0, isCancelled: { flag.isSet }) { _ in }
    return result.flatMap { $0 }.flatMap { $0.isPartial ? nil : $0.picture }
  }

  /// Runs a request. Cancelling the task that reads the stream ends it at its next step.
  ///
  /// - Parameter previewEvery: time between two previews of a drawing; nil for none.
  public nonisolated func run(_ request: Request<Picture>, previewEvery: Duration? = nil)
    -> AsyncStream<RequestEvent<Picture>>
  {
    AsyncStream { continuation in
      let flag = CancellationFlag()
      let task = Task {
        await self.perform(request, previewEvery, flag) { continuation.yield($0) }
        continuation.finish()
      }
      continuation.onTermination = { reason in
        guard case .cancelled = reason else { return }
        flag.set()
        task.cancel()
      }
    }
  }

  /// The same with a flag of the caller's own: events go on until the request has really ended, so that what was
  /// there when it was cancelled is not lost.
  public nonisolated func run(
    _ request: Request<Picture>, previewEvery: Duration? = nil, cancelledBy flag: CancellationFlag,
    _ yield: @escaping @Sendable (RequestEvent<Picture>) -> Void
  ) async {
    await perform(request, previewEvery, flag, yield)
  }

  private func perform(
    _ request: Request<Picture>, _ previewEvery: Duration?, _ flag: CancellationFlag,
    _ yield: @Sendable (RequestEvent<Picture>) -> Void
  ) {
    yield(.started)
    defer { yield(.ended) }
    do {
      switch request {
      case .ask(let question): try ask(question, flag, yield)
      case .imagine(let settings, let count, _):
        try imagine(settings, count, previewEvery, flag, yield)
      }
    } catch {
      yield(.failed("\(error)"))
    }
  }

  private func ask(
    _ question: Question<Picture>, _ flag: CancellationFlag,
    _ yield: @Sendable (RequestEvent<Picture>) -> Void
  ) throws {
    guard let model else { throw EngineError("no model is loaded") }
    // New pictures begin a new conversation: a small model answers best about one thing at a time.
    if !question.pictures.isEmpty { forget() }
    var turn = Turn(question, for: model)
    if shorten(for: &turn, model) { yield(.forgotten) }
    let conversation = conversation ?? Conversation(model)
    self.conversation = conversation
    var random = Philox(seed: question.seed)
    let clock = ContinuousClock(), start = clock.now
    let answer = try conversation.ask(
      turn, sampling: Sampling(temperature: question.temperature), most: 256, using: &random,
      isCancelled: { flag.isSet }, onText: { yield(.token($0)) })
    if answer.stop != .cancelled || !answer.tokens.isEmpty { turns += [turn, Turn(.assistant, answer.text)] }
    yield(
      .answered(
        text: answer.text, tokens: answer.tokens.count, seconds: (clock.now - start) / .seconds(1),
        isPartial: answer.stop == .cancelled))
    if answer.stop == .cancelled { yield(.cancelled) }
  }

  /// Leaves out the oldest turns where there is no room for another; the pictures stay. False where nothing was left out.
  private func shorten(for turn: inout Turn, _ model: LoadedModel) -> Bool {
    let context = model.tower.configuration.text.context
    guard let conversation, conversation.tokensRead + conversation.tokenCount(asking: turn) >= context,
      turns.count >= 2
    else { return false }
    var rest = turns
    while rest.count >= 2 {
      let pictures = rest[0].pictures
      rest.removeFirst(2)
      if rest.isEmpty {
        turn.pictures = pictures + turn.pictures
      } else {
        rest[0].pictures = pictures + rest[0].pictures
      }
      let shorter = Conversation(model)
      shorter.recall(rest)
      (self.conversation, turns) = (shorter, rest)
      // Not again with the next question.
      if shorter.tokenCount(asking: turn) <= context * 3 / 4 { break }
    }
    return true
  }

  private func imagine(
    _ first: ImageSettings, _ count: Int, _ previewEvery: Duration?, _ flag: CancellationFlag,
    _ yield: @Sendable (RequestEvent<Picture>) -> Void
  ) throws {
    guard let imaginer else {
      throw EngineError(drawingFailure.isEmpty ? "no model is loaded" : drawingFailure)
    }
    let clock = ContinuousClock(), (fitting, cut) = imaginer.fitted(first)
    for name in cut { yield(.shortened(name, prompt: first.prompt)) }
    for i in 0..<count {
      let settings = fitting.numbered(i)
      let start = clock.now
      var lastPreview = start
      let result = try imaginer.imagine(settings, isCancelled: { flag.isSet }) { step in
        var preview: Picture?
        if let previewEvery, clock.now - lastPreview >= previewEvery, step.number < step.total {
          let before = clock.now
          preview = step.preview()
          // A preview may cost a tenth of the time at most.
          lastPreview = clock.now + (clock.now - before) * 9
        }
        yield(.step(step.number, of: step.total, picture: i, preview: preview))
      }
      if let result {
        yield(
          .drawn(
            result.picture, settings, stepsDone: result.stepsDone, seconds: (clock.now - start) / .seconds(1),
            isPartial: result.isPartial))
      }
      if flag.isSet { return yield(.cancelled) }
    }
  }
}

/// Set once, from any thread.
public final class CancellationFlag: Sendable {
  private let state = Mutex(false)

  /// Not set.
  public init() {}
  /// Ends the work at its next step.
  public func set() { state.withLock { $0 = true } }
  /// Whether the work is to end.
  public var isSet: Bool { state.withLock { $0 } }
}

/// What the engine cannot do, in one line.
public struct EngineError: Error, CustomStringConvertible, Equatable {
  /// What cannot be done and why, in one line.
  public let description: String

  init(_ description: String) { self.description = description }
}
