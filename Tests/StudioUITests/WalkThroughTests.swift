import Foundation
import Frames
import Requests
import SessionLog
import StudioUI
import TestSupport
import Testing

/// What was asked of the studio's second edition and shows in no other test.
@Suite struct WalkThroughTests {
  /// Pictures of any session have numbers from anywhere: they are shown, chosen, reused and varied.
  @Test func aGalleryOfAllSessionsTakesHugeNumbers() {
    let entries = OddInput.logLines.flatMap { SessionContents(Data($0.utf8)).entries }
    var transcript = Transcript()
    for entry in entries { transcript.apply(entry.event) }
    for step in 0..<transcript.gallery.count {
      var b = Bench()
      b.press(.function(3))
      b.act(.picturesRead(transcript.gallery, origins: transcript.origins))
      for _ in 0..<step { b.press(.left) }
      for key: Key in [.character("o"), .character("i"), .escape, .character("m"), .escape, .enter] {
        b.press(key)
        #expect(b.rows().count == 36)
      }
      b.press(.escape, .escape, .escape, .control("u"))
      for command in ["a cat", "/vary", "/sweep 1..3", "/grid 2"] { b.send(command) }
      for name in 0..<7 { b.finish("n\(name)") }
      #expect(b.drawings.allSatisfy { DrawingDefaults.guidanceRange.contains($0.guidanceScale) })
      #expect(b.drawings.allSatisfy { DrawingLimits.steps.contains($0.steps) } && !b.drawings.isEmpty)
    }
  }

  /// From a session without pictures the gallery is that of all sessions at once.
  @Test func anEmptySessionsGalleryIsThatOfAll() {
    var b = Bench()
    b.press(.function(3))
    #expect(b.effects.last == .readPictures)
    b.act(.picturesRead(["p1", "p2"], origins: [:]))
    #expect(b.state.overlays.top == .gallery(selected: 1, isOfAll: true) && b.shows("2 of 2"), "\(b.rows())")
  }

  /// Ctrl-Z works under whatever lies over the screen.
  @Test(arguments: [
    "", "/gallery", "/sessions", "/search x", "/theme", "/help", "/tour", "/things", "/compare", "/model",
    "/queue",
  ])
  func controlZWorksEverywhere(_ command: String) {
    var b = Bench()
    b.act(.vocabularyKnown(Vocabulary("# Animals\ncat")))
    for name in ["a", "b"] {
      b.send("a cat")
      b.finish(name)
    }
    b.send("a dog")
    b.send("a cow")
    if !command.isEmpty { b.send(command) }
    if command == "/sessions" { b.act(.sessionsRead([Choice(title: "x", detail: "", value: "x")])) }
    if command == "/model" { b.act(.modelsRead([Choice(title: "x", detail: "", value: "x")])) }
    #expect((b.state.overlays.top == nil) == command.isEmpty)
    b.press(.control("z"))
    #expect(b.effects.count { $0 == .suspend } == 1)
    b.press(.function(2), .control("z"))
    #expect(b.effects.count { $0 == .suspend } == 2)
  }

  /// That the oldest turns are left out is said once of a conversation, dimly; of the next one again.
  @Test func whatIsLeftOutIsSaidOnce() {
    var b = Bench(Size(120, 40))
    func said() -> Int {
      b.records.count {
        if case .note(let text) = $0 { text.contains("oldest turns are left out") } else { false }
      }
    }
    b.send("a cat")
    b.finish("c0")
    b.press(.tab)
    for number in 1...3 {
      b.send("what is it?")
      b.happen(.forgotten)
      b.answer("a cat \(number)")
      #expect(said() == 1)
    }
    let frame = view(b.state, LayoutCache())
    let y = (0..<frame.size.height).first { frame.row($0).contains("oldest turns are left out") } ?? 0
    let x = Array(frame.row(y)).firstIndex(of: "t") ?? 0
    #expect(y > 0 && frame[x, y].style == b.state.terminal.theme.dim, "\(b.rows())")
    b.press(.tab)
    b.send("a dog")
    b.finish("d0")
    b.press(.tab)
    b.send("what is it?")
    b.happen(.forgotten)
    #expect(said() == 2)
  }
}
