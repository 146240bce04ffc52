import Foundation

/// Values as JSON in one spelling: keys sorted and slashes as they are, so that the same value is always the same bytes.
public enum JSONText {
  /// One object in one line, without its end.
  ///
  /// - Parameter namesNonFinite: whether numbers that JSON has not become the texts "nan", "inf" and "-inf"; else they are
  ///   an error.
  public static func line(_ value: some Encodable, namesNonFinite: Bool = false) throws -> Data {
    try encoder(namesNonFinite: namesNonFinite).encode(value)
  }

  /// The same over several lines, for a person to read.
  public static func lines(_ value: some Encodable) throws -> Data {
    let encoder = encoder(namesNonFinite: false)
    encoder.outputFormatting.insert(.prettyPrinted)
    return try encoder.encode(value)
  }

  /// The same for programs that know nothing of `FileName`: a byte of a name that belongs to no UTF-8 is `\\xE9`, and the
  /// field has another one beside it, called as it is with `Bytes` behind, with all bytes of the name in base64. So
  /// different names stay different. A field called `error` is a sentence, and has none.
  public static func namedLine(_ value: some Encodable, namesNonFinite: Bool = false) throws -> String {
    let text = String(decoding: try line(value, namesNonFinite: namesNonFinite), as: UTF8.self)
    guard FileName.holdsBytes(text) else { return text }
    // Such a byte stands in a text, where a backslash is doubled.
    let field = #/"([A-Za-z]+)":("(?:[^"\\]|\\.)*")(?=[,}])/#.matchingSemantics(.unicodeScalar)
    let whole = text.replacing(field) { match -> String in
      let literal = String(match.2)
      guard match.1 != "error", FileName.holdsBytes(literal),
        let name = try? JSONDecoder().decode(String.self, from: Data(literal.utf8))
      else { return String(match.0) }
      let bytes = Data(FileName.bytes(name)).base64EncodedString()
      return "\(match.0),\"\(match.1)Bytes\":\"\(bytes)\""
    }
    return FileName.shown(whole, backslash: "\\\\")
  }

  /// What Python writes as JSON: NaN and infinities, which JSON lacks, become `word`, outside of texts. Inside, U+FEFF is
  /// escaped: Foundation drops it at a text's beginning, where a file's name may have it.
  public static func strict(_ bytes: [UInt8], nonFinite word: String = "null") -> Data {
    let words = ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }, beginnings = words.map { $0[0] }
    let mark = Array("\u{FEFF}".utf8)
    var result = Data(), kept = 0, at = 0, isInside = false
    while at < bytes.count {
      let c = bytes[at]
      if isInside {
        if c == UInt8(ascii: "\\") {
          at += 1
        } else if c == mark[0], bytes[at...].starts(with: mark) {
          result += bytes[kept..<at] + Array("\\uFEFF".utf8)
          at += mark.count
          kept = at
          continue
        }
      } else if beginnings.contains(c), let found = words.first(where: { bytes[at...].starts(with: $0) }) {
        result += bytes[kept..<at] + Array(word.utf8)
        at += found.count
        kept = at
        continue
      }
      if c == UInt8(ascii: "\"") { isInside.toggle() }
      at += 1
    }
    return kept == 0 ? Data(bytes) : result + bytes[kept...]
  }

  private static func encoder(namesNonFinite: Bool) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if namesNonFinite {
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }
    return encoder
  }
}
