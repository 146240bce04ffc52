import FileNames
import Foundation
import Frames
import ModelFiles
import Pictures
import Requests
import SessionLog
import StudioUI
import TOMLKit

/// Settings of `config.toml`.
struct StudioConfiguration {
  var theme: String?
  var graphics: String?
  var mode: StudioMode?
  var controls = Controls()
  var mouse = true
  var inspector = true
  /// What was wrong with the file, in one line.
  var complaint: String?

  static let keys = [
    ("theme", "theme name"), ("graphics", "auto, sixel, kitty, blocks or none"),
    ("mode", "ask or imagine"),
    ("guidance", DrawingDefaults.guidanceLimits), ("steps", "1 to 1000"), ("count", "1 to 16"),
    ("decoder_steps", "1 to 16"),
    ("temperature", "0 to 2"), ("mouse", "true or false"), ("inspector", "true or false"),
  ]

  init(path: String) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    do {
      let table = try TOMLTable(string: text)
      for key in table.keys where !Self.keys.contains(where: { $0.0 == key }) {
        complaint = "\(path):\(ThemeFile.line(of: key, in: text)): unknown setting '\(key)'"
      }
      theme = table["theme"]?.string
      graphics = table["graphics"]?.string
      mode = table["mode"]?.string.flatMap { $0 == "ask" ? .ask : $0 == "imagine" ? .imagine : nil }
      func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        guard let value = table[key] else { return nil }
        if let number = value.double ?? value.int.map(Double.init), range.contains(number) { return number }
        complaint =
          "\(path):\(ThemeFile.line(of: key, in: text)): '\(key)' must be \(range.lowerBound) to \(range.upperBound)"
        return nil
      }
      let guidance = DrawingDefaults.guidanceRange
      if let value = number("guidance", Double(guidance.lowerBound)...Double(guidance.upperBound)) {
        controls.guidance = Float(value)
      }
      if let value = number("steps", 1...1000) { controls.steps = Int(value) }
      if let value = number("count", 1...16) { controls.count = Int(value) }
      if let value = number("decoder_steps", 1...16) { controls.decoderSteps = Int(value) }
      if let value = number("temperature", 0...2) { controls.temperature = Float(value) }
      mouse = table["mouse"]?.bool ?? true
      inspector = table["inspector"]?.bool ?? true
    } catch let error as TOMLParseError {
      complaint = "\(path):\(error.source.begin.line): \(error.description)".replacing("\n", with: " ")
    } catch {
      complaint = "\(path): \(error)"
    }
  }
}

/// Themes as TOML files.
enum ThemeFile {
  /// Every theme that can be read: the person's own before the program's; complaints name file, line and key.
  static func all(extra: String? = nil) -> (themes: [Theme], complaints: [String]) {
    var themes: [Theme] = [], complaints: [String] = []
    let own = Paths.configuration() + "/themes"
    for folder in [extra, own].compactMap({ $0 }) + ProgramFiles.themeFolders {
      for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      where name.hasSuffix(".toml") {
        switch read("\(folder)/\(name)") {
        case .success(let theme):
          if !themes.contains(where: { $0.name == theme.name }) { themes.append(theme) }
        case .failure(let error): complaints.append(error.description)
        }
      }
    }
    if !themes.contains(where: { $0.name == Theme.builtIn.name }) { themes.insert(.builtIn, at: 0) }
    return (themes, complaints)
  }

  static func read(_ path: String) -> Result<Theme, CommandError> {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      return .failure(CommandError("\(path): cannot be read"))
    }
    func problem(_ key: String, _ what: String) -> Result<Theme, CommandError> {
      .failure(CommandError("\(path):\(line(of: key, in: text)): '\(key)' \(what)"))
    }
    do {
      let table = try TOMLTable(string: text)
      let name = table["name"]?.string ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      guard let appearance = Theme.Appearance(rawValue: table["appearance"]?.string ?? "dark") else {
        return problem("appearance", "must be dark or light")
      }
      var colours: [Role: Colour] = [:]
      for key in table["colours"]?.table?.keys ?? [] {
        guard let role = Role(rawValue: key) else {
          return problem(
            key, "is not a theme colour; these are: \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let colour = table["colours"]?.table?[key]?.string.flatMap(Colour.init(hex:)) else {
          return problem(key, "must be a colour such as \"#3a404a\"")
        }
        colours[role] = colour
      }
      return .success(Theme(name: name, appearance: appearance, colours: colours))
    } catch let error as TOMLParseError {
      return .failure(
        CommandError("\(path):\(error.source.begin.line): \(error.description)".replacing("\n", with: " ")))
    } catch {
      return .failure(CommandError("\(path): \(error)"))
    }
  }

  /// The line on which a key stands, from 1.
  static func line(of key: String, in text: String) -> Int {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.firstIndex { $0.trimmingCharacters(in: .whitespaces).hasPrefix(key) } ?? 0) + 1
  }
}

/// Paths as people type, drop and paste them.
enum TypedPath {
  /// The file that is meant: as it stands, then without quotes, backslashes and `file://`.
  static func resolve(_ typed: String) -> String {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    if FileManager.default.fileExists(atPath: expanded(text)) { return expanded(text) }
    let words = PastedPaths.words(of: text) ?? []
    let plain = words.count == 1 ? words[0] : words.isEmpty ? text : words.joined(separator: " ")
    if plain.hasPrefix("file://") { return URL(string: plain)?.path ?? String(plain.dropFirst(7)) }
    return expanded(plain)
  }

  private static func expanded(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    return Paths.home() + path.dropFirst()
  }

  /// What a half-typed path may become: as far as all that fits agrees, and the names that fit.
  static func completion(of typed: String) -> (path: String, names: [String]) {
    let cut = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let folder = String(typed[..<cut]), begun = typed[cut...]
    let base = folder.isEmpty ? FileManager.default.currentDirectoryPath : expanded(folder)
    let fitting = choices(in: base.count > 1 && base.hasSuffix("/") ? String(base.dropLast()) : base)
      .dropFirst()
      .map(\.title).filter { $0.hasPrefix(begun) }
    guard var common = fitting.first else { return (typed, []) }
    for name in fitting { while !name.hasPrefix(common) { common.removeLast() } }
    return (folder + common, Array(fitting))
  }

  /// What a list of files shows: folders, then pictures.
  static func choices(in folder: String) -> [Choice] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    var folders = [
      Choice(
        title: "../", detail: "parent folder", value: FileName.parent(of: folder) + "/")
    ]
    var pictures: [Choice] = []
    for name in names where !name.hasPrefix(".") {
      var isFolder: ObjCBool = false
      let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        folders.append(Choice(title: name + "/", detail: "folder", value: path + "/"))
      } else if PictureFormat.extensions.contains((name as NSString).pathExtension.lowercased()) {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        pictures.append(Choice(title: name, detail: "\(max(1, size / 1024)) kB", value: path))
      }
    }
    return folders + pictures
  }
}
