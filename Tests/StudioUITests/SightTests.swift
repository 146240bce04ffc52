import Frames
import Requests
import SessionLog
import StudioUI
import TestSupport
import Testing

/// What is on the screen can be read, says what is so, and says it once.
@Suite struct SightTests {
  /// Every picture lies on cells that hold nothing else.
  private func isClear(_ b: Bench) -> Bool {
    let frame = view(b.state, LayoutCache())
    return frame.placements.allSatisfy { placement in
      let seen = placement.visible
      return (seen.y..<seen.maxY).allSatisfy { y in
        (seen.x..<seen.maxX).allSatisfy { frame[$0, y].character == Frame.filler }
      }
    }
  }

  private func swept(_ size: Size, to last: Int = 9) -> Bench {
    var b = Bench(size)
    b.send("/seed 5")
    b.send("a dog")
    b.act(.pictureKnown("d0", Size(128, 128)))
    b.finish("d0")
    b.send("/sweep 1..\(last),1")
    for scale in 1...last {
      b.act(.pictureKnown(.hash("d\(scale)"), Size(128, 128)))
      b.finish("d\(scale)")
    }
    return b
  }

  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36)]) func picturesCoverNoText(_ size: Size) {
    var b = swept(size)
    for i in 0..<40 {
      b.press(i % 3 == 0 ? .pageUp : .character("x"))
      b.act(.key(.mouse(.init(i < 25 ? .wheelUp : .wheelDown, 5, 5))))
      #expect(isClear(b), "\(i): \(b.rows().joined(separator: "\n"))")
      if b.state.conversation.scroll != nil {
        #expect(b.rows().contains { $0.contains(" message") && $0.contains(" below ") })
      }
    }
    for key: Key in [.control("p"), .function(1), .function(2), .function(4), .function(3), .backTab] {
      b.press(key)
      #expect(isClear(b), "\(key)")
      b.press(.escape)
    }
    // A long message lies over the transcript, too.
    b.act(.toast(String(repeating: "a long message ", count: 20), isError: true))
    #expect(isClear(b) && b.shows("a long message a long"))
  }

  @Test func scalesStandUnderTheirMarks() {
    let b = swept(Size(120, 40)), frame = view(b.state, LayoutCache())
    let marks = (0..<40).first { frame.row($0).contains("◇") } ?? 0
    let row = Array(frame.row(marks)), labels = Array(frame.row(marks + 1))
    let columns = row.indices.filter { "◇◆".contains(row[$0]) }
    #expect(columns.count == 9)
    for (scale, column) in zip(1...9, columns) where labels[column] != " " {
      #expect(labels[column] == Character("\(scale)"), "\(String(labels))")
    }
    let shown = columns.filter { labels[$0] != " " }.count
    #expect(labels[columns[0]] == "1" && labels[columns[8]] == "9" && labels[columns[2]] == "3" && shown >= 6)
  }

  @Test func theChipSaysWhatAQuestionWillBeAbout() {
    var b = Bench(Size(80, 24))
    b.send("a hen")
    b.finish("h0")
    b.press(.tab)
    #expect(b.shows("[about] a hen"))
    b.type("what is @my\\ ca")
    #expect(b.shows("[about] my ca, if there is such a file") && !b.shows("else"))
    b.type("t.png")
    #expect(b.shows("[about] my cat.png") && !b.shows("a hen,"))
    b.type(" like @/tmp/dog.jpg?")
    #expect(b.shows("[about] my cat.png, dog.jpg"))
    let mentions = b.effects.count
    b.press(.enter)
    guard case .attachMentioned(let found)? = b.effects.dropFirst(mentions + 1).first else {
      Issue.record("\(b.effects.suffix(2))")
      return
    }
    b.act(.mentionsFound(found, [0: Attachment(picture: "c0c0c0", name: "my cat.png")]))
    b.answer("a cat")
    #expect(b.shows("[about] my cat.png") && !b.shows("c0c0c0"), "\(b.rows().joined(separator: "\n"))")
    // In Imagine, too: what names a picture is a question.
    b.press(.tab)
    b.type("@dog.jpg")
    #expect(b.shows("[about] dog.jpg"))
    b.press(.control("u"))
    b.act(.attached(Attachment(picture: "d0d0", name: "dog.jpg")))
    b.type("and @cow.png")
    #expect(b.shows("[Image #1] dog.jpg  [Image #2] cow.png"))
  }

  /// Esc and another key that come together are not taken for a key with Alt that means nothing.
  @Test func whatFollowsEscIsTyped() {
    let typed = (33..<127).map { Character(UnicodeScalar(UInt8($0))) }
    var drawing = Bench()
    drawing.send("a dog")
    var gallery = swept(Size(80, 24), to: 2)
    gallery.press(.function(3))
    var list = Bench()
    list.press(.control("p"))
    for (name, stage) in [("prompt", Bench()), ("drawing", drawing), ("gallery", gallery), ("list", list)] {
      var count = 0
      for c in typed where stage.state.binding(of: .alt(c)) == nil {
        var together = stage, apart = stage
        together.press(.alt(c))
        apart.press(.escape, .character(c))
        #expect(together.state == apart.state && together.effects == apart.effects, "\(name): Alt-\(c)")
        count += 1
      }
      #expect(count > 60)
    }
    drawing.press(.alt("/"))
    #expect(drawing.state.prompt.editor.string == "/" && drawing.effects.contains(.cancel(1)))
  }

  @Test func aLongMessageIsSaidOnce() {
    var b = Bench(Size(60, 16))
    let name = Theme(name: "a theme of many words", appearance: .light, colours: [:])
    b.act(.themesRead([.builtIn, name], chosen: nil))
    b.send("/theme a theme of many words")
    #expect(b.rows().filter { $0.contains("theme a theme of") }.count == 1, "\(b.rows())")
  }

  @Test func listsShowWholeFacts() {
    var b = Bench(Size(80, 24))
    var choice = Choice(
      title: "a red apple on a white background", detail: "yesterday 11:42 · 11 prompts, 10 pictures",
      value: "a")
    choice.picture = "p0"
    b.act(.pictureKnown("p0", Size(128, 128)))
    b.act(.sessionsRead([choice]))
    let row = b.rows().first { $0.contains("a red apple") } ?? ""
    #expect(row.contains("yesterday 11:42 ") && !row.contains("· 1"), "\(row)")
    #expect(b.shows("11 prompts, 10 pictures") || b.shows("11 prompts, 10"), "beside it there is room")
  }

  /// A log may hold a text of 50 MB: laying it out must not keep the first frame waiting.
  @Test func aHugeTextIsShownAsFarAsItIsRead() {
    var b = Bench(Size(80, 24))
    let text = String(repeating: "words and ", count: 5_000_000)
    let seconds = processorSeconds {
      b.act(.session(.note(text)))
      #expect(b.shows("cut here") && b.shows("50 MB"))
    }
    #expect(seconds < 1.5, "\(seconds) s")
  }

  @Test func theGallerySaysWhatIsOutOfSight() {
    var b = Bench(Size(80, 24))
    for i in 0..<30 {
      b.send("a cat")
      b.finish("g\(i)")
    }
    b.press(.function(3))
    #expect(b.rows()[0].contains("30 of 30") && b.rows()[0].contains("more ↑") && !b.rows()[0].contains("↓"))
    b.press(.home)
    #expect(b.rows()[0].contains("1 of 30") && b.rows()[0].contains("more ↓") && !b.rows()[0].contains("↑"))
    #expect(b.rows()[0].contains("this session (Tab: all sessions)"))
  }
}
