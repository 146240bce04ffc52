import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// The screen: settings in sight, strips, sizes, clicks, the gallery, lists, help and compare.
@Suite struct ScreenTests {
  /// Where a text stands.
  private func place(_ text: String, _ b: Bench) -> Point? {
    let frame = view(b.state, LayoutCache())
    for y in 0..<frame.size.height {
      if let at = frame.row(y).range(of: text) {
        return Point(TextWidth.columns(frame.row(y)[..<at.lowerBound]), y)
      }
    }
    return nil
  }

  private func click(_ text: String, _ b: inout Bench, dx: Int = 0) {
    guard let at = place(text, b) else {
      Issue.record("'\(text)' is not there: \(b.rows().joined(separator: "\n"))")
      return
    }
    b.act(.key(.mouse(.init(.press, at.x + dx, at.y))))
  }

  @Test func settingsAreInSightOnASmallScreen() {
    var b = Bench(Size(80, 24))
    #expect(b.shows("── guidance 3.0 · seed random · 50 steps ──"))
    b.send("/negative dogs")
    b.send("/seed 7")
    #expect(b.shows("guidance 3.0 · seed 7 · 50 steps · without dogs"))
    b.press(.alt("."))
    #expect(b.shows("guidance 3.1") && b.shows("━●─") && b.shows("15 ──"))
    b.act(.tick(1))
    #expect(b.shows("━●─"), "as long as it moves")
    b.act(.tick(1.6))
    #expect(!b.shows("●") && b.shows("guidance 3.1 · seed 7"))
    #expect(Bench(Size(60, 16)).shows("guidance 3.0 · seed random · 50 steps"))
    // Beside the inspector they are there already.
    #expect(!Bench(Size(120, 36)).shows("seed random"))
  }

  @Test func theInspectorLiesOverANarrowScreen() {
    var b = Bench(Size(60, 16))
    b.press(.function(2))
    #expect(b.shows("Temperature") && b.shows("Guidance") && b.state.inspector.row == 0)
    b.press(.right, .down, .left)
    #expect(b.state.inspector.controls.steps == 49 && abs(b.state.inspector.controls.guidance - 3.1) < 1e-4)
    b.act(.key(.mouse(.init(.press, 57, 6))))
    #expect(b.state.inspector.controls.guidance > 14)
    b.press(.escape)
    #expect(!b.shows("Temperature"))
    b.press(.backTab, .character("x"))
    #expect(b.state.prompt.editor.string == "x" && !b.shows("Temperature"))
    b.press(.function(2))
    b.act(.key(.mouse(.init(.press, 3, 3))))
    #expect(!b.shows("Temperature"), "a click beside it leaves it")
  }

  @Test func aSweepIsOneLabelledStrip() {
    var b = Bench(Size(120, 50))
    b.send("/seed 5")
    b.send("a dog")
    b.finish("d0")
    b.send("/sweep 1..9,4")
    for name in ["d1", "d5", "d9"] {
      b.act(.pictureKnown(.hash(name), Size(128, 128)))
      b.finish(name)
    }
    let messages = b.state.conversation.transcript.messages
    #expect(messages.count == 4 && messages[3].pictures == ["d1", "d5", "d9"], "\(messages)")
    #expect(
      b.rows().contains {
        $0.contains("guidance 1.0") && $0.contains("guidance 5.0") && $0.contains("guidance 9.0")
      })
    #expect(b.shows("sweep of guidance · seed 5"))
    b.press(.alt("2"))
    #expect(b.state.inspector.controls.guidance == 5 && b.state.prompt.editor.string == "a dog")
    b.press(.control("u"))
    let frame = view(b.state, LayoutCache())
    if let last = frame.placements.last(where: { $0.picture == "d9" && $0.visible.x < 80 })?.visible {
      b.act(.key(.mouse(.init(.press, last.x + 1, last.y + 1))))
    }
    #expect(b.state.inspector.controls.guidance == 9 && b.state.overlays.top == nil, "a click uses it")
    b.press(.control("u"))
    b.send("/grid 2")
    for seed: UInt64 in [5, 6] {
      var one = ImageSettings(prompt: "a dog", seed: seed, guidanceScale: 9)
      one.steps = 50
      b.happen(.drawn(.hash("g\(seed)"), one, stepsDone: 50, seconds: 1, isPartial: false))
    }
    b.happen(.ended)
    #expect(b.rows().contains { $0.contains("seed 5") && $0.contains("seed 6") })
    b.press(.alt("2"))
    #expect(b.state.inspector.controls.seed == 6)
    b.press(.alt("9"))
    #expect(b.state.toast?.text == "the last strip has 2 pictures")
  }

  /// Seeds that follow each other differ in their ends, which a narrow screen does not cut off.
  @Test func labelsKeepWhatTellsThemApart() {
    for (first, told) in [
      (5, "seed 6"), (322_608_019, "322608020"), (UInt64.max - 4, "709551612"),
    ] as [(UInt64, String)] {
      var b = Bench(Size(60, 30))
      b.send("/seed \(first)")
      b.send("a dog")
      b.finish("d0")
      b.send("/grid 4")
      for i: UInt64 in 0..<4 {
        var one = ImageSettings(prompt: "a dog", seed: first + i, guidanceScale: 3)
        one.steps = 50
        b.act(.pictureKnown(.hash("g\(i)"), Size(128, 128)))
        b.happen(.drawn(.hash("g\(i)"), one, stepsDone: 50, seconds: 1, isPartial: false))
      }
      b.happen(.ended)
      let row = b.rows().last { $0.contains(told) } ?? ""
      let ends = Set(row.split(separator: " ").compactMap(\.last).filter(\.isNumber))
      #expect(ends.count == 4, "\(b.rows().joined(separator: "\n"))")
    }
  }

  @Test func aSweepIsMeasuredWhileNothingRuns() {
    var b = Bench(Size(120, 60))
    b.send("/seed 5")
    b.send("two dogs and a cat")
    b.finish("d3")
    b.send("/sweep 1..5,4")
    b.finish("d1")
    b.finish("d5")
    // Neighbours first, then each picture's parts; one at a time.
    #expect(b.effects.last == .measureMove(Comparison(left: "d1", right: "d3")))
    b.act(.moveKnown(.heatMap("d1", "d3"), 0.4))
    b.act(.moveKnown(.heatMap("d3", "d5"), 0.1))
    guard case .judge("d1", let parts)? = b.effects.last else {
      Issue.record("\(String(describing: b.effects.last))")
      return
    }
    #expect(parts.count == 2)
    b.act(.asideEnded)
    b.act(.agreementKnown("d1", 0.5))
    b.act(.agreementKnown("d3", 1))
    b.act(.agreementKnown("d5", 0))
    #expect(b.shows("agreement 100 %") && b.shows("moved 40 %"), "\(b.rows().joined(separator: "\n"))")
    // The knob and the marks of the sweep have one axis.
    let knob = place("●", b)?.x, mark = place("◆", b)?.x
    #expect(knob != nil && knob == mark)
    let count = b.effects.count
    b.act(.tick(9))
    #expect(b.effects.count == count, "what is known is not asked for again")
  }

  @Test func picturesKeepTheirProportions() {
    for (pixels, cell) in [
      (Size(128, 128), Size(9, 19)), (Size(640, 200), Size(9, 19)), (Size(90, 300), Size(6, 13)),
    ] {
      for size in [Size(60, 16), Size(80, 24), Size(200, 60)] {
        var b = Bench(size)
        b.act(.resized(size, cell: cell))
        b.send("a cat")
        b.act(.pictureKnown("p", pixels))
        b.finish("p")
        for key: Key in [.escape, .alt("+"), .alt("+"), .alt("-"), .alt("-"), .alt("-"), .alt("-")] {
          b.press(key)
          guard let cells = view(b.state, LayoutCache()).placements.first?.whole else { continue }
          // Whole cells around it, none of which is empty.
          let wide = Double(cells.width * cell.width) / Double(pixels.width)
          let high = Double(cells.height * cell.height) / Double(pixels.height)
          let slack = max(
            Double(cell.width) / Double(pixels.width), Double(cell.height) / Double(pixels.height))
          #expect(abs(wide - high) < slack + 1e-9, "\(pixels) in \(cells) of \(cell)")
        }
      }
    }
  }

  @Test func picturesGrowWithTheScreenAndOnDemand() {
    func height(_ size: Size, _ keys: Key...) -> Int {
      var b = Bench(size)
      b.send("a cat")
      b.act(.pictureKnown("p", Size(512, 512)))
      b.finish("p")
      keys.forEach { b.press($0) }
      return view(b.state, LayoutCache()).placements.first?.whole.height ?? 0
    }
    #expect(height(Size(200, 60)) > height(Size(80, 24)))
    #expect(height(Size(200, 60), .alt("+")) > height(Size(200, 60)))
    #expect(height(Size(200, 60), .alt("-"), .alt("-")) < height(Size(200, 60)))
    var b = Bench()
    b.send("/size 5")
    #expect(b.state.terminal.pictureSize == 5)
    b.send("/size 6")
    #expect(b.state.toast?.isError == true)
  }

  /// What a pop-up does not cover of a picture stays.
  @Test func picturesStayBesidePopUps() {
    var b = Bench(Size(120, 36))
    b.send("a cat")
    b.act(.pictureKnown("p", Size(512, 512)))
    b.finish("p")
    let whole = view(b.state, LayoutCache()).placements[0].visible
    b.press(.control("p"))
    let parts = view(b.state, LayoutCache()).placements.filter { $0.picture == "p" && $0.whole == whole }
    let cells = parts.reduce(0) { $0 + $1.visible.width * $1.visible.height }
    #expect(cells > 0 && cells < whole.width * whole.height && parts.allSatisfy { $0.visible.x < 18 })
  }

  @Test func clicksReachListsPromptAndCommands() {
    var b = Bench(Size(80, 24))
    b.act(.historyRead(["x"]))
    b.press(.control("p"))
    b.type("gallery")
    click("/gallery", &b)
    #expect(b.effects.last == .readPictures && b.state.overlays.top == nil)
    b.press(.control("p"))
    b.act(.key(.mouse(.init(.press, 0, 0))))
    #expect(b.state.overlays.top == nil, "a click beside it closes it")
    b.type("the quick brown fox")
    click("brown", &b, dx: 2)
    b.type("X")
    #expect(b.state.prompt.editor.string == "the quick brXown fox")
    b.press(.control("u"))
    b.press(.control("k"))
    b.type(String(repeating: "word ", count: 40))
    b.act(.key(.mouse(.init(.press, 4, 20))))
    #expect(b.state.prompt.editor.cursor < 120)
    b.press(.end, .control("u"))
    b.type("/cf")
    click("/cfg", &b)
    #expect(b.state.prompt.editor.string == "/cfg ")
  }

  @Test func theListOfCommandsHasArrows() {
    var b = Bench(Size(80, 24))
    b.type("/")
    #expect(b.shows("more; ↑ ↓ move") && b.shows("/imagine"))
    b.press(.up)
    #expect(b.shows("/quit") && !b.shows("/imagine"), "around the end")
    b.press(.up, .enter)
    #expect(b.state.overlays.top != nil, "/help is opened")
    b.press(.escape)
    b.type("/c")
    b.press(.down, .down, .enter)
    #expect(b.state.prompt.editor.string == "/cfg " || b.state.prompt.editor.string == "/count ")
    b.press(.control("u"))
    // Up goes on in the history where the command came from there.
    b.send("/tour")
    b.press(.escape, .up, .up)
    #expect(b.state.prompt.editor.string == "/help")
  }

  private func gallery() -> Bench {
    var b = Bench(Size(80, 24))
    for (i, prompt) in ["a red cat", "a blue dog", "a red hen", "an ant"].enumerated() {
      b.send(prompt)
      b.finish("g\(i)")
    }
    b.press(.function(3))
    return b
  }

  private func selected(_ b: Bench) -> Int? {
    if case .gallery(let gallery) = b.state.overlays.top { gallery.selected } else { nil }
  }

  @Test func theGalleryIsFilteredSortedAndMarked() {
    var b = gallery()
    b.press(.character("/"))
    b.type("red")
    #expect(b.shows("/red") && b.shows("2 pictures"))
    b.press(.enter)
    #expect(b.shows("with 'red'") && b.shows("a red hen"))
    b.press(.left)
    #expect(b.shows("a red cat"))
    b.press(.character("x"), .character("/"), .escape, .right, .character("x"), .character("m"))
    #expect(b.state.overlays.top == .compare(Comparison(left: "g0", right: "g1")))
    b.press(.escape, .character("o"))
    #expect(b.shows("by prompt") && b.shows("1 of 4") && b.shows("a blue dog"), "\(b.rows()[0])")
    b.press(.character("."), .character("*"))
    #expect(b.shows("starred") && b.shows("1 of 1") && b.shows("a blue dog"))
    b.press(.character("*"), .character("o"))
    #expect(selected(b) == 1)
  }

  @Test func theGalleryTakesTheMouse() {
    var b = gallery()
    b.act(.key(.mouse(.init(.press, 4, 4))))
    #expect(selected(b) == 0)
    b.act(.key(.mouse(.init(.wheelDown, 4, 4))))
    #expect(selected(b) == 3)
    b.act(.key(.mouse(.init(.wheelUp, 4, 4))))
    b.act(.key(.mouse(.init(.press, 4, 4))))
    #expect(b.state.overlays.top == .viewer("g0"), "a second click views it")
    b.press(.character("."))
    #expect(b.shows("★"))
    b.act(.key(.mouse(.init(.press, 4, 4))))
    #expect(selected(b) == 0)
  }

  @Test func aDeletedPictureComesBack() {
    var b = gallery()
    b.press(.left, .character("d"))
    #expect(
      b.records.last == .deleted(picture: "g2", isDeleted: true) && b.shows("of 3") && !b.shows("a red hen"))
    b.press(.delete)
    b.press(.escape)
    #expect(b.state.conversation.transcript.gallery.count == 2)
    b.press(.function(3), .character("z"))
    b.press(.character("Z"))
    #expect(b.state.conversation.transcript.gallery == ["g0", "g1", "g2", "g3"])
    // Another session's is not this one's to delete.
    b.act(.picturesRead(["zz"], origins: [:]))
    b.press(.home, .character("d"))
    #expect(b.state.toast?.isError == true)
  }

  @Test func sessionsAreRenamedAndDeletedInPlace() {
    var b = Bench(Size(120, 36))
    var choices = ["first", "second"].map { Choice(title: $0, detail: "today 9:00", value: "id-\($0)") }
    choices[1].isCurrent = true
    choices[0].picture = "p0"
    b.act(.pictureKnown("p0", Size(128, 128)))
    b.act(.sessionsRead(choices))
    #expect(b.shows("● second") && b.shows("today 9:00"))
    b.press(.delete)
    #expect(b.state.toast?.isError == true, "the open one stays")
    b.press(.up)
    #expect(view(b.state, LayoutCache()).placements.contains { $0.picture == "p0" }, "its first picture")
    b.press(.alt("r"))
    b.type(" one")
    #expect(b.shows("title › first one"))
    b.press(.enter)
    #expect(b.effects.last == .renameSession("id-first", title: "first one"))
    b.press(.alt("r"), .escape)
    #expect(b.shows("● second"), "Esc leaves the title, not the list")
    b.press(.delete)
    #expect(b.effects.last == .deleteSession("id-first"))
    b.act(.sessionsRead([choices[1]]))
    b.press(.alt("z"))
    #expect(b.effects.last == .undeleteSession)
  }

  @Test func aSearchLeadsToTheMessage() {
    var b = Bench(Size(80, 24))
    b.send("/search apple")
    var hit = Choice(title: "an apple", detail: "today 9:00 · fruit", value: "id")
    hit.place = SessionPlace(text: "an apple", number: 1)
    b.act(.searched([hit]))
    #expect(b.shows("today 9:00 · fruit"))
    b.press(.enter)
    #expect(b.effects.last == .openSession("id", at: hit.place))
    b.open()
    for i in 0..<60 {
      b.act(.session(.note(i == 20 || i == 40 ? "an apple" : "note \(i)")))
    }
    b.act(.placeWanted(SessionPlace(text: "an apple", number: 1)))
    #expect(b.rows()[0].contains("an apple") && b.shows("note 41") && !b.shows("note 39"))
  }

  @Test func helpBeginsWithWhereOneIs() {
    func first(_ keys: Key...) -> String {
      var b = Bench(Size(120, 36))
      b.send("a cat")
      b.finish("g0")
      keys.forEach { b.press($0) }
      b.press(.function(1))
      return b.rows().dropFirst().first { $0.contains("│ ") } ?? ""
    }
    for (keys, heading) in [
      ([Key.escape], "Prompt"), ([.function(3)], "Gallery"), ([.function(3), .character("i")], "Picture"),
      ([.control("p")], "Lists"), ([.backTab], "Inspector"),
    ] as [([Key], String)] {
      var b = Bench(Size(120, 36))
      b.send("a cat")
      b.finish("g0")
      keys.forEach { b.press($0) }
      b.press(.function(1))
      let top = b.rows().prefix(4).joined(separator: "\n")
      #expect(top.contains("│ \(heading) "), "\(heading): \(top)")
    }
  }

  @Test func compareSaysWhatIsWhere() {
    var b = gallery()
    b.act(.pictureKnown("g3", Size(128, 128)))
    b.press(.character("m"))
    #expect(b.shows("left") && b.shows("right") && b.shows("│") && b.shows("▼") && b.shows("d difference"))
    let before = place("│", b)?.x ?? 0
    b.press(.right)
    #expect((place("│", b)?.x ?? 0) > before)
    b.act(.key(.mouse(.init(.drag, 0, 8))))
    #expect(b.rows().contains { $0.contains("│") }, "it stays on the screen")
    b.press(.character(" "))
    #expect(!b.shows("│") && b.shows("□ left") && b.shows("■ right"))
  }
}
