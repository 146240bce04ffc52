import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What newcomers stumbled over.
@Suite struct ThirdEditionTests {
  private static let text = """
    # Words
    a an on the left below above over white black yellow green gray light
    purple orange red

    # Animals
    hen ; hens
    panda ; pandas
    elephant ; elephants
    butterfly ; butterflies ; hue

    # Household
    kite ; kites
    candle ; candles
    teddy bear ; teddy bears
    """

  private func taught(_ size: Size = Size(80, 24)) -> Bench {
    var b = Bench(size)
    b.act(.vocabularyKnown(Vocabulary(Self.text)))
    return b
  }

  /// One letter too many or too few is likelier than another letter, and how a word begins likelier right than wrong.
  @Test(arguments: [
    ("yelow", "yellow"), ("yyellow", "yellow"), ("gren", "green"), ("grene", "green"), ("wite", "white"),
    ("blak", "black"), ("grey", "gray"), ("purpel", "purple"), ("elefant", "elephant"),
    ("candel", "candle"), ("lihgt", "light"), ("orrange", "orange"), ("belw", "below"), ("rde", "red"),
    ("pannda", "panda"), ("kitte", "kite"), ("teddi", "teddy"), ("butterrfly", "butterfly"),
  ])
  func mistypedWordsAreMended(_ typed: String, _ meant: String) {
    var b = taught()
    b.type("a \(typed) ")
    #expect(b.shows("unknown: '\(typed)'; Tab: \(meant)"), "\(b.rows())")
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "a \(meant) ")
  }

  @Test func thingsAreFilteredAndCompleted() {
    var b = taught()
    b.send("/things ani")
    #expect(b.shows("What nano knows: ani") && b.shows("butterfly") && !b.shows("candle"), "\(b.rows())")
    b.press(.escape)
    b.send("/things bear")
    #expect(b.shows("teddy bear") && !b.shows("panda"), "\(b.rows())")
    b.press(.escape)
    b.send("/things xylo")
    #expect(b.state.toast?.text == "nothing that begins with 'xylo'; nano knows animals, household")
    b.type("/things ho")
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "/things household")
    b.press(.enter)
    #expect(b.shows("candle") && !b.shows("panda"))
  }

  // MARK: Messages

  private static let long =
    "/somewhere/far/away/notes.txt: this is text and no picture; name a file in one of the formats that are read here"

  /// A message that is longer than the status line covers nothing, and what it is about goes with the next success.
  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36)])
  func errorsCoverNothingAndGo(_ size: Size) {
    var b = Bench(size)
    b.press(.tab)
    for i in 1...8 {
      b.send("question \(i)?")
      b.answer("answer \(i)")
    }
    let before = b.rows()
    b.act(.toast(Self.long, isError: true))
    #expect(b.shows("answer 8") && b.shows("/somewhere/far"), "\(b.rows())")
    // The settings on the rule, the prompt and the status line are where they were.
    #expect(b.rows().suffix(3).dropLast() == before.suffix(3).dropLast())
    b.type("/steps 20")
    #expect(b.shows("/somewhere/far"), "what is being written has no success yet")
    b.press(.enter)
    #expect(!b.shows("/somewhere/far") && b.state.toast?.isError == false)
    // One line.
    b.send("/steps 0")
    b.type("words")
    #expect(b.shows("/steps takes"))
    b.press(.control("u"))
    b.send("/steps 0")
    #expect(b.state.toast?.isError == true, "the same mistake again")
    b.press(.pageUp)
    #expect(!b.shows("/steps takes") && b.state.toast == nil)
  }

  @Test func manyComplaintsLeaveTheTranscriptItsRoom() {
    var b = Bench(Size(60, 16))
    b.send("a cat")
    b.finish("aa")
    b.act(.complaints((1...40).map { "config.toml:\($0): 'steps' must be a number" }))
    #expect(b.shows("config.toml:1:") && b.shows(" …") && !b.shows("config.toml:40:"), "\(b.rows())")
    #expect(b.shows("50 steps"), "\(b.rows())")
  }

  @Test func seedsAreSaidInWords() {
    var b = Bench()
    for text in ["-1", "random", ""] {
      b.send("/seed \(text)")
      #expect(b.state.toast?.text == "seed random: a new one for each request")
    }
    b.send("/seed -2")
    #expect(b.state.toast?.text == "/seed takes 0 to 18446744073709551615, or random (also -1)")
  }

  // MARK: Paths

  /// What begins as a path is looked up: it is no command and no prompt.
  @Test(arguments: [
    "/home/me/Pictures", "'/home/me/my pictures'", "\"/a b/c.txt\"", "~/notes.txt", "./a", "file:///tmp/x",
  ])
  func pathsAreLookedUp(_ path: String) {
    var b = Bench()
    b.act(.key(.paste(path)))
    #expect(b.effects.contains(.lookUp(path, isSurelyPath: false)))
    b.press(.enter)
    #expect(b.effects.contains(.lookUp(path, isSurelyPath: true)) && b.drawings.isEmpty, "\(b.effects)")
  }

  @Test func commandsAreNoPaths() {
    var b = Bench()
    b.act(.key(.paste("/steps 20")))
    #expect(!b.effects.contains { if case .lookUp = $0 { true } else { false } })
    b.press(.enter)
    #expect(b.state.inspector.controls.steps == 20)
    // "/tmp" may be a folder, "/stepz" hardly.
    b.send("/stepz")
    #expect(b.state.toast?.text == "unknown command /stepz; did you mean /steps?")
    #expect(b.effects.last == .lookUp("/stepz", isSurelyPath: false))
  }

  // MARK: Attachments

  @Test func drawingSaysThatItUsesNoPicture() {
    var b = Bench(Size(100, 30))
    b.act(.attached(Attachment(picture: "aa", name: "cat.png")))
    #expect(b.shows("[Image #1] cat.png") && !b.shows("only for questions"))
    b.press(.tab)
    #expect(b.shows("cat.png  only for questions, not for drawing"), "\(b.rows())")
    b.send("a red apple")
    #expect(b.state.toast?.text == "drawing uses no picture: cat.png stays for the next question")
    #expect(b.state.prompt.attachments.count == 1)
    b.send("/cfg 4")
    b.send("a star")
    #expect(b.state.toast?.text.contains("cat.png") == false, "said once")
    b.press(.tab)
    b.finish("c1")
    b.finish("c2")
    b.send("what is it?")
    #expect(b.questions.last?.pictures == ["aa"])
    // Its name is in the log before the question, once.
    let names = b.records.filter { if case .named = $0 { true } else { false } }
    #expect(names == [.named(picture: "aa", name: "cat.png")])
  }

  // MARK: The plot

  private func scales(_ b: Bench) -> String? {
    let rows = b.rows()
    guard let at = rows.firstIndex(where: { $0.contains("◇") || $0.contains("◆") }) else { return nil }
    return String(rows[at + 1].suffix(33))
  }

  /// Each whole scale has its label, which stays while others come.
  @Test func everyMarkHasItsLabel() {
    var b = Bench()
    b.send("/seed 7")
    b.send("a red apple")
    b.finish("a0")
    b.send("/sweep 1..9")
    var before = ""
    for i in 1...9 {
      b.finish("b\(i)")
      guard let now = scales(b) else { continue }
      for (old, new) in zip(before, now) where old != " " { #expect(old == new, "\(before)\n\(now)") }
      before = now
    }
    #expect(before.drop { $0 == " " }.hasPrefix("1 2 3 4 5 6 7 8 9"), "\(b.rows().joined(separator: "\n"))")
    // The knob moves no label.
    b.press(.alt("."))
    #expect(scales(b) == before)
  }

  // MARK: Help

  @Test(arguments: [Size(60, 16), Size(80, 24), Size(200, 60)])
  func helpIsPagedAndSaysWhere(_ size: Size) throws {
    var b = Bench(size)
    b.press(.function(1))
    func place() throws -> (first: Int, last: Int, of: Int) {
      let rows = b.rows().compactMap { $0.firstMatch(of: #/(\d+)–(\d+) of (\d+) lines/#) }
      let match = try #require(rows.first)
      return (Int(match.1) ?? 0, Int(match.2) ?? 0, Int(match.3) ?? 0)
    }
    let start = try place()
    #expect(start.first == 1 && b.shows("┃"))
    // A page shows all that follows, and a line of what was there.
    var seen = start.last
    while seen < start.of {
      b.press(.pageDown)
      let now = try place()
      #expect(now.first <= seen && now.last > seen)
      seen = now.last
    }
    b.press(.home)
    #expect(try place() == start)
    b.press(.end)
    #expect(try place().last == start.of && b.shows("Leave the studio"))
    b.press(.pageUp)
    #expect(try place().last < start.of)
    var keys = Bench(Size(120, 60))
    keys.press(.function(1))
    var seenKeys = keys.rows()
    keys.press(.pageDown)
    seenKeys += keys.rows()
    #expect(seenKeys.contains { $0.contains("Alt-Comma, Alt-Period") })
  }

  // MARK: Edges

  /// What does not fit beside the inspector ends in an ellipsis.
  @Test func cutTextsSaySo() {
    var b = Bench(Size(100, 30))
    let name = String(repeating: "model-of-a-long-name-", count: 8)
    b.act(.modelReady(name: name, parameters: 1, bytes: 1, canDraw: true))
    b.press(.tab)
    b.send("who are you?")
    b.answer("nobody")
    b.send("/seed 18446744073709551615")
    for text in ["/imagine a cat", "/cfg 4", "/retry"] {
      b.send(text)
      b.finish("c\(b.running)")
    }
    #expect(b.shows("Sweep of seed 184467440737"), "\(b.rows())")
    #expect(b.rows().contains { $0.contains("Sweep of seed") && $0.contains("…") })
    b.act(.folderRead("/" + String(repeating: "far/", count: 60), []))
    #expect(b.rows().contains { $0.contains("far/far") && $0.contains("… ─") })
    b.press(.escape)
    let row = b.rows().map { $0.prefix(66) }.first { $0.contains("model-of-a-long-name-model") } ?? ""
    #expect(row.hasSuffix("…"), "\(row)")
  }
}
