import Foundation
import TerminalProbe
import TestSupport
import Testing

/// Pictures in terminals that keep them in their own ways: nothing of them stays where they are not, nothing is missing
/// where they are.
@Suite(.serialized)
@FirstScreen
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

  /// A picture that is shown twice has two names in kitty's protocol: a name stands in one place only, and what takes one
  /// of them away leaves the other.
  @Test func kittyKnowsPicturesByTheirPlaces() throws {
    let s = try Session(["studio", "--graphics", "kitty"], rows: 24, columns: 80)
    #expect(s.expect("VUGEN Studio", rows: 24))
    s.type("/steps 2\ra red apple\r")
    #expect(s.expect("2 steps ·", rows: 24))
    s.type("\t/size 1\r")
    for _ in 0..<2 {
      s.type("\u{01}what is this?\r")
      #expect(s.expect("tokens/s", rows: 24))
    }
    s.type("/size 2\r/size 1\r")
    s.settle()
    s.type("\u{0C}")
    s.settle()
    // By name: where each stands that was sent and not taken away again.
    var places: [String: String] = [:], at = ""
    let parts = String(decoding: s.sent, as: UTF8.self).components(separatedBy: "\u{1B}")
    for part in parts {
      if part.hasPrefix("["), part.hasSuffix("H") { at = part }
      guard part.hasPrefix("_G") else { continue }
      let fields = Dictionary(
        part.dropFirst(2).prefix { $0 != ";" }.split(separator: ",").compactMap {
          field -> (String, String)? in
          let pair = field.split(separator: "=")
          return pair.count == 2 ? (String(pair[0]), String(pair[1])) : nil
        }, uniquingKeysWith: { first, _ in first })
      guard let name = fields["i"], name != "31" else { continue }
      if fields["a"] == "d" {
        places[name] = nil
      } else if fields["a"] == "T" {
        #expect(
          places[name] == nil || places[name] == at, "\(name) stands at \(places[name] ?? "") and \(at)")
        places[name] = at
      }
    }
    #expect(Set(places.values).count == places.count && places.count >= 2, "\(places)")
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }
}
