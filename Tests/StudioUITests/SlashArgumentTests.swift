import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What stands behind a slash command.
@Suite struct SlashArgumentTests {
  private func bench() -> Bench {
    var b = Bench()
    b.send("a cat")
    b.finish("c1")
    return b
  }

  /// What is said is what holds now, however the number was typed.
  @Test(arguments: [
    ("/steps +5", "steps 5"), ("/seed 007", "seed 7"), ("/count 004", "count 4"),
    ("/cfg +4.50", "guidance 4.5"),
    ("/interval .2..0.80", "interval 0.20..0.80"), ("/interval +0 .. 1", "interval 0.00..1.00"),
    ("/solver HEUN", "solver heun"), ("/size 02", "pictures of size 2 of 5"),
    ("/seed -1", "seed random: a new one for each request"),
    ("/seed", "seed random: a new one for each request"),
    ("/seed RANDOM", "seed random: a new one for each request"), ("/negative blue", "negative blue"),
    ("/negative", "negative cleared"), ("/seed +18446744073709551615", "seed 18446744073709551615"),
  ])
  func whatIsSaidHolds(_ typed: String, _ told: String) {
    var b = Bench()
    b.send(typed)
    #expect(b.state.toast?.text == told && b.state.toast?.isError == false)
  }

  /// A command that takes nothing and is given something does nothing, and says so in one line: each of them.
  @Test(arguments: KeyTable.slash.filter(\.argument.isEmpty).map(\.name))
  func whatTakesNothingSaysSo(_ name: String) {
    var b = bench()
    b.send("/undo")
    let before = b.state.conversation.transcript, effects = b.effects.count
    for argument in ["3", "9999", "now please"] {
      b.send("/\(name)  \(argument) ")
      let told = "/\(name) takes nothing behind it: leave '\(argument)' out"
      #expect(b.state.toast?.text == told && b.state.toast?.isError == true)
    }
    #expect(b.state.conversation.transcript == before && b.state.overlays.top == nil)
    #expect(b.effects.dropFirst(effects).allSatisfy { if case .rememberPrompt = $0 { true } else { false } })
    b.press(.up)
    #expect(b.state.prompt.editor.string.hasPrefix("/\(name)"))
  }

  /// All that takes something says what, where it cannot take what it is given.
  @Test(arguments: [
    "/cfg x", "/cfg 16", "/steps 0", "/steps 1.5", "/count 17", "/seed x", "/size 9", "/grid 1", "/grid 2 3",
    "/solver rk4", "/stop it", "/export pdf", "/theme nosuch", "/sweep 1", "/sweep 1..2..3",
    "/sweep 1..9,2,3",
    "/sweep 1..x..9", "/sweep 1..9,x", "/interval 1",
  ])
  func whatCannotBeIsOneLine(_ typed: String) {
    var b = bench()
    let drawings = b.drawings.count
    b.send(typed)
    let told = b.state.toast?.text ?? ""
    #expect(b.state.toast?.isError == true && !told.contains("\n"), "\(typed): \(told)")
    #expect(b.drawings.count == drawings && b.state.work.queue.isEmpty)
  }

  /// A sweep is of scales that can be told apart, and an interval has times in it.
  @Test(arguments: [
    ("/sweep 0..0.0000001", "/sweep takes scales that are 0.1 apart or more, as in /sweep 1..9"),
    ("/sweep 3..3", "/sweep takes two scales from 0 to 15, as in /sweep 1..9"),
    ("/sweep 1..9,20", "/sweep takes a step of 0.3 to 8 there, as in /sweep 1..9,0.3"),
    ("/sweep 1..9,0.00001", "/sweep takes a step of 0.3 to 8 there, as in /sweep 1..9,0.3"),
    ("/sweep 0..15,0.4", "/sweep takes a step of 0.5 to 15 there, as in /sweep 0..15,0.5"),
    (
      "/interval 0.5..0.5",
      "/interval takes two times from 0 to 1, 0.01 apart or more, as in /interval 0.2..0.8"
    ),
    (
      "/interval 0.5..0.500001",
      "/interval takes two times from 0 to 1, 0.01 apart or more, as in /interval 0.2..0.8"
    ),
  ])
  func whatWouldDoNothingIsRefused(_ typed: String, _ told: String) {
    var b = bench()
    b.send(typed)
    #expect(b.state.toast?.text == told && b.state.toast?.isError == true)
    #expect(b.drawings.count == 1 && b.state.inspector.controls.guidanceEnd == 1)
  }

  /// The smallest that can be told apart are drawn.
  @Test(
    arguments: [
      ("/sweep 3..3.1", [3, 3.1]), ("/sweep 1..2", [1, 2]), ("/sweep 1.5..2", [1.5, 2]),
      ("/sweep 1..9, 8", [1, 9]),
      ("/sweep 0..0.3,0.1", [0, 0.1, 0.2, 0.3]), ("/sweep 0..15,5", [0, 5, 10, 15]),
    ] as [(String, [Float])])
  func whatCanBeToldApartIsDrawn(_ typed: String, _ scales: [Float]) {
    var b = bench()
    b.send(typed)
    for number in scales.indices { b.finish("s\(number)") }
    let drawn = b.drawings.dropFirst().map(\.guidanceScale)
    #expect(drawn.count == scales.count, "\(drawn)")
    for (a, b) in zip(drawn, scales) { #expect(abs(a - b) < 0.001, "\(drawn)") }
  }

  /// A title that nobody can see is none, whichever way it is given.
  @Test(arguments: ["\u{200B}", "\u{202E}\u{200D}", "\u{FEFF} \u{2800}"]) func noTitleIsInvisible(
    _ sign: String
  ) {
    var b = bench()
    b.send("/rename \(sign)")
    #expect(b.state.toast?.text == "/rename takes a title that can be seen" && b.state.toast?.isError == true)
    let part = sign.filter { $0 != " " }
    b.send("/rename my \(part)cats\(part)")
    #expect(b.state.conversation.transcript.title == "my cats")
    b.act(.sessionsRead([Choice(title: "my cats", detail: "", value: "u1")]))
    b.press(.alt("r"))
    for _ in 0..<7 { b.press(.backspace) }
    b.act(.key(.paste(sign)))
    b.press(.enter)
    #expect(b.state.toast?.text == "a title needs something that can be seen; the old one stays")
    #expect(!b.effects.contains { if case .renameSession = $0 { true } else { false } })
    b.press(.escape)
    // Nor is it anything to draw.
    let drawings = b.drawings.count
    b.act(.key(.paste(sign)))
    b.press(.enter)
    #expect(b.drawings.count == drawings)
  }
}
