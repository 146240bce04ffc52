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

  /// The same in one line.
  public var oneLine: String {
    terminalSafe.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("\t", with: " ")
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
