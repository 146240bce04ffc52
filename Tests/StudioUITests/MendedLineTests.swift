import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What a person typed and what is said of it: it stays to be mended, and the answer is about it.
@Suite struct MendedLineTests {
  private static func bench() -> Bench {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    return b
  }

  /// What is refused is still there; a command that is typed behind it takes its place, and one that has no argument to mend
  /// goes.
  @Test func whatIsRefusedStays() {
    for text in ["/cfg 99", "/cfg", "/steps many", "/sweep 1..x", "/nonsense", "/undo it", "/image \"\""] {
      var b = Self.bench()
      b.send(text)
      #expect(b.state.toast?.isError == true && b.state.prompt.editor.string == text, "\(text)")
      b.type("/steps 7")
      b.press(.enter)
      #expect(b.state.inspector.controls.steps == 7 && b.state.prompt.editor.isEmpty, "\(text)")
    }
    var b = Self.bench()
    b.send("/cfg 9x")
    b.press(.backspace, .enter)
    #expect(b.state.inspector.controls.guidance == 9 && b.state.prompt.editor.isEmpty)
    b.send("/stop")
    b.send("/redo")
    #expect(b.state.toast?.text == "there is nothing to bring back" && b.state.prompt.editor.isEmpty)
  }

  /// Numbers are decimal, and a limit is one.
  @Test(arguments: ["0x3", "15.0000001", "1e1", "nan", "inf", "-0.0000001"]) func numbersAreDecimal(
    _ text: String
  ) {
    var b = Self.bench()
    b.send("/cfg \(text)")
    #expect(b.state.toast?.text == "/cfg takes 0 to 15" && b.state.inspector.controls.guidance == 3)
    b.send("/sweep \(text)..9")
    #expect(b.state.toast?.isError == true && b.drawings.count == 1)
    b.send("/interval \(text)..1")
    #expect(b.state.toast?.isError == true && b.state.inspector.controls.guidanceStart == 0)
  }

  /// A falling sweep falls; an interval that does is told so.
  @Test func theOrderIsTold() {
    var b = Self.bench()
    b.send("/sweep 9..1,4")
    for name in ["s1", "s2", "s3"] { b.finish(name) }
    #expect(b.drawings.dropFirst().map(\.guidanceScale) == [9, 5, 1])
    b.send("/interval 1..0.25")
    #expect(b.state.toast?.text == "/interval takes the smaller time first, as in /interval 0.25..1.00")
  }

  /// `/edit` in Ask is about questions, and elsewhere about drawings.
  @Test func editIsOfItsMode() {
    var b = Self.bench()
    b.press(.tab)
    b.send("/edit")
    #expect(b.state.toast?.text == "there is no question yet")
    b.send("what is it?")
    b.answer("a cat")
    b.press(.tab)
    b.send("a dog")
    b.finish("d0")
    b.press(.tab)
    b.send("/edit")
    #expect(b.state.prompt.editor.string == "what is it?")
    b.press(.control("u"), .tab)
    b.send("/edit")
    #expect(b.state.prompt.editor.string == "a dog")
  }

  /// Pictures of one prompt are told apart by what they differ in.
  @Test func picturesOfOnePromptAreToldApart() {
    var b = Self.bench()
    b.send("/sweep 1..2")
    b.finish("s1")
    b.finish("s2")
    b.press(.tab)
    #expect(b.shows("[about] guidance 2.0 · a cat"), "\(b.rows())")
    b.press(.alt("p"))
    #expect(b.shows("[about] guidance 1.0 · a cat"), "\(b.rows())")
    b = Self.bench()
    b.press(.tab)
    #expect(b.shows("[about] a cat ") && !b.shows("· a cat"))
  }

  /// A picture of a strip brings its seed along, which is said and goes with the session; a command that is typed behind its
  /// prompt is one.
  @Test func aChosenPictureBringsItsSeed() {
    var b = Self.bench()
    b.send("/sweep 1..2")
    b.finish("s1")
    b.finish("s2")
    b.press(.alt("1"))
    let seed = b.drawings[0].seed
    #expect(b.shows("seed \(seed), until /seed random or /new") && b.state.inspector.controls.seed == seed)
    b.type("/steps 9")
    b.press(.enter)
    #expect(b.state.inspector.controls.steps == 9 && b.drawings.count == 3)
    #expect(KeyTable.bindings.contains { $0.command == .chooseOfStrip && $0.help.contains("/seed random") })
    b.send("/new")
    b.open()
    #expect(b.state.inspector.controls.seed == nil)
  }

  /// Esc in a gallery that is filtered shows all of it first.
  @Test func escapeClearsTheFilterFirst() {
    var b = Self.bench()
    b.send("a dog")
    b.finish("d0")
    b.press(.function(3), .character("/"))
    b.type("dog")
    b.press(.enter, .escape)
    guard case .gallery(let gallery) = b.state.overlays.top else {
      Issue.record("\(b.effects.suffix(3))")
      return
    }
    #expect(gallery.filter.isEmpty)
    b.press(.escape)
    #expect(b.state.overlays.top == nil)
  }

  /// A paste is searched for, a line of it; what nobody sees excludes nothing; a slash alone and no name are told once.
  @Test func whatIsTypedIsTaken() {
    var b = Self.bench()
    b.send("a dog")
    b.finish("d0")
    b.press(.control("r"))
    b.act(.key(.paste("a c\r\n")))
    #expect(b.state.prompt.editor.search?.hasPrefix("a c") == true)
    b.press(.escape)
    b.send("/negative \u{200B}\u{202E}")
    #expect(b.state.inspector.controls.negative.isEmpty && b.state.toast?.text == "negative cleared")
    b.send("/")
    #expect(b.state.toast?.text == "/ needs a command behind it; Ctrl-P lists them")
    #expect(!b.effects.contains { if case .lookUp = $0 { true } else { false } })
    b.send("/image \"\"")
    #expect(b.state.toast?.text == "/image names no file: \"\" is empty")
    b.send("/caption ''")
    #expect(b.state.toast?.text == "/caption names no file: '' is empty")
    #expect(!b.effects.contains { if case .attach = $0 { true } else { false } })
  }
}
