import Files
import Foundation
import Studio
import Tensors
import TestSupport
import Testing

/// Settings and themes that were cut, overwritten, or edited by hand.
@Suite struct DamagedSettingsTests {
  private static let settings = """
    # What the studio begins with.
    theme = "nord"
    graphics = "auto"
    mode = "imagine"
    guidance = 5.5
    steps = 50
    count = 4
    decoder_steps = 1
    temperature = 0.5
    mouse = true
    inspector = false

    """

  /// What cannot be understood is told in one line each, and every setting is one that the studio can have. VUGEN_FUZZ
  /// sets the number of files.
  @Test func survivesDamagedSettings() throws {
    let whole = Array(Self.settings.utf8), path = temporaryPath(".toml")
    var random = Philox(seed: 61), complaints = 0
    let rounds = damageRounds(400, share: 40)
    for _ in 0..<rounds {
      try Data(damagedText(whole, &random)).write(to: URL(fileURLWithPath: path))
      let found = StudioConfiguration(path: path), controls = found.preferences.controls
      #expect((0...15).contains(controls.guidance) && (0...2).contains(controls.temperature))
      #expect((1...1000).contains(controls.steps) && controls.count > 0 && controls.decoderSteps > 0)
      for line in found.complaints { #expect(!line.isEmpty && !line.contains("\n"), "\(line)") }
      if !found.complaints.isEmpty { complaints += 1 }
    }
    #expect(rounds / 10 < complaints && complaints < rounds)
  }

  /// The program's own themes, spoilt: a theme, or an error in one line.
  @Test func survivesDamagedThemes() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Themes")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let path = temporaryPath(".toml")
    var random = Philox(seed: 62), failures = 0
    let rounds = damageRounds(40, share: 400)
    for name in names {
      let whole = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
      for _ in 0..<rounds {
        try Data(damagedText(whole, &random)).write(to: URL(fileURLWithPath: path))
        do { _ = try ThemeFile.read(path) } catch {
          #expect(error is FileAccessError && !"\(error)".contains("\n"), "\(error)")
          failures += 1
        }
      }
    }
    #expect(failures > rounds * names.count / 10)
  }
}
