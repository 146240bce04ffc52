import Foundation
import TOMLKit

/// Values as they are typed, which TOML refuses: numbers that have no room in it, words without quotes, quotes that are
/// never closed.
enum RecipeValue {
  /// A value of `--set` as TOML writes it: a bare word is a text. Throws `RecipeError`.
  ///
  /// - Parameters:
  ///   - key: `SECTION.KEY`.
  ///   - keys: of the recipe.
  ///   - source: begins the error.
  static func literal(_ text: String, of key: String, keys: [RecipeKey], in source: String) throws -> String {
    let isLine = !text.contains(where: \.isNewline)
    if isLine, (try? TOMLTable(string: "x = \(text)")) != nil { return text }
    if let refusal = refusal(of: text, key: key, keys: keys, in: source) { throw refusal }
    if let quote = text.first, quote == "\"" || quote == "'" {
      throw RecipeError(
        text.dropFirst().contains(quote)
          ? "\(source): this is no text in quotes; leave them out, or write \\\" for a quote inside"
          : "\(source): the quote that is opened here is never closed")
    }
    return quoted(text)
  }

  /// What is wrong with a number that TOML has no room for; nil where it is none, or something else is wrong.
  static func refusal(of number: String, key: String, keys: [RecipeKey], in source: String) -> RecipeError? {
    let digits = number.replacing("_", with: "")
    guard digits.wholeMatch(of: #/[+-]?(\d+)(\.\d+)?([eE][+-]?\d+)?/#) != nil, let value = Double(digits),
      !value.isFinite || Int(digits) == nil && abs(value) >= 0x1p63
    else { return nil }
    return outOfRange(number, of: key, keys: keys, in: source)
  }

  static func outOfRange(_ number: String, of key: String, keys: [RecipeKey], in source: String)
    -> RecipeError
  {
    let limits = keys.first { $0.path == key }.map(\.askedFor) ?? ""
    return RecipeError(
      "\(source): '\(key)' = \(number) is out of range" + (limits.isEmpty ? "" : "; give \(limits)"))
  }

  /// What is wrong with a line of a recipe, which counts from 1; nil where TOML says it better.
  static func refusal(of recipe: String, line: Int, keys: [RecipeKey], in source: String) -> RecipeError? {
    let lines = recipe.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard lines.indices.contains(line - 1),
      let pair = lines[line - 1].firstMatch(of: #/^\s*([\w.-]+)\s*=\s*([^\s#]+)(.*)/#)
    else { return nil }
    if let quote = pair.2.first, quote == "\"" || quote == "'",
      !(pair.2.dropFirst() + pair.3).contains(quote)
    {
      return RecipeError("\(source): line \(line): the quote that is opened here is never closed")
    }
    let section = lines[..<(line - 1)].compactMap { $0.firstMatch(of: #/^\s*\[([\w.-]+)\]/#)?.1 }.last
    let key = section.map { "\($0).\(pair.1)" } ?? String(pair.1)
    return refusal(of: String(pair.2), key: key, keys: keys, in: "\(source): line \(line)")
  }

  /// A text as TOML writes it.
  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case _ where scalar.value < 32 || scalar.value == 127: "\\u" + String(format: "%04X", scalar.value)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
