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

  /// What a list begins with.
  package var head: Data {
    switch self {
    case .jsonLines, .text: Data()
    case .commaSeparated: Data("file,caption\n".utf8)
    case .tabSeparated: Data("file\tcaption\n".utf8)
    }
  }

  /// A picture's line. One that could not be described is in JSON alone: elsewhere an empty caption would be taken for one.
  ///
  /// Names are read back whatever they are: see `FileName.listed`. In text they stay in their line, and a caption's line
  /// breaks are blanks.
  package func bytes(of entry: Entry) -> Data {
    if self == .jsonLines { return Data((entry.line + "\n").utf8) }
    guard let caption = entry.caption else { return Data() }
    let name = FileName.listed(entry.file, isLine: self == .text)
    let row =
      switch self {
      case .text: Self.row([name, caption.inOneLine], "\t", quoting: "\"\t")
      case .tabSeparated: Self.row([name, caption], "\t")
      default: Self.row([name, caption], ",")
      }
    return Data((row + "\n").utf8)
  }

  /// A value that holds a separator, a quote or the end of a line stands in quotes (RFC 4180).
  private static func row(_ values: [String], _ separator: String, quoting: String = "\"\r\n,;|\t") -> String
  {
    values.map { value in
      let isPlain = !value.unicodeScalars.contains { quoting.unicodeScalars.contains($0) }
      // A list that begins so would be taken for JSON, or lose a mark of its encoding.
      let begins = value.unicodeScalars.first { !$0.properties.isWhitespace }
      let isTold = begins != "[" && begins != "{" && value.unicodeScalars.first != "\u{FEFF}"
      return isPlain && isTold && !value.hasPrefix(" ") && !value.hasSuffix(" ")
        ? value : "\"\(value.replacing("\"", with: "\"\""))\""
    }.joined(separator: separator)
  }
}

extension CaptionFile {
  /// What a text beside a picture says of it, where it is no caption but a list as `caption` writes one: in a .txt file a
  /// picture, a tab and its caption in each line, or as it is printed, the picture, a colon and its caption. nil where
  /// the text is a caption.
  static func caption(of picture: String, in text: String) -> String? {
    let own = FileName.bytes(FileName.last(of: picture))
    func isOwn(_ name: String) -> Bool { FileName.bytes(FileName.last(of: name)) == own }
    if text.utf8.contains(9), let rows = try? SeparatedValues.rows(text, separator: 9),
      rows.allSatisfy({ $0.values.count == 2 }),
      let row = rows.first(where: { isOwn(FileName.named($0.values[0])) || isOwn($0.values[0]) })
    {
      return row.values[1]
    }
    guard let colon = text.range(of: ": "), isOwn(String(text[..<colon.lowerBound])) else { return nil }
    return String(text[colon.upperBound...])
  }
}
