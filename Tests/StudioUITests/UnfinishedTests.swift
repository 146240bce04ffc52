import Files
import Foundation
import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What the log knows of what is asked and set, and what comes of it when the session is taken up again.
@Suite struct UnfinishedTests {
  /// The same session in another studio, as a program opens it whose predecessor was killed.
  static func reopened(_ b: Bench) -> Bench {
    let left = UnfinishedRequests(b.records.map { SessionEntry(time: 1, event: $0) })
    var again = Bench()
    again.open()
    for entry in left.entries { again.act(.session(entry.event)) }
    again.act(.leftUnfinished(left.again, model: left.model, takenBack: left.takenBack))
    again.act(.tick(9))
    again.effects = []
    return again
  }

  private static func waiting(_ b: Bench) -> [[Int]] {
    b.records.compactMap { event in
      guard case .queued(let waiting) = event else { return nil }
      return waiting.compactMap(\.request)
    }
  }

  private static func gone(_ b: Bench) -> [[Int]] {
    b.records.compactMap { if case .unqueued(let requests) = $0 { requests } else { nil } }
  }

  /// Whatever is sent is in the log at once, though it waits for the model or for what was asked before; what begins at
  /// once is not said twice, and what a person takes back waits no more.
  @Test func whatIsSentIsInTheLog() {
    var b = Bench(isReady: false)
    b.send("a cat")
    #expect(Self.waiting(b) == [[1]], "\(b.records)")
    b.act(.modelReady(name: "nano", parameters: 1, bytes: 1, canDraw: true))
    b.send("a dog")
    b.send("/sweep 1..3")
    #expect(Self.waiting(b) == [[1], [2], [3, 4, 5]] && Self.gone(b).isEmpty, "\(b.records)")
    b.finish("c0")
    #expect(b.drawings.last?.prompt == "a dog" && Self.gone(b).isEmpty)
    b.send("/undo")
    #expect(Self.gone(b) == [[3, 4, 5]])
    b.send("/redo")
    #expect(Self.waiting(b).last == [6, 7, 8])
    b.send("/stop all")
    #expect(Self.gone(b).last == [6, 7, 8])
    var c = Bench()
    c.send("a cat")
    c.finish("c0")
    #expect(Self.waiting(c).isEmpty && Self.gone(c).isEmpty)
    // Who leaves says of all that it was cancelled.
    c.send("a dog")
    c.send("a cow")
    c.press(.control("d"), .control("d"))
    #expect(Self.waiting(c) == [[3]] && Self.gone(c).isEmpty)
  }

  /// Killed in the midst of it: what was cut off and what waited is shown as that, and `/retry` asks for all of it, as it
  /// was asked.
  @Test func retryAsksForWhatWasLeft() {
    var b = Bench()
    b.send("/seed 5")
    b.send("a cat")
    b.send("/steps 7")
    b.send("a dog")
    b.press(.tab)
    b.send("what is it?")
    var again = Self.reopened(b)
    #expect(again.shows("not finished: the studio ended") && again.shows("was waiting when the studio ended"))
    #expect(again.shows("3 requests were not finished; /retry asks them again"))
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a cat"] && again.state.work.queue.count == 2)
    #expect(again.drawings[0].seed == 5 && again.drawings[0].steps == 50)
    #expect(!again.shows("/retry asks them again"))
    again.finish("c0")
    #expect(again.drawings.last?.prompt == "a dog" && again.drawings.last?.steps == 7)
    again.finish("d0")
    #expect(again.questions.last?.text == "what is it?" && again.questions.last?.pictures == ["d0"])
    again.answer("a dog")
    // From here on it is what it always was.
    again.send("/retry")
    #expect(again.questions.count == 2 && again.drawings.count == 2)
  }

  /// What is asked meanwhile changes nothing of it; what is taken back is not offered until it is brought back.
  @Test func whatWasLeftStaysUntilItIsAskedOrTakenBack() {
    var b = Bench()
    b.send("a cat")
    b.send("a dog")
    var again = Self.reopened(b)
    again.send("a hen")
    again.finish("h0")
    #expect(again.shows("2 requests were not finished; /retry asks them again, /stop all drops them"))
    again.send("/retry")
    again.finish("c0")
    again.finish("d0")
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a hen", "a cat", "a dog", "a dog"])
    again = Self.reopened(b)
    again.send("/stop all")
    #expect(!again.shows("not finished; /retry") && again.records == [.unqueued([1, 2])])
    again.send("/redo")
    #expect(again.shows("2 requests were not finished"))
    again.send("/undo")
    #expect(again.shows("1 request was not finished; /retry asks it again") && !again.shows("a dog"))
    again.send("/redo")
    #expect(again.shows("2 requests were not finished; /retry asks them again") && again.shows("a dog"))
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a cat"] && again.queued == ["a dog"])
  }

  /// A sweep goes on where it was, and is one thing to those who take it back.
  @Test func aSweepGoesOn() {
    var sweep = Bench()
    sweep.send("a cat")
    sweep.finish("c0")
    sweep.send("/sweep 1..3")
    sweep.finish("s1")
    var again = Self.reopened(sweep)
    again.send("/retry")
    again.finish("s2")
    again.finish("s3")
    #expect(again.drawings.map(\.guidanceScale) == [2, 3])
    #expect(again.state.conversation.transcript.messages.last { $0.isStrip }?.pictures == ["s1", "s2", "s3"])
    #expect(!again.shows("not finished"), "it went on")
    // It is taken back as a whole, and comes back as that.
    again = Self.reopened(sweep)
    again.send("/undo")
    #expect(!again.shows("not finished"), "\(again.rows())")
    again.send("/redo")
    #expect(again.shows("1 request was not finished; /retry"), "a sweep is one")
    again.send("/retry")
    #expect(again.drawings.map(\.guidanceScale) == [2] && again.state.work.queue.count == 1)
  }

  /// One that was cut off before its first picture, or waited as a whole, is no other one when it is asked again: once it is
  /// done, nothing says that it is not.
  @Test(arguments: [false, true]) func aSweepGoesOnFromItsBeginning(waits: Bool) {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    if waits { b.send("a dog") }
    b.send("/sweep 1..3")
    var again = Self.reopened(b)
    #expect(again.shows(waits ? "was waiting when the studio ended" : "not finished: the studio ended"))
    again.send("/retry")
    if waits { again.finish("d0") }
    for name in ["s1", "s2", "s3"] { again.finish(name) }
    #expect(again.drawings.map(\.guidanceScale).suffix(3) == [1, 2, 3])
    let strips = again.state.conversation.transcript.messages.filter(\.isStrip)
    #expect(strips.map(\.pictures) == [["s1", "s2", "s3"]])
    #expect(!again.shows("was waiting when"), "\(again.rows())")
    if !waits { #expect(!again.shows("not finished"), "\(again.rows())") }
    // So it is to those who read the log.
    let left = UnfinishedRequests(b.records.map { SessionEntry(time: 1, event: $0) })
    let log = (b.records + left.owed.map(\.event) + again.records).map { SessionEntry(time: 1, event: $0) }
    let sweep = log.compactMap(\.event.sweep).first ?? 0
    #expect(RequestOutcomes(log, whileOpen: false).label(of: sweep) == "")
    let said = log.told(whileOpen: false).compactMap { entry -> Int? in
      if case .failed(let request, _) = entry.event { request } else { nil }
    }
    #expect(!said.contains(sweep), "\(said)")
    // It is taken back as one; the dog was drawn below it.
    for _ in 0..<(waits ? 2 : 1) { again.send("/undo") }
    #expect(again.state.conversation.transcript.messages.allSatisfy { !$0.isStrip })
  }

  /// Killed again, behind a retry: all stands in the order in which it was asked, and the last is the last.
  @Test func theOrderStaysBehindASecondEnd() {
    var b = Bench()
    for prompt in ["a cat", "a dog", "a cow"] { b.send(prompt) }
    let first = b.records, owed = UnfinishedRequests(first.map { SessionEntry(time: 1, event: $0) }).owed
    var again = Self.reopened(b)
    again.send("/retry")
    var second = Bench()
    for event in first + owed.map(\.event) + again.records {
      second.effects.append(.record(event))
    }
    again = Self.reopened(second)
    let asked = again.state.conversation.transcript.messages.filter { $0.speaker == .person }.map(\.text)
    #expect(asked == ["a cat", "a dog", "a cow", "a cat", "a dog", "a cow"])
    again.send("/undo")
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a cat"] && again.queued == ["a dog"])
  }

  /// A model that was to take over does so again, before what was asked of it; that another one works now is said.
  @Test func aModelThatWaitedWaitsAgain() {
    var b = Bench()
    b.act(.session(.opened(model: "nano", modelHash: "n", program: "p")))
    b.send("a cat")
    b.send("/model tiny")
    b.press(.tab)
    b.send("what is it?")
    var again = Self.reopened(b)
    #expect(!again.shows("the model was"))
    again.send("/retry")
    #expect(again.drawings.map(\.prompt) == ["a cat"] && again.shows("next: model tiny"))
    again.finish("c0")
    #expect(again.effects.contains(.loadModel("tiny")) && again.questions.isEmpty)
    again.act(.modelReady(name: "tiny", parameters: 1, bytes: 1, canDraw: true))
    #expect(again.questions.map(\.text) == ["what is it?"])
    // It is taken back with the queue, and what is loaded waits no more.
    b.send("/stop all")
    #expect(Self.gone(b) == [[2]])
    again.effects = []
    again.act(.tick(10))
    #expect(again.records.isEmpty)
    var other = Bench()
    other.open()
    other.act(
      .leftUnfinished(
        [.asked(request: 1, text: "?", pictures: [], sampling: .init())],
        model: RecordedModel(name: "tiny", hash: "t")))
    #expect(other.shows("the model was tiny, and is nano now: /retry goes back to tiny"))
  }

  /// The order that a person gives the queue is the log's.
  @Test func theOrderOfTheQueueIsInTheLog() {
    var b = Bench()
    for prompt in ["a cat", "a dog", "a cow"] { b.send(prompt) }
    b.press(.control("q"), .down, .wordLeft)
    var again = Self.reopened(b)
    again.send("/retry")
    #expect(again.queued == ["a cow", "a dog"])
  }

  /// A replay says what was cut off, too.
  @Test func aReplaySaysSo() {
    let event = SessionEvent.asked(request: 1, text: "what?", pictures: [], sampling: .init())
    var contents = ""
    for event in [
      event, .queued([.drawingAsked(request: 2, settings: .init(prompt: "a cat"), count: 1, parent: nil)]),
    ] {
      guard let line = try? JSONText.line(SessionEntry(time: 1, event: event)) else { return }
      contents += String(decoding: line, as: UTF8.self) + "\n"
    }
    let found = SessionContents(Data(contents.utf8))
    #expect(found.played(whileOpen: true).count == 2)
    var b = Bench()
    b.act(.played(Replay(found.played(whileOpen: false), idleLimit: 0)))
    b.act(.tick(1))
    #expect(b.shows("not finished: the studio ended") && b.shows("a cat") && b.shows("was waiting"))
  }

  // MARK: Settings

  /// What was set in a session that is left is nothing of the one that is opened then: that has its own, and nothing is
  /// written into it.
  @Test func aSessionThatIsOpenedKeepsItsSettings() {
    var a = Bench()
    for text in ["/steps 30", "/cfg 9", "/seed 5", "/negative fog", "a red car"] { a.send(text) }
    a.finish("c0")
    for entries in [a.records, [.renamed("x")], []] {
      var b = Bench()
      b.send("/steps 12")
      b.send("a blue star")
      b.finish("s0")
      b.effects = []
      b.act(.sessionOpened(isReadOnly: false, "opened", isError: false, isNew: false))
      for event in entries { b.act(.session(event)) }
      b.act(.leftUnfinished([]))
      b.act(.tick(9))
      #expect(b.records.isEmpty, "\(b.records)")
      let wanted = entries == a.records ? a.state.inspector.controls : Controls()
      #expect(b.state.inspector.controls == wanted)
    }
  }

  /// The first screen says what the prompt does.
  @Test func theFirstScreenIsOfItsMode() {
    var b = Bench()
    #expect(b.shows("Type what to draw and press Return, such as") && b.shows("Tab switches to questions"))
    b.press(.tab)
    #expect(b.shows("Type a question, or draw something, such as") && b.shows("Tab switches to drawing"))
    b.press(.right)
    #expect(b.state.prompt.mode == .imagine)
  }

  /// Seed, number of pictures and mode come back with the session, whatever was asked first and last.
  @Test func seedCountAndModeComeBack() {
    var b = Bench()
    b.send("/seed 7")
    b.send("/count 3")
    b.send("a cat")
    for name in ["c0", "c1", "c2"] {
      b.happen(
        .drawn(.hash(name), ImageSettings(prompt: "a cat"), stepsDone: 50, seconds: 1, isPartial: false))
    }
    b.happen(.ended)
    var again = Self.reopened(b)
    let controls = again.state.inspector.controls
    #expect(controls.seed == 7 && controls.count == 3 && again.state.prompt.mode == .imagine, "\(controls)")
    b.press(.tab)
    b.send("what is it?")
    b.answer("a cat")
    again = Self.reopened(b)
    #expect(again.state.prompt.mode == .ask && again.state.inspector.controls == b.state.inspector.controls)
    // A model that cannot draw asks; with one that can the session draws again.
    b.press(.tab)
    b.send("a dog")
    var reader = Bench(isReady: false)
    reader.act(.modelReady(name: "reader", parameters: 1, bytes: 1, canDraw: false))
    for event in b.records { reader.act(.session(event)) }
    #expect(reader.state.prompt.mode == .ask)
    reader.act(.modelReady(name: "nano", parameters: 1, bytes: 1, canDraw: true))
    #expect(reader.state.prompt.mode == .imagine)
  }

  /// What a command sets, or a picture brings back, is written at once; the slider once it stands still.
  @Test func settingsAreWrittenAsTheyAreSet() {
    func written(_ b: Bench) -> [SessionSettings] {
      b.records.compactMap { if case .settings(let settings) = $0 { settings } else { nil } }
    }
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/steps 20")
    b.send("/cfg 7")
    #expect(written(b).map(\.steps) == [20, 20] && written(b).last?.guidanceScale == 7)
    b.act(.tick(3))
    b.finish("c1")
    b.act(.tick(6))
    let before = written(b).count
    for _ in 0..<20 { b.press(.alt(".")) }
    b.act(.tick(6.1))
    for _ in 0..<20 { b.press(.alt(".")) }
    #expect(written(b).count == before, "it still moves")
    b.act(.tick(6.4))
    #expect(written(b).count <= before + 1 && b.drawings.last?.guidanceScale == 11, "\(b.drawings)")
    b.press(.backTab, .down)
    for _ in 0..<5 { b.press(.right) }
    let steps = written(b).count
    b.act(.tick(7))
    #expect(written(b).count == steps + 1 && written(b).last?.steps == 25, "\(written(b))")
  }
}
