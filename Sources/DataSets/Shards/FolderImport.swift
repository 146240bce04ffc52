import Files
import Foundation
import Pictures

/// A user's own pictures with captions, as shards.
public struct FolderImport {
  /// A picture and its caption.
  public struct Pair: Sendable, Equatable {
    /// The picture's file, and what is said of it.
    public var path, caption: String
  }

  /// What is known of an imported picture.
  private struct Record: Codable {
    var file: String
    var captions: [String]
  }

  /// What a folder or a list holds.
  public struct Found: Sendable, Equatable {
    /// What can be used, in the order of paths.
    public var pairs: [Pair] = []
    /// Pictures that a list names and that are not there.
    public var missing: [String] = []
    /// Pictures that a list in the folder names and that are there, but are none of the folder's: outside of it, hidden,
    /// behind a link, or files that are not called like pictures.
    public var elsewhere: [String] = []
    /// Pictures that are used because a list that a person named names them, and that lie outside the folder.
    public var outside: [String] = []
    /// Pictures of the folder that have no text beside them, or that the list does not name.
    public var unnamed: [String] = []
    /// Pictures whose caption is empty.
    public var empty: [String] = []
    /// Texts, lists and folders that could not be read, and why.
    public var unreadable: [String] = []
    /// How many captions came from which list beside the pictures.
    public var listed: [String: Int] = [:]
    /// Files that are neither pictures nor captions.
    public var others = OtherFiles()
    /// Lines of lists that say nothing of a picture, and why.
    public var badLines: [String] = []
  }

  /// Endings of the texts beside pictures, in the order in which they are looked for.
  private static let textEndings = ["txt", "caption", "TXT"]

  /// Pictures of a folder with the captions beside them: `a.txt` or `a.caption` beside `a.png`, or `a.png.txt`; of
  /// those that have none, the captions in a `metadata.jsonl` or `metadata.csv` in the folder or below (the layout
  /// `imagefolder`). Throws `DataSetError` where there is no such pair.
  ///
  /// - Parameter mostBad: share of a list's lines that may say nothing of a picture.
  public static func pairs(in folder: String, mostBad: Double = 0.01) throws -> Found {
    var found = Found(), texts: Set<String> = []
    let contents = try contents(of: folder)
    found.unreadable += contents.locked.map(\.description)
    let lists = try BroughtLists(contents.lists, mostBad: mostBad, &found)
    for path in contents.pictures {
      let stem = (path as NSString).deletingPathExtension
      let places = [stem, path].flatMap { place in textEndings.map { "\(place).\($0)" } }
      texts.formUnion(places)
      guard let place = places.first(where: FileName.exists) else {
        if let entry = lists.entry(of: path) {
          for caption in entry.captions { found.add(Pair(path: path, caption: caption)) }
          found.listed[entry.list, default: 0] += entry.captions.count
        } else {
          found.unnamed.append(path)
        }
        continue
      }
      do {
        let text = try PlainText.decode([UInt8](MappedFile.contents(of: place)))
        found.add(Pair(path: path, caption: CaptionFile.caption(of: path, in: text) ?? text))
      } catch let refusal as PlainText.Refusal {
        found.unreadable.append("\(place): \(refusal.reason)")
      } catch {
        found.unreadable.append("\(error)")
      }
    }
    for path in contents.others where !texts.contains(path) { found.others.add(path) }
    // What is locked is named by itself.
    found.elsewhere = lists.elsewhere(than: contents.pictures + contents.locked.map(\.path))
    guard !found.pairs.isEmpty else { throw withoutCaptions(folder, found, lists.misfit) }
    return found
  }

  /// Why no picture of a folder can be used.
  private static func withoutCaptions(
    _ folder: String, _ found: Found, _ misfit: (list: String, name: String)?
  ) -> DataSetError {
    if let reason = found.unreadable.first ?? found.badLines.first {
      return DataSetError(folder, "no caption can be read: \(reason)")
    }
    if let name = found.elsewhere.first {
      return DataSetError(
        folder,
        "none of the \(counted(found.elsewhere.count, "picture")) that its lists name is one of its own; the first is \(name); name the list with --captions to read pictures from elsewhere"
      )
    }
    if let misfit {
      return DataSetError(
        misfit.list,
        "none of the pictures that it names is there; the first is '\(misfit.name)': names are taken from the folder in which the list lies"
      )
    }
    return DataSetError(
      folder,
      "no picture has a caption: a .txt or .caption file beside it, or a line in a metadata.csv or metadata.jsonl; write some there, or name a list with --captions"
    )
  }

  /// What a folder holds. Throws `DataSetError`.
  private static func contents(of folder: String) throws -> PictureFolder {
    guard FileName.isFolder(folder) else {
      throw DataSetError(folder, "no such folder; name one that holds pictures")
    }
    do { return try PictureFolder(folder) } catch let error as Patience.Ended { throw error } catch {
      throw DataSetError(folder, (error as? FileAccessError)?.reason ?? "\(error)")
    }
  }

  /// From a list, as `CaptionList` reads it. Its names are taken from the folder, from the list's own, or from where the
  /// program runs, all from the same: see `ListReading`. Throws `DataSetError` naming the line, or where no picture of the
  /// list is there.
  ///
  /// - Parameter mostBad: share of the list's lines that may say nothing of a picture.
  public static func pairs(in folder: String, list: String, mostBad: Double = 0.01) throws -> Found {
    var found = Found(), named: Set<[UInt8]> = []
    let whole = try CaptionList(path: list), rows = whole.rows
    try whole.check(mostBad: mostBad)
    found.badLines = whole.bad.map { "\(list): \($0)" }
    let reading = try ListReading(rows, of: list, from: [folder, FileName.parent(of: list), ""], in: folder)
    for (row, path) in zip(rows, reading.paths) {
      guard let path else {
        if found.missing.last != row.file { found.missing.append(row.file) }
        continue
      }
      if named.insert(identity(path)).inserted, !reading.isInside(path) { found.outside.append(path) }
      found.add(Pair(path: path, caption: row.caption))
    }
    let contents = try contents(of: folder)
    found.unnamed = contents.pictures.filter {
      !named.contains(identity($0))
    }
    // What the list names is told where it is read.
    found.unreadable += contents.locked.filter { !named.contains(identity($0.path)) }.map(\.description)
    let own = identity(list)
    for path in contents.others + contents.lists where identity(path) != own {
      found.others.add(path)
    }
    guard !found.pairs.isEmpty else {
      let first = found.missing.first ?? found.empty.first ?? ""
      throw DataSetError(
        list,
        found.missing.isEmpty
          ? "all captions are empty; the first is that of '\(first)'"
          : "of the \(Set(rows.map(\.file)).count) pictures that it names none is in \(folder), beside the list or in the working folder; the first is '\(first)'"
      )
    }
    return found
  }

  /// One for all the ways in which a path can be written. Bytes: texts are equal where letters look alike.
  static func identity(_ path: String) -> [UInt8] {
    FileName.bytes(URL(fileURLWithPath: path).standardizedFileURL.path)
  }

  /// Writes shards; pictures larger than `size` are shrunk to fit it. Returns the pairs that could not be
  /// read, with the reason. Throws when nothing could, or `CancellationError`.
  ///
  /// - Parameters:
  ///   - account: of what was finished before this was ended once, and is now: shards that are as they were stay.
  ///   - isEnded: asked before each picture whether to end.
  ///   - begins: called once it is known what stays.
  public static func write(
    _ pairs: [Pair], to folder: String, size: Int?, perShard: Int = 1000, account: ImportAccount? = nil,
    isEnded: @Sendable () -> Bool = { false }, begins: () -> Void = {},
    progress: (Int) throws -> Void = { _ in }
  ) throws -> [(path: String, reason: String)] {
    try FileName.makeFolder(folder)
    let parts = stride(from: 0, to: pairs.count, by: perShard).map {
      pairs[$0..<min(pairs.count, $0 + perShard)]
    }
    try account?.begin(in: folder, parts) { part, bad in
      // What stood in a picture's way may be gone though the picture is as it was.
      try bad.allSatisfy { bad in
        guard part.indices.contains(part.startIndex + bad.place) else { return false }
        let place = part.startIndex + bad.place
        let result = Result { try sample(part[place], number: place, size) }
        // One that was left in its midst says nothing.
        guard !isEnded() else { throw CancellationError() }
        guard case .failure(let error) = result else { return false }
        return "\(error)" == bad.reason
      }
    }
    begins()
    var bad: [(String, String)] = [], written = 0
    for (shard, part) in parts.enumerated() {
      let failures =
        try account?.bad(ofFinished: shard)
        ?? write(part, shard, to: folder, size: size, account, isEnded: isEnded)
      bad += failures.map { (part[part.startIndex + $0.place].path, $0.reason) }
      written += part.count - failures.count
      try progress(part.endIndex)
    }
    guard written > 0 else {
      let which = pairs.count == 1 ? "the one picture cannot" : "none of the \(pairs.count) pictures can"
      // By the name under which the person knows the folder, as `OutputFolder` says it.
      throw FileAccessError(folder, "nothing is written: \(which) be read: \(bad.first?.1 ?? "")")
    }
    return bad
  }

  /// Pictures that are read at once: all of a shard may be more than there is memory for.
  private static let atOnce = 32

  /// Writes one shard, of those pictures that can be read.
  private static func write(
    _ part: ArraySlice<Pair>, _ shard: Int, to folder: String, size: Int?, _ account: ImportAccount?,
    isEnded: @Sendable () -> Bool
  ) throws -> [ImportAccount.Bad] {
    // Before they are read: what changes meanwhile is made again.
    let sources = account.map { _ in ImportAccount.sources(part) } ?? ""
    var bad: [ImportAccount.Bad] = []
    struct Empty: Error {}
    do {
      try Shards.write(to: "\(folder)/\(ImportAccount.name(shard))") { put in
        for start in stride(from: part.startIndex, to: part.endIndex, by: atOnce) {
          let end = min(part.endIndex, start + atOnce)
          bad += try write(part[start..<end], of: part.startIndex, size, isEnded: isEnded, put)
        }
        try account?.note(shard, sources: sources, bad)
        // A shard of nothing is none.
        if bad.count == part.count { throw Empty() }
      }
    } catch is Empty {}
    account?.pictures += part.count
    return bad
  }

  /// Puts some of a shard's pictures into it, whose first one is `first`, and returns those that cannot be read.
  private static func write(
    _ pairs: ArraySlice<Pair>, of first: Int, _ size: Int?, isEnded: @Sendable () -> Bool,
    _ put: (Sample) throws -> Void
  ) throws -> [ImportAccount.Bad] {
    let start = pairs.startIndex
    let results = inParallel(pairs.count) { i in
      Result<Sample, any Error> {
        guard !isEnded() else { throw CancellationError() }
        return try sample(pairs[start + i], number: start + i, size)
      }
    }
    // A picture that was left in its midst is not damaged.
    guard !isEnded() else { throw CancellationError() }
    var bad: [ImportAccount.Bad] = []
    for (i, result) in results.enumerated() {
      switch result {
      case .success(let sample): try put(sample)
      case .failure(let error): bad.append(.init(place: start + i - first, reason: "\(error)"))
      }
    }
    return bad
  }

  /// A PNG, JPEG or WebP file that keeps its size stands in the shard as it is, with its orientation and profile, which
  /// are read again there; any other picture as PNG, upright and in sRGB.
  private static func sample(_ pair: Pair, number: Int, _ size: Int?) throws -> Sample {
    var limits = Picture.Limits()
    // A list may name anything, and nobody has asked to wait for a pipe.
    limits.takesPipes = false
    let bytes = try Picture.file(at: pair.path, limits: limits)
    let picture = try Picture(bytes: bytes, name: pair.path, limits: limits)
    let isFitting = max(picture.width, picture.height) <= size ?? .max
    let record = try JSONText.namedLine(Record(file: pair.path, captions: [pair.caption]))
    let format = bytes.withUnsafeBytes { PictureFormat(recognising: $0) }
    let kept = isFitting ? format.flatMap { WrittenFormat(rawValue: $0.rawValue) } : nil
    return Sample(
      key: Shards.padded(number, 8),
      picture: try kept == nil ? picture.fitted(size ?? .max).pngData() : bytes,
      pictureType: (kept ?? .png).suffix, caption: pair.caption, record: [UInt8](record.utf8))
  }
}

extension FolderImport.Found {
  fileprivate mutating func add(_ pair: FolderImport.Pair) {
    let caption = pair.caption.trimmingCharacters(in: .whitespacesAndNewlines)
    if caption.isEmpty {
      empty.append(pair.path)
    } else {
      pairs.append(.init(path: pair.path, caption: caption))
    }
  }
}
