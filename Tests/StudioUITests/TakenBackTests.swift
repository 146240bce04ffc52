import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What was taken back before a studio was killed can be brought back behind that.
@Suite struct TakenBackTests {
  private func texts(_ b: Bench) -> [String] {
    b.state.conversation.transcript.messages.map { $0.pictures.first?.stored ?? $0.text }
  }

  /// A session that was opened, as a log of it begins.
  private func bench() -> Bench {
    var b = Bench()
    b.send("a cat")
    b.finish("c1")
    b.send("a dog")
    b.finish("d1")
    return b
  }

  /// Of several, the last comes back first, as it would have before; a picture that was deleted among them.
  @Test func whatWasTakenBackComesBack() {
    var b = bench()
    b.send("a cow")
    b.finish("w1")
    b.send("/undo")
    b.press(.function(3), .character("d"), .escape)
    b.send("/undo")
    #expect(b.state.conversation.transcript.gallery == ["c1"])
    var again = UnfinishedTests.reopened(b)
    #expect(texts(again) == ["a cat", "c1"])
    again.send("/redo")
    #expect(texts(again).prefix(3) == ["a cat", "c1", "a dog"] && again.state.toast?.text == "brought back")
    #expect(again.state.conversation.transcript.gallery == ["c1"])
    again.send("/redo")
    #expect(again.state.conversation.transcript.gallery == ["c1", "d1"])
    again.send("/redo")
    #expect(texts(again) == ["a cat", "c1", "a dog", "d1", "a cow", "w1"] && again.drawings.isEmpty)
    again.send("/redo")
    #expect(again.state.toast?.text == "there is nothing to bring back")
    // It is so behind another end.
    var third = Bench()
    third.open()
    for event in b.records + again.records { third.act(.session(event)) }
    third.send("/redo")
    #expect(third.state.toast?.text == "there is nothing to bring back" && texts(third) == texts(again))
  }

  /// What is taken back now comes back before what was taken back then.
  @Test func theNewestComesFirst() {
    var b = bench()
    b.send("/undo")
    var again = UnfinishedTests.reopened(b)
    again.send("/undo")
    #expect(texts(again).isEmpty)
    again.send("/redo")
    #expect(texts(again) == ["a cat", "c1"])
    again.send("/redo")
    #expect(texts(again) == ["a cat", "c1", "a dog", "d1"])
  }

  /// What was not done when it was taken back is done anew, once, though the studio is killed again.
  @Test(arguments: [false, true]) func whatWasNotDoneIsDoneAnew(isSweep: Bool) {
    var b = bench()
    b.send(isSweep ? "/sweep 1..3" : "a cow")
    if isSweep { b.finish("s1") }
    b.send("/undo")
    if isSweep { b.send("/undo") }
    var again = UnfinishedTests.reopened(b)
    #expect(texts(again) == ["a cat", "c1", "a dog", "d1"], "\(texts(again))")
    again.send("/redo")
    #expect(again.drawings.last?.prompt == (isSweep ? "a dog" : "a cow"))
    again.finish("s2")
    #expect(texts(again).suffix(2) == (isSweep ? ["a dog", "s1"] : ["a cow", "s2"]), "\(texts(again))")
    if isSweep { #expect(again.state.conversation.transcript.messages.last?.pictures == ["s1", "s2"]) }
    var third = Bench()
    third.open()
    for event in b.records + again.records { third.act(.session(event)) }
    third.effects = []
    third.send("/redo")
    #expect(third.state.toast?.text == "there is nothing to bring back" && third.drawings.isEmpty)
    #expect(texts(third) == texts(again))
  }
}
