import Foundation
import TestSupport
import Testing

@Suite(.serialized)
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
