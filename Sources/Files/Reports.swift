import Foundation

/// A value of a flat JSON report.
public enum ReportValue: Encodable, Sendable {
  case text(String)
  case number(Double)
  case numbers([String: Double])
  case flag(Bool)
  case list([ReportValue])

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .text(let text): try box.encode(text)
    case .number(let number): try box.encode(number)
    case .numbers(let numbers): try box.encode(numbers)
    case .flag(let flag): try box.encode(flag)
    case .list(let values): try box.encode(values)
    }
  }
}

/// One JSON object in one line, its keys sorted. Numbers that JSON has not are the texts "nan", "inf" and "-inf"; names of
/// files that are not UTF-8 have their bytes beside them (`JSONText.namedLine`).
public func jsonLine(_ report: [String: ReportValue]) throws -> String { try jsonLine(of: report) }

/// The same of any report.
public func jsonLine(of report: some Encodable) throws -> String {
  try JSONText.namedLine(report, namesNonFinite: true)
}

/// "1 picture", "2 pictures".
public func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension String {
  /// Without what a terminal takes as a command or nobody sees: such characters, other than line breaks and tabs, are shown as
  /// �, bytes of a file's name that belong to no UTF-8 as `\xE9`.
  public var terminalSafe: String {
    let shown = FileName.shown(self)
    guard let hidden = shown.hiddenScalars else { return shown }
    return zip(shown.unicodeScalars, hidden).map { $1 ? "\u{FFFD}" : String($0) }.joined()
  }

  /// One line in which names that differ look different: a line break is `\n`, a tab `\t`, and any other character that a
  /// terminal takes as a command, or that nobody sees, `\x1B` or `\u{202E}`.
  public var oneLine: String {
    let shown = FileName.shown(self), hidden = shown.hiddenScalars
    guard hidden != nil || shown.utf8.contains(where: { $0 == 9 || $0 == 10 }) else { return shown }
    return shown.unicodeScalars.enumerated().map { place, scalar in
      switch scalar.value {
      case 9: "\\t"
      case 10: "\\n"
      case 13: "\\r"
      case _ where hidden?[place] != true: String(scalar)
      case 0..<128: String(format: "\\x%02X", scalar.value)
      default: String(format: "\\u{%X}", scalar.value)
      }
    }.joined()
  }

  /// A text, such as a title or a prompt, in one line: its line breaks and tabs are blanks.
  public var inOneLine: String {
    split(whereSeparator: \.isNewline).joined(separator: " ").replacing("\t", with: " ").oneLine
  }

  /// One line that a person can read to its end.
  public var message: String {
    let line = oneLine
    return line.count <= 2000 ? line : line.prefix(1500) + " … " + line.suffix(400)
  }

  /// Of each scalar whether it is hidden; nil where none is.
  private var hiddenScalars: [Bool]? {
    // Plain text and most languages' letters.
    guard unicodeScalars.contains(where: { $0.isControl || $0.isUnseen }) else { return nil }
    let scalars = Array(unicodeScalars)
    // Of a flag, whose letters are unseen characters behind it.
    var isFlag = false
    return scalars.enumerated().map { place, scalar in
      isFlag = scalar.value == 0x1F3F4 || isFlag && (0xE0020...0xE007F).contains(scalar.value)
      guard scalar.isControl || scalar.isUnseen, !isFlag else { return scalar.isControl }
      // Joins letters of some scripts, and persons of one picture.
      guard scalar.value == 0x200C || scalar.value == 0x200D, place > 0, place + 1 < scalars.count else {
        return true
      }
      return [scalars[place - 1], scalars[place + 1]].contains { $0.isASCII || $0.isControl || $0.isUnseen }
    }
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1, and what turns the direction of writing around.
  fileprivate var isControl: Bool {
    switch value {
    case 9, 10: false
    case 0..<32, 127..<160, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// What takes no place, or breaks a line elsewhere, and changes no character before it.
  fileprivate var isUnseen: Bool {
    guard value >= 0xAD else { return false }
    return value == 0x2028 || value == 0x2029 || (0xFFF9...0xFFFB).contains(value)
      || properties.isDefaultIgnorableCodePoint && !properties.isVariationSelector
  }
}
