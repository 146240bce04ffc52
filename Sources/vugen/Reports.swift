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

/// A line on standard error that is written over and over, when a person looks at it.
enum ProgressLine {
  private static let isShown = isatty(2) == 1

  static func show(_ text: String) {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
  }

  static func end() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
