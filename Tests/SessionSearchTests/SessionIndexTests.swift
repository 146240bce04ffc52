import Foundation
import Requests
import SessionLog
import SessionSearch
import TestSupport
import Testing

@Suite struct SessionIndexTests {
  private static let events: [SessionEvent] = [
    .asked(request: 1, text: "What is this?", pictures: [], sampling: .init()),
    .drawingAsked(request: 2, settings: .init(prompt: "a red apple", seed: 7), count: 1, parent: nil),
    .renamed("apples"),
  ]

  @Test func searchFollowsTheLogs() throws {
    let store = SessionStore(folder: temporaryPath()), index = store.folder + "/index/search.sqlite"
    let search = SessionIndex(store, index: index)
    #expect(try search.find("apple").isEmpty)
    for id in ["a", "b"] {
      let file = try SessionFile(store, id: id)
      for (i, event) in Self.events.enumerated() { file.append(.init(time: Double(i), event: event)) }
    }
    #expect(try search.find("RED appl").map(\.text) == ["a red apple", "a red apple"])
    #expect(try search.find("RED appl").map(\.id) == ["b", "a"])
    #expect(try search.find("red pear").isEmpty && search.find("").isEmpty)
    // What SQLite would take for its own signs is text.
    #expect(try search.find("\"red\" AND (apple* - NOT").isEmpty)
    // A session grows, another goes.
    #expect(try SessionFile(store, id: "a").append(.init(time: 9, event: .note("a green pear, naïve"))))
    try store.delete("b")
    #expect(try search.find("pear NAIVE").map(\.id) == ["a"])
    #expect(try search.find("apple red").map(\.id) == ["a"])
    // It is found by its present title, and by what it holds.
    for title in ["quinces", "medlars"] {
      #expect(try SessionFile(store, id: "a").append(.init(time: 10, event: .renamed(title))))
    }
    #expect(try search.find("apples").isEmpty && search.find("quinces").isEmpty)
    #expect(try search.find("medlars").map(\.title) == ["medlars"])
    #expect(try search.find("red").map(\.title) == ["medlars"])
    // A damaged index is made anew.
    try Data("no database at all, but long enough to be taken for one".utf8).write(
      to: URL(fileURLWithPath: index))
    #expect(try search.find("pear").count == 1)
    // Where nothing can be written it is in memory.
    #expect(try SessionIndex(store, index: "/proc/nowhere/index.sqlite").find("pear").count == 1)
  }
}
