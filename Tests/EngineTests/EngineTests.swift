import Engine
import Pictures
import Requests
import TestSupport
import Tensors
import Testing
import VUGEN

/// The model's actor: what comes of a request, and in which order.
@Suite(.serialized)
struct EngineTests {
  /// One that is loaded once: it takes longer than all that is asked of it.
  private static let engine = Task {
    let engine = StudioEngine(folder: EmbeddedModel.folder)
    _ = try await engine.load()
    return engine
  }

  private func settings(_ prompt: String = "a red apple", steps: Int = 2) -> ImageSettings {
    ImageSettings(prompt: prompt, seed: 7, steps: steps)
  }

  private func events(_ request: Request<Picture>, previewEvery: Duration? = nil) async throws
    -> [RequestEvent<Picture>]
  {
    var events: [RequestEvent<Picture>] = []
    for await event in try await Self.engine.value.run(request, previewEvery: previewEvery) {
      events.append(event)
    }
    return events
  }

  private func pictures(_ events: [RequestEvent<Picture>]) -> [Picture] {
    events.compactMap { if case .drawn(let picture, _, _, _, _) = $0 { picture } else { nil } }
  }

  /// Begins with `started`, ends with `ended`, and each comes once.
  private func isWhole(_ events: [RequestEvent<Picture>]) -> Bool {
    let ends = events.map { event in
      switch event {
      case .started: 1
      case .ended: 2
      default: 0
      }
    }
    return ends.first == 1 && ends.last == 2 && ends.count { $0 > 0 } == 2
  }

  @Test func picturesHaveFollowingSeeds() async throws {
    let events = try await events(.imagine(settings(), count: 2, parent: nil))
    #expect(isWhole(events))
    let seeds = events.compactMap { event -> UInt64? in
      if case .drawn(_, let settings, 2, _, false) = event { settings.seed } else { nil }
    }
    #expect(seeds == [7, 8])
    let steps = events.compactMap { event -> [Int]? in
      if case .step(let step, 2, let picture, nil) = event { [picture, step] } else { nil }
    }
    #expect(steps == [[0, 1], [0, 2], [1, 1], [1, 2]])
    // Again, the same bytes; by another solver or guided elsewhere, others.
    let first = try #require(pictures(events).first)
    var heun = settings(), unguided = settings()
    heun.solver = .heun
    unguided.guidanceEnd = 0
    for (other, isSame) in [(settings(), true), (heun, false), (unguided, false)] {
      let again = try await self.events(.imagine(other, count: 1, parent: nil))
      #expect((pictures(again).first?.pixels == first.pixels) == isSame, "\(other)")
    }
  }

  @Test func previewsAreAsked() async throws {
    let events = try await events(.imagine(settings(steps: 6), count: 1, parent: nil), previewEvery: .zero)
    let previews = events.count { if case .step(_, _, _, _?) = $0 { true } else { false } }
    #expect(previews > 0 && previews < 6)
  }

  @Test func aQuestionIsAnswered() async throws {
    let picture = Picture(width: 8, height: 8, rgb: [UInt8](repeating: 200, count: 192))
    let question = Question("What is this?", pictures: [picture])
    let events = try await events(.ask(question))
    #expect(isWhole(events))
    let streamed = events.compactMap { if case .token(let text) = $0 { text } else { nil } }.joined()
    let answers = events.compactMap { event -> String? in
      if case .answered(let text, _, _, false) = event { text } else { nil }
    }
    #expect(answers == [streamed])
  }

  /// Whatever is wrong, it is said, and the stream ends.
  @Test func failuresEnd() async throws {
    for wrong in [settings(" "), settings(steps: 0)] {
      let events = try await events(.imagine(wrong, count: 1, parent: nil))
      #expect(isWhole(events) && events.count { if case .failed = $0 { true } else { false } } == 1)
    }
    let empty = StudioEngine(folder: "/nowhere")
    await #expect(throws: (any Error).self) { try await empty.load() }
    var last: [RequestEvent<Picture>] = []
    for await event in empty.run(.ask(Question("?"))) { last.append(event) }
    #expect(isWhole(last) && last.count { if case .failed = $0 { true } else { false } } == 1)
  }

  /// Cancelled between two steps, what there is comes, and says so.
  @Test func cancellingKeepsWhatThereIs() async throws {
    let flag = CancellationFlag(), engine = try await Self.engine.value
    let (stream, continuation) = AsyncStream.makeStream(of: RequestEvent<Picture>.self)
    await engine.run(.imagine(settings(steps: 50), count: 3, parent: nil), cancelledBy: flag) { event in
      if case .step(3, _, _, _) = event { flag.set() }
      continuation.yield(event)
    }
    continuation.finish()
    var events: [RequestEvent<Picture>] = []
    for await event in stream { events.append(event) }
    #expect(isWhole(events))
    let partial = events.compactMap { event -> Int? in
      if case .drawn(_, _, let done, _, true) = event { done } else { nil }
    }
    #expect(partial == [3])
    if case .cancelled = events[events.count - 2] {
    } else {
      Issue.record("it does not say that it was cancelled")
    }
    // The next request is whole again.
    let after = try await self.events(.imagine(settings(), count: 1, parent: nil))
    #expect(pictures(after).count == 1)
  }

  @Test func aModelThatCannotDrawSaysWhy() async throws {
    let folder = temporaryPath()
    try await NumericActor.run { try ModelShape.tiny.write(to: folder, seed: 1) }
    let engine = StudioEngine(folder: folder)
    #expect(try await engine.load().canDraw == false)
    var last: [RequestEvent<Picture>] = []
    for await event in engine.run(.imagine(settings(), count: 1, parent: nil)) { last.append(event) }
    let reasons = last.compactMap { if case .failed(let reason) = $0 { reason } else { nil } }
    #expect(
      reasons.count == 1 && reasons[0].contains("cannot draw") && !reasons[0].contains("\n"), "\(reasons)")
  }

  /// A conversation that is longer than the model reads goes on without its oldest turns, and says so.
  @Test func aLongConversationGoesOn() async throws {
    let picture = Picture(width: 64, height: 64, red: 200, green: 30, blue: 30)
    let long = "What is this, please? " + String(repeating: "Tell me about the red thing. ", count: 30)
    var forgot = 0
    for turn in 0..<5 {
      let question = Question(long, pictures: turn == 0 ? [picture] : [])
      let events = try await events(.ask(question))
      #expect(isWhole(events) && !events.contains { if case .failed = $0 { true } else { false } }, "\(turn)")
      #expect(events.contains { if case .answered = $0 { true } else { false } })
      if events.contains(.forgotten) { forgot += 1 }
    }
    #expect((1..<5).contains(forgot), "\(forgot) times, not at each question")
  }

  /// What is looked at aside leaves the conversation alone.
  @Test func whatIsAskedAsideIsForgotten() async throws {
    let engine = try await Self.engine.value, flag = CancellationFlag()
    let picture = Picture(width: 64, height: 64, red: 200, green: 30, blue: 30)
    let first = try await events(.ask(Question("What is this?", pictures: [picture])))
    let next = try await events(.ask(Question("What colour?")))
    _ = try await events(.ask(Question("What is this?", pictures: [picture])))
    #expect(await engine.consult("Is there a cat in the picture?", about: picture, cancelledBy: flag) != nil)
    let drawn = await engine.sketch(settings(), cancelledBy: flag)
    #expect(drawn?.width == 128)
    func said(_ events: [RequestEvent<Picture>]) -> String? {
      events.lazy.compactMap { if case .answered(let text, _, _, _) = $0 { text } else { nil } }.first
    }
    #expect(said(try await events(.ask(Question("What colour?")))) == said(next) && said(first) != nil)
    flag.set()
    #expect(await engine.consult("Is there a cat?", about: picture, cancelledBy: flag) == nil)
    #expect(await engine.sketch(settings(), cancelledBy: flag) == nil)
  }
}

extension NumericActor {
  fileprivate static func run<R: Sendable>(_ work: @NumericActor () throws -> R) async rethrows -> R {
    try await work()
  }
}
