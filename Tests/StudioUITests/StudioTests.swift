import Frames
import Requests
import SessionLog
import StudioUI
import Testing

@Suite struct RequestTests {
  /// A question about nothing is sent, and said to be one; not a second time when a picture is known.
  @Test func aQuestionWithoutAPictureIsSaidToBeOne() {
    var b = Bench()
    b.press(.tab)
    b.send("What is this?")
    #expect(b.shows("no picture attached"))
    var c = Bench()
    c.act(.session(.asked(request: 1, text: "and this?", pictures: ["ab"], sampling: .init())))
    c.press(.tab)
    c.send("What is this?")
    #expect(!c.shows("no picture attached"))
  }

  @Test func returnSendsAndTheTranscriptShowsIt() {
    var b = Bench()
    b.send("a red apple")
    #expect(b.drawings.map(\.prompt) == ["a red apple"] && b.state.work.running?.isDrawing == true)
    #expect(b.shows("a red apple") && b.state.prompt.editor.isEmpty)
    b.happen(.step(20, of: 50, picture: 0, preview: .preview(1)))
    #expect(b.shows("step 20 of 50"))
    b.finish("aa")
    #expect(
      b.state.work.running == nil && b.state.conversation.transcript.gallery == ["aa"] && b.shows("50 steps"))
  }

  @Test func tabSwitchesAndQuestionsTakeAttachmentsAlong() {
    var b = Bench()
    b.press(.tab)
    #expect(b.state.prompt.mode == .ask)
    b.act(.attached(.init(picture: "p1", name: "cat.png")))
    #expect(b.shows("[Image #1] cat.png"))
    b.send("What is this?")
    #expect(b.questions == [Question("What is this?", pictures: ["p1"])])
    b.happen(.token("a c"))
    #expect(b.shows("a c"))
    b.answer("a cat")
    #expect(b.shows("a cat") && b.state.prompt.attachments.isEmpty)
  }

  @Test func whatIsTypedWhileTheModelLoadsWaits() {
    var b = Bench(isReady: false)
    b.send("a cat")
    #expect(b.drawings.isEmpty && b.state.work.queue.count == 1 && b.shows("loading the model"))
    b.act(.modelReady(name: "nano", parameters: 1, bytes: 1, canDraw: true))
    #expect(b.drawings.map(\.prompt) == ["a cat"])
  }

  @Test func cancellingKeepsWhatThereIs() {
    var b = Bench()
    b.send("a cat")
    b.press(.escape)
    #expect(b.effects.last == .cancel(1) && b.state.work.running?.isCancelling == true)
    b.finish("bb", partial: true)
    #expect(b.shows("12 of 50 steps, partial") && b.state.conversation.transcript.gallery == ["bb"])
    b.send("/stop discard")
    #expect(b.state.toast?.text == "nothing is running")
  }

  @Test func theSliderDrawsAgainOnceItRests() {
    var b = Bench()
    b.send("/seed 7")
    b.send("a cat")
    b.finish("cc")
    b.press(.alt("."), .alt("."))
    b.act(.tick(0.2))
    b.press(.alt("."))
    b.act(.tick(0.4))
    #expect(b.drawings.count == 1, "it has not rested for a quarter of a second")
    b.act(.tick(0.46))
    #expect(b.drawings.count == 2 && b.drawings[1].seed == 7 && abs(b.drawings[1].guidanceScale - 3.3) < 1e-4)
    // Another move takes the place of the drawing in flight.
    b.press(.alt(","))
    b.act(.tick(1))
    #expect(b.effects.contains(.cancel(2)) && b.state.work.queue.count == 1)
    // It was whole before it could be cancelled: the log says what became of it all the same.
    b.act(.request(2, .drawn("late", b.drawings[1], stepsDone: 50, seconds: 1, isPartial: false)))
    b.act(.request(2, .ended))
    #expect(b.records.filter { $0 == .cancelled(request: 2) }.count == 1)
    #expect(
      !b.state.conversation.transcript.gallery.contains("late") && b.drawings.count == 3
        && abs(b.drawings[2].guidanceScale - 3.2) < 1e-4)
  }

  @Test func aSweepDrawsOneSeedAtSeveralScales() {
    var b = Bench()
    b.send("/seed 5")
    b.send("a dog")
    b.finish("d0")
    b.send("/sweep 1..9,4")
    for name in ["d1", "d5", "d9"] { b.finish(name) }
    #expect(b.drawings.dropFirst().map(\.guidanceScale) == [1, 5, 9] && Set(b.drawings.map(\.seed)) == [5])
    #expect(b.shows("Sweep of seed 5") && b.rows().contains { $0.contains(#/ 1 .* 9 /#) })
    b.send("/sweep 9..x")
    #expect(b.state.toast?.isError == true)
  }

  @Test func critiqueAsksAboutEachPart() {
    var b = Bench()
    b.send("a red apple left of a cat on a white background")
    b.finish("e1")
    b.send("/critique")
    let answers = ["yes", "no", "left of the cat"]
    for answer in answers {
      b.answer(answer)
    }
    #expect(
      b.questions.map(\.text) == [
        "Is there a red apple in the picture?", "Is there a cat in the picture?", "Where is the apple?",
      ])
    #expect(b.shows("2 of 3 parts correct") && b.shows("✗ a cat (no)"))
  }
}

@Suite struct SamplerTests {
  /// All that decides a picture is used again: a Heun picture stays one, guided when it was.
  @Test func whatDrewAPictureDrawsItAgain() {
    var settings = ImageSettings(prompt: "a cat", negative: "dogs", seed: 9, guidanceScale: 4, steps: 20)
    (settings.solver, settings.guidanceStart, settings.guidanceEnd) = (.heun, 0.2, 0.8)
    var b = Bench()
    b.act(.session(.attached(picture: "aa", name: "a.png", settings: settings)))
    b.press(.function(3))
    #expect(b.shows("Heun, guided 0.20…0.80"))
    b.press(.enter)
    #expect(b.shows("Heun, guided 0.20…0.80"))
    b.press(.enter)
    #expect(b.drawings == [settings])
    b.finish("bb")
    #expect(b.state.conversation.transcript.origins["bb"]?.settings == settings && b.shows("· Heun, guided"))
    b.send("/retry")
    #expect(b.drawings.last == settings)
    b.finish("cc")
    b.send("/solver euler")
    b.send("/interval 0..1")
    b.send("/retry")
    #expect(b.drawings.last?.solver == .euler && b.drawings.last?.guidanceEnd == 1)
    for odd in [
      "/solver x", "/solver", "/interval 1..0", "/interval 0.5", "/interval nan..1", "/interval 0..2",
    ] {
      b.send(odd)
      #expect(b.state.toast?.isError == true, "\(odd)")
    }
  }
}

@Suite struct KeyTests {
  @Test func emacsKeysEditThePrompt() {
    var b = Bench()
    b.type("draw a red apple")
    b.press(.control("w"))
    #expect(b.state.prompt.editor.string == "draw a red ")
    b.press(.control("y"), .control("a"), .delete, .control("e"), .character("!"))
    #expect(b.state.prompt.editor.string == "raw a red apple!")
    b.press(.alt("b"), .control("k"), .lineBreak, .character("x"))
    #expect(b.state.prompt.editor.string == "raw a red \nx")
    b.press(.up, .control("k"), .control("u"))
    #expect(b.state.prompt.editor.string.hasSuffix("\nx"))
  }

  @Test func historyComesBackAndCanBeSearched() {
    var b = Bench()
    b.send("first apple")
    b.press(.escape)
    b.act(.request(1, .ended))
    b.send("second pear")
    b.type("draft")
    b.press(.up)
    #expect(b.state.prompt.editor.string == "second pear")
    b.press(.up)
    #expect(b.state.prompt.editor.string == "first apple")
    b.press(.down, .down)
    #expect(b.state.prompt.editor.string == "draft")
    b.press(.control("r"), .character("A"), .character("p"))
    #expect(b.shows("history: Ap"))
    b.press(.enter)
    #expect(b.state.prompt.editor.string == "first apple")
  }

  @Test func commandsCompleteAndSayWhatIsWrong() {
    var b = Bench()
    b.type("/gal")
    #expect(b.shows("Pictures of this session"))
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "/gallery")
    b.press(.enter)
    #expect(b.effects.last == .readPictures, "an empty session shows what others drew")
    b.act(.picturesRead([], origins: [:]))
    #expect(b.state.toast?.isError == true && b.state.overlays.top == nil)
    b.send("/cfg 99")
    #expect(b.state.toast?.text == "/cfg takes 0 to 15")
    b.send("/nonsense")
    #expect(b.state.toast?.text.contains("/nonsense") == true)
    b.send("/cfg 7.5")
    #expect(b.state.inspector.controls.guidance == 7.5)
  }

  @Test func pathsBehindAnAtSignAreCompletedAndAskedAbout() {
    var b = Bench()
    b.type("look @pic")
    b.press(.tab)
    #expect(b.effects.last == .completePath("pic"))
    b.act(.pathCompleted(typed: "pic", path: "pictures/", names: ["pictures/"]))
    #expect(b.state.prompt.editor.string == "look @pictures/")
    b.act(.pathCompleted(typed: "pictures/", path: "pictures/a", names: ["apple.png", "ant.png"]))
    #expect(b.state.prompt.editor.string == "look @pictures/a" && b.shows("apple.png  ant.png"))
    b.press(.control("u"))
    b.send("@cat.png What is this?")
    guard case .attachMentioned(let mentions)? = b.effects.last else {
      Issue.record("\(String(describing: b.effects.last))")
      return
    }
    #expect(mentions.words.map(\.path) == ["cat.png"] && b.state.work.running == nil)
    b.act(.mentionsFound(mentions, [0: .init(picture: "p1", name: "cat.png")]))
    #expect(b.questions == [Question("What is this?", pictures: ["p1"], written: "@cat.png What is this?")])
  }

  @Test func controlXControlEOpensTheEditor() {
    var b = Bench()
    b.type("a cat")
    b.press(.control("x"), .control("b"), .control("e"))
    #expect(!b.effects.contains(.openEditor("a cat")))
    b.press(.control("x"), .control("e"))
    #expect(b.effects.contains(.openEditor("a cat")))
  }

  @Test func pastedPathsAreAttachedAndTextIsText() {
    var b = Bench()
    b.press(.paste("/home/me/my\\ cat.png "))
    #expect(b.effects.last == .attach(path: "/home/me/my\\ cat.png"))
    b.press(.paste("two\r\nlines\u{1B}[A"))
    #expect(b.state.prompt.editor.string == "two\nlines[A")
  }

  @Test func theInspectorTurnsItsValues() {
    var b = Bench()
    b.press(.backTab, .right, .right)
    #expect(abs(b.state.inspector.controls.guidance - 3.2) < 1e-4)
    b.press(.down, .left, .down, .right, .right)
    #expect(b.state.inspector.controls.steps == 49 && b.state.inspector.controls.seed == 1)
    b.press(.escape)
    #expect(b.state.inspector.row == nil)
    // A click on the slider's end.
    b.act(.key(.mouse(.init(.press, 119 - 2, 6))))
    #expect(b.state.inspector.controls.guidance > 14)
    b.press(.function(2))
    #expect(!b.state.showsInspector && !b.shows("Guidance"))
  }

  @Test func leavingNeedsAnEmptyPrompt() {
    var b = Bench()
    b.press(.character("x"), .control("d"))
    #expect(!b.state.isLeaving)
    b.press(.control("c"))
    #expect(b.state.prompt.editor.isEmpty && b.state.toast == nil)
    b.press(.control("c"))
    #expect(b.state.toast?.text.contains("Ctrl-D") == true)
    b.press(.control("d"))
    #expect(b.effects.last == .leave)
  }

  @Test func galleryRecallsAndCompareFlips() {
    var b = Bench()
    for (i, prompt) in ["a cat", "a dog"].enumerated() {
      b.send("/seed \(i + 40)")
      b.send(prompt)
      b.finish("g\(i)")
    }
    b.press(.function(3))
    #expect(b.shows("Gallery") && b.shows("a dog · seed 41"))
    b.press(.left, .character("a"))
    #expect(
      b.state.prompt.editor.string == "a cat" && b.state.inspector.controls.seed == 40
        && b.state.overlays.top == nil)
    b.press(.function(4), .character(" "))
    var pair = Comparison(left: "g0", right: "g1")
    #expect(b.effects.contains(.measureDifference(pair)))
    pair.isFlipped = true
    #expect(b.state.overlays.top == .compare(pair))
    b.act(.differenceKnown(pair.heatMap, "PSNR 20 dB"))
    #expect(b.shows("difference  PSNR 20 dB"))
    b.press(.character("c"), .right, .escape)
    #expect(b.state.overlays.top == nil)
  }
}

@Suite struct AlbumTests {
  @Test func theGalleryShowsAllSessions() {
    var b = Bench()
    b.send("a cat")
    b.finish("own")
    b.press(.function(3), .tab)
    #expect(b.effects.last == .readPictures)
    let settings = ImageSettings(prompt: "a boat", seed: 3, guidanceScale: 2, steps: 9)
    b.act(.picturesRead(["old", "own"], origins: ["old": PictureOrigin(settings, stepsDone: 9)]))
    #expect(b.state.overlays.top == .gallery(selected: 1, isOfAll: true))
    b.press(.left)
    #expect(b.shows("a boat · seed 3") && b.shows("1 of 2"))
    b.press(.enter)
    #expect(
      b.state.prompt.editor.string == "a boat" && b.state.inspector.controls.seed == 3
        && b.state.inspector.controls.steps == 9)
  }

  @Test func aPictureOfAnotherProgramBringsItsSettings() {
    var b = Bench()
    let settings = ImageSettings(prompt: "a castle", seed: 9, guidanceScale: 7, steps: 20)
    b.act(
      .session(
        .attached(
          picture: "foreign", name: "castle.png, drawn by ComfyUI", settings: settings,
          details: ["by ComfyUI", "sampler_name: euler"])))
    #expect(b.shows("drawn by ComfyUI"))
    b.press(.function(3))
    #expect(b.shows("a castle · seed 9"))
    // What means nothing here is shown all the same.
    b.press(.character("i"))
    #expect(b.shows("sampler_name: euler"))
    b.press(.escape, .function(3))
    b.press(.enter)
    #expect(b.state.prompt.editor.string == "a castle" && b.state.inspector.controls.guidance == 7)
  }

  @Test func filesAreShownAsTheyAreSelected() {
    var b = Bench()
    b.press(.control("o"))
    #expect(b.effects.last == .readFolder(""))
    b.act(
      .folderRead(
        "/p",
        [
          .init(title: "../", detail: "up", value: "/"),
          .init(title: "a.png", detail: "3 kB", value: "/p/a.png"),
        ]))
    b.press(.down)
    #expect(b.effects.last == .preview(path: "/p/a.png"))
    b.act(.pictureKnown(.file("/p/a.png"), Size(256, 128)))
    #expect(b.shows("256 × 128"))
    #expect(view(b.state, LayoutCache()).placements.map(\.picture) == [.file("/p/a.png")])
    b.press(.enter)
    #expect(b.effects.last == .attach(path: "/p/a.png"))
  }
}
