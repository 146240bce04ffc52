import Files
import Foundation
import Requests
import SessionLog
import StudioUI
import Tensors
import TestSupport
import Testing

/// Sessions whose logs were damaged, opened and replayed in the studio.
@Suite struct DamagedSessionTests {
  /// VUGEN_FUZZ sets the number of logs.
  @Test func survivesDamage() throws {
    let sessions = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Examples/sessions")
    let logs = FileManager.default.enumerator(atPath: sessions.path)?.compactMap { $0 as? String } ?? []
    var wholes = try logs.filter { $0.hasSuffix(".jsonl") }.map {
      [UInt8](try Data(contentsOf: sessions.appendingPathComponent($0)))
    }
    #expect(!wholes.isEmpty)
    wholes.append(Array(OddInput.logLines.joined(separator: "\n").utf8))
    let cache = LayoutCache()
    var random = Philox(seed: 71), b = Bench()
    for round in 0..<damageRounds(200, share: 200) {
      let bytes = damagedText(wholes[round % wholes.count], &random)
      let entries = SessionContents(Data(bytes)).entries
      b.act(.played(Replay(entries)))
      for _ in 0..<3 { b.press(.right) }
      _ = view(b.state, cache)
      b.press(.escape)
      for entry in entries { b.act(.session(entry.event)) }
      _ = view(b.state, cache)
      b.press(.control("u"), .pageUp, .pageDown)
      b.effects.removeAll()
    }
    #expect(b.rows().count == 36)
  }
}
