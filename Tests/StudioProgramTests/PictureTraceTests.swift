import Foundation
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

/// Pictures in terminals that keep them in their own ways: nothing of them stays where they are not, nothing is missing
/// where they are.
@Suite(.serialized)
@SecondScreen
struct PictureTraceTests {
  /// Pixels of pictures in each cell, as `look` counts them.
  private func cells(
    _ s: Session, _ rows: Int32, _ columns: Int32, _ look: (OpaquePointer, Int32, Int32) -> Int32
  )
    -> [[Int32]]
  {
    (0..<rows).map { y in (0..<columns).map { x in look(s.probe, y, x) } }
  }

  /// A strip that is taller than the screen, in xterm: it has sixteen places for pictures, frees none by itself, and shows
  /// again what was only erased. What it would show if it drew everything anew is what is on the screen, after whatever
  /// moved.
  @Test(arguments: [(24, 80), (16, 60)] as [(Int32, Int32)])
  func aTallStripLeavesNoTraces(_ rows: Int32, _ columns: Int32) throws {
    let s = try Session(["studio", "--graphics", "sixel"], rows: rows, columns: columns)
    #expect(s.expect("VUGEN Studio", rows: rows))
    probe_be_xterm(s.probe)
    s.type("/steps 3\r/size 3\ra red apple\r")
    #expect(s.expect("3 steps ·", rows: rows), "\(s.screen(rows))")
    s.type("/sweep 1..9\r")
    #expect(
      s.expect("guidance 9.0", rows: rows) && s.expectGone("drawing ·", rows: rows), "\(s.screen(rows))")
    var seen = 0
    func check(_ what: String) {
      s.settle()
      let found = cells(s, rows, columns, probe_picture_pixels)
      let kept = cells(s, rows, columns, probe_kept_pixels)
      s.type("\u{0C}")
      s.settle()
      let anew = cells(s, rows, columns, probe_picture_pixels)
      let (isSame, isKept) = (found == anew, kept == anew)
      #expect(isSame, "seen after \(what):\n\(Session.difference(found, anew))\n\(s.screen(rows))")
      #expect(isKept, "kept after \(what):\n\(Session.difference(kept, anew))\n\(s.screen(rows))")
      seen += anew.joined().count { $0 > 0 }
    }
    check("the sweep")
    let moves = [
      "\u{1B}[5~", "\u{1B}[5~", "\u{1B}[6~", "\u{1B}[<64;9;9M", "\u{1B}[<64;9;9M", "\u{1B}[<65;9;9M",
      "\u{1B}+",
      "\u{1B}[5~", "\u{1B}-", "\u{1B}-", "\u{1B}[6~", "\u{10}", "\u{1B}", "\u{1B}OP", "\u{1B}", "\u{1B}=",
      "/gallery\r", "\u{1B}[D", "\u{1B}", "\u{1B}OQ", "\u{1B}", "\u{1B}[6~", "\u{1B}[5~",
    ]
    for (i, move) in moves.enumerated() {
      s.type(move)
      check("move \(i), \(move.debugDescription)")
    }
    #expect(seen > 500)
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// What is seen but for the last line, which tells of the last command up to the next key: an empty cell is one, whatever
  /// it is made of.
  private func seen(_ s: Session) -> [String] {
    s.screen(24).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
      let text = line.replacing("\u{A0}", with: " ")
      return String(
        text.prefix(
          text.lastIndex { $0 != " " }.map { text.distance(from: text.startIndex, to: $0) + 1 } ?? 0))
    }
  }

  /// Where colours are few, a picture of characters leaves nothing either: what is seen is what is seen drawn anew.
  @Test func eightColoursLeaveNoTraces() throws {
    let s = try Session(["studio", "--graphics", "blocks"], rows: 24, columns: 80, terminal: ["TERM=xterm"])
    #expect(s.expect("VUGEN Studio", rows: 24))
    s.type("/steps 3\ra red apple\r")
    #expect(s.expect("3 steps ·", rows: 24), "\(s.screen(24))")
    for move in ["\u{1B}OR", "\u{1B}", "\u{1B}OP", "\u{1B}", "\u{10}", "\u{1B}", "\u{1B}[5~", "\u{1B}[6~"] {
      let before = seen(s), clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
      s.type(move)
      // Escape alone is known by nothing following it: it closes what is open, some time later.
      while move == "\u{1B}", seen(s) == before, clock.now < end { _ = probe_pump(s.probe, 20) }
      s.settle()
      let found = seen(s)
      s.type("\u{0C}")
      s.settle()
      let anew = seen(s)
      let isSame = found == anew
      #expect(isSame, "after \(move.debugDescription):\n\(found.joined(separator: "\n"))")
    }
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// A picture is made of the finest characters that the terminal's font is sure to have: of sextants where it draws them
  /// itself, of block elements, of halves, and of signs of ASCII below.
  @Test(arguments: [
    ("xterm", "P>|kitty(0.30)\u{1B}\\", 0), ("xterm", "", 1), ("linux", "", 2), ("vt100", "", 3),
  ])
  func picturesAreOfTheFinestCharacters(_ terminal: String, _ reply: String, _ level: Int) throws {
    let sextants = Set((0x1FB00...0x1FB3B).compactMap { Unicode.Scalar($0).map { Character($0) } })
    let sets: [Set<Character>] = [sextants, Set("▌▐▘▝▖▗▚▞▛▜▙▟"), Set("▀▄"), Set("#%@*+")]
    let s = try Session(["studio", "--graphics", "blocks"], terminal: ["TERM=\(terminal)"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    if !reply.isEmpty { s.type("\u{1B}" + reply) }
    s.type("/doctor\r")
    let isShown = s.wait { s.screen(36).count(where: sets[level].contains) > 8 }
    s.settle()
    let shown = s.screen(36)
    #expect(isShown && !shown.contains { sets[..<level].joined().contains($0) }, "\(shown)")
    s.type("\u{1B}")
    #expect(s.expect("describe an image"))
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }
}
