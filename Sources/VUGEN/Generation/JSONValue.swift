import Foundation

/// Any JSON, with numbers as they stand in it: seeds need all their bits, and a person what was written.
enum JSONValue: Decodable, Equatable {
  case null
  case flag(Bool)
  /// Its own digits; also NaN and infinities, which Python writes and JSON lacks.
  case number(String)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    if box.decodeNil() {
      self = .null
    } else if let text = try? box.decode(String.self) {
      let isNumber = text.unicodeScalars.first == Self.mark
      self = isNumber ? .number(String(text.unicodeScalars.dropFirst())) : .text(text)
    } else if let flag = try? box.decode(Bool.self) {
      self = .flag(flag)
    } else if let list = try? box.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .object(try box.decode([String: JSONValue].self))
    }
  }

  /// An object or a list; nil where the text is none.
  init?(_ text: String) {
    let start = text.first { !$0.isWhitespace }
    guard start == "{" || start == "[" else { return nil }
    guard let found = try? JSONDecoder().decode(Self.self, from: Self.markingNumbers(Array(text.utf8)))
    else { return nil }
    self = found
  }

  /// No text of a picture begins so: what stands before a number's digits on their way through the decoder, which
  /// would round them.
  private static let mark: Unicode.Scalar = "\u{10FFFD}"

  /// Each number as a text that begins with the mark.
  private static func markingNumbers(_ bytes: [UInt8]) -> Data {
    var result = Data(), kept = 0, at = 0
    let quote = UInt8(ascii: "\""), before = Array("\"\(mark)".utf8)
    while at < bytes.count {
      if bytes[at] == quote {
        at += 1
        while at < bytes.count, bytes[at] != quote { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        at += 1
        continue
      }
      let end = bytes[at...].firstIndex { !isOfWord($0) } ?? bytes.count
      guard end > at else {
        at += 1
        continue
      }
      let word = bytes[at..<end]
      if isNumber(String(decoding: word, as: UTF8.self)) {
        result += bytes[kept..<at] + before + word + [quote]
        kept = end
      }
      at = end
    }
    return result + bytes[min(kept, bytes.count)...]
  }

  private static func isOfWord(_ c: UInt8) -> Bool {
    switch c {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func isNumber(_ word: String) -> Bool {
    word.wholeMatch(of: #/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|-?Infinity/#) != nil
  }

  subscript(_ key: String) -> JSONValue? { if case .object(let values) = self { values[key] } else { nil } }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var list: [JSONValue]? { if case .list(let list) = self { list } else { nil } }
  var object: [String: JSONValue]? { if case .object(let values) = self { values } else { nil } }

  /// Numbers, also those that are written as texts.
  var number: Double? {
    switch self {
    case .number(let digits): Double(digits).flatMap { $0.isFinite ? $0 : nil }
    case .text(let text): ForeignNumber.decimal(text)
    default: nil
    }
  }

  /// Whole ones without a sign, with all their bits; never one that is only near.
  var whole: UInt64? {
    switch self {
    case .number(let digits): UInt64(digits) ?? Double(digits).flatMap(ForeignNumber.exact)
    case .text(let text): ForeignNumber.whole(text)
    default: nil
    }
  }

  /// The same of how many something is: whole, and as large as it may be.
  var count: Double? {
    switch self {
    case .text(let text): ForeignNumber.count(text)
    default: number.flatMap { $0.rounded() == $0 ? $0 : nil }
    }
  }

  /// A value that fits into a line, as it was written; nil for objects, nothing, and lists but those of a few numbers.
  var shown: String? {
    switch self {
    case .flag(let value): "\(value)"
    case .number(let digits): digits
    case .text(let value): value.isEmpty ? nil : value
    case .list(let values):
      (1...16).contains(values.count) && values.allSatisfy(\.isNumber)
        ? "[" + values.compactMap(\.shown).joined(separator: ", ") + "]" : nil
    case .null, .object: nil
    }
  }

  /// Whether it is no object and no list but a short one of numbers.
  var isPlain: Bool {
    switch self {
    case .object: false
    case .list: shown != nil
    default: true
    }
  }

  private var isNumber: Bool { if case .number = self { true } else { false } }
}
