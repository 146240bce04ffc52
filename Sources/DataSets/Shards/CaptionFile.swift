import Files
import Foundation

/// How `caption` writes its list: as the file's name ends.
package enum CaptionFile: CaseIterable {
  /// One object a picture, with all that is known.
  case jsonLines
  /// Columns `file` and `caption`, as spreadsheets and `data build folder --captions` read them. A caption stays as it is, also
  /// where a spreadsheet would take it for a formula.
  case commaSeparated, tabSeparated
  /// A line a picture: its file, a tab, its caption.
  case text

  /// A picture, and what became of it.
  package struct Entry {
    package var file: String
    /// nil where it could not be described.
    package var caption: String?
    /// The same with all that is known, as JSON.
    package var line: String

    /// Each argument is the property of its name.
    package init(file: String, caption: String? = nil, line: String) {
      (self.file, self.caption, self.line) = (file, caption, line)
    }
  }

  private var endings: [String] {
    switch self {
    case .jsonLines: ["jsonl", "ndjson"]
    case .commaSeparated: ["csv"]
    case .tabSeparated: ["tsv"]
    case .text: ["txt"]
    }
  }

  /// By a name's ending; what has none, and what is no plain file, gets JSON lines. nil for an ending that is not written.
  package init?(path: String) {
    let ending = (path as NSString).pathExtension.lowercased()
    let known = Self.allCases.first { $0.endings.contains(ending) }
    guard ending.isEmpty || path == "-" || AtomicFile.isSpecial(path) else {
      guard let known else { return nil }
      self = known
      return
    }
    self = known ?? .jsonLines
  }

  /// The list. Pictures that could not be described are in JSON alone: elsewhere an empty caption would be taken for one.
  package func bytes(_ entries: [Entry]) -> Data {
    let rows = entries.compactMap { entry in entry.caption.map { [FileName.shown(entry.file), $0] } }
    let lines =
      switch self {
      case .jsonLines: entries.map(\.line)
      case .commaSeparated: ([["file", "caption"]] + rows).map { Self.row($0, ",") }
      case .tabSeparated: ([["file", "caption"]] + rows).map { Self.row($0, "\t") }
      case .text: rows.map { Self.row($0.map(\.oneLine), "\t", quoting: "\"\t") }
      }
    return Data(lines.map { $0 + "\n" }.joined().utf8)
  }

  /// A value that holds a separator, a quote or the end of a line stands in quotes (RFC 4180).
  private static func row(_ values: [String], _ separator: String, quoting: String = "\"\r\n,;|\t") -> String
  {
    values.map { value in
      let isPlain = !value.unicodeScalars.contains { quoting.unicodeScalars.contains($0) }
      return isPlain && !value.hasPrefix(" ") && !value.hasSuffix(" ")
        ? value : "\"\(value.replacing("\"", with: "\"\""))\""
    }.joined(separator: separator)
  }
}
