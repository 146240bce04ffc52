import DataSets
import Files
import Flow
import Foundation
import TOMLKit
import Tensors
import Training
import VUGEN

/// A value of a recipe that is one of a few words.
protocol RecipeOption: CaseIterable, RawRepresentable where RawValue == String {}

extension RecipeOption {
  /// The words that a recipe can say, and the one that this is.
  var words: [String] { Self.allCases.map(\.rawValue) }
  var word: String { rawValue }
}

extension Precision: RecipeOption {}
extension SceneStyle: RecipeOption {}
extension TimeDistribution.Kind: RecipeOption {}
extension PixelDecoderConfiguration.Size: RecipeOption {}
extension ReducerConfiguration.Kind: RecipeOption {}
extension OptimizerKind: RecipeOption {}
extension TowerPrediction: RecipeOption {}

/// Recipes as TOML, with values set from the command line.
public enum RecipeFile {
  /// Defaults, overlaid by a file, overlaid by `key=value` settings.
  ///
  /// Throws `RecipeError` naming the file, line or key.
  ///
  /// - Parameter isOwn: whether the file is a run's own, in which relative paths are those of older programs, from wherever
  ///   they ran; in any other they are taken from its folder.
  public static func merged<Recipe: Codable>(
    _ defaults: Recipe, file: String?, settings: [String] = [], isOwn: Bool = false
  ) throws -> Recipe {
    let table = try parse(TOMLEncoder().encode(defaults), "the defaults")
    let keys = (Recipe.self as? any TrainingRecipe.Type)?.keys ?? []
    if let file {
      let text: String
      do { text = try FileName.contents(ofText: file) } catch {
        throw RecipeError("\(error)")
      }
      if text.isEmpty, FileName.isSpecial(file) {
        throw RecipeError("\(file): nothing comes out of this pipe or device; name a recipe in TOML")
      }
      let read = try parse(text, file, keys), folder = FileName.parent(of: file)
      if !isOwn, !folder.isEmpty { resolve(read, against: folder, keys) }
      try overlay(read, on: table, file, keys: keys)
    }
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count == 2 else {
        throw RecipeError("'\(setting)' is not KEY=VALUE, such as data.batch=64")
      }
      let path = parts[0].split(separator: ".").map(String.init)
      guard path.count == 2 else { throw RecipeError("'\(parts[0])' is not SECTION.KEY, such as data.batch") }
      let value = try RecipeValue.literal(parts[1], of: parts[0], keys: keys, in: "--set \(setting)")
      try overlay(
        try parse("[\(path[0])]\n\(path[1]) = \(value)", setting, keys), on: table, "--set \(setting)",
        keys: keys)
    }
    try checkWords(of: defaults, table, file ?? "--set", keys)
    do {
      return try TOMLDecoder().decode(Recipe.self, from: table)
    } catch {
      throw RecipeError("\(file ?? "--set"): " + Self.place(of: error))
    }
  }

  /// Paths that a table names, from a folder.
  private static func resolve(_ table: TOMLTable, against folder: String, _ keys: [RecipeKey]) {
    for key in keys where key.isPath {
      guard let section = table[key.section]?.table, let value = section[key.name] else { continue }
      // A value is gone once another one stands in its place.
      if let path = value.string {
        section[key.name] = key.resolved(path, against: folder)
      } else if let list = value.array {
        for i in 0..<list.count {
          if let path = list[i].string { list[i] = key.resolved(path, against: folder) }
        }
      }
    }
  }

  /// Words that are none of an option's, and whole numbers that have no place in their properties; the decoder takes it
  /// for granted that they have.
  private static func checkWords(
    of defaults: Any, _ table: TOMLTable, _ source: String, _ keys: [RecipeKey]
  ) throws {
    for case (let section?, let values) in Mirror(reflecting: defaults).children {
      for case (let key?, let value) in Mirror(reflecting: values).children {
        if let names = (value as? any RecipeOption)?.words, let word = table[section]?.table?[key]?.string,
          !names.contains(word)
        {
          let known = names.joined(separator: ", ")
          throw RecipeError("\(source): '\(section).\(key)' = '\(word)' is none of \(known)")
        }
        guard let number = table[section]?.table?[key]?.int else { continue }
        let fits = value is UInt64 ? number >= 0 : value is Int32 ? Int32(exactly: number) != nil : true
        guard fits else {
          throw RecipeValue.outOfRange("\(number)", of: "\(section).\(key)", keys: keys, in: source)
        }
      }
    }
  }

  /// Which value is of a wrong type, or too large for it.
  private static func place(of error: any Error) -> String {
    switch error {
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has a value of the wrong type or size"
    case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    default: "a value cannot be read"
    }
  }

  /// A recipe as TOML, numbers as short as they can be read again.
  ///
  /// - Parameter isStored: whether paths are absolute, for whoever reads it in another folder.
  public static func text(of recipe: some Encodable, isStored: Bool = false) throws -> String {
    let table = try TOMLTable(string: TOMLEncoder().encode(recipe))
    if isStored, let type = Swift.type(of: recipe) as? any TrainingRecipe.Type {
      resolve(table, against: FileManager.default.currentDirectoryPath, type.keys)
    }
    shorten(table)
    let lines = table.convert().split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { withShortNumbers(String($0)) }.joined(separator: "\n")
    // Lines are added to it by `>>`.
    return text.hasSuffix("\n") ? text : text + "\n"
  }

  /// The library prints 17 digits. Texts stay as they are.
  private static func withShortNumbers(_ line: String) -> String {
    guard !line.contains("'"), !line.contains("\"") else { return line }
    return line.replacing(#/-?\d+\.\d{7,}(?:[eE][+-]?\d+)?/#) { match -> String in
      guard let number = Double(String(match.output)) else { return String(match.output) }
      return "\(number)"
    }
  }

  /// Numbers that came of an f32 as short as they stand in the source: 0.1, not 0.10000000149.
  private static func shorten(_ table: TOMLTable) {
    for key in table.keys {
      if let inner = table[key]?.table {
        shorten(inner)
      } else if let number = table[key]?.double, table[key]?.int == nil, Double(Float(number)) == number,
        let short = Double("\(Float(number))")
      {
        table[key] = short
      }
    }
  }

  private static func parse(_ text: String, _ source: String, _ keys: [RecipeKey] = []) throws -> TOMLTable {
    if let line = TOMLHeader.broken(in: text) {
      throw RecipeError("\(source): line \(line): a section's name must follow '['")
    }
    do {
      return try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      if let refusal = RecipeValue.refusal(
        of: text, line: Int(error.source.begin.line), keys: keys, in: source)
      {
        throw refusal
      }
      throw RecipeError(
        "\(source): line \(error.source.begin.line): \(error.description.inOneLine)")
    }
  }

  /// Keys that the recipe does not know are errors: a misspelt one must not pass unseen.
  private static func overlay(
    _ new: TOMLTable, on table: TOMLTable, _ source: String, keys: [RecipeKey], prefix: String = "",
    root: TOMLTable? = nil
  ) throws {
    let root = root ?? table
    for key in new.keys {
      guard let old = table[key], let value = new[key] else {
        throw RecipeError(
          "\(source): the recipe has no '\(prefix)\(key)'; \(meant(key, prefix, table, root))")
      }
      if let inner = old.table {
        guard let part = value.table else { throw RecipeError("\(source): '\(prefix)\(key)' is a section") }
        try overlay(part, on: inner, source, keys: keys, prefix: "\(key).", root: root)
      } else if old.double != nil, old.int == nil, let whole = value.int {
        table[key] = Double(whole)
      } else if keys.first(where: { $0.path == prefix + key })?.takesNumbersAsText == true,
        let number = value.int.map({ "\($0)" }) ?? value.double.map({ "\($0)" })
      {
        table[key] = number
      } else {
        if let list = value.array, keys.first(where: { $0.path == prefix + key })?.isOfNumbers == true {
          for i in 0..<list.count { if let whole = list[i].int { list[i] = Double(whole) } }
        }
        guard old.type == value.type else {
          throw RecipeError(
            "\(source): '\(prefix)\(key)' must be \(name(of: old.type)), not "
              + (value.double.map { "\($0)" } ?? name(of: value.type)))
        }
        table[key] = value
      }
    }
  }

  /// What an unknown key may have been meant to be: a like one, the same in another section, or one of those that are
  /// there.
  private static func meant(_ key: String, _ prefix: String, _ table: TOMLTable, _ root: TOMLTable) -> String
  {
    let all = root.keys.flatMap { section in (root[section]?.table?.keys ?? []).map { "\(section).\($0)" } }
    let elsewhere = all.filter { $0.hasSuffix(".\(key)") }
    let here = NearestName.of(key, among: table.keys).map { prefix + $0 }
    if let near = here ?? elsewhere.first ?? NearestName.of(prefix + key, among: all) {
      return "did you mean \(near)?"
    }
    return "it has \(table.keys.map { prefix + $0 }.joined(separator: ", "))"
  }

  private static func name(of type: TOMLType) -> String {
    switch type {
    case .string: "a text"
    case .int: "a whole number"
    case .double: "a number"
    case .bool: "true or false"
    case .array: "a list, such as [1, 2]"
    default: "\(type)"
    }
  }
}
