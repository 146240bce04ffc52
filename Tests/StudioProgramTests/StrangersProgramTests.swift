import Foundation
import ProgramSupport
import Requests
import SessionLog
import TestSupport
import Testing

/// What strangers found in the program.
@Suite struct StrangersProgramTests {
  /// A session is read by its requests, with the model that worked and what went wrong; a script reads the log as it is.
  @Test func aSessionIsShownByItsRequests() throws {
    let home = try temporaryFolder(), id = "20260101-000000-aaaa"
    let file = try SessionFile(SessionStore(folder: home + "/.local/share/vugen/sessions"), id: id)
    let events: [SessionEvent] = [
      .opened(model: "nano", modelHash: "h", program: "p"),
      .asked(
        request: 1, text: "what is in the picture?", pictures: [], sampling: .init(),
        written: "what is in @cat.png?"),
      .drawingAsked(request: 2, settings: .init(prompt: "a blue car"), count: 1, parent: nil),
      .answered(request: 1, text: "a cat", tokens: 2, seconds: 1, isPartial: false),
      .failed(request: 2, reason: "no memory"), .opened(model: "nano", modelHash: "h", program: "p"),
      .opened(model: "other", modelHash: "i", program: "p"),
      .drawingAsked(request: 3, settings: .init(prompt: "a red car"), count: 1, parent: nil),
      .undone(request: 3), .cancelled(request: 3), .note("the end"),
    ]
    for event in events { file.append(.init(time: 1, event: event)) }
    #expect(file.end())
    let show = try Session(["sessions", "show", id], home: home)
    #expect(show.expect("the end") && show.end() == 0, "\(show.screen(36))")
    let lines = show.screen(36).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      lines.filter { !$0.isEmpty } == [
        "model: nano", "question: what is in @cat.png?", "answer: a cat", "drawing: a blue car",
        "failed: no memory", "model: other", "drawing: a red car (undone)", "note: the end",
      ], "\(lines)")
    let json = try Session(["sessions", "show", id, "--json"], columns: 400, home: home)
    #expect(json.expect("the end") && json.end() == 0, "\(json.screen(36))")
    let places = ["blue car", "a cat", "no memory"].compactMap { json.screen(36).range(of: $0)?.lowerBound }
    #expect(places.count == 3 && places == places.sorted(), "\(json.screen(36))")
  }
}
