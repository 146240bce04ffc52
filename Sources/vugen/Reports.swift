import Foundation

/// A value of a flat JSON report.
enum ReportValue: Encodable {
  case text(String)
  case number(Double)
  case numbers([String: Double])
  case flag(Bool)
  case list([ReportValue])

  func encode(to encoder: any Encoder) throws {
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

/// One JSON object in one line, its keys sorted.
func jsonLine(_ report: [String: ReportValue]) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(report), as: UTF8.self)
}

/// "1 picture", "2 pictures".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension String {
  /// Without what a terminal takes as a command: control characters other than line breaks and tabs are shown as �.
  var terminalSafe: String {
    String(String.UnicodeScalarView(unicodeScalars.map { Self.isControl($0) ? "\u{FFFD}" : $0 }))
  }

  /// The same in one line.
  var oneLine: String { terminalSafe.split(whereSeparator: \.isNewline).joined(separator: " ") }

  /// C0, DEL and C1, and what turns the direction of writing around.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    case 0..<32, 127..<160, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// A line on standard error that is written over and over, when a person looks at it.
enum ProgressLine {
  private static let isShown = isatty(2) == 1

  static func show(_ text: String) {
    if isShown { writeError("\r\u{1B}[K\(text)") }
  }

  static func end() {
    if isShown { writeError("\r\u{1B}[K") }
  }
}
