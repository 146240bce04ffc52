import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// Doing what is meant: mentions, what waits, what is taken back, what a question is about.
@Suite struct MeaningTests {
  private static func mentions(_ text: String) -> Mentions? {
    var b = Bench()
    b.press(.tab)
    b.send(text)
    return b.effects.lazy.compactMap { if case .attachMentioned(let found) = $0 { found } else { nil } }.last
  }

  @Test func pathsAreFoundAnywhereInASentence() {
    for (text, paths) in [
      ("what is in @cat.png?", ["cat.png"]), ("@a.png @b.png compare", ["a.png", "b.png"]),
      (#"look at @'my cat.png', please"#, ["my cat.png"]), (#"@"it's.png""#, ["it's.png"]),
      (#"@my\ cat.png what?"#, ["my cat.png"]), (#"@'it'\''s.png' what?"#, ["it's.png"]),
      ("meet me @home", ["home"]), ("(@dir/x.webp)!", ["dir/x.webp"]),
    ] {
      #expect(Self.mentions(text)?.words.map(\.path) ?? [] == paths, "\(text)")
    }
    #expect(Self.mentions("mail me@home.png") == nil)
  }

  /// Words that are no files stay in the text; files leave a sentence that can be read.
  @Test func aMentionLeavesASentence() throws {
    for (text, files, question) in [
      ("what is in @cat.png?", [0], "what is in the picture?"),
      ("@cat.png what is this?", [0], "what is this?"),
      ("is @a.png like @b.png?", [0, 1], "is picture 1 like picture 2?"),
      ("a cat @home", [], "a cat @home"), ("a cat @home @x.png", [1], "a cat @home the picture"),
    ] {
      let mentions = try #require(Self.mentions(text))
      var b = Bench()
      if files.isEmpty { b.press(.tab) }
      let found = files.map { ($0, Attachment(picture: .hash("p\($0)"), name: "p")) }
      b.act(.mentionsFound(mentions, Dictionary(uniqueKeysWithValues: found)))
      #expect(b.questions.last?.text == question, "\(text): \(b.questions)")
      #expect(b.questions.last?.pictures == files.map { .hash("p\($0)") }, "\(text)")
    }
    // Without a question the files are attached alone.
    let both = try #require(Self.mentions("@a.png @b.png"))
    var b = Bench()
    b.act(
      .mentionsFound(both, [0: .init(picture: "p0", name: "a.png"), 1: .init(picture: "p1", name: "b.png")]))
    #expect(b.state.prompt.attachments.count == 2 && b.questions.isEmpty && b.state.prompt.mode == .ask)
  }

  @Test func pathsWithBlanksAreCompleted() {
    var b = Bench()
    b.type(#"see @my\ c"#)
    b.press(.tab)
    #expect(b.effects.last == .completePath("my c"))
    b.act(.pathCompleted(typed: "my c", path: "my cat's.png", names: ["my cat's.png"]))
    #expect(b.state.prompt.editor.string == #"see @my\ cat\'s.png"#)
    for command in ["/image", "/caption", "/save", "/model"] {
      var b = Bench()
      b.type("\(command) my c")
      b.press(.tab)
      #expect(b.effects.last == .completePath("my c"))
      b.act(.pathCompleted(typed: "my c", path: "my cat.png", names: ["my cat.png"]))
      #expect(b.state.prompt.editor.string == "\(command) my cat.png")
    }
    b = Bench()
    b.type("/export h")
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "/export html")
    b.press(.control("u"))
    b.send(#"/image 'a b.png' c.jpg"#)
    #expect(b.effects.suffix(2) == [.attach(path: "a b.png"), .attach(path: "c.jpg")])
  }

  @Test func whatWaitsIsSeenAndEdited() {
    var b = Bench()
    for text in ["a cat", "a dog", "a cow", "a hen", "a fox"] { b.send(text) }
    b.send("/sweep 1..3")
    #expect(b.shows("next: a dog") && b.shows("and 2 more") && b.shows("5 in the queue"))
    b.press(.control("q"))
    #expect(b.shows("Queue: the first line is next") && b.shows("sweep of a fox, 3 pictures"))
    b.press(.delete)
    #expect(b.state.work.queue.count == 6 && !b.shows("a dog  "))
    b.press(.down, .wordLeft, .escape)
    #expect(b.shows("next: a hen"))
    b.press(.control("q"))
    b.press(.enter)
    #expect(b.state.overlays.top == nil && b.state.prompt.editor.string == "a hen")
    b.press(.control("u"))
    b.send("/redo")
    b.send("/redo")
    #expect(b.state.work.queue.count == 7)
    b.send("/stop after")
    #expect(b.state.work.queue.isEmpty && b.running == 1)
  }

  /// One that begins is in the list no more. The list stays behind the last: whoever means to close it stops nothing.
  @Test func theListOfTheQueueStays() {
    var b = Bench()
    for text in ["a cat", "a dog", "a hen"] { b.send(text) }
    b.press(.control("q"))
    for _ in 0..<2 { b.finish("x\(b.drawings.count)") }
    #expect(b.state.work.queue.isEmpty && b.running > 0 && b.shows("nothing here"))
    b.press(.enter, .delete, .escape)
    #expect(b.state.overlays.top == nil && b.state.work.running?.isCancelling == false)
    b.press(.control("q"))
    #expect(b.state.toast?.text == "the queue is empty")
  }

  @Test(arguments: [Key.control("c"), .escape]) func oneKeyStopsEverything(_ key: Key) {
    var b = Bench()
    for text in ["a cat", "a dog", "/sweep 1..5"] { b.send(text) }
    b.press(key)
    #expect(b.state.work.running?.isCancelling == true && !b.state.work.queue.isEmpty && b.shows("stop all"))
    // The next one has begun already, a moment later.
    b.act(.tick(0.3))
    b.finish("c0", partial: true)
    #expect(b.drawings.last?.prompt == "a dog")
    b.press(key)
    #expect(b.state.work.queue.isEmpty && b.state.work.running?.isCancelling == true)
    b.finish("c1", partial: true)
    #expect(b.running == 0 && b.state.toast?.text.contains("stopped everything") == true)
    // Later it is one again.
    b.send("/redo")
    b.act(.tick(5))
    b.send("a hen")
    b.press(key)
    #expect(b.running > 0 && b.state.work.queue.count == 1)
  }

  @Test func undoCancelsWhatItUndoesAndRedoBringsItBack() {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("a dog")
    b.send("a cow")
    b.send("/undo")
    #expect(b.state.work.queue.isEmpty && b.running == 2, "what waits goes first")
    b.send("/undo")
    #expect(b.effects.contains(.cancel(2)) && !b.shows("a dog"))
    b.happen(.drawn("d0", ImageSettings(prompt: "a dog"), stepsDone: 3, seconds: 1, isPartial: true))
    b.happen(.cancelled)
    b.happen(.ended)
    #expect(!b.shows("cancelled") && b.state.conversation.transcript.gallery == ["c0"])
    b.send("/undo")
    #expect(
      b.state.conversation.transcript.gallery.isEmpty && b.state.conversation.transcript.messages.isEmpty)
    b.send("/redo")
    #expect(b.state.conversation.transcript.gallery == ["c0"] && b.shows("a cat"))
    b.send("/redo")
    #expect(b.shows("a dog") && b.drawings.last?.prompt == "a dog", "what was cut off is drawn anew")
    b.send("/redo")
    #expect(b.queued == ["a cow"], "what waited waits again")
    b.finish("d1")
    b.finish("c1")
    b.send("/redo")
    #expect(b.state.toast?.text == "there is nothing to bring back")
    // A sweep goes and comes as a whole.
    b.send("/sweep 1..3")
    for name in ["s1", "s2", "s3"] { b.finish(name) }
    b.send("/undo")
    #expect(b.state.conversation.transcript.gallery == ["c0", "d1", "c1"])
    b.send("/redo")
    for _ in 0..<2 { b.send("/redo") }
    #expect(b.state.conversation.transcript.gallery == ["c0", "d1", "c1", "s1", "s2", "s3"])
  }

  @Test func aQuestionIsAboutTheNewestPicture() {
    var b = Bench(Size(120, 70))
    for name in ["c0", "c1"] {
      b.send("a \(name)")
      b.finish(name)
    }
    b.press(.tab)
    #expect(b.shows("[about] a c1"))
    b.send("what is it?")
    b.answer("a cat")
    b.send("what colour?")
    b.answer("red")
    #expect(
      b.questions.map(\.pictures) == [["c1"], []], "the conversation goes on: the picture is not sent again")
    b.press(.alt("p"))
    #expect(b.shows("[about] a c0"))
    b.send("and this?")
    b.answer("a dog")
    #expect(b.questions.last?.pictures == ["c0"] && b.shows("[about] a c0"))
    // It is small where it was shown before.
    let rects = view(b.state, LayoutCache()).placements.filter { $0.picture == "c0" }.map(\.whole.height)
    #expect(rects.max().map { $0 > 5 } == true && rects.contains { $0 <= 3 }, "\(rects)")
    // What is being drawn is meant as soon as it is there.
    b.press(.tab)
    b.send("a hen")
    b.press(.tab)
    #expect(b.shows("[about] what is being drawn"))
    b.send("is it a hen?")
    b.finish("c2")
    #expect(b.questions.last?.pictures == ["c2"])
    b.answer("yes")
    b.press(.alt("p"), .alt("p"), .alt("p"))
    #expect(b.shows("[about] a hen"), "behind the oldest comes the newest")
    // Another conversation knows nothing of it.
    b.open()
    b.act(.session(.asked(request: 1, text: "x", pictures: ["c9"], sampling: .init())))
    b.send("again?")
    #expect(b.questions.last?.pictures == ["c9"])
  }

  @Test func modelsAreChosenFromAList() {
    var b = Bench()
    b.send("/model")
    #expect(b.effects.last == .readModels)
    b.act(
      .modelsRead([
        Choice(title: "nano", detail: "built-in", value: "nano"),
        Choice(title: "plm", detail: "data folder", value: "/data/plm"),
      ]))
    b.press(.down, .enter)
    #expect(b.effects.last == .loadModel("/data/plm") && b.state.overlays.top == nil)
  }

  @Test func theHistorysSearchWalksOn() {
    var b = Bench()
    b.act(.historyRead(["an apple", "a pear", "a red apple", "a red apple", "a plum"]))
    b.press(.control("r"), .character("a"), .character("p"), .character("p"))
    #expect(b.shows("a red apple"))
    b.press(.control("r"))
    #expect(b.shows("an apple"))
    b.press(.control("r"))
    #expect(b.state.toast?.text == "no older prompt fits")
    b.press(.control("s"))
    #expect(b.shows("a red apple"))
    b.press(.enter)
    #expect(b.state.prompt.editor.string == "a red apple")
    b.press(.up)
    #expect(b.state.prompt.editor.string == "a pear", "Up goes on from there")
  }

  @Test func scrollingStopsAtTheEnds() {
    var b = Bench(Size(80, 24))
    for i in 0..<40 { b.act(.session(.note("note \(i)"))) }
    for _ in 0..<50 { b.press(.pageUp) }
    #expect(b.rows()[0].contains("note 0 "))
    b.act(.key(.mouse(.init(.wheelDown, 3, 3))))
    #expect(!b.rows()[0].contains("note 0 "), "one turn back is seen at once")
    let place = b.rows()[3]
    // What comes below does not move what is read.
    b.act(.session(.note("new")))
    #expect(b.rows()[3] == place && b.shows("messages below"))
    for _ in 0..<50 { b.press(.pageDown) }
    b.press(.pageUp)
    #expect(!b.shows("new "))
    b.press(.escape)
    #expect(b.shows("new ") && b.state.conversation.scroll == nil)
  }

  @Test func escapeClosesTheListOfCommandsFirst() {
    var b = Bench()
    b.send("a cat")
    b.type("/s")
    b.press(.escape)
    #expect(
      b.state.work.running?.isCancelling == false && !b.shows("/steps")
        && b.state.prompt.editor.string == "/s")
    b.press(.character("t"))
    #expect(b.shows("/steps"))
  }

  /// Whoever leaves is told what is not finished; who asks again has it ended and written, and then leaves; who asks once
  /// more leaves at once.
  @Test func unfinishedWorkIsToldOnLeaving() {
    var b = Bench()
    b.send("a cat")
    b.send("a dog")
    b.press(.control("d"))
    #expect(!b.state.isLeaving && b.shows("a drawing is not finished, 1 request in the queue"), "\(b.rows())")
    // Something new is told anew.
    b.send("a sun")
    b.press(.control("d"))
    #expect(!b.state.isLeaving && b.shows("2 requests in the queue"))
    leaveTwice(b)
    // Who asks for more stays.
    var back = Bench()
    back.send("a cat")
    back.press(.control("d"), .control("d"))
    back.send("a dog")
    back.finish("c0", partial: true)
    #expect(!back.effects.contains(.leave) && back.drawings.last?.prompt == "a dog")
    var idle = Bench()
    idle.press(.control("d"))
    #expect(idle.state.isLeaving)
    // What is on the screen is finished, whether or not the model has said that it is free.
    var drawn = Bench()
    drawn.send("a cat")
    drawn.happen(.drawn("d0", ImageSettings(prompt: "a cat"), stepsDone: 50, seconds: 1, isPartial: false))
    drawn.press(.control("d"))
    #expect(drawn.state.isLeaving && drawn.effects.last == .leave, "\(drawn.effects.suffix(2))")
  }

  /// What a slow effect has to say stands as long as anything else: its time begins when it is said.
  @Test func whatASlowDiskSaysIsSeen() {
    var b = Bench(), clock = 0.0
    settle(.key(.control("d")), in: &b.state, now: { clock }) { effect, _ in
      guard effect == .leave else { return [] }
      clock = 20
      return [.toast("1 picture is not written", isError: true)]
    }
    b.act(.tick(25))
    #expect(b.shows("1 picture is not written"))
    b.act(.tick(27))
    #expect(!b.shows("1 picture is not written"))
  }

  /// A drawing runs and two wait; the person was told so.
  private func leaveTwice(_ told: Bench) {
    var b = told
    let request = b.running
    b.press(.control("d"))
    #expect(b.effects.last == .cancel(request) && !b.effects.contains(.leave))
    // What waited is in the log, and can be asked again.
    let waiting = UnfinishedRequests(b.records.map { SessionEntry(time: 1, event: $0) }).waiting
    #expect(waiting.compactMap(\.text) == ["a dog", "a sun"])
    #expect(b.requests.count == 1 && b.state.isLeaving)
    var impatient = b, late = b
    b.finish("part", partial: true)
    #expect(b.effects.last == .leave && b.state.work.running == nil)
    guard case .drawn(request, "part", _, _, true)? = b.records.dropLast(2).last else {
      Issue.record("\(b.records.suffix(3))")
      return
    }
    impatient.press(.control("d"))
    #expect(impatient.effects.last == .leave)
    // A model that does not come to its next step keeps nobody.
    #expect(late.state.nextTick ?? 99 <= late.state.now + 2)
    late.act(.tick(late.state.now + 2))
    #expect(late.effects.last == .leave)
    #expect(!(late.records + impatient.records).contains(.cancelled(request: request)))
  }

  /// A model that cannot draw takes the mode of drawing away, and one that can brings it back.
  @Test func theModeComesBackWithTheModel() {
    var b = Bench()
    func ready(_ canDraw: Bool) { b.act(.modelReady(name: "m", parameters: 1, bytes: 1, canDraw: canDraw)) }
    ready(false)
    ready(false)
    #expect(b.state.prompt.mode == .ask)
    ready(true)
    #expect(b.state.prompt.mode == .imagine)
    b.press(.tab)
    ready(false)
    ready(true)
    #expect(b.state.prompt.mode == .ask, "who asked before goes on asking")
  }
}
