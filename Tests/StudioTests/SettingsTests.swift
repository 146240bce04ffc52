import Frames
import Requests
import Studio
import StudioUI
import TestSupport
import Testing

/// Settings and themes are read as far as they can be, and what is wrong with them is named with file, line and key.
struct SettingsTests {
  private func written(_ text: String, _ name: String = "config.toml") throws -> String {
    let path = try temporaryFolder() + "/" + name
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  @Test func everySettingIsTaken() throws {
    let path = try written(
      """
      theme = "nord"
      graphics = "blocks"
      mode = "ask"
      guidance = 4
      steps = 30
      count = 2
      decoder_steps = 4
      temperature = 0.5
      mouse = false
      inspector = false
      """)
    let settings = StudioConfiguration(path: path), controls = settings.preferences.controls
    #expect(settings.complaints.isEmpty && settings.theme == "nord" && settings.graphics == .blocks)
    #expect(settings.preferences.mode == .ask && controls.guidance == 4 && controls.steps == 30)
    #expect(controls.count == 2 && controls.decoderSteps == 4 && controls.temperature == 0.5)
    #expect(!settings.preferences.isMouseCaptured && settings.preferences.isInspectorHidden)
    #expect(StudioConfiguration.keys.map(\.0).count == 10)
  }

  @Test(arguments: [
    ("steps = \"many\"", "config.toml:1: 'steps' must be"),
    ("\n\nmouse = 1", "config.toml:3: 'mouse' must be"),
    ("# x\nguidance = 1e9", "config.toml:2: 'guidance' must be"),
    ("colour = 1", ":1: unknown setting 'colour'"),
    ("steps = ", "config.toml:1"), ("graphics = \"best\"", "auto, sixel, kitty, blocks or none"),
  ])
  func whatIsWrongIsNamed(_ text: String, _ told: String) throws {
    let settings = StudioConfiguration(path: try written(text))
    #expect(settings.complaints.count == 1 && settings.complaints[0].contains(told), "\(settings.complaints)")
    #expect(settings.preferences == Preferences())
  }

  /// One that is wrong does not take the others with it, and where there is no file nothing is wrong.
  @Test func theOthersHold() throws {
    let settings = StudioConfiguration(path: try written("steps = 0\ncount = 3"))
    #expect(settings.preferences.controls.count == 3 && settings.complaints.count == 1)
    #expect(settings.preferences.controls.steps == Controls().steps)
    let none = StudioConfiguration(path: temporaryPath())
    #expect(none.complaints.isEmpty && none.preferences == Preferences())
  }

  @Test func aThemeIsRead() throws {
    let theme = try ThemeFile.read(
      written("name = \"own\"\nappearance = \"light\"\n[colours]\naccent = \"#102030\"", "a.toml"))
    #expect(theme.name == "own" && theme.appearance == .light)
    #expect(try ThemeFile.read(written("", "plain.toml")).name == "plain")
  }

  @Test(arguments: [
    ("name = 1", "a.toml:1: 'name' must be a text"),
    ("\nappearance = \"grey\"", "a.toml:2: 'appearance' must be"),
    ("[colours]\naccent = 7", "a.toml:2: 'accent' must be a colour"),
    ("[colours]\nsky = \"#ffffff\"", "a.toml:2: 'sky' is not a theme colour"),
    ("size = 1", "a.toml:1: 'size' is not known"), ("name = ", "a.toml:1"),
  ])
  func whatIsWrongWithAThemeIsNamed(_ text: String, _ told: String) throws {
    let path = try written(text, "a.toml")
    let error = #expect(throws: (any Error).self) { try ThemeFile.read(path) }
    #expect(error.map { "\($0)".contains(told) } == true, "\(String(describing: error))")
  }

  /// The person's own come first, and one that cannot be read does not hide the others.
  @Test func themesAreFoundWhereTheyLie() throws {
    let path = try written("name = \"zebra\"", "zebra.toml"),
      folder = String(path.dropLast("/zebra.toml".count))
    try "name = 1".write(toFile: folder + "/broken.toml", atomically: false, encoding: .utf8)
    let (themes, complaints) = ThemeFile.all(extra: folder)
    #expect(themes.contains { $0.name == "zebra" } && themes.contains { $0.name == Theme.builtIn.name })
    #expect(complaints.contains { $0.contains("broken.toml:1") })
  }
}
