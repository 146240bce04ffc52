import Foundation
import Requests
import SessionLog
import Testing

/// Entries as a person reads them.
@Suite struct ByRequestTests {
  private func asked(_ request: Int) -> SessionEvent {
    .asked(request: request, text: "\(request)?", pictures: [], sampling: .init())
  }

  private func drawing(_ request: Int, sweep: Int? = nil) -> SessionEvent {
    .drawingAsked(
      request: request, settings: ImageSettings(prompt: "a cat", seed: 1), count: 1, parent: nil, sweep: sweep
    )
  }

  private func drawn(_ request: Int, _ name: String) -> SessionEvent {
    let origin = PictureOrigin(ImageSettings(prompt: "a cat", seed: 1), stepsDone: 1)
    return .drawn(request: request, picture: .hash(name), origin: origin, seconds: 1, isPartial: false)
  }

  private func answered(_ request: Int) -> SessionEvent {
    .answered(request: request, text: "yes", tokens: 1, seconds: 1, isPartial: false)
  }

  /// What came of a request stands with it, whatever was asked meanwhile, in what order ever; a note stays where it was
  /// said.
  @Test func resultsStandWithTheirRequests() {
    let events = [
      SessionEvent.note("first"), drawing(1), asked(2), .note("second"), drawing(3, sweep: 3),
      drawing(4, sweep: 3),
      answered(2), drawn(4, "d4"), drawn(1, "d1"), .failed(request: 3, reason: "x"), drawn(9, "d9"),
    ]
    let read = events.map { SessionEntry(time: 1, event: $0) }.byRequest.map(\.event)
    #expect(
      read == [
        SessionEvent.note("first"), drawing(1), drawn(1, "d1"), asked(2), .note("second"), answered(2),
        drawing(3, sweep: 3), drawing(4, sweep: 3), drawn(4, "d4"), .failed(request: 3, reason: "x"),
        drawn(9, "d9"),
      ], "\(read)")
  }

  /// A log in which all is in its order stays as it is, numbers that come again among it.
  @Test func whatIsInOrderStays() {
    let events = [
      drawing(1), drawn(1, "a"), drawing(2, sweep: 2), drawn(2, "b"), drawing(3, sweep: 2), drawn(3, "c"),
      .opened(model: "m", modelHash: "h", program: "p"), drawing(1), drawn(1, "d"), drawing(2, sweep: 2),
      drawn(2, "e"), asked(3), .cancelled(request: 3),
    ]
    #expect(events.map { SessionEntry(time: 1, event: $0) }.byRequest.map(\.event) == events)
  }

  /// What a person wrote is kept beside what the model was asked; logs from before have no such thing.
  @Test func whatWasWrittenIsKept() throws {
    let event = SessionEvent.asked(
      request: 1, text: "what is in the picture?", pictures: [], sampling: .init(),
      written: "what is in @cat.png?")
    let data = try JSONEncoder().encode(SessionEntry(time: 1, event: event))
    let found = SessionContents(data).entries
    #expect(found.map(\.event) == [event] && found[0].event.text == "what is in @cat.png?")
    let plain = try JSONEncoder().encode(SessionEntry(time: 1, event: asked(1)))
    #expect(!String(decoding: plain, as: UTF8.self).contains("written"))
    #expect(SessionContents(plain).entries.map(\.event) == [asked(1)])
  }
}
