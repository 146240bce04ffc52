import Requests
import SessionLog
import StudioUI
import Testing

/// What runs and waits when the studio or the session is left.
struct LeavingTests {
  private static func isCancelled(_ event: SessionEvent) -> Bool {
    if case .cancelled = event { true } else { false }
  }

  /// A bench on which a cat is being drawn and a dog waits.
  private static func busy() -> Bench {
    var b = Bench()
    b.send("a cat")
    b.send("a dog")
    return b
  }

  /// The ways to another session, and the effect that opens it; what is not finished is told first.
  private static func goOn(_ b: inout Bench, byList: Bool) -> Effect {
    let ask = "a drawing is not finished, 1 request in the queue; the same again ends it"
    guard byList else {
      for _ in 0..<2 {
        #expect(b.state.work.running?.isCancelling == false)
        b.send("/new")
        #expect(b.state.work.running?.isCancelling == !b.shows(ask))
      }
      return .newSession
    }
    b.act(.sessionsRead([Choice(title: "other", detail: "", value: "other")]))
    for _ in 0..<2 {
      #expect(b.state.work.running?.isCancelling == false)
      b.press(.enter)
      #expect(b.state.work.running?.isCancelling == !b.shows(ask))
    }
    return .openSession("other")
  }

  /// Nobody is asked: what waits is in the log, and what runs is kept at its next step, or left two seconds later.
  @Test func aSignalLeavesAsAPersonDoes() {
    var b = Self.busy()
    let cat = b.running
    b.act(.ended)
    #expect(!b.records.contains(where: Self.isCancelled) && b.effects.last == .cancel(cat))
    #expect(!b.effects.contains(.leave))
    b.finish("aa", partial: true)
    #expect(b.records.contains { $0.pictures == ["aa"] } && b.effects.last == .leave)
    b = Self.busy()
    b.act(.tick(1))
    b.act(.ended)
    b.act(.tick(2.9))
    #expect(!b.effects.contains(.leave))
    b.act(.tick(3))
    #expect(!b.records.contains(where: Self.isCancelled) && b.effects.last == .leave)
  }

  /// Settings that were turned a moment ago are written before anything else is.
  @Test func aSignalLeavesWithTheSettings() {
    var b = Bench()
    b.send("a cat")
    b.finish("aa")
    b.send("/steps 33")
    b.act(.ended)
    guard case .settings(let settings)? = b.records.last else {
      Issue.record("\(b.records)")
      return
    }
    #expect(settings.drawing.steps == 33 && b.effects.last == .leave)
  }

  /// What is drawn goes into the session that asked for it, before another is opened.
  @Test(arguments: [false, true]) func anotherSessionWaitsForWhatIsDrawn(byList: Bool) {
    var b = Self.busy()
    let next = Self.goOn(&b, byList: byList)
    #expect(!b.effects.contains(next) && b.records.count { Self.isCancelled($0) } == 1)
    // Meant for the next one.
    b.send("a bird")
    #expect(b.drawings.count == 1)
    b.finish("aa", partial: true)
    #expect(b.records.contains { $0.pictures == ["aa"] } && b.effects.last == next)
    b.open()
    #expect(b.state.toast?.text == "opened\n2 requests were cancelled")
    b.act(.tick(1))
    #expect(b.drawings.map(\.prompt) == ["a cat", "a bird"])
  }

  /// A step that takes long keeps nobody.
  @Test func anotherSessionWaitsForTwoSeconds() {
    var b = Self.busy()
    b.send("/new")
    b.send("/new")
    b.act(.tick(2))
    #expect(b.effects.last == .newSession)
    b.open()
    #expect(b.state.work.running == nil && b.state.work.queue.isEmpty)
  }

  /// One question for all ways out; the answer to one is none to another, nor when more was asked meanwhile.
  @Test func whatIsNotFinishedIsAskedOfEachWay() {
    var b = Self.busy()
    b.send("/new")
    b.press(.control("d"))
    #expect(b.shows("the same again ends it and leaves") && !b.state.isLeaving)
    b.act(.sessionsRead(["one", "two"].map { Choice(title: $0, detail: "", value: $0) }))
    b.press(.enter, .down, .enter)
    #expect(b.shows("the same again ends it") && b.shows("two") && b.state.work.queue.count == 1)
    b.press(.escape)
    b.send("a cow")
    b.send("/new")
    #expect(b.shows("2 requests in the queue; the same again ends it") && b.state.work.queue.count == 2)
    b.send("/new")
    #expect(b.state.work.queue.isEmpty && b.effects.last == .cancel(b.running))
    // Nothing more is lost by it.
    b.act(.sessionsRead([Choice(title: "two", detail: "", value: "two")]))
    b.press(.enter)
    b.finish("aa", partial: true)
    #expect(b.effects.last == .openSession("two"))
    // Where nothing runs, nobody is asked.
    b = Bench()
    b.send("/new")
    #expect(b.effects.last == .newSession)
  }

  /// The open session is no other one, and nothing ends for it.
  @Test func ownSessionGoesOn() {
    var b = Self.busy(), own = Choice(title: "own", detail: "", value: "own")
    own.isCurrent = true
    b.act(.sessionsRead([own]))
    b.press(.enter)
    #expect(b.effects.last == .openSession("own") && b.state.work.queue.count == 1)
    #expect(!b.records.contains(where: Self.isCancelled))
  }

  /// What is written and not sent is one Up away, whatever takes its place or ends the studio.
  @Test func whatIsWrittenIsKept() {
    var b = Bench()
    b.type("a green frog")
    b.act(.ended)
    #expect(b.effects.contains(.rememberPrompt("a green frog")) && b.effects.last == .leave)
    b = Bench()
    for text in ["a cat", "a dog"] { b.send(text) }
    b.type("half a thought")
    b.press(.control("q"), .enter)
    #expect(b.state.prompt.editor.string == "a dog" && b.effects.contains(.rememberPrompt("half a thought")))
    #expect(b.state.toast?.text == "what you were writing is one Up away")
    b.press(.up)
    #expect(b.state.prompt.editor.string == "half a thought")
    // Nothing is nothing to keep.
    b = Bench()
    b.type("  ")
    b.act(.ended)
    #expect(!b.effects.contains { if case .rememberPrompt = $0 { true } else { false } })
  }
}
