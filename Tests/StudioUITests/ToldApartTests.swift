import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// Names in prompts, messages and models that wait: each is told for what it is.
@Suite struct ToldApartTests {
  private static func mentions(_ text: String) -> Mentions? {
    var b = Bench()
    b.press(.tab)
    b.send(text)
    return b.effects.lazy.compactMap { if case .attachMentioned(let found) = $0 { found } else { nil } }.last
  }

  // MARK: Names

  /// Quotes within a name are a part of it, brackets and signs around it are not, unless there is such a file.
  @Test(arguments: [
    ("what is @it's.png?", ["it's.png"], "it's.png"), (#"@5"x7".png what?"#, [#"5"x7".png"#], #"5"x7".png"#),
    ("is @'tis.png red?", ["'tis.png"], "'tis.png"), ("is @it's.png red?", [], "it's.png"),
    ("what is in (@cat.png)?", ["cat.png"], "cat.png"), ("@cat.png)?", ["cat.png"], "cat.png"),
    ("@cat.png)?", ["cat.png", "cat.png)"], "cat.png)"), ("[@my cat.png]!", ["my cat.png"], "my cat.png"),
    (#"what is "@cat.png"?"#, ["cat.png"], "cat.png"),
    ("@it's my cat.png.", ["it's my cat.png"], "it's my cat.png"),
    ("@'my cat.png', and?", ["my cat.png"], "my cat.png"), ("@pics of cats", [], "pics"),
    ("what is @my cat.png?", [], "my cat.png"), ("@home, where the cat.png is", [], "home"),
    (#"@dir/'my cat.png' what?"#, ["dir/my cat.png"], "dir/my cat.png"),
  ])
  func namesEndWhereTheyAreMeantTo(_ text: String, _ files: [String], _ path: String) throws {
    let found = try #require(Self.mentions(text)).withBlanks(files.contains)
    #expect(found.words.map(\.path) == [path])
  }

  /// A folder is meant where no file is.
  @Test func foldersAreNames() throws {
    let found = try #require(Self.mentions("what is in @my pictures?"))
      .withBlanks({ _ in false }, orFolder: ["my pictures"].contains)
    #expect(found.words.map(\.path) == ["my pictures"])
  }

  /// What can only mean a file is a mistake where there is none; else it is text.
  @Test(arguments: [
    ("@cat.png", true), ("@a/b", true), ("@notes.txt", true), ("@cat.pngg", true), ("@'home'", true),
    ("@home", false), ("@home.", false), ("@example.com", false), ("@3.5", false), ("@...", false),
  ])
  func wordsAreNoPaths(_ text: String, _ isPath: Bool) throws {
    #expect(Mentions.isPath(try #require(Self.mentions("see \(text)")?.words.first)) == isPath)
  }

  /// What stood around a name does not stay alone.
  @Test func bracketsGoWithTheirName() throws {
    for (text, question) in [
      ("what is in (@cat.png)?", "what is in (the picture)?"), ("(@cat.png) what is this?", "what is this?"),
    ] {
      let found = try #require(Self.mentions(text))
      var b = Bench()
      b.act(.mentionsFound(found, [0: Attachment(picture: "c0", name: "cat.png")]))
      #expect(b.questions.last?.text == question)
    }
    var b = Bench()
    b.act(
      .mentionsFound(
        try #require(Self.mentions("(@cat.png)?")), [0: Attachment(picture: "c0", name: "cat.png")]))
    #expect(b.questions.isEmpty && b.state.prompt.attachments.count == 1)
  }

  /// The line above the prompt says what a question will be about: names reach as far as there is a file, and words that
  /// are none say nothing.
  @Test func theLineSaysWhatIsAskedAbout() throws {
    var b = Bench()
    b.send("a hen")
    b.finish("h0")
    b.press(.tab)
    func lookUp(_ files: [String]) throws {
      let asked = b.effects.compactMap { if case .lookFor(let words) = $0 { words } else { nil } }.last
      let found = try #require(asked).withBlanks(files.contains)
      b.act(
        .mentionsLookedUp(found, absent: found.words.indices.filter { !files.contains(found.words[$0].path) })
      )
    }
    b.type("what is in @my cat.png")
    try lookUp(["my cat.png"])
    #expect(
      b.shows("[about] my cat.png") && !b.shows("such file") && !b.shows("a hen,"), "\(b.rows().suffix(4))")
    b.type(" ")
    try lookUp([])
    #expect(b.shows("no file is called my cat.png"), "\(b.rows().suffix(4))")
    b.press(.control("u"))
    b.type("do you know me @home")
    try lookUp([])
    #expect(b.shows("[about] a hen") && !b.shows("home,"), "\(b.rows().suffix(4))")
    b.press(.control("u"))
    b.act(.attached(Attachment(picture: "d0", name: "dog.jpg")))
    b.type("and @my cow.png")
    try lookUp(["my cow.png"])
    #expect(b.shows("[Image #1] dog.jpg  [Image #2] my cow.png"), "\(b.rows().suffix(4))")
  }

  // MARK: Messages

  /// What was said before is no part of what is said now.
  @Test func messagesAreNoSentence() {
    var b = Bench()
    b.send("a cat")
    b.send("/cfg 5")
    b.send("/stop all")
    #expect(b.state.toast?.text == "stopped everything")
    b.finish("c0", partial: true)
    b.act(.tick(9))
    for text in ["a cat", "a dog"] { b.send(text) }
    b.send("/stop all")
    #expect(
      b.state.toast?.text == "stopped everything\nremoved 1 request from the queue; /redo puts it back")
    #expect(b.rows().contains { $0.contains("stopped everything") && !$0.contains("removed") })
    // What an effect says stands below what was said in the same moment, and below what went wrong.
    b.act(.tick(20))
    b.act(.toast("drawn by another model", isError: false))
    b.act(.attached(Attachment(picture: "p1", name: "cat.png")))
    #expect(b.state.toast?.text == "drawn by another model\nattached cat.png")
    b.act(.tick(40))
    b.send("/nonsense")
    b.act(.tick(41))
    b.act(.toast("saved", isError: false))
    #expect(b.rows().contains { $0.contains("unknown command") && !$0.contains("saved") } && b.shows("saved"))
    b.act(.tick(60))
    b.act(.toast("one", isError: false))
    b.act(.tick(61))
    b.act(.toast("two", isError: false))
    #expect(b.state.toast?.text == "two")
  }

  /// A question that is drawn, with a picture that waits for a question: two things are said.
  @Test func twoThingsAreSaidOnTwoLines() {
    var b = Bench()
    b.act(.attached(Attachment(picture: "p1", name: "cat.png")))
    b.press(.tab)
    b.act(.tick(9))
    b.send("what is on the table?")
    #expect(b.state.toast?.text.split(separator: "\n").count == 2, "\(b.state.toast?.text ?? "")")
  }

  // MARK: Models that wait

  private static func loads(_ b: Bench) -> [Effect] {
    b.effects.filter { if case .loadModel = $0 { true } else { false } }
  }

  /// A model that is to take over is in the queue, where it can be taken out, and goes with the rest.
  @Test func aModelThatWaitsIsInTheQueue() {
    var b = Bench()
    b.send("a cat")
    b.send("a dog")
    b.send("/model other")
    b.send("a cow")
    #expect(b.shows("next: a dog") && b.shows("next: model other") && b.shows("3 in the queue"))
    b.press(.control("q"))
    #expect(b.shows("model other") && b.shows("takes over then"))
    b.press(.down, .delete)
    #expect(b.state.work.queue.count == 2 && !b.shows("takes over then") && b.shows("other is not loaded"))
    b.press(.escape)
    b.send("/model other")
    b.press(.control("q"))
    b.press(.down, .down, .enter)
    #expect(b.state.prompt.editor.string == "/model other" && b.state.work.queue.count == 2)
    b.press(.enter)
    b.send("/stop all")
    #expect(b.state.toast?.text.contains("other is not loaded") == true && !b.shows("in the queue"))
    b.finish("c0", partial: true)
    b.act(.tick(1))
    #expect(Self.loads(b).isEmpty)
    // Without anything else that waits, too.
    b.send("a hen")
    b.send("/model other")
    b.press(.control("q"))
    #expect(b.shows("takes over then"))
    b.press(.escape)
    b.send("/stop after")
    b.finish("h0")
    #expect(Self.loads(b).isEmpty)
  }

  /// A folder that holds no model is told at once, and what was asked behind it is asked of the model that is there.
  @Test func aWrongModelIsToldAtOnce() {
    var b = Bench()
    b.send("a cat")
    b.send("/model /nowhere")
    #expect(b.effects.contains(.checkModel("/nowhere")))
    b.act(.modelUnfit("/nowhere", "/nowhere: no such folder"))
    #expect(b.state.toast?.isError == true && b.shows("/nowhere: no such folder") && !b.shows("in the queue"))
    b.send("a dog")
    b.finish("c0")
    #expect(Self.loads(b).isEmpty && b.drawings.map(\.prompt) == ["a cat", "a dog"])
  }

  // MARK: Words

  /// What is checked and what it came to is said in these words, and so is how strongly a prompt is followed.
  @Test func wordsOfCritiqueAndGuidance() {
    var b = Bench()
    b.send("a cat and a dog")
    #expect(b.shows("draw · guidance 3.0"))
    b.finish("c0")
    #expect(b.shows("guidance 3.0 · 50 steps"))
    b.send("/cfg 4.5")
    #expect(b.shows("guidance 4.5; the picture is drawn again"))
    b.send("/critique")
    #expect(b.questions.last?.text == "Is there a cat in the picture?")
    b.answer("yes, there is")
    b.answer("no")
    #expect(b.shows("Critique: 1 of 2 parts correct, according to the model that drew it"))
    #expect(b.shows("✓ a cat") && b.shows("✗ a dog (no)"))
    b.send("/cfg 15.1")
    #expect(b.shows("/cfg takes 0 to 15"))
    b.send("/sweep 1..99")
    #expect(b.shows("/sweep takes two scales from 0 to 15, as in /sweep 1..9"))
    b.press(.control("p"))
    b.type("cfg")
    #expect(b.shows("Guidance scale: how closely a picture follows its prompt"))
  }

  /// Ctrl-L asks for the whole screen, and what comes of it is drawn in the size that it has now.
  @Test func controlLDrawsAnew() {
    var b = Bench()
    b.press(.control("l"))
    #expect(b.effects.last == .repaint)
  }
}
