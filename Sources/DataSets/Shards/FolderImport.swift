import Foundation
import ModelFiles
import Pictures

/// A user's own pictures with captions, as shards.
public struct FolderImport {
  public struct Pair: Sendable, Equatable {
    public var path, caption: String
  }

  /// What is known of an imported picture.
  private struct Record: Codable {
    var file: String
    var captions: [String]
  }

  /// Pictures of a folder that have a `.txt` of the same name beside them. Throws `DataSetError`.
  public static func pairs(in folder: String) throws -> [Pair] {
    guard let walk = FileManager.default.enumerator(atPath: folder) else {
      throw DataSetError(folder, "no such folder; name one that holds pictures")
    }
    var pairs: [Pair] = []
    for case let name as String in walk where isPicture(name) {
      let stem = (folder + "/" + name as NSString).deletingPathExtension
      guard let text = try? String(contentsOfFile: stem + ".txt", encoding: .utf8) else { continue }
      pairs.append(
        Pair(path: "\(folder)/\(name)", caption: text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    guard !pairs.isEmpty else {
      throw DataSetError(
        folder, "no picture has a .txt beside it; write captions there, or name a list with --captions")
    }
    return pairs.sorted { $0.path < $1.path }
  }

  /// From a list: JSON lines with `file` and `caption` (or `text`, as `vugen caption` writes them), or CSV with
  /// `file` and `caption` as its first line. Paths are taken from the folder, else from where the program runs.
  /// Throws `DataSetError` naming the line.
  public static func pairs(in folder: String, list: String) throws -> [Pair] {
    let text = String(decoding: try MappedFile.contents(of: list), as: UTF8.self)
    let rows = list.hasSuffix(".csv") ? try csv(text, list) : try jsonLines(text, list)
    return rows.map { file, caption in
      let inside = "\(folder)/\(file)"
      let isElsewhere = file.hasPrefix("/") || !FileManager.default.fileExists(atPath: inside)
      return Pair(
        path: isElsewhere && FileManager.default.fileExists(atPath: file) ? file : inside, caption: caption)
    }
  }

  private static func isPicture(_ name: String) -> Bool {
    PictureFormat.extensions.contains((name as NSString).pathExtension.lowercased())
  }

  private static func jsonLines(_ text: String, _ list: String) throws -> [(String, String)] {
    struct Line: Decodable {
      let file: String
      let caption, text: String?
    }
    return try text.split(separator: "\n").enumerated().map { number, line in
      guard let row = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)),
        let caption = row.caption ?? row.text
      else {
        throw DataSetError(list, "line \(number + 1) is no {\"file\": …, \"caption\": …}")
      }
      return (row.file, caption)
    }
  }

  private static func csv(_ text: String, _ list: String) throws -> [(String, String)] {
    let rows = CSV.rows(text)
    guard let head = rows.first, let file = head.firstIndex(of: "file"),
      let caption = head.firstIndex(of: "caption")
    else { throw DataSetError(list, "its first line does not name the columns 'file' and 'caption'") }
    return try rows.dropFirst().enumerated().map { number, row in
      guard row.count > max(file, caption) else {
        throw DataSetError(list, "row \(number + 2) has \(row.count) columns")
      }
      return (row[file], row[caption])
    }
  }

  /// Writes shards; pictures larger than `size` are shrunk to fit it. Returns the pairs that could not be
  /// read, with the reason. Throws when nothing could.
  public static func write(
    _ pairs: [Pair], to folder: String, size: Int?, perShard: Int = 1000,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> [(path: String, reason: String)] {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var bad: [(String, String)] = [], written = 0
    for start in stride(from: 0, to: pairs.count, by: perShard) {
      let part = Array(pairs[start..<min(pairs.count, start + perShard)])
      let results = ObjectBank.inParallel(part.count) { i in
        Result { try sample(part[i], number: start + i, size) }
      }
      var samples: [Sample] = []
      for (pair, result) in zip(part, results) {
        switch result {
        case .success(let sample): samples.append(sample)
        case .failure(let error): bad.append((pair.path, "\(error)"))
        }
      }
      written += samples.count
      if !samples.isEmpty {
        try Shards.write(samples, to: "\(folder)/train-\(Shards.padded(start / perShard, 6)).tar")
      }
      try progress(start + part.count)
    }
    guard written > 0 else {
      throw DataSetError(folder, "none of the \(pairs.count) pictures could be read: \(bad.first?.1 ?? "")")
    }
    return bad
  }

  private static func sample(_ pair: Pair, number: Int, _ size: Int?) throws -> Sample {
    let picture = try Picture(path: pair.path)
    let side = max(picture.width, picture.height)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let record = try encoder.encode(Record(file: pair.path, captions: [pair.caption]))
    let fitting =
      size.map { most in
        side <= most
          ? picture
          : picture.resizedBicubic(
            width: max(1, picture.width * most / side), height: max(1, picture.height * most / side))
      } ?? picture
    return Sample(
      key: Shards.padded(number, 8), picture: try fitting.pngData(), pictureType: "png",
      caption: pair.caption,
      record: [UInt8](record))
  }
}

/// Comma-separated values with quotes (RFC 4180).
enum CSV {
  static func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = [], row: [String] = [], field = "", isQuoted = false
    var characters = text.replacing("\r\n", with: "\n").makeIterator(), pushed: Character?
    while let c = pushed ?? characters.next() {
      pushed = nil
      if isQuoted {
        guard c == "\"" else {
          field.append(c)
          continue
        }
        let next = characters.next()
        if next == "\"" { field.append("\"") } else { (isQuoted, pushed) = (false, next) }
      } else if c == "\"" && field.isEmpty {
        isQuoted = true
      } else if c == "," || c == "\n" {
        row.append(field)
        field = ""
        if c == "\n" {
          if row != [""] { rows.append(row) }
          row = []
        }
      } else {
        field.append(c)
      }
    }
    row.append(field)
    if row != [""] { rows.append(row) }
    return rows
  }
}
