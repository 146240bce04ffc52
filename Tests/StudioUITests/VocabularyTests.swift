import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What the model was taught, from the list in its folder.
@Suite struct VocabularyTests {
  private static let text = """
    # Words
    a an red blue on white background left of two

    # Animals
    cat ; cats
    butterfly ; butterflies ; hue

    # Household
    teddy bear ; teddy bears
    glasses ; glasses
    """

  private func bench(_ size: Size = Size(80, 24)) -> Bench {
    var b = Bench(size)
    b.act(.vocabularyKnown(Vocabulary(Self.text)))
    return b
  }

  private func underlined(_ b: Bench) -> String {
    let frame = view(b.state, LayoutCache())
    var text = ""
    for y in 0..<frame.size.height {
      for x in 0..<frame.size.width where frame[x, y].style.isUnderlined {
        text.append(frame[x, y].character)
      }
    }
    return text
  }

  @Test func unknownWordsAreUnderlinedAndMended() {
    var b = bench()
    b.type("a red automobile on a white background")
    #expect(underlined(b) == "automobile" && b.shows("unknown: 'automobile'"))
    b.press(.control("u"))
    // What is being written may become a word.
    b.type("two buttef")
    #expect(underlined(b) == "buttef")
    b.press(.tab)
    #expect(b.state.prompt.editor.string.hasPrefix("two butterfl"))
    b.press(.control("u"))
    b.type("a butter")
    #expect(underlined(b).isEmpty)
    b.type(" ")
    #expect(underlined(b) == "butter" && b.shows("Tab: butterfly"))
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "a butterfly ")
    b.press(.control("u"))
    b.type("a teddy bear")
    #expect(underlined(b).isEmpty)
    // Not of questions, commands and files.
    b.press(.control("u"))
    b.type("/caption zebra")
    #expect(underlined(b).isEmpty)
    b.press(.control("u"), .tab)
    b.type("what zebra?")
    #expect(underlined(b).isEmpty)
    #expect(Vocabulary("nothing") == nil)
  }

  /// Tab goes by words that are like nothing, to the nearest that is like something.
  @Test func wordsLikeNothingArePassedOver() {
    var b = bench()
    b.type("a buterfly on a qwrtz xylkg vbnmp ")
    #expect(b.shows("unknown: 'buterfly'; Tab: butterfly"))
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "a butterfly on a qwrtz xylkg vbnmp ")
    b.press(.tab)
    #expect(b.state.toast?.text.contains("nothing like 'vbnmp'") == true)
    // Behind the cursor, too.
    b.press(.control("u"))
    b.type("a qwrtz on a buterfly ")
    for _ in 0..<15 { b.press(.left) }
    b.press(.tab)
    #expect(b.state.prompt.editor.string == "a qwrtz on a butterfly ")
  }

  /// The other side's spelling is what is meant; other programs' tags are no words.
  @Test func spellingsAndTagsAreKnown() {
    let text = "# Words\na an gray green colored center\n\n# Things\nairplane ; airplanes\ngrape ; grapes\n"
    let vocabulary = Vocabulary(text)
    let prompt = "a grey aeroplane, coloured, at the centre <lora:grapey:0.8>"
    let words = vocabulary?.unknownWords(in: prompt) ?? []
    #expect(
      words.map { "\($0.word) \($0.nearest ?? "-")" } == [
        "grey gray", "aeroplane airplane", "coloured colored", "at -", "the -", "centre center",
      ], "\(words)")
    #expect(vocabulary?.unknownWords(in: "a < grey: b>").map(\.word) == ["grey"])
    var b = Bench()
    b.act(.vocabularyKnown(vocabulary))
    b.type("an airplane <lora:detailtweaker:1> gray ")
    #expect(underlined(b).isEmpty && !b.shows("unknown"))
  }

  @Test func thingsAreListedAndDrawn() {
    var b = bench(Size(120, 36))
    b.send("/things")
    #expect(b.shows("What nano knows") && b.shows("butterfly") && b.shows("Animals · any colour"))
    #expect(b.effects.last == .drawThing("cat"))
    b.press(.down)
    #expect(b.effects.last == .drawThing("cat"), "one at a time")
    b.act(.pictureKnown(.thing("cat"), Size(128, 128)))
    b.act(.asideEnded)
    #expect(b.effects.last == .drawThing("butterfly"))
    b.press(.up)
    #expect(view(b.state, LayoutCache()).placements.contains { $0.picture == .thing("cat") })
    b.press(.enter)
    #expect(b.state.prompt.editor.string == "a cat" && b.state.overlays.top == nil)
    var c = Bench()
    c.send("/things")
    #expect(c.state.toast?.isError == true, "a model without a list")
  }

  @Test func eachStartSuggestsAnother() {
    var seen: Set<String> = []
    for number: UInt64 in 0..<20 {
      var b = bench(Size(120, 36)), preferences = Preferences()
      preferences.suggestion = number &* 0x1234_5678_9ABC
      b.act(.configured(preferences))
      b.press(.right)
      let prompt = b.state.prompt.editor.string
      #expect(prompt.contains("background") && underlined(b) != prompt)
      seen.insert(prompt)
    }
    #expect(seen.count > 8, "\(seen)")
  }
}
