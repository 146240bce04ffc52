import Files
import Foundation

/// Any JSON, with whole numbers kept exactly: seeds need all their bits.
enum JSONValue: Decodable, Equatable {
  case null
  case flag(Bool)
  case whole(UInt64)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    if box.decodeNil() {
      self = .null
    } else if let text = try? box.decode(String.self) {
      self = text == Self.nonFinite ? .number(.nan) : .text(text)
    } else if let flag = try? box.decode(Bool.self) {
      self = .flag(flag)
    } else if let whole = try? box.decode(UInt64.self) {
      self = .whole(whole)
    } else if let number = try? box.decode(Double.self) {
      self = .number(number)
    } else if let list = try? box.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .object(try box.decode([String: JSONValue].self))
    }
  }

  /// An object or a list; nil where the text is none. Python writes NaN and Infinity, which JSON lacks: they
  /// are no number.
  init?(_ text: String) {
    let start = text.first { !$0.isWhitespace }
    guard start == "{" || start == "[" else { return nil }
    let data = JSONText.strict(Array(text.utf8), nonFinite: "\"\(Self.nonFinite)\"")
    guard let found = try? JSONDecoder().decode(Self.self, from: data) else { return nil }
    self = found
  }

  /// No text of a picture: what NaN and infinities are to the decoder.
  private static let nonFinite = "\u{10FFFD}NaN"

  subscript(_ key: String) -> JSONValue? { if case .object(let values) = self { values[key] } else { nil } }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var list: [JSONValue]? { if case .list(let list) = self { list } else { nil } }
  var object: [String: JSONValue]? { if case .object(let values) = self { values } else { nil } }

  /// Numbers, also those that are written as texts.
  var number: Double? {
    switch self {
    case .whole(let value): Double(value)
    case .number(let value): value.isFinite ? value : nil
    case .text(let text): ForeignNumber.decimal(text)
    default: nil
    }
  }

  var whole: UInt64? {
    switch self {
    case .whole(let value): value
    case .number(let value) where !value.isFinite: nil
    case .number(let value): UInt64(exactly: value.rounded())
    case .text(let text): ForeignNumber.whole(text)
    default: nil
    }
  }

  /// The same of how many something is.
  var count: Double? { text.map { ForeignNumber.count($0) } ?? number }

  /// A value that fits into a line; nil for lists, objects and nothing.
  var shown: String? {
    switch self {
    case .flag(let value): "\(value)"
    case .whole(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "NaN"
    case .text(let value): value.isEmpty ? nil : value
    case .null, .list, .object: nil
    }
  }
}
