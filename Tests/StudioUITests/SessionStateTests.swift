import Frames
import Requests
import SessionLog
import StudioUI
import Testing

@Suite struct SessionStateTests {
  private func note(_ text: String) -> Action { .session(.note(text)) }

  /// The same numbers, other words: what is shown is what is there.
  @Test func anotherSessionShowsItsOwnWords() {
    var b = Bench()
    let cache = LayoutCache()
    func rows() -> String {
      let frame = view(b.state, cache)
      return (0..<frame.size.height).map(frame.row).joined(separator: "\n")
    }
    b.act(note("old words"))
    #expect(rows().contains("old words"))
    b.open()
    b.act(note("new words"))
    #expect(rows().contains("new words") && !rows().contains("old words"))
    // One of the same numbers from elsewhere.
    b = Bench()
    b.act(note("other words"))
    #expect(rows().contains("other words") && !rows().contains("new words"))
    b.act(.played(Replay([SessionEntry(time: 1, event: .note("played words"))])))
    b.act(.tick(1))
    #expect(rows().contains("played words") && !rows().contains("other words"))
    b.press(.home, .end)
    #expect(rows().contains("played words"))
    b.press(.escape)
    #expect(
      rows().contains("other words") && !rows().contains("played words") && b.state.conversation.replay == nil
    )
    #expect(!b.effects.contains(.newSession) && !b.state.conversation.isReadOnly)
    b.send("a cat")
    #expect(b.drawings.count == 1)
  }

  @Test func requestsOfTheOldSessionDoNotReachTheNewOne() {
    var b = Bench()
    b.send("a cat")
    let old = b.running
    b.send("a dog")
    b.open()
    #expect(
      b.effects.suffix(2) == [.cancel(old), .forgetTurns]
        && b.state.toast?.text == "opened\n2 requests were cancelled")
    #expect(
      b.state.work.running == nil && b.state.work.queue.isEmpty
        && b.state.conversation.transcript.messages.isEmpty)
    b.send("a bird")
    let new = b.running
    #expect(new > old + 1)
    let settings = ImageSettings(prompt: "a cat")
    let late: [RequestEvent<PictureID>] = [
      .token("x"), .step(3, of: 50, picture: 0, preview: .preview(9)),
      .drawn("old", settings, stepsDone: 50, seconds: 1, isPartial: false),
      .answered(text: "old", tokens: 1, seconds: 1, isPartial: false), .failed("old"), .cancelled, .ended,
    ]
    let records = b.records.count
    for event in late { b.act(.request(old, event)) }
    #expect(b.running == new && b.state.work.running?.step == 0 && b.state.work.running?.text == "")
    #expect(b.records.count == records, "nothing of it is written into the new session")
  }

  @Test func readOnlySessionsAreNotWrittenTo() {
    var b = Bench()
    b.send("a cat")
    b.finish("aa")
    b.open(isReadOnly: true)
    b.act(.session(.asked(request: 1, text: "x", pictures: ["aa"], sampling: .init())))
    b.effects = []
    for command in ["/rename x", "/undo", "a cat", "/vary"] {
      b.send(command)
      #expect(b.state.toast?.isError == true, "\(command)")
    }
    b.press(.function(3), .character("."))
    #expect(!b.effects.contains { if case .record = $0 { true } else { false } })
  }

  @Test func missingPicturesAreLabelledFrames() {
    var b = Bench()
    b.act(.session(.asked(request: 1, text: "x", pictures: ["abcdef0123"], sampling: .init())))
    b.act(.pictureMissing("abcdef0123"))
    #expect(b.shows("abcdef01 is missing") && view(b.state, LayoutCache()).placements.isEmpty)
    b.press(.function(3))
    #expect(b.shows("missing") && view(b.state, LayoutCache()).placements.isEmpty)
    b.press(.character("i"))
    #expect(b.shows("is missing"))
    b.act(.pictureKnown("abcdef0123", Size(64, 64)))
    #expect(!b.shows("is missing") && !view(b.state, LayoutCache()).placements.isEmpty)
  }

  @Test func picturesOfOtherSessionsBecomeThisOnes() {
    var b = Bench()
    let settings = ImageSettings(prompt: "a boat", seed: 3, guidanceScale: 2, steps: 9)
    b.act(.picturesRead(["other"], origins: ["other": PictureOrigin(settings, stepsDone: 9)]))
    b.press(.control("a"))
    #expect(
      b.effects.contains(
        .record(.attached(picture: "other", name: "a picture of another session", settings: settings))))
    #expect(
      b.state.prompt.attachments.map(\.picture) == ["other"]
        && b.state.conversation.transcript.gallery == ["other"])
    #expect(b.state.conversation.transcript.origins["other"]?.settings == settings)
    // The test card is nobody's.
    b.act(.testCardDrawn(Size(320, 200)))
    #expect(b.state.overlays.top == .viewer(PictureID.testCard))
    // Each of its pixels is as large as the others.
    let cells = view(b.state, LayoutCache()).placements.first?.whole ?? Rect(0, 0, 0, 0)
    #expect(cells.width == (320 * (cells.height * 19 / 200) + 8) / 9, "\(cells)")
    b.press(.control("a"))
    #expect(b.state.prompt.attachments.count == 1 && b.state.toast?.isError == true)
    b.press(.character("w"))
    #expect(!b.effects.contains { if case .save = $0 { true } else { false } })
  }
}

@Suite struct IntentionTests {
  @Test func typingGoesToThePrompt() {
    var b = Bench()
    // A click on the slider; then words that have the inspector's former letters.
    b.act(.key(.mouse(.init(.press, 119 - 2, 6))))
    let guidance = b.state.inspector.controls.guidance
    b.type("hill jklHL")
    #expect(
      b.state.prompt.editor.string == "hill jklHL" && b.state.inspector.controls.guidance == guidance
        && b.state.inspector.row == nil)
    b.press(.control("u"), .backTab)
    b.type("7.5")
    #expect(b.state.inspector.controls.guidance == 7.5 && b.state.prompt.editor.isEmpty)
    b.press(.down)
    b.type("99999")
    #expect(b.state.inspector.controls.steps == 1000)
    b.press(.paste("a pasted cat"))
    #expect(b.state.prompt.editor.string == "a pasted cat" && b.state.inspector.row == nil)
  }

  @Test func theSliderLeavesOtherRequestsAlone() {
    var b = Bench()
    b.send("/count 4")
    b.send("four cats")
    b.send("/count 1")
    b.send("a dog")
    b.press(.tab)
    b.send("what is it?")
    b.press(.alt("."))
    b.act(.tick(1))
    // The dog, which it belongs to, waits no longer; cats and the question do.
    #expect(b.state.work.running?.isCancelling == false && b.state.work.queue.count == 2)
    if case .imagine(let settings, _, _) = b.state.work.queue.last?.request {
      #expect(settings.prompt == "a dog" && abs(settings.guidanceScale - 3.1) < 1e-4)
    } else {
      Issue.record("the slider's drawing waits behind the question")
    }
  }

  @Test func whatIsShownIsWhatIsDrawn() {
    var b = Bench()
    b.send("/seed 5")
    b.send("a cat")
    b.finish("c0")
    b.send("/steps 7")
    b.send("/negative dogs")
    for command in ["/vary", "/grid 2", "/retry", "/sweep 2..4,2"] {
      b.send(command)
      #expect(b.drawings.last?.steps == 7 && b.drawings.last?.negative == "dogs", "\(command)")
      while b.state.work.running != nil { b.finish("c\(b.drawings.count)") }
    }
    #expect(b.drawings.suffix(2).map(\.guidanceScale) == [2, 4])
  }

  @Test func cfgSaysSoAndRedrawsADrawingOnly() {
    var b = Bench()
    b.send("/cfg 7")
    #expect(
      b.state.inspector.controls.guidance == 7 && b.state.toast?.text == "guidance 7.0"
        && b.state.work.sliderDue == nil)
    b.send("a cat")
    b.finish("c0")
    b.send("/cfg 8")
    #expect(b.state.toast?.text.contains("drawn again") == true)
    b.act(.tick(1))
    #expect(b.drawings.last?.guidanceScale == 8)
    b.finish("c1")
    b.press(.tab)
    b.send("what is it?")
    b.happen(.ended)
    b.send("/cfg 9")
    b.act(.tick(3))
    #expect(b.drawings.count == 2 && b.state.inspector.controls.guidance == 9)
  }

  @Test func escapeGoesBackOneLevel() {
    var b = Bench()
    for name in ["g0", "g1"] {
      b.send("a cat")
      b.finish(name)
    }
    let gallery = Overlay.gallery(selected: 1, isOfAll: false)
    b.press(.function(3), .character("i"), .function(1), .escape)
    #expect(b.state.overlays.top == .viewer("g1"))
    b.press(.escape)
    #expect(b.state.overlays.top == gallery)
    b.press(.character("m"), .right, .escape)
    #expect(b.state.overlays.top == gallery)
    b.press(.escape)
    #expect(b.state.overlays.top == nil)
    // Themes that were only tried on.
    let themes = [Theme.builtIn, Theme(name: "other", appearance: .light, colours: [:])]
    b.act(.themesRead(themes, chosen: nil))
    b.send("/theme")
    b.press(.down)
    #expect(b.state.terminal.theme.name == "other")
    b.press(.escape)
    #expect(b.state.terminal.theme == .builtIn)
  }

  @Test func escapeEndsASweep() {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/sweep 1..9")
    b.send("a dog")
    b.press(.escape)
    #expect(b.state.work.queue.count == 1 && b.state.work.running?.isCancelling == true)
    b.finish("s1", partial: true)
    #expect(b.drawings.last?.prompt == "a dog")
  }

  @Test func aWrongModelChangesNothing() {
    var b = Bench()
    let before = b.state.work.model
    b.send("/model /nowhere")
    #expect(b.effects.last == .loadModel("/nowhere") && b.state.work.model == .loading)
    b.send("a cat")
    #expect(b.drawings.isEmpty)
    b.act(.modelFailed("/nowhere: no such folder"))
    #expect(b.state.work.model == before && b.state.toast?.isError == true && b.drawings.count == 1)
  }

  @Test func droppedFilesAreAttached() {
    func attached(_ text: String) -> [Effect] {
      var b = Bench()
      b.press(.paste(text))
      return b.effects.filter { if case .attach = $0 { true } else { false } }
    }
    #expect(
      attached("/a/b.png '/a/c d.jpg' \"/e f.webp\" ")
        == ["/a/b.png", "/a/c d.jpg", "/e f.webp"].map { .attach(path: $0) })
    #expect(attached("/a/b.png\n/a/c.png\n").count == 2)
    #expect(attached("/a/my cat.png") == [.attach(path: "/a/my cat.png")])
    #expect(attached(#"'/a/it'\''s.png'"#) == [.attach(path: #"'/a/it'\''s.png'"#)])
    #expect(PastedPaths.words(of: #"'/a/it'\''s.png'"#) == ["/a/it's.png"])
    #expect(PastedPaths.words(of: #""a \"b\" \n" c\ d"#) == [#"a "b" \n"#, "c d"])
    #expect(PastedPaths.words(of: "it's") == nil)
    #expect(attached("what is /a/b.png?").isEmpty && attached("/a/b.png and more").isEmpty)
  }
}
