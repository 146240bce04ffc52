/// Rows of values between commas or other separators, with quotes (RFC 4180), and the line that each begins in.
enum SeparatedValues {
  struct Row: Equatable {
    var line: Int
    var values: [String]
  }

  /// What a text is not, and in which line.
  struct Failure: Error, Equatable {
    let line: Int
    let reason: String
  }

  static let separators: [UInt8] = Array(",;\t|".utf8)

  /// All rows but empty ones. Blanks around values do not count, and what is in quotes stays as it is. Throws `Failure`.
  static func rows(_ text: String, separator: UInt8) throws -> [Row] {
    var reader = Reader(bytes: Array(text.utf8), separator: separator)
    var rows: [Row] = []
    while let row = try reader.row() {
      if row.values != [""] { rows.append(row) }
    }
    return rows
  }

  /// The first row that is not empty. Throws `Failure`.
  static func firstRow(_ text: String, separator: UInt8) throws -> Row? {
    var reader = Reader(bytes: Array(text.utf8), separator: separator)
    while let row = try reader.row() {
      if row.values != [""] { return row }
    }
    return nil
  }

  private struct Reader {
    let bytes: [UInt8]
    let separator: UInt8
    private var at = 0, line = 1

    init(bytes: [UInt8], separator: UInt8) { (self.bytes, self.separator) = (bytes, separator) }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private static let quote = UInt8(ascii: "\""), newline: UInt8 = 10, carriageReturn: UInt8 = 13

    /// The next row up to its line break, which is behind us then.
    mutating func row() throws -> Row? {
      guard at < bytes.count else { return nil }
      var row = Row(line: line, values: [])
      while true {
        row.values.append(try value())
        guard let end = byte else { return row }
        at += 1
        if end == separator { continue }
        if end == Self.carriageReturn, byte == Self.newline { at += 1 }
        line += 1
        return row
      }
    }

    private func isEnd(_ byte: UInt8?) -> Bool {
      byte == nil || byte == separator || byte == Self.newline || byte == Self.carriageReturn
    }

    private mutating func skipBlanks() {
      while let byte, byte == 32 || byte == 9, byte != separator { at += 1 }
    }

    private mutating func value() throws -> String {
      skipBlanks()
      if byte == Self.quote { return try quoted() }
      let start = at
      while !isEnd(byte) { at += 1 }
      return String(decoding: bytes[start..<at], as: UTF8.self).trimmingSuffix { $0 == " " || $0 == "\t" }
    }

    private mutating func quoted() throws -> String {
      let opened = line
      var text: [UInt8] = []
      at += 1
      while let byte {
        at += 1
        if byte == Self.quote {
          guard self.byte == Self.quote else {
            skipBlanks()
            guard isEnd(self.byte) else {
              throw Failure(
                line: opened,
                reason: "text stands behind a closing quote; write a quote inside as two of them")
            }
            return String(decoding: text, as: UTF8.self)
          }
          at += 1
        } else if byte == Self.newline || byte == Self.carriageReturn && self.byte != Self.newline {
          line += 1
        }
        text.append(byte)
      }
      throw Failure(line: opened, reason: "the quote that is opened here is never closed")
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
    var end = endIndex
    while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
    return String(self[..<end])
  }
}
