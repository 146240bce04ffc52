import Files
import Testing

/// What is printed: for a person, and for a program.
struct ReportTests {
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
