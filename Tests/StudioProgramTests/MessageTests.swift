import Foundation
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

@Suite(.serialized)
@SecondScreen
struct MessageTests {
  /// What is wrong with settings and themes, each in a line of its own, on a small screen too.
  @Test func complaintsOfFilesAreReadToTheirEnd() throws {
    let home = try temporaryFolder(), place = home + "/.config/vugen"
    try FileManager.default.createDirectory(atPath: place + "/themes", withIntermediateDirectories: true)
    try "steps = 5000\n".write(toFile: place + "/config.toml", atomically: true, encoding: .utf8)
    try "[colours]\nnonsense = \"#ffffff\"\n".write(
      toFile: place + "/themes/bad.toml", atomically: true, encoding: .utf8)
    let session = try Session([], rows: 24, columns: 80, home: home)
    #expect(session.expect("'nonsense'", rows: 24))
    // Wherever lines are broken.
    let shown = session.screen(24).filter { !$0.isWhitespace }
    for words in ["config.toml:1:'steps'mustbe", "bad.toml:2:'nonsense'isnotathemecolour", "selection,bar"] {
      #expect(shown.contains(words), "\(session.screen(24))")
    }
    session.type("\u{4}")
    _ = session.end()
  }

  /// Each setting of a wrong type or value is named with file, line and key; the others hold.
  @Test func wrongTypesAreNamed() throws {
    let home = try temporaryFolder(), place = home + "/.config/vugen"
    try FileManager.default.createDirectory(atPath: place + "/themes", withIntermediateDirectories: true)
    let lines = [
      "theme = 5", "graphics = \"laser\"", "mode = \"draw\"", "guidance = \"high\"", "steps = 2.5",
      "count = \"two\"", "decoder_steps = true", "temperature = -1", "mouse = \"no\"", "inspector = 0",
      "decoder = 1",
    ]
    try lines.joined(separator: "\n").write(
      toFile: place + "/config.toml", atomically: true, encoding: .utf8)
    for (name, text) in [
      ("a", "name = 3"), ("b", "\n\nappearance = 1"), ("c", "colours = 4"), ("d", "[colours]\n\ntext = 7"),
      ("e", "[colors]\ntext = \"#ffffff\""),
    ] {
      try text.write(toFile: "\(place)/themes/\(name).toml", atomically: true, encoding: .utf8)
    }
    let session = try Session([], rows: 60, columns: 200, home: home)
    #expect(session.expect("VUGEN Studio", rows: 60) && session.expect("e.toml", rows: 60))
    let shown = session.screen(60).filter { !$0.isWhitespace }
    for (i, line) in lines.enumerated() {
      let key = line.prefix { $0 != " " }
      let wanted =
        key == "decoder" ? "config.toml:11:unknownsetting'decoder'" : "config.toml:\(i + 1):'\(key)'mustbe"
      #expect(shown.contains(wanted), "\(wanted)\n\(session.screen(60))")
    }
    for words in [
      "a.toml:1:'name'mustbe", "b.toml:3:'appearance'mustbe", "c.toml:1:'colours'mustbe",
      "d.toml:3:'text'mustbe", "e.toml:1:'colors'isnotknown",
    ] {
      #expect(shown.contains(words), "\(words)\n\(session.screen(60))")
    }
    session.type("\u{4}")
    #expect(session.end() == 0)
  }

  /// `mouse = false` leaves the mouse to the terminal, and another program in between changes nothing about it.
  @Test func theMouseIsWhoseItWas() throws {
    let home = try temporaryFolder(), place = home + "/.config/vugen", on = "\u{1B}[?1002h"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try "mouse = false\n".write(toFile: place + "/config.toml", atomically: true, encoding: .utf8)
    let session = try Session(["studio", "--graphics", "none"], home: home)
    func count(_ sequence: String) -> Int {
      String(decoding: session.sent, as: UTF8.self).components(separatedBy: sequence).count - 1
    }
    /// There and back again: the editor is `true`. What is typed meanwhile would be the editor's.
    func edit() {
      let pastes = "\u{1B}[?2004h", before = count(pastes), clock = ContinuousClock()
      let end = clock.now + .seconds(Session.ceiling)
      session.type("\u{07}")
      while count(pastes) == before, clock.now < end, probe_pump(session.probe, 50) != 0 {}
    }
    #expect(session.expect("VUGEN Studio") && session.expect("parameters"))
    edit()
    session.type("first")
    #expect(session.expect("first") && count(on) == 0)
    session.type("\u{1B}m")
    #expect(session.expect("the studio has the mouse") && count(on) == 1)
    edit()
    session.type(" word")
    #expect(session.expect("first word") && count(on) == 2)
    session.type("\u{1B}m")
    #expect(session.expect("the terminal has the mouse"))
    edit()
    session.type(" more")
    #expect(session.expect("word more") && count(on) == 2)
    session.type("\u{15}\u{04}")
    #expect(session.end() == 0 && session.leftClean)
  }

  /// What a key calls for is seen, however long nothing happened before it: longer than a message stands.
  @Test func messagesAreSeenAfterAPause() throws {
    let session = try Session(["studio", "--graphics", "none"])
    #expect(session.expect("VUGEN Studio") && session.expect("parameters"))
    session.rest(4)
    session.type("\u{1B}m")
    #expect(session.expect("the terminal has the mouse", within: 20), "\(session.screen(36))")
    session.type("\u{04}")
    #expect(session.end() == 0)
  }

  /// What the doctor found stays on a small screen; the card of one protocol is above it.
  @Test func theDoctorsAnswerStandsLast() throws {
    let session = try Session(["doctor"], rows: 24, columns: 80)
    #expect(session.expect("mouse = false", rows: 24))
    let screen = session.screen(24)
    for words in ["Terminal: ", "Pictures: ", "Model: nano, 18.3 M parameters, ", "If a guess is wrong"] {
      #expect(screen.contains(words), "\(words): \(screen)")
    }
    #expect(session.end() == 0)
    #expect(String(decoding: session.sent, as: UTF8.self).components(separatedBy: " colours:").count == 2)
  }

  /// On a terminal that shows lines alone, nothing else is written.
  @Test func aDumbTerminalGetsLines() throws {
    for words in [
      ["doctor"], ["doctor", "--card", "found"], ["evaluate", "reconstruction", "--scenes", "1"],
    ] {
      let session = try Session(words, rows: 24, columns: 80, terminal: ["TERM=dumb"])
      #expect(session.end() == 0 && !session.sent.isEmpty && !session.sent.contains(0x1B), "\(words)")
    }
    let session = try Session([], rows: 24, columns: 80, terminal: ["TERM=dumb"])
    #expect(session.end() == 1 && !session.sent.contains(0x1B))
  }
}
