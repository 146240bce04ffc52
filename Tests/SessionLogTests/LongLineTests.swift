import Foundation
import Requests
import SessionLog
import TestSupport
import Testing

/// A log may hold a text of many megabytes: finding where its line ends must cost little beside reading it.
@Suite(.serialized)
struct LongLineTests {
  @Test func aLongLineIsFoundQuickly() throws {
    let text = String(repeating: "a red apple on the left ", count: 1_000_000)
    let entry = SessionEntry(
      time: 2, event: .answered(request: 1, text: text, tokens: 5, seconds: 1, isPartial: false))
    let line = try JSONEncoder().encode(entry)
    let short = try JSONEncoder().encode(SessionEntry(time: 1, event: .note("a")))
    let data = short + [10, 10] + line + [10] + short
    // The better of several: other tests take time, too.
    func least(_ work: () throws -> Void) rethrows -> Double {
      try (0..<4).map { _ in try processorSeconds(work) }.min() ?? 0
    }
    let decoding = try least { _ = try JSONDecoder().decode(SessionEntry.self, from: line) }
    let reading = least { _ = SessionContents(data) }
    #expect(SessionContents(data).entries.count == 3 && SessionContents(data[2...]).lost == 1)
    #expect(reading < 4 * decoding + 0.05, "\(reading) s for what is decoded in \(decoding) s")
  }
}
