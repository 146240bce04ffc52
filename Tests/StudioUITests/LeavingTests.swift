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

  /// The ways to another session, and the effect that opens it.
  private static func goOn(_ b: inout Bench, byList: Bool) -> Effect {
    guard byList else {
      b.send("/new")
      return .newSession
    }
    b.act(.sessionsRead([Choice(title: "other", detail: "", value: "other")]))
    b.press(.enter)
    return .openSession("other")
  }

  /// Nobody is asked: what waits is written at once, what runs at its next step or two seconds later.
  @Test func aSignalLeavesAsAPersonDoes() {
    var b = Self.busy()
    let cat = b.running
    b.act(.ended)
    #expect(b.records.count { Self.isCancelled($0) } == 1 && b.effects.last == .cancel(cat))
    #expect(!b.effects.contains(.leave))
    b.finish("aa", partial: true)
    #expect(b.records.contains { $0.pictures == ["aa"] } && b.effects.last == .leave)
    b = Self.busy()
    b.act(.tick(1))
    b.act(.ended)
    b.act(.tick(2.9))
    #expect(!b.effects.contains(.leave))
    b.act(.tick(3))
    #expect(b.records.count { Self.isCancelled($0) } == 2 && b.effects.last == .leave)
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
    b.act(.tick(2))
    #expect(b.effects.last == .newSession)
    b.open()
    #expect(b.state.work.running == nil && b.state.work.queue.isEmpty)
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
}
