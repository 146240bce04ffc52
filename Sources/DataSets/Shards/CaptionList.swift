import Files
import Foundation
import Pictures

/// A list of pictures and their captions, as other programs write it: CSV with any separator, or JSON lines.
struct CaptionList {
  struct Row: Equatable {
    var line: Int
    var file, caption: String
    /// Whether the name may stand for one that text cannot hold, as `FileName.listed` writes it.
    var isListed = false

    /// The names that may be meant, the likeliest first: other systems have other separators.
    var names: [String] {
      guard file.contains("\\") else { return [file] }
      let listed = FileName.named(file), others = [file, file.replacing("\\", with: "/"), listed]
      return isListed && listed != file ? [listed] + others : others
    }
  }

  /// A line that says nothing of a picture.
  private struct BadRow: Error {
    let reason: String
  }

  private(set) var rows: [Row] = []
  /// Lines that say nothing of a picture, by their numbers, and why: they are skipped.
  private(set) var bad: [String] = []
  private let path: String

  /// Throws `DataSetError` where nothing can be read, naming the line, or `ModelFileError` where there is no such file.
  init(path: String) throws {
    self.path = path
    let text: String
    do {
      text = try PlainText.decode([UInt8](MappedFile.contents(of: path)))
    } catch let refusal as PlainText.Refusal {
      throw DataSetError(path, refusal.reason)
    }
    let first = text.unicodeScalars.first { !$0.properties.isWhitespace }
    let isLines = ["jsonl", "ndjson"].contains((path as NSString).pathExtension.lowercased())
    if first == "{", let whole = (try? Self.json(text)) as? [String: Any] {
      try readJSONObject(whole)
    } else if first == "[", !isLines || (try? Self.array(text)) != nil {
      try readJSONArray(text)
    } else if first == "{" || isLines {
      readJSONLines(text)
    } else {
      try readSeparated(text)
    }
    guard !rows.isEmpty else {
      throw DataSetError(path, bad.first ?? "names no pictures; \(Self.forms)")
    }
  }

  /// Throws `DataSetError` where more of the lines than a share say nothing of a picture; one may in any case, unless the
  /// share is 0.
  func check(mostBad share: Double) throws {
    // A line may hold several captions.
    let total = Set(rows.map(\.line)).count + bad.count
    let most = share > 0 ? max(1, Int(share * Double(total) + 1e-6)) : 0
    guard bad.count > most, let first = bad.first else { return }
    let needed = min(1, (Double(bad.count) / Double(total) * 50).rounded(.up) / 50)
    throw DataSetError(
      path,
      "\(bad.count) of \(total) lines name no picture with a caption, the first: \(first); mend them, or allow more: --max-skipped \(needed)"
    )
  }

  private static let forms = """
    write CSV with the columns 'file' and 'caption', or JSON lines such as {"file": "a.png", "caption": "a cat"}
    """

  // MARK: - JSON

  private mutating func readJSONLines(_ text: String) {
    let lines = text.replacing("\r\n", with: "\n").split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r" })
    for (number, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      take(line: "line \(number + 1)", number + 1) {
        try? Self.json(String(line))
      }
    }
  }

  private static func json(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: JSONText.strict(Array(text.utf8)), options: .fragmentsAllowed)
  }

  private static func array(_ text: String) throws -> [Any]? { try json(text) as? [Any] }

  /// The line in which Foundation is at its wits' end: it counts bytes, or says that it came to the end.
  private static func line(of error: any Error, in text: String) -> Int {
    let said = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? ""
    let bytes = said.firstMatch(of: #/character (\d+)/#).flatMap { Int($0.1) } ?? text.utf8.count
    return text.utf8.prefix(bytes).count { $0 == 10 } + 1
  }

  private mutating func readJSONArray(_ text: String) throws {
    let list: [Any]
    do {
      guard let found = try Self.array(text) else { throw DataSetError(path, "is no list; \(Self.forms)") }
      list = found
    } catch let error as DataSetError {
      throw error
    } catch {
      throw DataSetError(path, "is not JSON from line \(Self.line(of: error, in: text)) on; \(Self.forms)")
    }
    for (number, value) in list.enumerated() { take(line: "entry \(number + 1)", number + 1) { value } }
  }

  /// A file that is one object: a picture and its caption, or captions by their pictures' names.
  private mutating func readJSONObject(_ whole: [String: Any]) throws {
    let names = whole.keys.sorted(), plain = Set(names.map(CaptionColumns.plain))
    if !plain.isDisjoint(with: CaptionColumns.captions) || Self.file(in: whole) != nil {
      return take(line: "line 1", 1) { whole }
    }
    guard !names.isEmpty, names.allSatisfy({ Self.isPicture($0) && whole[$0] is String }) else {
      throw DataSetError(path, "is one JSON object and no list of pictures and captions; \(Self.forms)")
    }
    for (number, name) in names.enumerated() {
      rows.append(Row(line: number + 1, file: name, caption: whole[name] as? String ?? ""))
    }
  }

  private mutating func take(line: String, _ number: Int, _ value: () -> Any?) {
    do { rows += try Self.rows(value(), line, number) } catch {
      bad.append((error as? BadRow)?.reason ?? "\(error)")
    }
  }

  /// A row for each caption of an object.
  private static func rows(_ value: Any?, _ place: String, _ number: Int) throws -> [Row] {
    guard let value else { throw BadRow(reason: "\(place) is not JSON") }
    guard let object = value as? [String: Any] else {
      throw BadRow(reason: "\(place) is no {\"file\": …, \"caption\": …}")
    }
    // What `vugen caption --json` says of a picture that it could not read.
    let plain = Set(object.keys.map(CaptionColumns.plain))
    if plain.contains("error"), plain.isDisjoint(with: CaptionColumns.captions) { return [] }
    guard let file = file(in: object) else {
      throw BadRow(reason: "\(place) names no picture: it needs 'file' or 'file_name'")
    }
    let captions = CaptionColumns.texts(CaptionColumns.captions, in: object)
    guard !captions.isEmpty || !plain.isDisjoint(with: CaptionColumns.captions) else {
      throw BadRow(reason: "\(place) has no caption: it needs 'caption' or 'text'")
    }
    return (captions.isEmpty ? [""] : captions).map { Row(line: number, file: file, caption: $0) }
  }

  /// A picture's name; one that is not UTF-8 by its bytes, as `vugen caption --json` writes them.
  private static func file(in object: [String: Any]) -> String? {
    if let bytes = (object["fileBytes"] as? String).flatMap({ Data(base64Encoded: $0) }) {
      return FileName.text([UInt8](bytes))
    }
    return CaptionColumns.texts(CaptionColumns.files, in: object).first
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

  private mutating func readSeparated(_ text: String) throws {
    do {
      let found = SeparatedValues.separators.compactMap { separator -> Columns? in
        let first = try? SeparatedValues.firstRow(text, separator: separator)
        return first.flatMap { Columns($0.values, separator) }
      }
      let isByTabs = ["tsv", "txt"].contains((path as NSString).pathExtension.lowercased())
      let usual = isByTabs ? found.first { $0.separator == 9 } : nil
      guard let columns = usual ?? found.first(where: { !$0.isDoubtful }) ?? found.first else {
        throw try Self.unknownColumns(text, path)
      }
      let all = try SeparatedValues.rows(text, separator: columns.separator)
      for row in all.dropFirst(columns.hasHeader ? 1 : 0) {
        do { rows += try [Self.row(row, columns)].compactMap { $0 } } catch let error as BadRow {
          bad.append(error.reason)
        }
      }
    } catch let failure as SeparatedValues.Failure {
      throw DataSetError(path, "line \(failure.line): \(failure.reason)")
    }
  }

  private static func row(_ row: SeparatedValues.Row, _ columns: Columns) throws -> Row? {
    let values = row.values
    guard !values.allSatisfy(\.isEmpty) else { return nil }
    let isTooLong = values.dropFirst(columns.count).contains { !$0.isEmpty }
    guard !isTooLong, values.count > max(columns.file, columns.caption) else {
      let separator = columns.separator == 9 ? "a tab" : "'\(Character(Unicode.Scalar(columns.separator)))'"
      throw BadRow(
        reason:
          "line \(row.line) has \(values.count) columns and the first line \(columns.count); put captions that hold \(separator) in quotes"
      )
    }
    guard !values[columns.file].isEmpty else { throw BadRow(reason: "line \(row.line) names no picture") }
    let caption = values[columns.caption].replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    return Row(line: row.line, file: values[columns.file], caption: caption, isListed: true)
  }

  /// The names of columns that a first line seems to have, by whichever separator gives most: short, and no picture's.
  private static func headings(_ text: String) -> [String]? {
    let rows = SeparatedValues.separators.compactMap { separator in
      (try? SeparatedValues.firstRow(text, separator: separator))?.values.filter { !$0.isEmpty }
    }
    guard let names = rows.max(by: { $0.count < $1.count }), (2...20).contains(names.count),
      names.allSatisfy({ $0.count <= 40 && !isPicture($0) })
    else { return nil }
    return names
  }

  private static func unknownColumns(_ text: String, _ path: String) throws -> DataSetError {
    // What the first line lacks comes before what is wrong below it; but a quote that it never closes is the better reason.
    let first = try SeparatedValues.firstRow(text, separator: SeparatedValues.separators[0])
    if let names = headings(text) {
      return DataSetError(
        path,
        "its columns '\(names.joined(separator: ","))' are not recognised; name them file and caption in its first line"
      )
    }
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
