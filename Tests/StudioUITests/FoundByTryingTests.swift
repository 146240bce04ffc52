import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What people found who tried the studio.
@Suite struct FoundByTryingTests {
  // MARK: Names of files

  @Test func oddNamesAreAttached() {
    func effects(_ text: String) -> [Effect] {
      var b = Bench()
      b.press(.paste(text))
      return b.effects.filter {
        switch $0 {
        case .attach, .lookUp: true
        default: false
        }
      }
    }
    // As terminals quote a line break, and send it as Return.
    #expect(effects("'/a/two\nlines.png'") == [.attach(path: "'/a/two\nlines.png'")])
    #expect(effects("'/a/two\rlines.png' ") == [.attach(path: "'/a/two\nlines.png'")])
    #expect(effects("'/a/b\nc.png'\n/d.jpg") == [.attach(path: "/a/b\nc.png"), .attach(path: "/d.jpg")])
    // Without quotes it may as well be a text.
    #expect(effects("/a/two\nlines.png") == [.lookUp("/a/two\nlines.png", isSurelyPath: false)])
    #expect(effects("/a text\nof several lines").isEmpty)
    #expect(effects(#"/a/caf\xE9.png"#) == [.attach(path: #"/a/caf\xE9.png"#)])
    for (text, word) in [
      (#"'/a/two'$'\n''lines.png'"#, "/a/two\nlines.png"), (#"/a/$'caf\351'.png"#, #"/a/caf\xE9.png"#),
      (#"$'it\'s\x07\\.png'"#, #"it's\x07\.png"#), (#"caf\xE9\ b.png"#, #"caf\xE9 b.png"#),
      ("a$b", "a$b"), ("a$'b", nil),
    ] as [(String, String?)] {
      #expect(PastedPaths.words(of: text) == word.map { [$0] }, "\(text)")
    }
  }

  @Test func bytesOfNamesStayInMentions() throws {
    var b = Bench()
    b.type("see @ca")
    b.press(.tab)
    b.act(.pathCompleted(typed: "ca", path: #"caf\xE9 two\x0Alines.png"#, names: ["x"]))
    #expect(b.state.prompt.editor.string == #"see @caf\xE9\ two\x0Alines.png"#)
    #expect(b.shows(#"[about] caf\xE9 two\x0Alines.png"#))
    b.press(.enter)
    let mentions = b.effects.compactMap { if case .attachMentioned(let found) = $0 { found } else { nil } }
    #expect(mentions.last?.words.map(\.path) == [#"caf\xE9 two\x0Alines.png"#])
  }

  /// A file that is not there is marked while its name is written, once it can be no other.
  @Test func absentFilesAreMarked() {
    var b = Bench()
    func isMarked(_ word: String) -> Bool {
      let frame = view(b.state, LayoutCache())
      guard let y = (0..<36).last(where: { frame.row($0).contains(word) }) else { return false }
      let row = Array(frame.row(y)).map(String.init).joined(), x = row.range(of: word)
      return x.map { frame[row.distance(from: row.startIndex, to: $0.lowerBound), y].style.isUnderlined }
        ?? false
    }
    func asked() -> Mentions? {
      b.effects.compactMap { if case .lookFor(let words) = $0 { words } else { nil } }.last
    }
    b.type("is @nowhere.png like @/tmp/c")
    guard let mentions = asked() else {
      Issue.record("nothing is looked for")
      return
    }
    #expect(!isMarked("@nowhere") && b.shows("if there are such files"))
    b.act(.mentionsLookedUp(mentions, absent: [0, 1]))
    #expect(isMarked("@nowhere") && !isMarked("@/tmp"), "\(b.rows().suffix(4))")
    #expect(b.shows("no file is called nowhere.png"))
    // Another text, and what is known of it.
    b.type("at.png")
    #expect(!isMarked("@nowhere") && asked() != mentions)
    if let now = asked() { b.act(.mentionsLookedUp(now, absent: [])) }
    #expect(!isMarked("@nowhere") && b.shows("[about] nowhere.png, cat.png") && !b.shows("such file"))
    // What comes late is about another text.
    b.act(.mentionsLookedUp(mentions, absent: [0]))
    #expect(!isMarked("@nowhere"))
    let count = b.effects.count
    b.press(.left)
    #expect(b.effects.count == count, "asked once")
  }

  // MARK: Commands

  @Test func exportsTakeAFormatAndANameInEitherOrder() {
    for (typed, format, path) in [
      ("", "html", ""), ("md", "md", ""), ("HTML", "html", ""), ("x.html", "html", "x.html"),
      ("html x.html", "html", "x.html"), ("x.html html", "html", "x.html"), ("md notes", "md", "notes"),
      ("notes md", "md", "notes"), ("md .", "md", "."), ("..", "html", ".."), ("json a.b/", "json", "a.b/"),
      ("a b.md", "md", "a b.md"), ("json 'a b.json'", "json", "'a b.json'"),
      ("~/x.htm", "html", "~/x.htm"), ("./a.b/c.cast", "cast", "./a.b/c.cast"),
      ("md a/b.d/c", "md", "a/b.d/c"),
    ] {
      var b = Bench()
      b.send("/export \(typed)")
      #expect(b.effects.last == .export(format: format, path: path), "\(typed): \(b.effects)")
    }
    for (typed, told) in [
      ("pdf", "takes md, html, json or cast, a file's name such as notes.html, or both"),
      ("x.pdf", "takes md"),
      ("md x.html", "a .html file holds no md"), ("notes", "takes md"),
    ] {
      var b = Bench()
      b.send("/export \(typed)")
      #expect(b.state.toast?.isError == true && b.state.toast?.text.contains(told) == true, "\(typed)")
    }
  }

  /// A model that cannot draw says so once, before anything is written.
  @Test func whatCannotBeDrawnIsNotAskedFor() {
    var b = Bench()
    func ready(_ canDraw: Bool) {
      b.act(.modelReady(name: "reader", parameters: 1, bytes: 1, canDraw: canDraw))
    }
    b.send("a cat")
    b.finish("c0")
    ready(false)
    func requests(_ b: Bench) -> [Int] { b.records.compactMap(\.request) }
    let asked = requests(b)
    for command in ["/sweep", "/grid", "/vary", "/retry", "/imagine a dog", "/sweep 1..3"] {
      b.send(command)
      #expect(b.state.toast?.text == "reader cannot draw; /model lists others", "\(command)")
      #expect(b.state.work.running == nil && b.state.work.queue.isEmpty, "\(command)")
    }
    b.press(.alt("."))
    b.act(.tick(b.state.now + 0.3))
    #expect(requests(b) == asked && b.drawings.count == 1)
    // What waited for a model.
    b = Bench(isReady: false)
    b.send("a cat")
    b.send("/grid 2")
    ready(false)
    #expect(
      requests(b).isEmpty && b.state.work.queue.isEmpty && b.state.toast?.text.contains("/redo") == true)
    b.send("/redo")
    #expect(requests(b).isEmpty && b.state.toast?.isError == true)
    ready(true)
    b.send("/redo")
    #expect(b.drawings.count == 1 && b.state.work.queue.count == 1)
  }

  // MARK: Settings

  /// A session that is taken up in the studio is what it is from the shell: nothing of the one before stays.
  @Test func settingsStayWithTheirSession() {
    var b = Bench()
    b.send("/seed 42")
    b.send("/count 5")
    b.send("a dog")
    b.finish("d0")
    b.open()
    #expect(b.state.inspector.controls.count == 5, "a new one goes on with them")
    b.open()
    b.act(
      .session(
        .drawingAsked(
          request: 1, settings: ImageSettings(prompt: "a cat"), count: 1, parent: nil, sweep: nil)))
    #expect(
      b.state.inspector.controls.count == 1 && b.state.inspector.controls.seed == nil,
      "\(b.state.inspector.controls)")
    b.send("/retry")
    #expect(b.drawings.last?.prompt == "a cat", "\(b.rows())")
  }

  private static func settings(_ b: Bench) -> [SessionSettings] {
    b.records.compactMap { if case .settings(let settings) = $0 { settings } else { nil } }
  }

  /// What is set is written, and is there again in the session that is taken up.
  @Test func settingsComeBackWithTheSession() {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    #expect(Self.settings(b).isEmpty, "the drawing says all")
    b.send("/steps 20")
    b.send("/seed 7")
    #expect(Self.settings(b).map(\.steps) == [20, 20])
    b.send("/steps 21")
    b.send("/count 3")
    b.send("/negative dogs")
    guard let written = Self.settings(b).last, Self.settings(b).count == 5 else {
      Issue.record("\(b.records)")
      return
    }
    #expect(written.steps == 21 && written.seed == 7 && written.count == 3 && written.negative == "dogs")
    b.act(.tick(b.state.now + 5))
    #expect(Self.settings(b).count == 5)

    var again = Bench()
    for event in b.records { again.act(.session(SessionEntry(time: 0, event: event).event)) }
    #expect(again.state.inspector.controls == b.state.inspector.controls)
    again.act(.tick(9))
    again.act(.tick(19))
    #expect(again.records.isEmpty, "reading a session writes nothing")
    again.send("/steps 22")
    again.press(.control("d"))
    #expect(Self.settings(again).map(\.steps) == [22] && again.effects.last == .leave, "at once on leaving")
  }

  @Test func readersWriteNoSettings() {
    var b = Bench()
    b.open(isReadOnly: true)
    b.act(.session(.note("old")))
    b.send("/steps 9")
    b.act(.tick(9))
    b.act(.played(Replay([SessionEntry(time: 1, event: .note("x"))])))
    b.act(.tick(19))
    #expect(b.records.isEmpty)
  }

  // MARK: What is seen

  @Test(arguments: [60, 64, 72, 80]) func aReplayTellsWhatThereIsRoomFor(_ width: Int) {
    var b = Bench(Size(width, 16))
    let entries = (0..<120).map { SessionEntry(time: Double($0), event: .note("note")) }
    b.act(.played(Replay(entries)))
    b.act(.tick(1))
    b.act(.tick(40))
    let line = b.rows()[15]
    #expect(!line.contains("…") && line.contains("/120") && line.contains("speed"), "\(line)")
  }

  /// Beside a pop-up that lies over the inspector no rest of it is seen.
  @Test(arguments: [100, 104, 110, 120, 130]) func noSliversOfTheInspector(_ width: Int) {
    for key: Key in [.control("p"), .function(1)] {
      var b = Bench(Size(width, 30))
      b.press(key)
      let rows = b.rows().dropLast(3)
      let box = rows.compactMap { Array($0).lastIndex(of: "╮") }.first ?? 0
      #expect(
        box > width - 34 && rows.allSatisfy { $0.dropFirst(box + 1).allSatisfy { $0 == " " } }, "\(width)")
      #expect(!b.shows("Decoder steps"))
    }
    var wide = Bench(Size(170, 30))
    wide.press(.control("p"))
    #expect(wide.shows("Decoder steps"))
  }

  /// Of requests that were never begun it is said once for all of a sweep that they were cancelled.
  @Test func aCancelledSweepIsOneMessage() {
    var transcript = Transcript()
    for id in 5...7 {
      transcript.apply(
        .drawingAsked(request: id, settings: .init(prompt: "a cat"), count: 1, parent: nil, sweep: 5))
      transcript.apply(.cancelled(request: id))
    }
    #expect(transcript.messages.map(\.text) == ["a cat", "cancelled"])
    transcript.apply(.undone(request: 5))
    #expect(transcript.messages.isEmpty)
  }
}
