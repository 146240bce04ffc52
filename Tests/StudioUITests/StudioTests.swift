import Frames
import SessionLog
import StudioUI
import Testing

/// A studio whose effects are kept, and whose recorded events come back as the program gives them back.
private struct Bench {
  var state = StudioState()
  var effects: [Effect] = []

  init(_ size: Size = Size(120, 36), isReady: Bool = true) {
    act(.resized(size, cell: Size(9, 19)))
    if isReady { act(.modelReady(name: "nano", parameters: 10_000_000, bytes: 40 << 20, canDraw: true)) }
  }

  mutating func act(_ action: Action) {
    var waiting = [action]
    while !waiting.isEmpty {
      for effect in reduce(&state, waiting.removeFirst()) {
        effects.append(effect)
        if case .record(let event) = effect { waiting.append(.session(event)) }
      }
    }
  }

  mutating func press(_ keys: Key...) { keys.forEach { act(.key($0)) } }
  mutating func type(_ text: String) { text.forEach { act(.key(.character($0))) } }
  mutating func send(_ text: String) {
    type(text)
    press(.enter)
  }

  /// The drawings that were asked of the model.
  var drawings: [DrawingSettings] {
    effects.compactMap { if case .draw(_, let settings, _, _) = $0 { settings } else { nil } }
  }

  mutating func finish(_ picture: String, partial: Bool = false) {
    guard let request = state.running?.request, let settings = drawings.last else { return }
    act(
      .session(
        .drawn(
          request: request, picture: picture,
          origin: .init(settings, stepsDone: partial ? 12 : settings.steps),
          seconds: 0.5, isPartial: partial)))
    act(.ended(request: request))
  }

  func rows() -> [String] {
    let frame = view(state, LayoutCache())
    return (0..<frame.size.height).map(frame.row)
  }

  func shows(_ text: String) -> Bool { rows().contains { $0.contains(text) } }
}

@Suite struct RequestTests {
  /// A question about nothing is sent, and said to be one; not a second time when a picture is known.
  @Test func aQuestionWithoutAPictureIsSaidToBeOne() {
    var b = Bench()
    b.press(.tab)
    b.send("What is this?")
    #expect(b.shows("no picture is attached"))
    var c = Bench()
    c.act(.session(.asked(request: 1, text: "and this?", pictures: ["ab"], sampling: .init())))
    c.press(.tab)
    c.send("What is this?")
    #expect(!c.shows("no picture is attached"))
  }

  @Test func returnSendsAndTheTranscriptShowsIt() {
    var b = Bench()
    b.send("a red apple")
    #expect(b.drawings.map(\.prompt) == ["a red apple"] && b.state.running?.kind == .drawing)
    #expect(b.shows("a red apple") && b.state.prompt.isEmpty)
    b.act(.step(request: 1, 20, of: 50, picture: 0, preview: "preview 1"))
    #expect(b.shows("step 20 of 50"))
    b.finish("aa")
    #expect(b.state.running == nil && b.state.transcript.gallery == ["aa"] && b.shows("50 steps"))
  }

  @Test func tabSwitchesAndQuestionsTakeAttachmentsAlong() {
    var b = Bench()
    b.press(.tab)
    #expect(b.state.mode == .ask)
    b.act(.attached(.init(picture: "p1", name: "cat.png")))
    #expect(b.shows("[Image #1] cat.png"))
    b.send("What is this?")
    #expect(
      b.effects.contains(.ask(request: 1, text: "What is this?", pictures: ["p1"], temperature: 0, seed: 0)))
    b.act(.token(request: 1, "a c"))
    #expect(b.shows("a c"))
    b.act(.session(.answered(request: 1, text: "a cat", tokens: 2, seconds: 0.1, isPartial: false)))
    b.act(.ended(request: 1))
    #expect(b.shows("a cat") && b.state.attachments.isEmpty)
  }

  @Test func whatIsTypedWhileTheModelLoadsWaits() {
    var b = Bench(isReady: false)
    b.send("a cat")
    #expect(b.drawings.isEmpty && b.state.queue.count == 1 && b.shows("loading the model"))
    b.act(.modelReady(name: "nano", parameters: 1, bytes: 1, canDraw: true))
    #expect(b.drawings.map(\.prompt) == ["a cat"])
  }

  @Test func cancellingKeepsWhatThereIs() {
    var b = Bench()
    b.send("a cat")
    b.press(.escape)
    #expect(b.effects.last == .cancel(request: 1, discarding: false) && b.state.running?.isCancelling == true)
    b.finish("bb", partial: true)
    #expect(b.shows("12 of 50 steps, partial") && b.state.transcript.gallery == ["bb"])
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
    #expect(b.effects.contains(.cancel(request: 2, discarding: true)) && b.state.queue.count == 1)
    b.act(.ended(request: 2))
    #expect(b.drawings.count == 3 && abs(b.drawings[2].guidanceScale - 3.2) < 1e-4)
  }

  @Test func aSweepDrawsOneSeedAtSeveralScales() {
    var b = Bench()
    b.send("/seed 5")
    b.send("a dog")
    b.finish("d0")
    b.send("/sweep 1..9,4")
    for name in ["d1", "d5", "d9"] { b.finish(name) }
    #expect(b.drawings.dropFirst().map(\.guidanceScale) == [1, 5, 9] && Set(b.drawings.map(\.seed)) == [5])
    #expect(b.shows("Sweep of seed 5") && b.shows("1.0 3.0 5.0 9.0"))
    b.send("/sweep 9..1")
    #expect(b.state.toast?.isError == true)
  }

  @Test func critiqueAsksAboutEachPart() {
    var b = Bench()
    b.send("a red apple left of a cat on a white background")
    b.finish("e1")
    b.send("/critique")
    let answers = ["yes", "no", "a red apple"]
    for answer in answers {
      let request = b.state.running?.request ?? 0
      b.act(.session(.answered(request: request, text: answer, tokens: 1, seconds: 0.1, isPartial: false)))
      b.act(.ended(request: request))
    }
    let asked = b.effects.compactMap { if case .ask(_, let text, _, _, _) = $0 { text } else { nil } }
    #expect(
      asked == [
        "Is there a red apple in the picture?", "Is there a cat in the picture?", "What is left of the cat?",
      ])
    #expect(b.shows("2 of 3 hold") && b.shows("✗ a cat (no)"))
  }
}

@Suite struct KeyTests {
  @Test func emacsKeysEditThePrompt() {
    var b = Bench()
    b.type("draw a red apple")
    b.press(.control("w"))
    #expect(b.state.prompt.string == "draw a red ")
    b.press(.control("y"), .control("a"), .delete, .control("e"), .character("!"))
    #expect(b.state.prompt.string == "raw a red apple!")
    b.press(.alt("b"), .control("k"), .lineBreak, .character("x"))
    #expect(b.state.prompt.string == "raw a red \nx")
    b.press(.up, .control("k"), .control("u"))
    #expect(b.state.prompt.string.hasSuffix("\nx"))
  }

  @Test func historyComesBackAndCanBeSearched() {
    var b = Bench()
    b.send("first apple")
    b.press(.escape)
    b.act(.ended(request: 1))
    b.send("second pear")
    b.type("draft")
    b.press(.up)
    #expect(b.state.prompt.string == "second pear")
    b.press(.up)
    #expect(b.state.prompt.string == "first apple")
    b.press(.down, .down)
    #expect(b.state.prompt.string == "draft")
    b.press(.control("r"), .character("A"), .character("p"))
    #expect(b.shows("history: Ap"))
    b.press(.enter)
    #expect(b.state.prompt.string == "first apple")
  }

  @Test func commandsCompleteAndSayWhatIsWrong() {
    var b = Bench()
    b.type("/gal")
    #expect(b.shows("All pictures of this session"))
    b.press(.tab)
    #expect(b.state.prompt.string == "/gallery")
    b.press(.enter)
    #expect(b.state.toast?.isError == true)
    b.send("/cfg 99")
    #expect(b.state.toast?.text == "/cfg takes 0 to 15")
    b.send("/nonsense")
    #expect(b.state.toast?.text.contains("/nonsense") == true)
    b.send("/cfg 7.5")
    #expect(b.state.controls.guidance == 7.5)
  }

  @Test func pathsBehindAnAtSignAreCompletedAndAskedAbout() {
    var b = Bench()
    b.type("look @pic")
    b.press(.tab)
    #expect(b.effects.last == .completePath("pic"))
    b.act(.pathCompleted(typed: "pic", path: "pictures/", names: ["pictures/"]))
    #expect(b.state.prompt.string == "look @pictures/")
    b.act(.pathCompleted(typed: "pictures/", path: "pictures/a", names: ["apple.png", "ant.png"]))
    #expect(b.state.prompt.string == "look @pictures/a" && b.shows("apple.png  ant.png"))
    b.press(.control("u"))
    b.send("@cat.png What is this?")
    #expect(b.effects.last == .attach(path: "cat.png") && b.state.running == nil)
    b.act(.attached(.init(picture: "p1", name: "cat.png")))
    #expect(
      b.effects.contains(.ask(request: 1, text: "What is this?", pictures: ["p1"], temperature: 0, seed: 0)))
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
    #expect(b.state.prompt.string == "two\nlines[A")
  }

  @Test func theInspectorTurnsItsValues() {
    var b = Bench()
    b.press(.backTab, .right, .right)
    #expect(abs(b.state.controls.guidance - 3.2) < 1e-4)
    b.press(.down, .left, .down, .right, .right)
    #expect(b.state.controls.steps == 49 && b.state.controls.seed == 1)
    b.press(.escape)
    #expect(b.state.inspectorRow == nil)
    // A click on the slider's end.
    b.act(.key(.mouse(.init(.press, 119 - 2, 6))))
    #expect(b.state.controls.guidance > 14)
    b.press(.function(2))
    #expect(!b.state.showsInspector && !b.shows("Guidance"))
  }

  @Test func leavingNeedsAnEmptyPrompt() {
    var b = Bench()
    b.press(.character("x"), .control("d"))
    #expect(!b.state.isLeaving)
    b.press(.control("c"))
    #expect(b.state.prompt.isEmpty && b.state.toast == nil)
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
    #expect(b.state.prompt.string == "a cat" && b.state.controls.seed == 40 && b.state.overlay == nil)
    b.press(.function(4), .character(" "))
    var pair = Comparison(left: "g0", right: "g1")
    #expect(b.effects.contains(.measureDifference(pair)))
    pair.isFlipped = true
    #expect(b.state.overlay == .compare(pair))
    b.act(.differenceKnown(pair.heatMap, "PSNR 20 dB"))
    #expect(b.shows("difference  PSNR 20 dB"))
    b.press(.character("c"), .right, .escape)
    #expect(b.state.overlay == nil)
  }
}

@Suite struct AlbumTests {
  @Test func theGalleryShowsAllSessions() {
    var b = Bench()
    b.send("a cat")
    b.finish("own")
    b.press(.function(3), .tab)
    #expect(b.effects.last == .readPictures)
    let settings = DrawingSettings(prompt: "a boat", seed: 3, guidanceScale: 2, steps: 9)
    b.act(.picturesRead(["old", "own"], origins: ["old": PictureOrigin(settings, stepsDone: 9)]))
    #expect(b.state.overlay == .gallery(selected: 1, isOfAll: true))
    b.press(.left)
    #expect(b.shows("a boat · seed 3") && b.shows("1 of 2"))
    b.press(.enter)
    #expect(b.state.prompt.string == "a boat" && b.state.controls.seed == 3 && b.state.controls.steps == 9)
  }

  @Test func aPictureOfAnotherProgramBringsItsSettings() {
    var b = Bench()
    let settings = DrawingSettings(prompt: "a castle", seed: 9, guidanceScale: 7, steps: 20)
    b.act(.session(.attached(picture: "foreign", name: "castle.png, drawn by ComfyUI", settings: settings)))
    #expect(b.shows("drawn by ComfyUI"))
    b.press(.function(3))
    #expect(b.shows("a castle · seed 9"))
    b.press(.enter)
    #expect(b.state.prompt.string == "a castle" && b.state.controls.guidance == 7)
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
    b.act(.pictureKnown(ListOverlay.previewName("/p/a.png"), Size(256, 128)))
    #expect(b.shows("256 × 128"))
    #expect(view(b.state, LayoutCache()).placements.map(\.picture) == [ListOverlay.previewName("/p/a.png")])
    b.press(.enter)
    #expect(b.effects.last == .attach(path: "/p/a.png"))
  }
}

@Suite struct ViewTests {
  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36), Size(400, 120)])
  func everyScreenFitsItsSize(_ size: Size) {
    var b = Bench(size)
    b.send("a very long prompt with 東京 and 👨‍👩‍👧 " + String(repeating: "word ", count: 60))
    b.act(.pictureKnown("p", Size(128, 128)))
    b.finish("p")
    for open: Key in [.function(1), .control("p"), .function(3), .escape] {
      b.press(open)
      let frame = view(b.state, LayoutCache())
      #expect(frame.size == size)
      // Never the last row, never outside.
      #expect(frame.placements.allSatisfy { $0.visible.maxY < size.height && $0.visible.maxX <= size.width })
      b.press(.escape)
    }
  }

  /// Nothing that the first screen or the help say is cut off, however small the screen.
  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36), Size(400, 120)])
  func helpIsReadToItsEnd(_ size: Size) {
    var b = Bench(size)
    /// Rows above the status line in which something was cut off; "0…15" is no cut.
    func cut(_ rows: [String]) -> [String] { rows[..<(size.height - 1)].filter { $0.contains(/…(\D|$)/) } }
    #expect(cut(b.rows()).isEmpty)
    b.press(.function(1))
    var seen = "", last: [String] = []
    for _ in 0..<200 where b.rows() != last {
      last = b.rows()
      #expect(cut(last).isEmpty)
      seen += last.joined(separator: "\n")
      b.press(.down)
    }
    for word in ["bring them back", "the paper's", "/quit", "Leave"] {
      #expect(seen.contains(word), "\(word)")
    }
    // The end is where it is left, too.
    b.press(.pageDown, .pageDown, .up)
    #expect(b.rows() != last || size.height > 100)
  }

  @Test func aSmallScreenSaysSo() {
    var b = Bench(Size(50, 10))
    b.type("x")
    #expect(b.rows()[0].contains("60 × 16") && b.state.prompt.isEmpty)
    b.press(.control("c"))
    #expect(b.effects.last == .leave)
  }

  @Test func aLongTranscriptIsLaidOutWhereItIsSeen() {
    var b = Bench()
    for i in 1...10_000 {
      b.act(.session(.note("message \(i)")))
    }
    let cache = LayoutCache(), clock = ContinuousClock()
    _ = view(b.state, cache)
    let time = clock.measure { for _ in 0..<20 { _ = view(b.state, cache) } }
    #expect(b.shows("message 10000") && time < .milliseconds(20 * 33), "\(time)")
    b.press(.pageUp, .pageUp)
    #expect(b.state.scroll > 0 && !b.shows("message 10000"))
  }

  @Test func aReplayPlaysPausesAndSeeks() {
    var b = Bench()
    let entries = (0..<4).map { SessionEntry(time: Double($0) * 10, event: .note("note \($0)")) }
    b.act(.played(entries, speed: 1, idleLimit: 2))
    b.act(.tick(0))
    #expect(b.shows("note 0") && !b.shows("note 1"))
    b.act(.tick(1.9))
    #expect(!b.shows("note 1"))
    b.act(.tick(2.1))
    #expect(b.shows("note 1"), "long waits are cut to two seconds")
    b.press(.character(" "))
    b.act(.tick(50))
    #expect(!b.shows("note 2"))
    b.press(.character("."))
    #expect(b.shows("note 2"))
    b.press(.home)
    #expect(!b.shows("note 0"))
    b.press(.end)
    #expect(b.shows("note 3"))
    b.press(.escape)
    #expect(b.state.replay == nil)
  }

  /// Random keys and resizes leave a living program that still answers.
  @Test func anyKeysAreSurvived() {
    var b = Bench(), seed: UInt64 = 11
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let keys: [Key] = [
      .enter, .lineBreak, .tab, .backTab, .backspace, .delete, .escape, .up, .down, .left, .right, .wordLeft,
      .wordRight, .home, .end, .pageUp, .pageDown, .function(1), .function(2), .function(3), .function(4),
      .control("p"), .control("r"), .control("a"), .control("k"), .control("w"), .control("y"), .control("c"),
      .alt("."), .alt(","), .character("/"), .character("c"), .character("f"), .character("g"),
      .character(" "),
      .character("é"), .character("東"), .paste("pasted\ntext"), .mouse(.init(.press, 100, 6)),
      .mouse(.init(.wheelUp, 3, 3)), .mouse(.init(.drag, 110, 6)),
    ]
    let cache = LayoutCache()
    for i in 0..<20_000 {
      b.press(keys[next(keys.count)])
      if i % 50 == 0 { b.act(.resized(Size(20 + next(200), 5 + next(60)), cell: Size(9, 19))) }
      if i % 7 == 0 { b.act(.tick(Double(i) / 20)) }
      if let request = b.state.running?.request, next(20) == 0 {
        if next(2) == 0 { b.finish("r\(i)") } else { b.act(.ended(request: request)) }
      }
      if i % 10 == 0 { _ = view(b.state, cache) }
      if b.effects.count > 1000 { b.effects = [] }
    }
    b.act(.resized(Size(120, 36), cell: Size(9, 19)))
    b.press(.escape, .escape, .escape)
    b.state.overlay = nil
    #expect(b.shows("─"))
  }
}
