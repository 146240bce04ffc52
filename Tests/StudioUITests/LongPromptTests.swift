import Frames
import Requests
import SessionLog
import StudioUI
import TestSupport
import Testing

/// Prompts that nobody writes and anybody may paste.
@Suite struct LongPromptTests {
  /// A vocabulary of so many words as a model's has.
  private func bench(_ size: Size = Size(120, 36)) -> Bench {
    var b = Bench(size)
    let letters = Array("abcdefghijklmnop")
    let names = (0..<1000).map { (i: Int) -> String in
      let (first, second, third) = (letters[i % 16], letters[i / 16 % 16], letters[i / 256])
      return "\(first)\(second)\(third)at"
    }
    b.act(.vocabularyKnown(Vocabulary("# Words\na on\n\n# Things\n" + names.joined(separator: "\n"))))
    return b
  }

  private func draw(_ b: Bench) { _ = view(b.state, LayoutCache()) }

  /// What a list is narrowed down by may be as long.
  @Test func aLongSearchIsShownAtOnce() {
    var b = bench()
    let seconds = processorSeconds {
      b.send("/search " + String(repeating: "y", count: 100_000))
      draw(b)
      b.press(.character("z"))
      draw(b)
    }
    #expect(b.shows("yyyz"))
    // One letter after the other was taken away, and the rest measured: minutes.
    #expect(seconds < 4, "\(seconds) s")
  }

  @Test(arguments: ["a", "ab ", "@a ", "é", "\n", "/", "'"])
  func aLongPasteIsShownAtOnce(_ part: String) {
    var b = bench()
    let text = String(repeating: part, count: 200_000 / part.count)
    let seconds = processorSeconds {
      b.act(.key(.paste(text)))
      draw(b)
      b.press(.character("x"))
      draw(b)
      b.press(.tab)
      draw(b)
    }
    #expect(b.state.prompt.editor.text.count >= 199_000)
    // Without bounds on what is looked up: minutes for one word.
    #expect(seconds < 4, "\(part): \(seconds) s")
  }

  /// Marks on one letter, as terminals limit them: pasted, typed one by one, in an answer and in a log.
  @Test(arguments: ["\u{301}", "\u{200D}", "\u{FE0F}", "\u{94D}\u{915}"])
  func thousandsOfMarksAreShownAtOnce(_ mark: String) {
    let text = "\u{915}" + String(repeating: mark, count: 50_000)
    var b = bench()
    var seconds = processorSeconds {
      b.act(.key(.paste(text)))
      draw(b)
      b.press(.character("x"))
      draw(b)
      b.press(.enter)
      draw(b)
      b.act(.request(b.running, .ended))
      draw(b)
    }
    #expect(seconds < 0.5, "pasted: \(seconds) s")
    #expect(b.drawings.last?.prompt.unicodeScalars.count ?? 0 < 100)
    seconds = processorSeconds {
      for event: SessionEvent in [
        .asked(request: 7, text: text, pictures: [], sampling: .init()),
        .answered(request: 7, text: text, tokens: 1, seconds: 1, isPartial: false), .note(text),
        .renamed(text),
        .drawingAsked(request: 8, settings: ImageSettings(prompt: text), count: 1, parent: nil),
        .drawn(
          request: 8, picture: "d", origin: PictureOrigin(ImageSettings(prompt: text), stepsDone: 1),
          seconds: 1,
          isPartial: false),
      ] { b.act(.session(event)) }
      draw(b)
      b.press(.function(3))
      draw(b)
      b.press(.escape)
      b.act(.sessionsRead([Choice(title: text, detail: "", value: "x")]))
      draw(b)
      b.press(.escape)
      b.press(.tab)
      draw(b)
    }
    #expect(seconds < 0.5, "read: \(seconds) s")
  }

  @Test func marksThatAreTypedJoinTheirLetter() {
    var b = bench()
    let seconds = processorSeconds {
      b.type("e")
      for _ in 0..<2000 { b.press(.character("\u{301}")) }
      b.type("x")
      draw(b)
    }
    #expect(seconds < 0.5, "typed: \(seconds) s")
    #expect(b.state.prompt.editor.text.count == 2 && b.state.prompt.editor.cursor == 2)
    b.press(.backspace, .backspace)
    #expect(b.state.prompt.editor.isEmpty)
    // What people write stays as it is.
    for text in ["e\u{301}\u{323}", "👨‍👩‍👧‍👦", "क्षत्रिय", "x̸̲͈̤̱"] {
      b.press(.paste(text))
      #expect(b.state.prompt.editor.string == text)
      b.press(.control("u"))
    }
  }

  /// What is typed, or pasted by a terminal that does not say so, costs no more the longer the text is.
  @Test(arguments: ["a", "ab ", "/a"]) func manyKeysAreTakenAtOnce(_ part: String) {
    var b = bench()
    let text = String(repeating: part, count: 10_000 / part.count)
    let seconds = processorSeconds {
      b.type(text)
      draw(b)
    }
    #expect(seconds < 2, "\(part): \(seconds) s")
  }

  @Test func aLongWordIsNotLookedUp() {
    var b = bench()
    b.type("a " + String(repeating: "q", count: 60))
    #expect(b.shows("unknown: 'qqqq") && b.shows("qq…'; /things"), "\(b.rows())")
    b.press(.tab)
    #expect(b.state.toast?.text.contains("nothing like 'qqq") == true)
  }
}
