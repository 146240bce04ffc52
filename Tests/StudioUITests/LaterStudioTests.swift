import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What one studio leaves, takes back or asks, and the next one knows of it.
@Suite struct LaterStudioTests {
  private static func entries(_ b: Bench) -> [SessionEntry] {
    b.records.map { SessionEntry(time: 1, event: $0) }
  }

  /// The log as it is once the next studio has taken the session up, too.
  private static func both(_ b: Bench, _ again: Bench) -> [SessionEntry] {
    let owed = UnfinishedRequests(entries(b)).owed
    return entries(b) + owed + entries(again)
  }

  /// Leaves as a person does who asks twice, or by a signal; what is drawn comes at its next step.
  private static func leave(_ b: inout Bench, bySignal: Bool) {
    if bySignal { b.act(.ended) } else { b.press(.control("d"), .control("d")) }
  }

  /// A sweep that a signal or a second Ctrl-D ends stays unfinished, as one that is killed, and `/retry` asks all of it.
  @Test(arguments: [false, true], [false, true]) func aSweepThatIsLeftStaysUnfinished(
    bySignal: Bool, isPartial: Bool
  ) {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/sweep 1..4")
    b.finish("s1")
    Self.leave(&b, bySignal: bySignal)
    if isPartial { b.finish("s2", partial: true) } else { b.act(.tick(b.state.now + 2)) }
    #expect(b.effects.last == .leave, "\(b.effects.suffix(3))")
    let found = UnfinishedRequests(Self.entries(b))
    #expect(found.promptsLeft == 1 && found.missingPictures.values.reduce(0, +) == 3, "\(found.again)")
    #expect(!b.records.contains { if case .cancelled = $0 { true } else { false } })
    if isPartial { #expect(b.records.contains { $0.pictures == ["s2"] }) }
    var again = UnfinishedTests.reopened(b)
    #expect(again.shows("1 request was not finished; /retry asks it again"), "\(again.rows())")
    again.send("/retry")
    for name in ["s3", "s4", "s5"] { again.finish(name) }
    #expect(again.drawings.map(\.guidanceScale) == [2, 3, 4])
    #expect(UnfinishedRequests(Self.both(b, again)).promptsLeft == 0)
  }

  /// So it is of a grid, of what waits, of a question, and of a request that waits for its model.
  @Test(arguments: [false, true]) func allThatIsLeftStaysUnfinished(bySignal: Bool) {
    var b = Bench()
    b.send("/count 4")
    b.send("a cat")
    b.happen(.drawn("c0", b.drawings[0], stepsDone: 50, seconds: 1, isPartial: false))
    b.send("a dog")
    let seed = b.drawings[0].seed
    Self.leave(&b, bySignal: bySignal)
    b.finish("c1", partial: true)
    #expect(b.effects.last == .leave)
    var again = UnfinishedTests.reopened(b)
    again.send("/retry")
    guard case .imagine(let settings, let count, _) = again.requests.last else {
      Issue.record("\(b.effects.suffix(3))")
      return
    }
    #expect(count == 3 && settings.seed == seed + 1 && again.queued == ["a dog"])
    let label = RequestOutcomes(Self.entries(b), whileOpen: false).label(of: 1)
    #expect(label == " (1 of 4 pictures)")
    var asked = Bench()
    asked.press(.tab)
    asked.send("what is it?")
    Self.leave(&asked, bySignal: bySignal)
    asked.happen(.answered(text: "a", tokens: 1, seconds: 1, isPartial: true))
    asked.happen(.cancelled)
    asked.happen(.ended)
    again = UnfinishedTests.reopened(asked)
    again.send("/retry")
    #expect(again.questions.map(\.text) == ["what is it?"])
    var early = Bench(isReady: false)
    early.send("a cow")
    Self.leave(&early, bySignal: bySignal)
    #expect(early.effects.last == .leave && UnfinishedRequests(Self.entries(early)).promptsLeft == 1)
  }

  /// What a person had stopped before is over.
  @Test func whatWasStoppedIsNotLeft() {
    var b = Bench()
    b.send("a cat")
    b.press(.escape)
    b.act(.ended)
    b.finish("c0", partial: true)
    #expect(b.effects.last == .leave && UnfinishedRequests(Self.entries(b)).again.isEmpty)
  }

  /// What was taken out of the queue is asked again by `/redo` in the next studio, however this one ended; once.
  @Test(arguments: [0, 1, 2]) func redoPutsBackWhatWasTakenOut(end: Int) {
    var b = Bench()
    b.send("a cat")
    b.send("a dog")
    b.send("/sweep 1..3")
    b.send("/undo")
    b.send("/undo")
    if end > 0 { Self.leave(&b, bySignal: end == 1) }
    if end > 0 { b.finish("c0", partial: true) }
    var again = UnfinishedTests.reopened(b)
    again.send("/redo")
    again.finish("d0")
    again.send("/redo")
    for name in ["s1", "s2", "s3"] { again.finish(name) }
    #expect(again.drawings.map(\.prompt).first == "a dog" && again.drawings.count == 4, "\(again.drawings)")
    #expect(again.drawings.dropFirst().map(\.guidanceScale) == [1, 2, 3])
    again.send("/redo")
    #expect(again.state.toast?.text == "there is nothing to bring back")
    var second = Bench()
    second.effects = Self.both(b, again).map { .record($0.event) }
    var third = UnfinishedTests.reopened(second)
    third.send("/redo")
    #expect(third.state.toast?.text == "there is nothing to bring back" && third.drawings.isEmpty)
  }

  /// What went together comes back together, and what was done anew is not brought back once more.
  @Test func whatWentTogetherComesBackTogether() {
    var b = Bench()
    for prompt in ["a cat", "a dog", "a cow"] { b.send(prompt) }
    b.send("/stop after")
    var again = UnfinishedTests.reopened(b)
    again.send("/redo")
    #expect(again.drawings.map(\.prompt) == ["a dog"] && again.queued == ["a cow"])
    b = Bench()
    b.send("a cat")
    b.send("/undo")
    b.happen(.cancelled)
    b.happen(.ended)
    b.send("/redo")
    b.finish("c0")
    again = UnfinishedTests.reopened(b)
    again.send("/redo")
    #expect(again.drawings.isEmpty, "\(again.drawings)")
  }

  /// What was unfinished, taken back, and brought back in a still later studio is unfinished again.
  @Test func whatIsBroughtBackIsAskedAgain() {
    var b = Bench()
    b.send("a cat")
    var second = UnfinishedTests.reopened(b)
    second.send("/undo")
    let log = Self.both(b, second)
    #expect(UnfinishedRequests(log).promptsLeft == 0)
    var whole = Bench()
    whole.effects = log.map { .record($0.event) }
    var third = UnfinishedTests.reopened(whole)
    #expect(!third.shows("was not finished; /retry"))
    third.send("/redo")
    #expect(third.shows("1 request was not finished; /retry asks it again"), "\(third.rows())")
    let after = Self.both(whole, third)
    #expect(UnfinishedRequests(after).promptsLeft == 1)
    third.send("/retry")
    #expect(third.drawings.map(\.prompt) == ["a cat"])
    // So a log says by itself that has no more than the two.
    let bare = log + [SessionEntry(time: 1, event: .redone(request: 1))]
    #expect(UnfinishedRequests(bare).promptsLeft == 1)
  }

  /// What was asked last is asked again as it was: a sweep at its scales, a grid with its pictures; in a later studio, too.
  @Test(arguments: [false, true]) func retryAsksAsItWas(isLater: Bool) {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/sweep 1..3")
    for name in ["s1", "s2", "s3"] { b.finish(name) }
    if isLater { b = UnfinishedTests.reopened(b) }
    b.effects = []
    b.send("/retry")
    for name in ["t1", "t2", "t3"] { b.finish(name) }
    #expect(b.drawings.map(\.guidanceScale) == [1, 2, 3], "\(b.drawings)")
    #expect(b.state.conversation.transcript.messages.last { $0.isStrip }?.pictures == ["t1", "t2", "t3"])
    b.send("/grid 3")
    for name in ["g1", "g2", "g3"] {
      b.happen(.drawn(.hash(name), .init(prompt: "a cat"), stepsDone: 50, seconds: 1, isPartial: false))
    }
    b.happen(.ended)
    if isLater { b = UnfinishedTests.reopened(b) }
    b.effects = []
    b.send("/retry")
    guard case .imagine(_, let count, _) = b.requests.first else {
      Issue.record("\(b.effects.suffix(3))")
      return
    }
    #expect(count == 3)
  }

  /// The question stands for ten seconds, and so long the same again is its answer, though a sweep goes on meanwhile;
  /// anything else that is done takes it back.
  @Test func leavingIsAskedAsLongAsItIsRead() {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/sweep 1..4")
    b.send("/quit")
    #expect(b.shows("the same again ends it and leaves"))
    b.finish("s1")
    b.act(.tick(9.5))
    #expect(b.shows("the same again ends it and leaves"), "\(b.rows())")
    b.type("/quit")
    #expect(b.shows("the same again ends it and leaves") && !b.state.isLeaving)
    b.press(.enter)
    #expect(b.state.isLeaving)
    for isLate in [false, true] {
      b = Bench()
      b.send("a cat")
      b.press(.control("d"))
      if isLate { b.act(.tick(10.5)) } else { b.press(.pageUp) }
      #expect(!b.shows("the same again"))
      b.press(.control("d"))
      #expect(!b.state.isLeaving && b.shows("the same again ends it and leaves"))
      b.press(.control("d"))
      #expect(b.state.isLeaving)
    }
  }
}
