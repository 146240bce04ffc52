import Foundation

/// Text that other programs wrote: UTF-8, with a byte-order mark or without, UTF-16 and UTF-32. What is none of these is
/// refused, by name: a guess among the old encodings would change letters and not say so.
enum PlainText {
  /// Why bytes are no text that can be read, in words that go behind a file's name.
  struct Refusal: Error, Equatable {
    let reason: String
  }

  /// Throws `Refusal`.
  static func decode(_ bytes: [UInt8]) throws -> String {
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) {
      return try wide(bytes, .utf32LittleEndian, "UTF-32", from: 4)
    }
    if bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return try wide(bytes, .utf32BigEndian, "UTF-32", from: 4) }
    if bytes.starts(with: [0xFF, 0xFE]) { return try wide(bytes, .utf16LittleEndian, "UTF-16", from: 2) }
    if bytes.starts(with: [0xFE, 0xFF]) { return try wide(bytes, .utf16BigEndian, "UTF-16", from: 2) }
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    guard !text.contains(0) else { return try unmarked(bytes) }
    guard let string = String(validating: text, as: UTF8.self) else { throw unknown(text) }
    return string
  }

  /// UTF-16 without a mark shows by the zeros in one half of its bytes.
  private static func unmarked(_ bytes: [UInt8]) throws -> String {
    var zeros = (even: 0, odd: 0)
    for (i, byte) in bytes.enumerated() where byte == 0 {
      if i % 2 == 0 { zeros.even += 1 } else { zeros.odd += 1 }
    }
    guard zeros.even + zeros.odd < bytes.count else {
      throw Refusal(reason: "this is no text: it holds zero bytes alone; download or copy it again")
    }
    // Of UTF-8 with a zero here and there; of UTF-16 that says anything of files, far more bytes are zero.
    if 16 * (zeros.even + zeros.odd) < bytes.count, String(validating: bytes, as: UTF8.self) != nil {
      let line = bytes.prefix { $0 != 0 }.count { $0 == 10 } + 1
      throw Refusal(reason: "line \(line) holds a zero byte; take it out: tr -d '\\000'")
    }
    if 8 * zeros.even <= zeros.odd { return try wide(bytes, .utf16LittleEndian, "UTF-16", from: 0) }
    if 8 * zeros.odd <= zeros.even { return try wide(bytes, .utf16BigEndian, "UTF-16", from: 0) }
    throw Refusal(reason: "this is no text: it holds zero bytes")
  }

  private static func wide(_ bytes: [UInt8], _ encoding: String.Encoding, _ name: String, from start: Int)
    throws -> String
  {
    let width = name == "UTF-32" ? 4 : 2
    guard bytes.count % width == 0, let text = String(bytes: bytes.dropFirst(start), encoding: encoding),
      !text.unicodeScalars.contains(where: { $0 == "\0" || $0 == "\u{FFFD}" })
    else { throw Refusal(reason: "this begins like \(name) and is damaged; save it as UTF-8") }
    return text
  }

  private static func unknown(_ bytes: ArraySlice<UInt8>) -> Refusal {
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
    let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    return Refusal(
      reason: "line \(bad + 1) is no UTF-8; it looks like Latin-1 or Windows-1252, or another old encoding: "
        + "convert it, such as by iconv -f WINDOWS-1252 -t UTF-8")
  }
}
