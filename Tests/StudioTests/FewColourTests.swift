import Foundation
import Frames
import Studio
import Testing

/// Themes in terminals of 8 and 16 colours can be read.
struct FewColourTests {
  private static func styles(_ theme: Theme) -> [(name: String, style: Style, least: Double)] {
    let body = FewColours.bodyContrast, other = FewColours.textContrast
    return [
      ("text", theme.text, body), ("bar", theme.bar, body), ("selection", theme.selection, body),
      ("dim", theme.dim, other), ("accent", theme.accent, other), ("user", theme.user, other),
      ("model", theme.model, other), ("success", theme.success, other), ("error", theme.error, other),
      ("barDim", theme.barDim, other), ("barKey", theme.barKey, other),
      ("error in the bar", theme.error.on(theme.bar.background), other), ("border", theme.border, 1.25),
    ]
  }

  /// As xterm shows them; bold letters may be shown in the bright form of their colour.
  @Test(arguments: [8, 16]) func everyThemeCanBeRead(_ count: Int) {
    let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Themes").standardizedFileURL
    let themes = ThemeFile.all(extra: folder.path).themes
    #expect(themes.count >= 8)
    for theme in themes where !theme.colours.isEmpty {
      var few = FewColours(theme, count: count)
      for (name, style, least) in Self.styles(theme) {
        let pair = few.pair(style)
        guard let ink = pair.foreground, let ground = pair.background else {
          Issue.record("\(theme.name), \(name): no colour")
          continue
        }
        #expect((0..<count).contains(ink) && (0..<count).contains(ground))
        for shown in pair.isBold && ink < 8 ? [ink, ink + 8] : [ink] {
          let ratio = FewColours.palette[shown].contrast(to: FewColours.palette[ground])
          #expect(ratio >= least, "\(theme.name) in \(count), \(name): \(shown) on \(ground) has \(ratio)")
        }
      }
      let selection = few.pair(theme.selection).background
      #expect(selection != few.pair(theme.text).background, "\(theme.name): the chosen line is not seen")
      #expect(few.pair(theme.error).foreground != few.pair(theme.user).foreground, "\(theme.name)")
    }
  }

  /// Names stand out: none is grey, which bold black is in many terminals.
  @Test(arguments: [8, 16]) func boldNamesAreNotFaint(_ count: Int) {
    let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Themes").standardizedFileURL
    for theme in ThemeFile.all(extra: folder.path).themes where theme.appearance == .light {
      var few = FewColours(theme, count: count)
      for style in [theme.user, theme.model, theme.accent, theme.error] {
        let pair = few.pair(style), ink = pair.foreground ?? 0
        let shown = Set(pair.isBold && ink < 8 ? [ink, ink + 8] : [ink])
        #expect(shown.isDisjoint(with: [0, 7, 8, 15]), "\(theme.name) in \(count): \(shown)")
      }
    }
  }

  @Test func theTerminalsOwnColoursStay() {
    let theme = Theme.builtIn.withoutColours
    var few = FewColours(theme, count: 8)
    #expect(few.pair(theme.text).foreground == nil && few.pair(theme.text).background == nil)
    #expect(few.pair(Style(Colour(3, 3, 3))).foreground == 7, "black on a ground that may be black")
  }
}
