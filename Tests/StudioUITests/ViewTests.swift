import Frames
import Requests
import SessionLog
import StudioUI
import Testing

@Suite struct ViewTests {
  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36), Size(400, 120)])
  func everyScreenFitsItsSize(_ size: Size) {
    var b = Bench(size)
    b.send("a very long prompt with 東京 and 👨‍👩‍👧 " + String(repeating: "word ", count: 60))
    b.act(.pictureKnown("p", Size(128, 128)))
    b.finish("p")
    for open: Key in [.function(1), .control("p"), .function(3), .escape] {
      b.press(open)
      let frame = view(b.state, LayoutCache())
      // Rows that are full to the last column and no further, however wide a character is there.
      for y in 0..<size.height { #expect(TextWidth.columns(frame.row(y)) == size.width, "row \(y)") }
      // Never the last row, never outside.
      #expect(frame.placements.allSatisfy { $0.visible.maxY < size.height && $0.visible.maxX <= size.width })
      b.press(.escape)
    }
  }

  /// Nothing that the first screen or the help say is cut off, however small the screen.
  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36), Size(400, 120)])
  func helpIsReadToItsEnd(_ size: Size) {
    var b = Bench(size)
    /// Rows above the status line in which something was cut off; "0…15" is no cut.
    func cut(_ rows: [String]) -> [String] { rows[..<(size.height - 1)].filter { $0.contains(/…(\D|$)/) } }
    #expect(cut(b.rows()).isEmpty)
    b.press(.function(1))
    var seen = "", last: [String] = [], rows = b.rows()
    for _ in 0..<1000 where rows != last {
      last = rows
      #expect(cut(last).isEmpty)
      seen += last.joined(separator: "\n")
      b.press(.pageDown)
      rows = b.rows()
    }
    for word in ["put back what was deleted", "as in the paper", "/quit", "Leave"] {
      #expect(seen.contains(word), "\(word)")
    }
    // The end is where it is left, too.
    b.press(.pageDown, .pageDown, .up)
    #expect(b.rows() != last || size.height > 100)
  }

  /// What a file is said to lack is read to its end, on the smallest screen too.
  @Test func longMessagesAreReadToTheirEnd() {
    var b = Bench(Size(60, 16))
    let words = (1...40).map { "word\($0)" }
    b.act(.toast(words.joined(separator: " "), isError: true))
    let seen = b.rows().joined(separator: "\n")
    for word in words { #expect(seen.contains(word), "\(word)") }
    b.act(.tick(20))
    b.act(.toast("short", isError: true))
    #expect(!b.rows().joined().contains("word7") && b.rows().joined().contains("short"))
  }

  @Test func aSmallScreenSaysSo() {
    var b = Bench(Size(50, 10))
    b.type("x")
    #expect(b.rows()[0].contains("60 × 16") && b.state.prompt.editor.isEmpty)
    b.press(.control("c"))
    #expect(b.effects.last == .leave)
  }

  @Test func aLongTranscriptIsLaidOutWhereItIsSeen() {
    var b = Bench()
    for i in 1...10_000 {
      b.act(.session(.note("message \(i)")))
    }
    let cache = LayoutCache()
    _ = view(b.state, cache)
    // Two lines a message.
    let first = cache.laidOut
    #expect(b.shows("message 10000") && first > 0 && first <= 36 / 2 + 1, "\(first)")
    for _ in 0..<20 { _ = view(b.state, cache) }
    #expect(cache.laidOut == first, "what is seen again is not laid out again")
    b.press(.pageUp, .pageUp)
    _ = view(b.state, cache)
    #expect(b.state.conversation.scroll != nil && !b.shows("message 10000"))
    #expect(cache.laidOut > first && cache.laidOut <= 3 * first)
  }

  /// Lines that fill the transcript to its edge keep their last letters, with the inspector and without it.
  @Test(arguments: [Size(60, 16), Size(99, 30), Size(100, 30), Size(120, 36)])
  func fullLinesKeepTheirLastLetters(_ size: Size) {
    var b = Bench(size)
    b.act(.session(.note(String(repeating: "ж", count: 300))))
    let count = b.rows().joined().count { $0 == "ж" }
    #expect(count == 300)
  }

  @Test func aReplayPlaysPausesAndSeeks() {
    var b = Bench()
    let entries = (0..<4).map { SessionEntry(time: Double($0) * 10, event: .note("note \($0)")) }
    b.act(.played(Replay(entries)))
    b.act(.tick(0))
    #expect(b.shows("note 0") && !b.shows("note 1"))
    b.act(.tick(1.9))
    #expect(!b.shows("note 1"))
    b.act(.tick(2.1))
    #expect(b.shows("note 1"), "long waits are cut to two seconds")
    b.press(.character(" "))
    b.act(.tick(50))
    #expect(!b.shows("note 2"))
    b.press(.character("."))
    #expect(b.shows("note 2"))
    b.press(.home)
    #expect(!b.shows("note 0"))
    b.press(.end)
    #expect(b.shows("note 3"))
    b.press(.escape)
    #expect(b.state.conversation.replay == nil)
  }

  /// What was said is told by the name of the model that said it.
  @Test func aReplayShowsTheSessionsModel() {
    var b = Bench()
    let events: [SessionEvent] = [
      .opened(model: "first", modelHash: "a", program: ""),
      .asked(request: 1, text: "one?", pictures: [], sampling: .init()),
      .answered(request: 1, text: "1", tokens: 1, seconds: 1, isPartial: false),
      .opened(model: "second", modelHash: "b", program: ""),
      .asked(request: 2, text: "two?", pictures: [], sampling: .init()),
      .answered(request: 2, text: "2", tokens: 1, seconds: 1, isPartial: false),
    ]
    b.act(.played(Replay(events.map { SessionEntry(time: 0, event: $0) })))
    b.press(.end)
    let rows = b.rows().map { $0.filter { !$0.isWhitespace } }
    #expect(rows.contains { $0.hasPrefix("first") } && rows.contains { $0.hasPrefix("second") }, "\(rows)")
  }

  /// Random keys and resizes leave a living program that still answers.
  @Test func anyKeysAreSurvived() {
    var b = Bench(), seed: UInt64 = 11
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let keys: [Key] = [
      .enter, .lineBreak, .tab, .backTab, .backspace, .delete, .escape, .up, .down, .left, .right, .wordLeft,
      .wordRight, .home, .end, .pageUp, .pageDown, .function(1), .function(2), .function(3), .function(4),
      .control("p"), .control("r"), .control("a"), .control("k"), .control("w"), .control("y"), .control("c"),
      .alt("."), .alt(","), .character("/"), .character("c"), .character("f"), .character("g"),
      .character(" "),
      .character("é"), .character("東"), .paste("pasted\ntext"), .mouse(.init(.press, 100, 6)),
      .mouse(.init(.wheelUp, 3, 3)), .mouse(.init(.drag, 110, 6)),
    ]
    let cache = LayoutCache()
    for i in 0..<20_000 {
      b.press(keys[next(keys.count)])
      if i % 50 == 0 { b.act(.resized(Size(20 + next(200), 5 + next(60)), cell: Size(9, 19))) }
      if i % 7 == 0 { b.act(.tick(Double(i) / 20)) }
      if b.running > 0, next(20) == 0 {
        if next(2) == 0 { b.finish("r\(i)") } else { b.happen(.ended) }
      }
      if i % 10 == 0 { _ = view(b.state, cache) }
      if b.effects.count > 1000 { b.effects = [] }
    }
    b.act(.resized(Size(120, 36), cell: Size(9, 19)))
    for _ in 0..<20 where b.state.overlays.top != nil { b.press(.escape) }
    #expect(b.state.overlays.top == nil && b.shows("─"))
  }
}
