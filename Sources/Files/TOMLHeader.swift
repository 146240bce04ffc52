/// What has to be known of TOML before its library reads it: the library ends the program, in an assertion of its parser,
/// where a table's header begins with what can begin no key (`[=`, `[#x]`).
public enum TOMLHeader {
  /// The line, from 1, on which a table's header does not begin with a key; nil where each one does.
  public static func broken(in text: String) -> Int? {
    var scanner = Scanner(bytes: Array(text.utf8))
    return scanner.brokenHeader()
  }

  private struct Scanner {
    let bytes: [UInt8]
    var at = 0, line = 1

    private func byte(_ ahead: Int = 0) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }

    private mutating func advance(_ count: Int = 1) {
      for _ in 0..<count where at < bytes.count {
        if bytes[at] == UInt8(ascii: "\n") { line += 1 }
        at += 1
      }
    }

    private mutating func skipBlanks() {
      while let next = byte(), next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { advance() }
    }

    mutating func brokenHeader() -> Int? {
      // A byte-order mark is no part of the first line.
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
      while at < bytes.count {
        skipBlanks()
        if byte() == UInt8(ascii: "[") {
          advance()
          skipBlanks()
          if byte() == UInt8(ascii: "[") {
            advance()
            skipBlanks()
          }
          if let next = byte(), !Self.beginsKey(next), next != UInt8(ascii: "]") { return line }
        }
        skipStatement()
      }
      return nil
    }

    private static func beginsKey(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "\""),
        UInt8(ascii: "'"):
        true
      default: false
      }
    }

    /// To behind the end of its line; of the last one, where lists and texts take several.
    private mutating func skipStatement() {
      var depth = 0
      while let next = byte() {
        switch next {
        case UInt8(ascii: "#"): while let next = byte(), next != UInt8(ascii: "\n") { advance() }
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipText(next)
        case UInt8(ascii: "\n"):
          advance()
          if depth <= 0 { return }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
          depth += 1
          advance()
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
          depth -= 1
          advance()
        default: advance()
        }
      }
    }

    /// A text in one kind of quotes, which ends with its line, or in three of them, which does not.
    private mutating func skipText(_ quote: UInt8) {
      let isLong = byte(1) == quote && byte(2) == quote
      advance(isLong ? 3 : 1)
      while let next = byte() {
        if next == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
          advance(2)
        } else if next == quote, !isLong {
          return advance()
        } else if next == quote, byte(1) == quote, byte(2) == quote {
          // Up to two quotes more are the text's own.
          while byte() == quote { advance() }
          return
        } else if next == UInt8(ascii: "\n"), !isLong {
          return
        } else {
          advance()
        }
      }
    }
  }
}
