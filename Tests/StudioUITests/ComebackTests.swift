import Requests
import SessionLog
import StudioUI
import Testing

/// The mode in which a session was left comes back.
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
}
