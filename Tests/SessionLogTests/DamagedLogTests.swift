import Files
import Foundation
import Requests
import SessionLog
import Tensors
import TestSupport
import Testing

/// Logs that were cut, overwritten, or edited by hand.
@Suite struct DamagedLogTests {
  /// A line of every kind that the program writes, and the odd ones.
  private func log() throws -> [UInt8] {
    let settings = ImageSettings(prompt: "a „red“ apple\n🍎", seed: .max, guidanceScale: 7.5)
    let events: [SessionEvent] = [
      .opened(model: "nano", modelHash: "ab12", program: "test"), .renamed("apples"),
      .asked(request: 1, text: "What?", pictures: ["ab"], sampling: .init(temperature: 0.5, seed: 9)),
      .answered(request: 1, text: "a cat", tokens: 3, seconds: 0.2, isPartial: false),
      .drawingAsked(request: 2, settings: settings, count: 4, parent: "cd"),
      .drawn(
        request: 2, picture: "ef", origin: .init(settings, stepsDone: 50, parent: "cd"), seconds: 1.5,
        isPartial: true),
      .failed(request: 3, reason: "no"), .cancelled(request: 4), .note("found"), .undone(request: 2),
      .attached(picture: "aa", name: "a.png", settings: settings, details: ["one", "two"]),
      .starred(picture: "ef", isStarred: true),
    ]
    var lines = try events.map { try JSONText.line(SessionEntry(time: 1e9, event: $0)) }
    lines += OddInput.logLines.map { Data($0.utf8) }
    return Array(lines.joined(separator: [10]))
  }

  /// Each line is read, known to be another program's, or counted as lost; what is read can be written and read again
  /// as it is. VUGEN_FUZZ sets the number of logs.
  @Test func survivesDamage() throws {
    let whole = try log()
    var random = Philox(seed: 21), lost = 0
    for _ in 0..<damageRounds(500, share: 20) {
      var bytes = damagedText(whole, &random)
      for _ in 0..<3 { bytes = damagedText(bytes, &random) }
      let found = SessionContents(Data(bytes))
      let lines = bytes.split(separator: 10).count
      #expect(found.entries.count + found.lost + found.unknown == lines)
      #expect(found.entries.shown.count <= found.entries.count)
      lost += found.lost
      for entry in found.entries {
        let again = SessionContents(try JSONText.line(entry))
        #expect(again.entries == [entry], "\(entry)")
        _ = (entry.event.text, entry.event.pictures, entry.event.request)
      }
    }
    #expect(lost > 0)
  }

  /// The same as files: a damaged log is opened, written on, and read again.
  @Test func survivesDamagedFiles() throws {
    let whole = try log(), store = SessionStore(folder: temporaryPath())
    var random = Philox(seed: 22)
    for round in 0..<damageRounds(60, share: 1000) {
      let id = "20260101-000000-\(round)", path = store.folder(of: id) + "/log.jsonl"
      try FileManager.default.createDirectory(
        atPath: store.folder(of: id), withIntermediateDirectories: true)
      try Data(damagedText(whole, &random)).write(to: URL(fileURLWithPath: path))
      let before = try store.contents(of: id)
      #expect(try SessionFile(store, id: id).append(.init(time: 2, event: .note("after"))))
      let after = try store.contents(of: id)
      #expect(after.entries.dropLast() == before.entries[...] && after.entries.last?.event == .note("after"))
      #expect(try store.summary(of: id).id == id)
    }
  }
}
