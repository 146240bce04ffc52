import Files
import Testing

/// What is printed: for a person, and for a program.
struct ReportTests {
  /// What nobody sees is shown, unless it joins what belongs together.
  @Test func unseenCharactersAreShown() {
    #expect("a\u{200B}b\u{200E}\u{FEFF}".oneLine == #"a\u{200B}b\u{200E}\u{FEFF}"#)
    #expect("a\u{AD}b\u{2028}c".terminalSafe == "a\u{FFFD}b\u{FFFD}c")
    // Two persons as one, a flag by its letters' tags, a word of Persian, a heart in colour.
    let flag = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}"
    for text in ["\u{1F469}\u{200D}\u{1F680}", flag, "\u{645}\u{6CC}\u{200C}\u{62E}", "\u{2764}\u{FE0F}"] {
      #expect(text.oneLine == text && text.terminalSafe == text, "\(text.unicodeScalars.map(\.value))")
    }
  }

  @Test func nothingMovesATerminal() {
    let text = "a\u{1B}[2J\u{9B}1m\u{202E}b\tc\nd"
    #expect(text.terminalSafe == "a\u{FFFD}[2J\u{FFFD}1m\u{FFFD}b\tc\nd")
    #expect(text.oneLine == #"a\x1B[2J\u{9B}1m\u{202E}b\tc\nd"#)
    #expect(text.inOneLine == #"a\x1B[2J\u{9B}1m\u{202E}b c d"#)
    let names = ["a b", "a\tb", "a\nb", "a\rb", "a\r\nb", "a\u{B}b", "a\u{7F}b", "a\u{85}b", "a\u{2066}b"]
    #expect(Set(names.map(\.oneLine)).count == names.count, "names that differ look different")
    #expect(names.allSatisfy { $0.oneLine == $0.oneLine.oneLine && $0.oneLine.allSatisfy { !$0.isNewline } })
    #expect(FileName.text([0x61, 0xE9]).oneLine == "a\\xE9")
    let long = String(repeating: "x", count: 5000)
    #expect(long.message.count < 2000 && long.message.contains(" … ") && "short".message == "short")
  }

  @Test func aReportIsOneSortedLine() throws {
    let line = try jsonLine([
      "b": .number(1), "a": .text("x/y"), "c": .list([.flag(true), .number(.nan)]), "d": .numbers(["z": 2]),
    ])
    #expect(line == #"{"a":"x/y","b":1,"c":[true,"nan"],"d":{"z":2}}"#)
    #expect(try jsonLine(["n": .text(FileName.text([0xE9]))]) == #"{"n":"\\xE9","nBytes":"6Q=="}"#)
  }

  @Test func nounsAreCounted() {
    #expect(counted(1, "picture") == "1 picture" && counted(0, "sample") == "0 samples")
  }
}
