import Files
import Foundation
import Frames
import SessionLog
import TOMLKit

/// Themes as TOML files.
public enum ThemeFile {
  /// Every theme that can be read: the person's own before the program's; complaints name file, line and key.
  ///
  /// - Parameter extra: a folder that is looked into first.
  public static func all(extra: String? = nil) -> (themes: [Theme], complaints: [String]) {
    var themes: [Theme] = [], complaints: [String] = []
    let own = Paths.configuration() + "/themes"
    for folder in [extra, own].compactMap({ $0 }) + ProgramFiles.themeFolders {
      for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      where name.hasSuffix(".toml") {
        do {
          let theme = try read("\(folder)/\(name)")
          if !themes.contains(where: { $0.name == theme.name }) { themes.append(theme) }
        } catch {
          complaints.append("\(error)")
        }
      }
    }
    if !themes.contains(where: { $0.name == Theme.builtIn.name }) { themes.insert(.builtIn, at: 0) }
    return (themes, complaints)
  }

  /// A theme. Throws `FileAccessError`.
  public static func read(_ path: String) throws -> Theme {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw FileAccessError(path, "cannot be read")
    }
    do {
      try TOMLText.check(text)
      let file = try TOMLDecoder().decode(File.self, from: text)
      let name = file.name ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      return Theme(name: name, appearance: file.appearance, colours: file.colours)
    } catch let problem as Problem {
      throw FileAccessError(
        "\(path):\(TOMLText.line(of: problem.key, in: text))", "'\(problem.key.oneLine)' \(problem.what)")
    } catch {
      throw TOMLText.failure(error, path)
    }
  }

  /// What is wrong with a key.
  private struct Problem: Error { let key, what: String }

  /// Any key, so that those that are not known are found, too.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct File: Decodable {
    var name: String?
    var appearance = Theme.Appearance.dark
    var colours: [Role: Colour] = [:]

    /// Throws `Problem`.
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      for key in values.allKeys {
        switch key.stringValue {
        case "name":
          guard let text = try? values.decode(String.self, forKey: key) else {
            throw Problem(key: key.stringValue, what: "must be a text")
          }
          name = text
        case "appearance":
          let text = try? values.decode(String.self, forKey: key)
          guard let found = text.flatMap(Theme.Appearance.init) else {
            throw Problem(key: key.stringValue, what: "must be dark or light")
          }
          appearance = found
        case "colours":
          guard let table = try? values.nestedContainer(keyedBy: Key.self, forKey: key) else {
            throw Problem(key: key.stringValue, what: "must be a table of colours")
          }
          try read(table)
        default:
          throw Problem(key: key.stringValue, what: "is not known; a theme has name, appearance and colours")
        }
      }
    }

    private mutating func read(_ table: KeyedDecodingContainer<Key>) throws {
      for key in table.allKeys {
        guard let role = Role(rawValue: key.stringValue) else {
          let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
          throw Problem(key: key.stringValue, what: "is not a theme colour; these are: \(roles)")
        }
        guard let colour = (try? table.decode(String.self, forKey: key)).flatMap(Colour.init(hex:)) else {
          throw Problem(key: key.stringValue, what: "must be a colour such as \"#3a404a\"")
        }
        colours[role] = colour
      }
    }
  }
}
