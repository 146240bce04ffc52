import Foundation

/// One value of a recipe: what it may be, and what it means.
///
/// A stage's keys are one table: recipes are checked against it, `--help-recipe` and the manual are made from it, and a
/// recipe with a value that is not in it, or the other way round, cannot be used (`TrainingRecipe.checkValues`).
public struct RecipeKey: Sendable {
  /// What a value may be.
  public enum Kind: Sendable {
    case whole(ClosedRange<Int>)
    /// 0 or more, as TOML's whole numbers go.
    case seed
    /// From `least` to `most`; an end may be left out.
    case number(least: Double, most: Double, withLeast: Bool = true, withMost: Bool = true)
    case flag
    case word([String])
    /// A folder's path; empty for none.
    case folder
    /// A file's path; empty for none.
    case file
    /// A text.
    case text
    /// A list of paths or patterns.
    case places
    /// A list of numbers of 0 or more.
    case weights
    /// A share below 1, or a folder's path.
    case shareOrFolder

    static let share = number(least: 0, most: 1)
    static let shareBelowOne = number(least: 0, most: 1, withMost: false)
    static let weight = number(least: 0, most: .infinity, withMost: false)
    static let positive = number(least: 0, most: .infinity, withLeast: false, withMost: false)
    static let any = number(least: -.infinity, most: .infinity, withLeast: false, withMost: false)
    /// Sizes of a model.
    static let size = whole(1...1 << 20)
  }

  /// `SECTION.NAME` in `--set`; a table and a key in the file.
  public let section, name: String
  /// What values it takes.
  public let kind: Kind
  /// Of a number; empty where it has none.
  public let unit: String
  /// One plain line.
  public let help: String

  /// As it stands in `--set`.
  public var path: String { "\(section).\(name)" }

  static func section(_ section: String, _ keys: [(String, Kind, String, String)]) -> [RecipeKey] {
    keys.map { RecipeKey(section: section, name: $0.0, kind: $0.1, unit: $0.2, help: $0.3) }
  }
}

extension RecipeKey {
  /// The kind, the range and the unit, such as "whole number, 1 to 1024, pixels".
  public var values: String {
    let parts: [String]
    switch kind {
    case .whole: parts = ["whole number", limits]
    case .seed: parts = ["whole number", limits]
    case .number: parts = ["number", limits]
    case .flag: parts = ["true or false"]
    case .word: parts = [limits]
    case .folder, .file, .text: parts = ["text"]
    case .places: parts = ["list of texts"]
    case .weights: parts = ["list of numbers", limits]
    case .shareOrFolder: parts = ["share or text", limits]
    }
    return (parts + [unit]).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// TOML's name of the kind.
  public var type: String {
    switch kind {
    case .whole, .seed: "integer"
    case .number: "float"
    case .flag: "boolean"
    case .word, .folder, .file, .text, .shareOrFolder: "string"
    case .places, .weights: "array"
    }
  }

  /// The range in words; empty where any value will do.
  public var limits: String {
    switch kind {
    case .whole(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .seed: "0 to \(Int.max)"
    case .number(let least, let most, let withLeast, let withMost):
      Self.limits(least, most, withLeast, withMost)
    case .word(let words): words.joined(separator: words.count == 2 ? " or " : ", ")
    case .shareOrFolder: "0 to less than 1, or a folder"
    case .weights: "0 or more"
    case .places: "texts that are not empty"
    case .flag, .folder, .file, .text: ""
    }
  }

  /// Whether a number stands for the text that it is written as.
  var takesNumbersAsText: Bool { if case .shareOrFolder = kind { true } else { false } }

  /// Whether it names files or folders.
  var isPath: Bool {
    switch kind {
    case .folder, .file, .places, .shareOrFolder: true
    default: false
    }
  }

  /// A path from a folder; what is empty, absolute, or a share stays as it is.
  func resolved(_ path: String, against folder: String) -> String {
    let isShare = takesNumbersAsText && Double(path) != nil
    return path.isEmpty || path.hasPrefix("/") || isShare ? path : (folder == "/" ? "" : folder) + "/" + path
  }

  /// Whether it is a list of numbers.
  var isOfNumbers: Bool { if case .weights = kind { true } else { false } }

  /// The range for somebody who gave a value outside.
  var askedFor: String {
    guard case .number(_, .infinity, _, _) = kind else { return limits }
    return limits.isEmpty ? "a finite number" : "a finite number, \(limits)"
  }

  private static func limits(_ least: Double, _ most: Double, _ withLeast: Bool, _ withMost: Bool) -> String {
    func text(_ x: Double) -> String { x == x.rounded() ? "\(Int(x))" : "\(x)" }
    if least == -.infinity { return "" }
    if most == .infinity { return withLeast ? "\(text(least)) or more" : "above \(text(least))" }
    return (withLeast ? text(least) : "above \(text(least))") + (withMost ? " to " : " to less than ")
      + text(most)
  }

  /// What is wrong with a value; nil where nothing is.
  func refusal(of value: Any) -> String? {
    let fits: Bool
    switch (kind, value) {
    case (.whole(let range), let value as any BinaryInteger):
      fits = Int(exactly: value).map(range.contains) ?? false
    case (.seed, let value as any BinaryInteger): fits = UInt64(exactly: value) != nil
    case (.number(let least, let most, let withLeast, let withMost), let value as any BinaryFloatingPoint):
      let x = Double(value)
      fits = (withLeast ? x >= least : x > least) && (withMost ? x <= most : x < most)
    case (.word(let words), let value as any RecipeOption): fits = words.contains(value.word)
    case (.flag, is Bool), (.folder, is String), (.file, is String), (.text, is String): fits = true
    case (.places, let places as [String]): fits = places.allSatisfy { !$0.isEmpty }
    case (.weights, let numbers as [Double]): fits = numbers.allSatisfy { $0 >= 0 && $0.isFinite }
    case (.shareOrFolder, let text as String):
      fits = Double(text).map { $0 >= 0 && $0 < 1 } ?? !text.isEmpty
    default: return "\(path) cannot be a value of this kind"
    }
    guard !fits else { return nil }
    return "\(path) = \(value) is out of range; give \(askedFor)"
  }
}

/// What decides a stage of training.
public protocol TrainingRecipe: Codable, Sendable {
  /// The defaults.
  init()
  /// What runs went by whose recipes say nothing of newer values.
  static var ofOlderRuns: Self { get }
  /// Every value that it has, in sections of the same order.
  static var keys: [RecipeKey] { get }
  /// Pictures and batches.
  associatedtype Data: StoredPictureData
  /// Pictures and batches.
  var data: Data { get set }
  /// What a preset says of this stage; nil where it says nothing.
  static func preset(_ preset: RecipePreset) -> Self?
  /// Throws `RecipeError` naming the first value that makes no sense.
  func check() throws
}

extension TrainingRecipe {
  /// Section, key and value of everything that a recipe holds.
  var values: [(section: String, name: String, value: Any)] {
    Mirror(reflecting: self).children.flatMap { section in
      Mirror(reflecting: section.value).children.compactMap { key in
        guard let outer = section.label, let inner = key.label else { return nil }
        return (outer, inner, key.value)
      }
    }
  }

  /// Throws `RecipeError` naming the first value that is not what `keys` says, and a key of which only one of the two
  /// knows.
  func checkValues() throws {
    let values = values
    for key in Self.keys where !values.contains(where: { $0.section == key.section && $0.name == key.name }) {
      throw RecipeError("\(key.path) is described and not read; this is a fault of the program")
    }
    for (section, name, value) in values {
      guard let key = Self.keys.first(where: { $0.section == section && $0.name == name }) else {
        throw RecipeError("\(section).\(name) is read and not described; this is a fault of the program")
      }
      if let reason = key.refusal(of: value) { throw RecipeError(reason) }
    }
    try data.checkSources()
  }

  /// As it stands in a recipe.
  static func text(_ value: Any) -> String {
    let word = value as? String ?? (value as? any RecipeOption)?.word
    if let list = value as? [String] { return "[" + list.map { "'\($0)'" }.joined(separator: ", ") + "]" }
    return word.map { "'\($0)'" } ?? "\(value)"
  }

  /// What a recipe can say: its keys with their defaults.
  public static var help: [RecipeHelp] {
    let defaults = Self().values
    return keys.map { key in
      let value = defaults.first { $0.section == key.section && $0.name == key.name }?.value
      return RecipeHelp(
        key: key.path, type: key.type, values: key.values,
        standard: value.map(Self.text) ?? "", help: key.help)
    }
  }
}

/// A key of a recipe for a person, or for a program that reads JSON.
public struct RecipeHelp: Codable, Sendable, Equatable {
  /// `SECTION.KEY`.
  public var key: String
  /// As TOML calls it.
  public var type: String
  /// What it may be, in words.
  public var values: String
  /// As it stands in a recipe.
  public var standard: String
  /// One plain line.
  public var help: String

  private enum CodingKeys: String, CodingKey { case key, type, values, standard = "default", help }
}

extension RecipeHelp {
  /// A recipe's keys as a person reads them.
  public static func text(of keys: [RecipeHelp]) -> String {
    var lines = ["Values of the recipe; --set SECTION.KEY=VALUE changes one, --recipe FILE several (TOML)."]
    for key in keys {
      lines += ["", "\(key.key) = \(key.standard)    (\(key.values))", "  \(key.help)"]
    }
    return lines.joined(separator: "\n")
  }
}
