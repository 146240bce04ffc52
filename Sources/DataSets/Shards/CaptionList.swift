import Files
import Foundation
import Pictures

/// A list of pictures and their captions, as other programs write it: CSV with any separator, or JSON lines.
struct CaptionList {
  struct Row: Equatable {
    var line: Int
    var file, caption: String
  }

  var rows: [Row] = []

  /// Throws `DataSetError` naming the line, or `ModelFileError` where there is no such file.
  init(path: String) throws {
    let text: String
    do {
      text = try PlainText.decode([UInt8](MappedFile.contents(of: path)))
    } catch let refusal as PlainText.Refusal {
      throw DataSetError(path, refusal.reason)
    }
    let first = text.unicodeScalars.first { !$0.properties.isWhitespace }
    if first == "{" {
      rows = try Self.jsonLines(text, path)
    } else if first == "[" {
      rows = try Self.jsonArray(text, path)
    } else {
      rows = try Self.separated(text, path)
    }
    guard !rows.isEmpty else { throw DataSetError(path, "names no pictures; \(Self.forms)") }
  }

  private static let forms = """
    write CSV with the columns 'file' and 'caption', or JSON lines such as {"file": "a.png", "caption": "a cat"}
    """

  // MARK: - JSON

  private static func jsonLines(_ text: String, _ path: String) throws -> [Row] {
    let lines = text.replacing("\r\n", with: "\n").split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r" })
    return try lines.enumerated().flatMap { number, line -> [Row] in
      guard !line.allSatisfy(\.isWhitespace) else { return [] }
      return try rows(
        try? JSONSerialization.jsonObject(with: Data(line.utf8)), "line \(number + 1)", number + 1, path)
    }
  }

  private static func jsonArray(_ text: String, _ path: String) throws -> [Row] {
    guard let list = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any] else {
      throw DataSetError(path, "is no JSON; \(forms)")
    }
    return try list.enumerated().flatMap { try rows($1, "entry \($0 + 1)", $0 + 1, path) }
  }

  /// A row for each caption of an object.
  private static func rows(_ value: Any?, _ place: String, _ number: Int, _ path: String) throws -> [Row] {
    guard let object = value as? [String: Any] else {
      throw DataSetError(path, "\(place) is no {\"file\": …, \"caption\": …}")
    }
    // What `vugen caption --json` says of a picture that it could not read.
    let plain = Set(object.keys.map(CaptionColumns.plain))
    if plain.contains("error"), plain.isDisjoint(with: CaptionColumns.captions) { return [] }
    guard let file = CaptionColumns.texts(CaptionColumns.files, in: object).first else {
      throw DataSetError(path, "\(place) names no picture: it needs 'file' or 'file_name'")
    }
    let captions = CaptionColumns.texts(CaptionColumns.captions, in: object)
    guard !captions.isEmpty || !plain.isDisjoint(with: CaptionColumns.captions) else {
      throw DataSetError(path, "\(place) has no caption: it needs 'caption' or 'text'")
    }
    return (captions.isEmpty ? [""] : captions).map { Row(line: number, file: file, caption: $0) }
  }

  // MARK: - Separated values

  /// Which column is what.
  private struct Columns {
    let separator: UInt8
    let file, caption, count: Int
    let hasHeader: Bool
    /// Whether the picture's name holds another separator: a hint that this one is wrong.
    private(set) var isDoubtful = false

    /// From the first row: names of columns, or, of a list without them, a picture and its caption. nil for neither.
    init?(_ values: [String], _ separator: UInt8) {
      self.separator = separator
      let pictures = values.indices.filter { CaptionList.isPicture(values[$0]) }
      if let file = pictures.first {
        guard values.count >= 2, values.dropFirst(2).allSatisfy(\.isEmpty), file < 2 else { return nil }
        (self.file, caption, count, hasHeader) = (file, 1 - file, 2, false)
        isDoubtful = values[file].utf8.contains { SeparatedValues.separators.contains($0) }
      } else {
        guard let file = CaptionColumns.place(of: CaptionColumns.files, in: values),
          let caption = CaptionColumns.place(of: CaptionColumns.captions, in: values)
        else { return nil }
        (self.file, self.caption, count, hasHeader) = (file, caption, values.count, true)
      }
    }
  }

  private static func isPicture(_ value: String) -> Bool {
    PictureFormat.extensions.contains((value as NSString).pathExtension.lowercased())
  }

  private static func separated(_ text: String, _ path: String) throws -> [Row] {
    do {
      let found = SeparatedValues.separators.compactMap { separator -> Columns? in
        let first = try? SeparatedValues.firstRow(text, separator: separator)
        return first.flatMap { Columns($0.values, separator) }
      }
      guard let columns = found.first(where: { !$0.isDoubtful }) ?? found.first else {
        throw try unknownColumns(text, path)
      }
      let all = try SeparatedValues.rows(text, separator: columns.separator)
      return try all.dropFirst(columns.hasHeader ? 1 : 0).compactMap { try row($0, columns, path) }
    } catch let failure as SeparatedValues.Failure {
      throw DataSetError(path, "line \(failure.line): \(failure.reason)")
    }
  }

  private static func row(_ row: SeparatedValues.Row, _ columns: Columns, _ path: String) throws -> Row? {
    let values = row.values
    guard !values.allSatisfy(\.isEmpty) else { return nil }
    let isTooLong = values.dropFirst(columns.count).contains { !$0.isEmpty }
    guard !isTooLong, values.count > max(columns.file, columns.caption) else {
      let separator = columns.separator == 9 ? "a tab" : "'\(Character(Unicode.Scalar(columns.separator)))'"
      throw DataSetError(
        path,
        "line \(row.line) has \(values.count) columns and the first line \(columns.count); put captions that hold \(separator) in quotes"
      )
    }
    guard !values[columns.file].isEmpty else { throw DataSetError(path, "line \(row.line) names no picture") }
    return Row(line: row.line, file: values[columns.file], caption: values[columns.caption])
  }

  private static func unknownColumns(_ text: String, _ path: String) throws -> DataSetError {
    // A quote that is never closed is the better reason.
    let first = try SeparatedValues.rows(text, separator: SeparatedValues.separators[0]).first
    if let first, first.values.count > 2, first.values.contains(where: isPicture) {
      return DataSetError(
        path,
        "line \(first.line) has \(first.values.count) columns and no line names them; put captions that hold ',' in quotes, or begin with a line such as file,caption"
      )
    }
    let line = first?.values.joined(separator: ",") ?? ""
    return DataSetError(path, "its first line names no picture and caption ('\(line.prefix(60))'); \(forms)")
  }
}
