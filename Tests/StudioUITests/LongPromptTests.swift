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

  /// The longest text that is taken is there at once, typing behind it and within it costs no more than elsewhere, and what
  /// is shown is where the cursor stands.
  @Test(arguments: ["a", "ab c ", "é", "a line of some words\r\n", "\n", "漢"])
  func theLongestPasteIsTaken(_ part: String) {
    var b = bench(Size(80, 24))
    b.type("before ")
    let text = String(repeating: part, count: (Key.longestPaste - 12) / part.utf8.count)
    let pasted = processorSeconds {
      b.act(.key(.paste(text)))
      draw(b)
    }
    #expect(pasted < 0.5, "\(part): \(pasted) s")
    #expect(b.state.toast == nil && b.state.prompt.editor.text.starts(with: "before "))
    let count = b.state.prompt.editor.text.count
    let typed = processorSeconds {
      for character in "typed" {
        b.press(.character(character))
        draw(b)
      }
    }
    #expect(typed < 0.5, "\(part): \(typed) s")
    // It may stand on two lines.
    let shown = b.rows().joined().filter { !$0.isWhitespace }
    #expect(b.state.prompt.editor.text.count == count + 5 && shown.contains("typed"), "\(b.rows())")
    // The beginning is shown, too, where somebody goes there.
    b.press(.home)
    if !part.contains("\n") { #expect(b.shows("› before"), "\(b.rows())") }
  }

  /// Lines around the cursor are those of the whole text.
  @Test func whatIsShownOfALongTextIsItsPart() {
    var b = bench(Size(80, 24))
    let words = (0..<5000).map { "w\($0)" + ($0 % 11 == 0 ? "\n" : " ") }.joined()
    b.act(.key(.paste(words)))
    let whole = TextWidth.lines(b.state.prompt.editor.text, 76)
    for _ in 0..<40 {
      for _ in 0..<7 { b.press(.up, .home, .wordRight) }
      let place = b.state.prompt.editor.cursor
      let row = whole.lastIndex { $0.lowerBound <= place } ?? 0
      for line in whole[max(0, row - 7)...row] {
        let text = String(b.state.prompt.editor.text[line])
        #expect(b.rows().contains { $0.dropFirst(3).hasPrefix(text) }, "\(text) in \(b.rows())")
      }
    }
  }

  /// More than a prompt holds is not taken, in one line that says what to do, and what was there stays.
  @Test func whatIsLongerIsRefused() {
    var b = bench()
    b.type("a cat")
    let told = "is more than a prompt holds (1049 kB), and nothing of it was taken; paste a part of it"
    b.press(.overlongPaste(bytes: 52_428_800))
    #expect(b.state.toast?.text == "the pasted text of 52 MB \(told)" && b.state.toast?.isError == true)
    b.press(.paste(String(repeating: "x", count: Key.longestPaste + 1000)))
    #expect(b.state.toast?.text == "the pasted text of 1050 kB \(told)")
    b.type(" on")
    #expect(b.state.prompt.editor.string == "a cat on")
    b.press(.paste(String(repeating: "x", count: PromptEditor.longest - 8)))
    #expect(b.state.prompt.editor.text.count == PromptEditor.longest)
    for key: Key in [.paste("yz"), .character("y")] {
      b.press(key)
      #expect(b.state.toast?.text == "the prompt is full: it holds 1049 kB; nothing was put in")
    }
    b.press(.control("u"), .control("y"), .control("y"), .lineBreak)
    #expect(b.state.prompt.editor.text.count == PromptEditor.longest)
    // Over a list, too.
    b.press(.control("p"), .overlongPaste(bytes: 3_000_000))
    #expect(b.state.toast?.text == "the pasted text of 3000 kB \(told)")
    // A log's prompt may be longer than what is written here.
    b.act(.historyRead([String(repeating: "a b ", count: 1 << 19)]))
    b.press(.escape, .control("u"), .up)
    #expect(b.state.prompt.editor.text.count == PromptEditor.longest)
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
