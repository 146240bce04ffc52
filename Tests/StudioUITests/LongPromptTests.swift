import Frames
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
