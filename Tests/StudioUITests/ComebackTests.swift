import Requests
import SessionLog
import StudioUI
import Testing

/// The mode in which a session was left, and the model that was asked in it, come back.
@Suite struct ComebackTests {
  private func mode(_ b: Bench) -> StudioMode { UnfinishedTests.reopened(b).state.prompt.mode }

  /// The mode comes back as it was left, by whatever key, whatever was asked before and began since.
  @Test func theModeComesBackAsItWasLeft() {
    func written(_ b: Bench) -> [Bool?] {
      b.records.compactMap { if case .settings(let settings) = $0 { settings.asks } else { nil } }
    }
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.press(.tab)
    b.act(.tick(0.1))
    #expect(mode(b) == .imagine && written(b).isEmpty, "it may be pressed again at once")
    b.act(.tick(1))
    #expect(mode(b) == .ask && written(b) == [true])
    b.press(.tab, .tab)
    b.act(.tick(2))
    #expect(written(b) == [true])
    // Whoever leaves at once has pressed it, too.
    b.press(.tab)
    b.act(.ended)
    #expect(mode(b) == .imagine && b.effects.last == .leave)
  }

  /// So it does where what was asked in the other mode begins later, or is dropped.
  @Test func theModeIsNotThatOfWhatWaits() {
    var b = Bench()
    b.send("a cat")
    b.press(.tab)
    b.send("what is it?")
    b.press(.tab)
    b.act(.tick(1))
    #expect(mode(b) == .imagine)
    b.finish("c0")
    b.act(.tick(2))
    b.answer("a cat")
    b.act(.tick(3))
    #expect(mode(b) == .imagine && b.questions.count == 1)
    // What waits and is taken back says nothing of it.
    b.send("a dog")
    b.press(.tab)
    b.send("what is this?")
    b.send("/undo")
    b.act(.tick(4))
    b.act(.tick(5))
    #expect(mode(b) == .ask && b.state.work.queue.isEmpty, "\(b.records)")
    // It is dropped, whatever the settings file has.
    for configured in [StudioMode.ask, .imagine] {
      b = Bench(isReady: false)
      var preferences = Preferences()
      preferences.mode = configured
      b.act(.configured(preferences))
      if configured == .ask { b.press(.tab) }
      b.send("a cat")
      b.press(.tab)
      b.act(.ended)
      #expect(b.state.prompt.mode == .ask && mode(b) == .ask, "\(b.records)")
    }
  }

  /// That of a session in which a person draws is kept for a model that does.
  @Test func theModeWaitsForAModelThatDraws() {
    var reader = Bench(isReady: false)
    reader.act(.modelReady(name: "reader", parameters: 1, bytes: 1, canDraw: false))
    reader.act(.session(.asked(request: 1, text: "?", pictures: [], sampling: .init())))
    reader.act(
      .session(
        .settings(SessionSettings(.init(prompt: ""), seed: nil, count: 1, temperature: 0, asks: false))))
    reader.act(.tick(5))
    #expect(reader.state.prompt.mode == .ask && reader.records.isEmpty, "\(reader.records)")
    reader.act(.modelReady(name: "nano", parameters: 1, bytes: 1, canDraw: true))
    #expect(reader.state.prompt.mode == .imagine)
  }

  // MARK: The model

  private let tiny = RecordedModel(name: "tiny", hash: "t")

  /// A session of the model tiny whose studio was killed.
  private static var left: Bench {
    var b = Bench()
    b.act(.session(.opened(model: "tiny", modelHash: "t", program: "p")))
    b.effects = [.record(.opened(model: "tiny", modelHash: "t", program: "p"))]
    b.send("a cat")
    b.send("a dog")
    return b
  }

  /// What was left is asked of its own model, where that is found; of the one that works only where a person says so.
  @Test func retryGoesBackToItsOwnModel() {
    var again = UnfinishedTests.reopened(Self.left)
    again.send("/retry")
    #expect(again.effects.last == .findModel(tiny) && again.requests.isEmpty && again.records.isEmpty)
    again.act(.modelFound(tiny, folder: "models/tiny"))
    #expect(again.effects.contains(.loadModel("models/tiny")) && again.requests.isEmpty)
    again.act(.modelReady(name: "tiny", parameters: 1, bytes: 1, canDraw: true, hash: "t"))
    #expect(again.drawings.map(\.prompt) == ["a cat"] && again.queued == ["a dog"])
    // The answer came twice, or too late.
    again.act(.modelFound(tiny, folder: "models/tiny"))
    #expect(again.queued == ["a dog"] && again.state.work.model != .loading)
  }

  /// It is not here: that is one line, and the one that works is asked where the person says so.
  @Test func retryAsksAnotherModelWhereItIsToldTo() {
    var again = UnfinishedTests.reopened(Self.left)
    again.send("/retry")
    again.act(.modelFound(tiny, folder: nil))
    #expect(again.shows("the model tiny is not found here; /retry again asks nano"))
    #expect(again.shows("which is not found here: /retry asks nano") && again.requests.isEmpty)
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a cat"] && !again.effects.contains(.loadModel("models/tiny")))
  }

  /// Models of one name are told apart; while one is being loaded, and when the session was taken up before, it is known which
  /// one is meant.
  @Test func itsOwnModelIsKnownByMoreThanItsName() {
    let b = Self.left
    var again = UnfinishedTests.reopened(b)
    again.act(.modelReady(name: "tiny", parameters: 1, bytes: 1, canDraw: true, hash: "u"))
    again.send("/retry")
    #expect(again.effects.last == .findModel(tiny))
    again = UnfinishedTests.reopened(b)
    again.send("/model models/tiny")
    again.send("/retry")
    #expect(!again.effects.contains(.findModel(tiny)) && again.requests.isEmpty)
    again.act(.modelReady(name: "tiny", parameters: 1, bytes: 1, canDraw: true, hash: "t"))
    #expect(again.drawings.map(\.prompt) == ["a cat"])
    // Taken up by another one without being asked again, and left once more, it is still known.
    let left = UnfinishedRequests(b.records.map { SessionEntry(time: 1, event: $0) })
    var second = Bench()
    second.effects =
      (b.records + left.owed.map(\.event)
      + [.opened(model: "nano", modelHash: "n", program: "p"), .note("x")]).map { .record($0) }
    again = UnfinishedTests.reopened(second)
    again.send("/retry")
    #expect(again.effects.last == .findModel(tiny))
  }
}
