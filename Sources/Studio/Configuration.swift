import Files
import Foundation
import Frames
import Requests
import StudioUI
import TOMLKit
import Terminal

/// Settings of `config.toml`. One that is wrong is named with its line, and the others hold.
public struct StudioConfiguration {
  /// The theme by its name; nil for the one that suits the terminal.
  public var theme: String?
  /// How pictures are shown; nil where the terminal is to tell.
  public var graphics: Graphics?
  /// What the studio begins with.
  public var preferences = Preferences()
  /// What was wrong with the file, each in one line.
  public var complaints: [String] = []

  private enum Key: String, CodingKey, CaseIterable {
    case theme, graphics, mode, guidance, steps, count
    case decoderSteps = "decoder_steps"
    case temperature, mouse, inspector

    /// What it can be.
    var values: String {
      switch self {
      case .theme: "theme name"
      case .graphics: "auto, sixel, kitty, blocks or none"
      case .mode: "ask or imagine"
      case .guidance: DrawingDefaults.guidanceLimits
      case .steps: Self.words(DrawingLimits.steps)
      case .count: Self.words(DrawingLimits.count)
      case .decoderSteps: Self.words(DrawingLimits.shownDecoderSteps)
      case .temperature: "0 to 2"
      case .mouse, .inspector: "true or false"
      }
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
      "\(range.lowerBound) to \(range.upperBound)"
    }
  }

  /// The file's place.
  static var standardPath: String { Paths.configuration() + "/config.toml" }

  /// What is wrong with the person's settings and themes, each in one line with its file and line.
  public static var complaints: [String] {
    (StudioConfiguration(path: standardPath).complaints + ThemeFile.all(extra: nil).complaints).map(\.oneLine)
  }

  /// Settings and what they can be, for help.
  public static let keys = Key.allCases.map { ($0.rawValue, $0.values) }

  /// - Parameter path: of the file; where there is none, everything is as it comes.
  public init(path: String) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      complaints = ["\(path): cannot be read as UTF-8"]
      return
    }
    do {
      try TOMLText.check(text)
      let table = try TOMLTable(string: text)
      for key in table.keys where Key(stringValue: key) == nil {
        complaints.append("\(path):\(TOMLText.line(of: key, in: text)): unknown setting '\(key.oneLine)'")
      }
      let file = try TOMLDecoder().decode(File.self, from: table)
      (theme, graphics, preferences) = (file.theme, file.graphics, file.preferences)
      complaints += file.wrong.map { key in
        "\(path):\(TOMLText.line(of: key.rawValue, in: text)): '\(key.rawValue)' must be \(key.values)"
      }
    } catch {
      complaints = ["\(TOMLText.failure(error, path))"]
    }
  }

  /// The file, as far as it can be understood.
  private struct File: Decodable {
    var theme: String?
    var graphics: Graphics?
    var preferences = Preferences()
    /// Settings of a wrong type, or out of their range.
    var wrong: [Key] = []

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      var wrong: [Key] = []
      func read<T: Decodable>(_ key: Key, _ type: T.Type, where holds: (T) -> Bool = { _ in true }) -> T? {
        guard values.contains(key) else { return nil }
        if let value = try? values.decode(type, forKey: key), holds(value) { return value }
        wrong.append(key)
        return nil
      }
      func number(_ key: Key, _ range: ClosedRange<Float>) -> Float? {
        read(key, Number.self) { range.contains($0.value) }.map(\.value)
      }
      theme = read(.theme, String.self)
      let name = read(.graphics, String.self) { $0 == "auto" || Graphics(rawValue: $0) != nil }
      graphics = name.flatMap(Graphics.init)
      let modes: [String: StudioMode] = ["ask": .ask, "imagine": .imagine]
      preferences.mode = read(.mode, String.self) { modes[$0] != nil }.flatMap { modes[$0] } ?? .imagine
      var controls = Controls()
      controls.guidance = number(.guidance, DrawingDefaults.guidanceRange) ?? controls.guidance
      controls.steps = read(.steps, Int.self, where: DrawingLimits.steps.contains) ?? controls.steps
      controls.count = read(.count, Int.self, where: DrawingLimits.count.contains) ?? controls.count
      controls.decoderSteps =
        read(.decoderSteps, Int.self, where: DrawingLimits.shownDecoderSteps.contains)
        ?? controls.decoderSteps
      controls.temperature = number(.temperature, 0...2) ?? controls.temperature
      preferences.controls = controls
      preferences.isMouseCaptured = read(.mouse, Bool.self) ?? true
      preferences.isInspectorHidden = !(read(.inspector, Bool.self) ?? true)
      self.wrong = wrong
    }
  }

  /// A number with or without a point.
  private struct Number: Decodable {
    let value: Float

    init(from decoder: any Decoder) throws {
      let box = try decoder.singleValueContainer()
      value = try (try? box.decode(Int.self)).map { Float($0) } ?? Float(box.decode(Double.self))
    }
  }
}

/// Where things stand in a TOML file, and what is wrong with it.
enum TOMLText {
  /// The line on which a key stands, from 1.
  static func line(of key: String, in text: String) -> Int {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let found = lines.firstIndex { line in
      let name = line.prefix { $0 != "=" && $0 != "]" }.filter { !" \t\"'[".contains($0) }
      return name == key
    }
    return (found ?? 0) + 1
  }

  /// Throws where the library could not go on.
  static func check(_ text: String) throws {
    if let line = TOMLHeader.broken(in: text) { throw BrokenHeader(line: line) }
  }

  private struct BrokenHeader: Error { let line: Int }

  /// An error of the parser in one line.
  static func failure(_ error: any Error, _ path: String) -> FileAccessError {
    if let error = error as? BrokenHeader {
      return FileAccessError("\(path):\(error.line)", "a section's name must follow '['")
    }
    guard let error = error as? TOMLParseError else { return FileAccessError(path, "\(error)".oneLine) }
    return FileAccessError(
      "\(path):\(error.source.begin.line)", error.description.inOneLine)
  }
}
