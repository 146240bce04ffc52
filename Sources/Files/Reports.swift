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
  /// Without what a terminal takes as a command: control characters other than line breaks and tabs are shown as �, bytes
  /// of a file's name that belong to no UTF-8 as `\xE9`.
  public var terminalSafe: String {
    String(
      String.UnicodeScalarView(
        FileName.shown(self).unicodeScalars.map { Self.isControl($0) ? "\u{FFFD}" : $0 }))
  }

  /// One line in which names that differ look different: a line break is `\n`, a tab `\t`, and any other character that a
  /// terminal takes as a command `\x1B` or `\u{202E}`.
  public var oneLine: String {
    let shown = FileName.shown(self)
    guard shown.unicodeScalars.contains(where: { Self.isControl($0) || $0 == "\t" || $0 == "\n" }) else {
      return shown
    }
    return shown.unicodeScalars.map { scalar in
      switch scalar.value {
      case 9: "\\t"
      case 10: "\\n"
      case 13: "\\r"
      case _ where !Self.isControl(scalar): String(scalar)
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

  /// C0, DEL and C1, and what turns the direction of writing around.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    case 0..<32, 127..<160, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
