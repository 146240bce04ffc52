import Frames
import Pictures
import Terminal
import TestSupport
import Testing

@Suite struct InputParserTests {
  static let keys: [(String, [Key])] = [
    ("a", [.character("a")]), ("é東😀", [.character("é"), .character("東"), .character("😀")]), ("\r", [.enter]),
    ("\n", [.lineBreak]), ("\u{1B}\r", [.lineBreak]), ("\t", [.tab]), ("\u{7F}", [.backspace]),
    ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]), ("\u{1B}OA", [.up]),
    ("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~", [.home, .end, .home, .end]),
    ("\u{1B}[5~\u{1B}[6~\u{1B}[3~", [.pageUp, .pageDown, .delete]), ("\u{1B}[Z", [.backTab]),
    ("\u{1B}OP\u{1B}OQ\u{1B}[15~\u{1B}[24~", [.function(1), .function(2), .function(5), .function(12)]),
    ("\u{1B}[1;5C\u{1B}[1;5D", [.wordRight, .wordLeft]), ("\u{1}\u{12}", [.control("a"), .control("r")]),
    // Esc and a key with Ctrl, which no terminal sends for one key.
    ("\u{1B}\u{04}", [.escape, .control("d")]), ("\u{1B}\t\u{1B}\u{08}", [.escape, .tab, .alt("\u{7F}")]),
    ("\u{1B}b", [.alt("b")]), ("\u{1B}.", [.alt(".")]), ("\u{1B}[13;2u", [.lineBreak]),
    ("\u{1B}[99;5u", [.control("c")]),
    // Alt in each of its forms.
    ("\u{1B},\u{1B}[44;3u\u{1B}[27;3;44~", [.alt(","), .alt(","), .alt(",")]),
    (
      "\u{1B}p\u{1B}[112;3u\u{1B}[27;3;112~\u{1B}[27;5;99~", [.alt("p"), .alt("p"), .alt("p"), .control("c")]
    ),
    ("\u{1B}[200~two\nlines\u{1B}[201~x", [.paste("two\nlines"), .character("x")]),
    (
      "\u{1B}[<0;3;4M\u{1B}[<32;5;4M\u{1B}[<0;5;4m\u{1B}[<64;1;1M",
      [
        .mouse(.init(.press, 2, 3)), .mouse(.init(.drag, 4, 3)), .mouse(.init(.release, 4, 3)),
        .mouse(.init(.wheelUp, 0, 0)),
      ]
    ),
  ]

  /// A pasted text that is longer than any that is taken is read to its end, wherever it is cut, and only its length is
  /// kept; what is typed behind it is a key.
  @Test(arguments: [4095, 65_536]) func anOverlongPasteIsNotKept(_ piece: Int) {
    let most = Key.longestPaste
    for (length, isTaken) in [(most, true), (most + 1, false), (20 * most, false)] {
      let text =
        String(repeating: "a\u{1B}[20", count: length / 5) + String(repeating: "b", count: length % 5)
      let bytes = Array("\u{1B}[200~\(text)\u{1B}[201~x".utf8)
      var parser = InputParser(), found: [InputParser.Input] = [], start = 0
      let seconds = processorSeconds {
        while start < bytes.count {
          found += parser.take(bytes[start..<min(bytes.count, start + piece)])
          start += piece
        }
      }
      let paste = isTaken ? Key.paste(text) : .overlongPaste(bytes: length)
      #expect(found == [.key(paste), .key(.character("x"))])
      #expect(seconds < 2, "\(length): \(seconds) s")
    }
    // One whose end got lost is over by Ctrl-C.
    var parser = InputParser()
    #expect(parser.take(Array("\u{1B}[200~".utf8) + [UInt8](repeating: 97, count: most + 9)).isEmpty)
    #expect(parser.take([3]) == [.key(.overlongPaste(bytes: most + 9))] && !parser.isInPaste)
    #expect(parser.take([UInt8(ascii: "y")]) == [.key(.character("y"))])
  }

  @Test(arguments: keys.indices)
  func keysAreUnderstoodWholeAndBytewise(_ i: Int) {
    let (text, expected) = Self.keys[i]
    var whole = InputParser(), pieces = InputParser()
    #expect(whole.take(Array(text.utf8)) == expected.map { .key($0) })
    var found: [InputParser.Input] = []
    for byte in text.utf8 { found += pieces.take([byte]) }
    #expect(found == expected.map { .key($0) })
    #expect(!pieces.isWaiting)
  }

  @Test func aLoneEscapeIsTheKeyOnceNothingFollows() {
    var parser = InputParser()
    for letter in ["[", "O", "]", "P", "_"] {
      #expect(parser.take(Array("\u{1B}\(letter)".utf8)).isEmpty)
      #expect(parser.flush() == [.key(.alt(Character(letter)))], "nothing else came")
    }
    #expect(parser.take([0x1B]).isEmpty && parser.isWaiting)
    #expect(parser.flush() == [.key(.escape)])
    #expect(parser.take([0x1B, 0x1B]).first == .key(.escape))
  }

  static let replies: [(String, TerminalReply)] = [
    ("\u{1B}[?64;1;4;22c", .attributes([64, 1, 4, 22])), ("\u{1B}[6;16;8t", .cell(width: 8, height: 16)),
    ("\u{1B}[4;600;800t", .area(width: 800, height: 600)), ("\u{1B}[?2026;2$y", .synchronizedUpdates),
    ("\u{1B}[?2026;0$y", .other),
    ("\u{1B}]11;rgb:1616/1818/1d1d\u{07}", .background(Colour(0x16, 0x18, 0x1d))),
    ("\u{1B}]11;rgb:ff/ff/ff\u{1B}\\", .background(Colour(255, 255, 255))),
    ("\u{1B}_Gi=31;OK\u{1B}\\", .kittyGraphics),
    ("\u{1B}_Gi=31;ENOENT\u{1B}\\", .other), ("\u{1B}P>|XTerm(379)\u{1B}\\", .version("XTerm(379)")),
  ]

  /// Late, in pieces, among typing: no byte of a reply is ever taken for a key.
  @Test(arguments: replies.indices)
  func repliesNeverBecomeText(_ i: Int) {
    let (text, expected) = Self.replies[i]
    for cut in 1..<text.utf8.count {
      var parser = InputParser()
      let bytes = Array(text.utf8)
      var found = parser.take(Array("a".utf8) + bytes[..<cut])
      found += parser.take(Array(bytes[cut...]) + Array("b".utf8))
      #expect(found == [.key(.character("a")), .reply(expected), .key(.character("b"))], "cut at \(cut)")
    }
  }

  /// Half a reply swallows what follows, since its rest may be late; a key that begins with ESC ends that.
  @Test(arguments: ["\u{1B}]11;rgb:16", "\u{1B}P>|XT", "\u{1B}_Gi=3", "\u{1B}]"])
  func halfAReplyEndsWithTheNextKey(_ half: String) {
    var parser = InputParser()
    #expect(parser.take(Array(half.utf8)).isEmpty)
    #expect(
      parser.take(Array("\u{1B}[Aok".utf8)) == [.key(.up), .key(.character("o")), .key(.character("k"))])
    #expect(parser.take(Array((half + "\u{1B}").utf8)).isEmpty && parser.flush().last == .key(.escape))
  }

  /// A paste whose end got lost keeps nobody from typing: Ctrl-C, which comes by itself, ends it.
  @Test func aPasteWithoutAnEndIsLeft() {
    var parser = InputParser()
    #expect(parser.take(Array("\u{1B}[200~two\u{03}words".utf8)).isEmpty)
    #expect(parser.take(Array(" more".utf8)).isEmpty)
    #expect(parser.take([0x03]) == [.key(.paste("two\u{03}words more"))])
    #expect(parser.take(Array("k".utf8)) == [.key(.character("k"))])
  }

  /// What is longer than anything that is understood is dropped up to its end, and not kept meanwhile.
  @Test(arguments: [
    ("\u{1B}]52;c;", "B", "\u{07}"), ("\u{1B}]52;c;", "B", "\u{1B}\\"), ("\u{1B}P", "q", "\u{1B}\\"),
    ("\u{1B}_G", "x", "\u{1B}\\"), ("\u{1B}[", "1;", "m"),
  ])
  func longStringsAreDropped(_ start: String, _ body: String, _ end: String) {
    for size in [100, 1000, 4096, 40_000] {
      var parser = InputParser(), found: [InputParser.Input] = []
      let bytes = Array((start + String(repeating: body, count: 40_000)).utf8)
      for at in stride(from: 0, to: bytes.count, by: size) {
        found += parser.take(bytes[at..<min(bytes.count, at + size)])
      }
      #expect(found.isEmpty && !parser.isWaiting, "nothing of it is kept")
      for byte in end.utf8 { found += parser.take([byte]) }
      #expect(found.isEmpty, "\(found.prefix(5))")
      #expect(parser.take(Array("ok".utf8)) == [.key(.character("o")), .key(.character("k"))])
      // Without an end a key leads out of it.
      _ = parser.take(bytes)
      #expect(parser.take([0x03]) == [.key(.control("c"))])
      _ = parser.take(bytes)
      #expect(parser.take(Array("\u{1B}[A".utf8)) == [.key(.up)])
    }
  }

  @Test func anyBytesAreSurvivedAndNothingWaitsForEver() {
    var seed: UInt64 = 7
    func next() -> UInt8 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(seed >> 56)
    }
    let special: [UInt8] = [0x1B, 0x5B, 0x5D, 0x50, 0x5F, 0x3C, 0x3B, 0x31, 0x4D, 0x7E, 0x07, 0xE2, 0xFF]
    var parser = InputParser()
    for _ in 0..<20_000 {
      let bytes = (0..<Int(next() % 12)).map { _ in
        next() < 128 ? special[Int(next()) % special.count] : next()
      }
      _ = parser.take(bytes)
      if next() < 40 { _ = parser.flush() }
    }
    _ = parser.take(Array("\u{1B}\\\u{1B}[201~\u{07}".utf8))
    _ = parser.flush()
    _ = parser.flush()
    #expect(parser.take(Array("ok".utf8)).suffix(2) == [.key(.character("o")), .key(.character("k"))])
  }
}

@Suite struct HalfBlockTests {
  @Test func aCellShowsTwoPixels() {
    let picture = Picture(width: 1, height: 2, rgb: [255, 0, 0, 0, 0, 255])
    #expect(picture.halfBlocks(columns: 1, rows: 1) == ["\u{1B}[38;2;255;0;0;48;2;0;0;255m▀\u{1B}[0m"])
    // In cells of other proportions it keeps its own, in their middle.
    let square = Picture(width: 20, height: 20, red: 255, green: 0, blue: 0)
    for row in square.halfBlocks(columns: 20, rows: 5) {
      let colours = row.split(separator: "\u{1B}[").map {
        ($0.hasPrefix("38;2;255;0;0;"), $0.count { $0 == "▀" })
      }
      #expect(colours.filter(\.0).map(\.1) == [10] && colours.reduce(0) { $0 + $1.1 } == 20)
    }
  }
}
