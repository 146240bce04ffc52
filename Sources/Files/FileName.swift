import Foundation

/// File names that are not UTF-8, as text and back.
///
/// A name is bytes, and text is not. A byte that belongs to no UTF-8 becomes a character of its own: byte 0x80…0xFF the
/// scalar U+10FE80…U+10FEFF, at the end of a plane for private use. A name that holds such a scalar itself is taken for
/// four bytes of that kind, so that different names never become the same text, and `bytes` gives each name back. What
/// a person reads has `\xE9` for such a byte (`shown`).
public enum FileName {
  private static let first: UInt32 = 0x10FE00
  private static let reserved = first + 0x80...first + 0xFF

  /// A name as text.
  public static func text(_ bytes: [UInt8]) -> String {
    if let whole = String(validating: bytes, as: UTF8.self), !holdsBytes(whole) { return whole }
    var text = String.UnicodeScalarView(), i = 0
    while i < bytes.count {
      let length = [1, 2, 3, 4].first { n in
        guard i + n <= bytes.count, let one = String(validating: bytes[i..<i + n], as: UTF8.self) else {
          return false
        }
        return !holdsBytes(one)
      }
      if let length {
        text.append(contentsOf: String(decoding: bytes[i..<i + length], as: UTF8.self).unicodeScalars)
      } else if let scalar = Unicode.Scalar(first + UInt32(bytes[i])) {
        text.append(scalar)
      }
      i += length ?? 1
    }
    return String(text)
  }

  /// Whether a name is not UTF-8.
  public static func holdsBytes(_ text: String) -> Bool {
    // All of these scalars begin with the same two bytes.
    text.utf8.contains(0xF4) && text.unicodeScalars.contains { reserved.contains($0.value) }
  }

  /// The name that a text stands for.
  public static func bytes(_ text: String) -> [UInt8] {
    guard holdsBytes(text) else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar in
      reserved.contains(scalar.value) ? [UInt8(scalar.value - first)] : Array(String(scalar).utf8)
    }
  }

  /// What a person reads of it, or JSON holds: `\xE9` for a byte that belongs to no UTF-8.
  public static func shown(_ text: String, backslash: String = "\\") -> String {
    guard holdsBytes(text) else { return text }
    return text.unicodeScalars.map { scalar in
      reserved.contains(scalar.value)
        ? backslash + String(format: "x%02X", scalar.value - first) : String(scalar)
    }.joined()
  }

  /// The same in one line: `\x0A` for a line break, and so for each control character.
  public static func escaped(_ text: String) -> String {
    let shown = shown(text)
    guard shown.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return shown }
    return shown.unicodeScalars.map { scalar in
      scalar.value < 32 || scalar.value == 127 ? String(format: "\\x%02X", scalar.value) : String(scalar)
    }.joined()
  }

  /// The name in a list of text, which `named` reads back whatever it is: as shown, and a backslash of its own that would be
  /// read as the beginning of a byte is `\x5C`.
  ///
  /// - Parameter isLine: whether it must stay in its line: control characters are escaped, too.
  public static func listed(_ text: String, isLine: Bool) -> String {
    let byte = #/\\(?=x(?:[01][0-9A-Fa-f]|5[Cc]|7[Ff]|[89A-Fa-f][0-9A-Fa-f]))/#
    let plain = text.replacing(byte.matchingSemantics(.unicodeScalar), with: "\\x5C")
    return isLine ? escaped(plain) : shown(plain)
  }

  /// The name that was shown, escaped or listed: `\xE9` is a byte again, and `\x0A` a line break.
  public static func named(_ shown: String) -> String {
    let byte = #/\\x([01][0-9A-Fa-f]|5[Cc]|7[Ff]|[89A-Fa-f][0-9A-Fa-f])/#
    return shown.replacing(byte.matchingSemantics(.unicodeScalar)) { match in
      UInt32(match.1, radix: 16).flatMap { $0 == 0 ? nil : Unicode.Scalar($0 < 128 ? $0 : first + $0) }
        .map { String($0) } ?? String(match.0)
    }
  }

  /// The folder that a path lies in: empty for the working folder, `/` for the root and what lies in it. Foundation's
  /// own way ends the program for a relative path of one character.
  public static func parent(of path: String) -> String {
    let whole = trimmed(path)
    guard let slash = whole.lastIndex(of: "/") else { return whole.isEmpty ? path : "" }
    let upper = trimmed(String(whole[..<slash]))
    return upper.isEmpty ? "/" : upper
  }

  /// What a path ends with: a file's or folder's own name.
  public static func last(of path: String) -> String {
    let path = trimmed(path)
    return path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The ending that is all of a name, as `.png` is of a picture that has none: in lower case, without the dot. nil for any
  /// other name, and for a folder's, which ends in a slash.
  public static func bareEnding(of path: String, among endings: some Sequence<String>) -> String? {
    guard !path.hasSuffix("/") else { return nil }
    let name = last(of: path), ending = name.drop { $0 == "." }.lowercased()
    return ending.count < name.count && endings.contains(ending) ? ending : nil
  }

  /// As much of a name's beginning as makes a name that is not too long, with this ending.
  public static func fitting(_ stem: String, before ending: String) -> String {
    var stem = stem
    while stem.count > 1, bytes(stem + ending).count > Int(NAME_MAX) { stem.removeLast() }
    return stem
  }

  /// A name for a file about which a text is: its first letters and numbers, joined by hyphens; `picture` where it has
  /// none.
  public static func stem(of text: String, most: Int) -> String {
    let words = text.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }
    let stem = String(words).split(separator: "-").joined(separator: "-").prefix(most)
    return stem.isEmpty ? "picture" : String(stem)
  }

  /// Without slashes at its end.
  private static func trimmed(_ path: String) -> String {
    var rest = path[...]
    while rest.utf8.last == 0x2F { rest.removeLast() }
    return String(rest)
  }

  /// Calls `body` with the name for the system.
  public static func withPath<T>(_ path: String, _ body: (UnsafePointer<CChar>) throws -> T) rethrows -> T {
    let bytes = bytes(path).map { CChar(bitPattern: $0) } + [0]
    return try bytes.withUnsafeBufferPointer { buffer in
      // Never empty: it ends with a zero.
      try buffer.baseAddress.map(body) ?? body("")
    }
  }
}
