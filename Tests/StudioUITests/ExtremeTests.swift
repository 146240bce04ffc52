import Foundation
import Frames
import Requests
import SessionLog
import StudioUI
import TestSupport
import Testing

/// Numbers that come from a file, a flag or a key, however large.
@Suite struct ExtremeTests {
  private static let log = SessionContents(Data(OddInput.logLines.joined(separator: "\n").utf8))

  @Test func everyLineOfTheLogIsRead() {
    #expect(Self.log.lost == 0 && Self.log.unknown == 0 && Self.log.entries.count == OddInput.logLines.count)
  }

  @Test func aLogOfHugeNumbersIsShownPlayedAndGoneOnWith() {
    var b = Bench()
    for entry in Self.log.entries {
      b.act(.session(entry.event))
      _ = b.rows()
    }
    b.act(.pictureKnown("aa", Size(0, 0)))
    b.act(.pictureKnown("bb", Size(.max, .max)))
    b.act(.resized(Size(120, 36), cell: Size(.max, .max)))
    for key: Key in [.function(3), .character("i"), .escape, .character("m"), .escape, .escape] {
      b.press(key)
      _ = b.rows()
    }
    b.act(.resized(Size(120, 36), cell: Size(9, 19)))
    b.send("/imagine a cat")
    #expect(
      b.drawings.count == 1 && b.running > 1, "the next request has a number of its own")
    b.finish("ee")
    b.act(.played(Replay(Self.log.entries)))
    for i in 0..<40 { b.act(.tick(Double(i))) }
    _ = b.rows()
  }

  /// Guidance above the slider's end, and steps beyond all: what can be turned here is at its end, and it is said.
  @Test(arguments: [20, 30, 1e30] as [Float])
  func aReusedPictureIsClamped(_ guidance: Float) {
    let settings = ImageSettings(
      prompt: "a cat", seed: .max, guidanceScale: guidance, steps: .max, decoderSteps: .max)
    let event = SessionEntry(
      time: 0, event: .attached(picture: "aa", name: "a.png", settings: settings, details: nil)
    ).event
    for key: Key in [.enter, .character("p")] {
      var b = Bench()
      b.act(.session(event))
      b.press(.function(3), key)
      #expect(b.state.inspector.controls.guidance == 15 && b.shows("became 15.0"), "\(b.rows())")
      #expect(
        (1...1000).contains(b.state.inspector.controls.steps)
          && (1...16).contains(b.state.inspector.controls.decoderSteps))
      for _ in 0..<6 { b.press(.backTab, .wordRight, .wordLeft, .right, .down) }
      _ = b.rows()
    }
  }

  @Test func seedsStopAtTheLast() {
    var b = Bench()
    b.send("/seed 18446744073709551615")
    b.press(.backTab, .down, .down, .right, .wordRight)
    #expect(b.state.inspector.controls.seed == .max)
    b.press(.left)
    #expect(b.state.inspector.controls.seed == UInt64.max - 1)
    b.send("/seed 3")
    b.press(.backTab, .down, .down, .wordLeft)
    #expect(b.state.inspector.controls.seed == nil)
  }

  /// Each command with each number says what it did or what it takes.
  @Test func oddArgumentsAreRefused() {
    for command in OddInput.commands {
      for number in OddInput.numbers {
        var b = Bench()
        b.send("a dog")
        b.finish("d0")
        b.send("\(command) \(number)")
        b.press(.backTab, .right, .left)
        b.act(.tick(1))
        #expect(b.rows().count == 36, "\(command) \(number)")
      }
    }
    var b = Bench()
    b.send("a dog")
    b.finish("d0")
    for odd in [",", ",,", "..", "1..2,nan", "nan..9"] {
      b.send("/sweep \(odd)")
      #expect(b.state.toast?.isError == true && b.drawings.count == 1, "/sweep \(odd)")
    }
  }
}

/// Random typing of plausible things: commands with odd arguments, pastes, the mouse, and sessions from anywhere.
@Suite struct PlausibleFuzz {
  private static let keys: [Key] = [
    .enter, .tab, .backTab, .escape, .up, .down, .left, .right, .wordLeft, .wordRight, .home, .end, .pageUp,
    .pageDown, .backspace, .function(1), .function(2), .function(3), .function(4), .control("p"),
    .control("r"),
    .control("a"), .control("c"), .alt("."), .alt(","), .character("a"), .character("m"), .character("."),
    .character(" "), .character("9"), .character("i"), .character("w"), .character("s"), .control("u"),
  ]
  private static let places = [Int.min, -1, 0, 3, 6, 10, 40, 95, 118, 4000, Int.max]
  private static let kinds: [Key.Mouse.Kind] = [.press, .drag, .release, .wheelUp, .wheelDown]

  /// Numbers without an end, the same each time.
  private struct Numbers {
    var seed: UInt64 = 20_261_126

    mutating func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }

    mutating func pick<T>(_ list: [T]) -> T { list[next(list.count)] }
  }

  /// Foundation takes the end of a text for a NUL, and then looks past it: searching by `contains` trapped.
  @Test func whatEndsInANulIsLookedFor() {
    var b = Bench()
    b.press(.control("p"), .paste("s\u{0}"))
    #expect(b.shows("no matches"), "\(b.rows())")
    b.press(.escape)
    b.send("1…5 minus")
    b.press(.control("r"), .paste("s\u{0}"))
    b.press(.control("r"), .character("s"), .control("@"))
    b.press(.escape)
    #expect("1…5 minus".holds("5 m") && "1…5 minus".holds("") && !"1…5 minus".holds("s\u{0}"))
  }

  @Test func survivesPlausibleTyping() {
    var b = Bench(), numbers = Numbers()
    let log = SessionContents(Data(OddInput.logLines.joined(separator: "\n").utf8)).entries
    let cache = LayoutCache(),
      rounds = ProcessInfo.processInfo.environment["VUGEN_FUZZ"] == nil ? 10_000 : 200_000
    for i in 0..<rounds {
      switch numbers.next(12) {
      case 0..<9: type(&b, &numbers)
      case 9:
        b.act(.session(numbers.pick(log).event))
        if numbers.next(8) == 0 {
          b.act(.pictureKnown(numbers.pick(["aa", "bb", "cc"]), Size(numbers.pick(Self.places), 0)))
        }
      case 10:
        if numbers.next(20) == 0 { b.act(.played(Replay(log))) }
        if numbers.next(20) == 0 { b.open(isReadOnly: numbers.next(6) == 0) }
        if numbers.next(4) == 0 { b.act(.picturesRead(["aa", "zz"], origins: origins(log))) }
      default:
        b.act(.tick(Double(i) / 10))
        if b.state.work.running != nil { b.finish("r\(i)", partial: numbers.next(2) == 0) }
      }
      if numbers.next(40) == 0 {
        let least = numbers.next(5) == 0 ? Size(20, 5) : Size(100, 20)
        let size = Size(least.width + numbers.next(100), least.height + numbers.next(40))
        b.act(.resized(size, cell: Size(numbers.next(12), numbers.next(30))))
      }
      _ = view(b.state, cache)
      if b.effects.count > 1000 { b.effects.removeFirst(900) }
    }
    b.act(.resized(Size(120, 36), cell: Size(9, 19)))
    #expect(b.rows().count == 36)
  }

  /// A key, a command, a paste, or something done with the mouse.
  private func type(_ b: inout Bench, _ numbers: inout Numbers) {
    switch numbers.next(9) {
    case 0..<5: b.press(numbers.pick(Self.keys))
    case 5, 6:
      // Mostly where it is read as a command.
      if numbers.next(4) > 0 { b.press(.escape, .escape, .escape, .control("u")) }
      let command = OddInput.commands[numbers.next(numbers.next(2) == 0 ? 6 : OddInput.commands.count)]
      b.send("\(command) \(numbers.pick(OddInput.numbers))")
    case 7: b.press(.paste(numbers.pick(OddInput.pastes)))
    case 8 where numbers.next(2) == 0:
      // Along the inspector's rows, wherever their values stand.
      b.press(.escape, .escape, .backTab)
      for _ in 0..<numbers.next(6) { b.press(.down) }
      let turn = numbers.pick([Key.left, .right, .wordLeft, .wordRight])
      b.press(turn, turn, turn)
    default:
      b.press(.mouse(.init(numbers.pick(Self.kinds), numbers.pick(Self.places), numbers.pick(Self.places))))
    }
  }

  private func origins(_ log: [SessionEntry]) -> [PictureID: PictureOrigin] {
    var transcript = Transcript()
    for entry in log { transcript.apply(entry.event) }
    return transcript.origins
  }
}
