import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What somebody found who used the studio for the first time.
@Suite struct NewcomerTests {
  // MARK: Lists

  private static let sessions = ["a", "b", "c"].map {
    Choice(title: "title \($0)", detail: "today", value: $0)
  }

  private func list(_ b: Bench) -> ListOverlay? {
    if case .list(let list) = b.state.overlays.top { list } else { nil }
  }

  private func selected(_ b: Bench) -> String? {
    list(b).flatMap { $0.shown.indices.contains($0.selected) ? $0.shown[$0.selected].value : nil }
  }

  /// Whatever becomes of the list, Return and Delete act on the session that was selected.
  @Test func theSelectionFollowsItsSession() {
    var b = Bench(), choices = Self.sessions
    b.act(.sessionsRead(choices))
    b.press(.down)
    #expect(selected(b) == "b")
    choices.swapAt(0, 1)
    b.act(.sessionsRead(choices))
    #expect(selected(b) == "b", "the list is in another order")
    b.act(.sessionsRead([Choice(title: "back", detail: "", value: "z")] + choices))
    #expect(selected(b) == "b", "one was brought back above it")
    b.act(.sessionsRead(choices))
    b.type("title")
    #expect(selected(b) == "b", "it fits the filter")
    b.type(" b")
    choices[0].title = "quince"
    b.act(.sessionsRead(choices))
    #expect(selected(b) == "b" && list(b)?.filter == "", "its new title does not fit")
    b.press(.delete)
    #expect(b.effects.last == .deleteSession("b"))
    b.act(.sessionsRead(Self.sessions.filter { $0.value != "b" }))
    #expect(selected(b) == "a")
  }

  /// A session that has another title is found by its prompts, too.
  @Test func sessionsAreFoundByTheirPrompts() {
    var b = Bench(), choices = Self.sessions
    choices[2].words = ["a", "purple", "elephant"]
    b.act(.sessionsRead(choices))
    b.type("eleph tit")
    #expect(list(b)?.shown.map(\.value) == ["c"])
  }

  @Test(arguments: [
    ("session", "/sessions"), ("save", "/save"), ("se", "/seed"), ("colours", "/theme"), ("rid", "/grid"),
    ("/sess", "/sessions"),
  ])
  func theBestCommandComesFirst(_ typed: String, _ best: String) {
    var b = Bench()
    b.press(.control("p"))
    b.type(typed)
    #expect(selected(b) == best, "\(list(b)?.shown.map(\.value) ?? [])")
  }

  @Test func theBestThingComesFirst() {
    let text = "# Words\na an\n\n# Things\noscar fish\ncarrot\ntoy car\ncar\n"
    var b = Bench()
    b.act(.vocabularyKnown(Vocabulary(text)))
    for typed in [["/things car\r"], ["/things\r", "car"]].map({ $0.joined() }) {
      for c in typed { c == "\r" ? b.press(.enter) : b.type(String(c)) }
      #expect(list(b)?.shown.map(\.value).prefix(3) == ["car", "carrot", "toy car"])
      b.press(.enter)
      #expect(b.state.prompt.editor.string == "a car")
      b.press(.control("u"))
    }
  }

  // MARK: Pictures

  /// `F4` is about the picture that was just drawn, though there was one like it.
  @Test func theNewestPictureIsCompared() {
    var b = Bench()
    for name in ["p1", "p2", "p3"] {
      b.send("a cat")
      b.finish(name)
    }
    b.send("a cat")
    b.finish("p1")
    b.press(.function(4))
    #expect(b.state.overlays.top == .compare(Comparison(left: "p3", right: "p1")))
  }

  @Test func aDeletedPictureLeavesAWord() {
    var b = Bench()
    b.send("a cat")
    b.finish("p1")
    b.send("a dog")
    b.finish("p2")
    b.press(.function(3), .delete)
    #expect(b.shows("deleted; z restores it"))
    b.press(.escape)
    #expect(b.shows("(deleted; /redo or z in the gallery restores it)"), "\(b.rows())")
    #expect(b.state.toast == nil, "what it says is true in the gallery only")
    // In a session that is opened again it is true as well.
    var c = Bench()
    for event in b.records { c.act(.session(event)) }
    #expect(c.shows("(deleted; /redo"))
    c.send("/redo")
    #expect(!c.shows("(deleted") && c.state.conversation.transcript.gallery.count == 2)
  }

  /// One picture is the current one: what is saved is what a question is about, by its file's name.
  @Test func whatIsSavedIsWhatAQuestionIsAbout() {
    var b = Bench()
    b.act(.attached(Attachment(picture: "f1", name: "my cat.png")))
    b.send("what is it?")
    b.answer("a cat")
    b.send("/save")
    #expect(b.effects.last == .save(picture: "f1", path: "", prompt: "my cat"))
    b.press(.function(3))
    #expect(b.shows("my cat.png") && !b.shows("loaded from a file"))
    b.press(.enter)
    #expect(b.shows("no settings to use: it was not drawn here"))
    b.press(.escape)
    b.send("/imagine a red car")
    b.finish("p1")
    b.send("/imagine a blue car")
    b.finish("p2")
    // Another one than the newest is chosen.
    b.press(.alt("p"))
    #expect(b.shows("[about] a red car"), "\(b.rows())")
    b.send("/save")
    #expect(b.effects.last == .save(picture: "p1", path: "", prompt: "a red car"))
    b.send("/critique")
    #expect(b.questions.last?.pictures == ["p1"])
    b.answer("yes")
    #expect(b.shows("[about] a red car"))
    b.send("/save")
    #expect(b.effects.last == .save(picture: "p1", path: "", prompt: "a red car"))
  }

  @Test func missingFilesAreNotSaidToBeThere() {
    var b = Bench()
    b.press(.tab)
    b.type("what is in @nowhere.png")
    #expect(b.shows("[about] nowhere.png, if there is such a file"))
    var c = Bench()
    c.act(.session(.attached(picture: "f1", name: "cat.png", settings: nil)))
    c.act(.pictureMissing("f1"))
    c.press(.tab)
    #expect(c.shows("[about] cat.png, whose file is missing"), "\(c.rows())")
  }

  /// Where few pictures are kept, the inspector's are there, and none is made of coarse blocks beside sharp ones: the oldest
  /// of the others are left out.
  @Test func thumbnailsStayWhereFewPicturesAreKept() {
    func shown(_ most: Int) -> [Placement] {
      var b = Bench(Size(150, 45))
      b.act(.graphicsKnown(hasPictures: true, mostPictures: most))
      b.send("/seed 7")
      b.send("a cat")
      b.finish("p0")
      b.send("/sweep 1..9")
      for i in 1...9 { b.finish("p\(i)") }
      #expect(b.shows("F3 shows it") == (most == 16), "\(b.rows().joined(separator: "\n"))")
      return view(b.state, LayoutCache()).placements
    }
    func own(_ all: [Placement]) -> [PictureID] { all.filter { $0.visible.x >= 150 - 34 }.map(\.picture) }
    let all = shown(.max), few = shown(16)
    #expect(all.count > 16 && few.count == 16 && own(few).count == 9 && own(few) == own(all))
    #expect(own(Array(few.prefix(9))).count == 9, "the first of a frame are sharp")
    // The newest of the sweep stands in the transcript, too; the picture before the sweep does not.
    let others = few.filter { $0.visible.x < 150 - 34 }.map(\.picture)
    #expect(others.contains("p9") && !others.contains("p0"), "\(others)")
  }

  // MARK: Little room

  @Test func whatDiffersComesFirst() {
    var b = Bench(Size(80, 24))
    let prompt = String(repeating: "a very long prompt ", count: 8)
    b.send("/seed 7")
    b.send("/imagine \(prompt)")
    b.finish("p1")
    b.send("/cfg 8")
    b.act(.tick(1))
    b.finish("p2")
    b.press(.function(4))
    #expect(b.shows("left   guidance 3.0 · a very") && b.shows("right  guidance 8.0 · a very"), "\(b.rows())")
  }

  /// At 80 columns nothing that was just said is cut, and neither are the keys of a replay.
  @Test func whatIsSaidFits() {
    var b = Bench(Size(80, 24))
    b.act(.sessionsRead(Self.sessions))
    b.act(.toast("undeleted 'a yellow boat on a light blue background in the evening'", isError: false))
    #expect(b.shows("in the evening'"))
    b.press(.escape)
    b.act(.played(Replay((1...120).map { SessionEntry(time: Double($0), event: .note("\($0)")) })))
    b.press(.character(" "))
    #expect(b.shows("Space plays ← → step + - speed 1.0"), "\(b.rows())")
  }

  @Test(arguments: [Size(59, 24), Size(30, 10), Size(12, 15)])
  func theLeastSizeIsSaidWhole(_ size: Size) {
    let said = Bench(size).rows().joined(separator: " ").split(separator: " ").joined(separator: " ")
    #expect(
      said.hasPrefix("The studio needs at least 60 × 16 cells; this is \(size.width) × \(size.height)."))
  }

  // MARK: Taking up again

  @Test func aSessionGoesOnWithItsSettings() {
    var b = Bench()
    b.send("/cfg 6")
    b.send("/steps 20")
    b.send("/negative dogs")
    b.send("a cat")
    b.finish("p1")
    b.send("/sweep 1..3")
    for i in 1...3 { b.finish("s\(i)") }
    #expect(b.state.inspector.controls.guidance == 6, "a sweep sets nothing")
    var c = Bench()
    for event in b.records { c.act(.session(event)) }
    let controls = c.state.inspector.controls
    #expect(controls.guidance == 6 && controls.steps == 20 && controls.negative == "dogs")
    #expect(controls.seed == nil)
    // What is drawn now sets nothing.
    c.send("a dog")
    c.send("/steps 30")
    c.finish("p2")
    #expect(c.state.inspector.controls.steps == 30)
  }

  // MARK: What is typed

  /// A path with blanks that nobody quoted.
  @Test func mentionsReachAsFarAsThereIsAFile() throws {
    let files = ["/a/ball blue.png", "/a/x", "/a/x y z.png", "cat.png"]
    for (text, path, question) in [
      ("what is in @/a/ball blue.png?", "/a/ball blue.png", "what is in the picture?"),
      ("@/a/x y z.png what is it", "/a/x y z.png", "what is it"), ("@/a/x what is it", "/a/x", "what is it"),
      ("is @cat.png a cat?", "cat.png", "is the picture a cat?"),
    ] {
      var b = Bench()
      b.send(text)
      let typed = b.effects.lazy.compactMap {
        if case .attachMentioned(let found) = $0 { found } else { nil }
      }
      let mentions = try #require(typed.last).withBlanks(files.contains)
      #expect(mentions.words.map(\.path) == [path])
      b.act(.mentionsFound(mentions, [0: Attachment(picture: "f1", name: "f")]))
      #expect(b.questions.last?.text == question)
    }
  }

  /// With a picture a text is asked, and any word will do.
  @Test func aQuestionAboutAFileHasNoUnknownWords() {
    var b = Bench()
    b.act(.vocabularyKnown(Vocabulary("# Words\na\n\n# Things\ncar\n")))
    b.type("what about this ")
    #expect(b.shows("unknown: 'this'"))
    b.type("@cat.png ")
    #expect(!b.shows("unknown:"))
  }

  @Test(arguments: [
    ("delete", "in the gallery deletes a picture"), ("copy", "Alt-C copies"), ("sesions", "/sessions?"),
    ("vray", "/vary?"), ("gallrey", "/gallery?"), ("clear", "/new"),
  ])
  func unknownCommandsAreAnswered(_ typed: String, _ told: String) {
    var b = Bench()
    b.send("/\(typed)")
    #expect(b.state.toast?.text.contains(told) == true, "\(b.state.toast?.text ?? "")")
  }
}
