import Files
import Foundation
import Pictures

/// Why a sample of a shard cannot be used.
public struct SkippedSample: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong with it, as reports call it.
  public enum Kind: String, Sendable, CaseIterable {
    case noPicture = "no picture"
    case noText = "no text"
    case damagedPicture = "damaged picture"
    case unreadableText = "unreadable text"
  }

  /// The shard's file, and the sample's name in it.
  public var shard, key: String
  /// What is wrong with it.
  public var kind: Kind
  /// The same with what was found, in a part of a sentence.
  public var detail: String

  public var description: String { "\(shard): \(key): \(detail)" }
}

/// Where the samples of shards lie: what training, `data inspect` and everything else read shards by.
///
/// A sample is what stands together in a shard under one key: a file's folders and its name up to the first dot
/// (WebDataset). Its picture is the first member that is called like one, its text the `.txt`, `.caption`, a caption in
/// the `.json`, or the `.cls`; other members are left alone. An index holds some 100 bytes a sample and no file's content.
public struct ShardIndex: Sendable {
  /// A part of a shard; empty where there is no such member.
  fileprivate typealias Part = Range<Int>

  private struct Entry: Sendable {
    var file: Int
    /// Where the first member's headers begin; of a picture in a folder of classes, its place among these pictures.
    var start: Int
    var picture, text, json, label: Part
  }

  /// The shards and folders of classes, in the order in which they are read.
  public private(set) var files: [String] = []
  /// Which samples come from which of the sources, in their order.
  public private(set) var ranges: [Range<Int>] = []
  /// How often the sources are drawn from, in proportion to each other; empty where every sample is drawn as often.
  package var weights: [Double] = []
  private let reading: SampleReading
  /// Captions of folders of classes, by their places among the files, and names of the pictures in them.
  private var captions: [Int: String] = [:]
  private var names: [String] = []
  /// Bytes of a text; no caption is longer, and no file may ask for more memory.
  private static let mostOfText = 1 << 24
  private var entries: [Entry] = []
  /// Samples that lack a picture or a text, in order.
  private var lacking: [(file: Int, start: Int, kind: SkippedSample.Kind)] = []
  /// What could not be read of which shard, in one line each: damaged, cut, no archive.
  public private(set) var problems: [DataSetError] = []

  /// Throws `DataSetError` where there is no sample at all to be used.
  public init(files: [String]) throws {
    try self.init([SampleSource(files: files)], SampleReading())
  }

  /// Throws `DataSetError` where a source has no sample at all to be used, or a class no name.
  public init(_ sources: [SampleSource], _ reading: SampleReading) throws {
    self.reading = reading
    for source in sources {
      let start = entries.count, missing = lacking.count
      for path in source.shards {
        files.append(path)
        read(files.count - 1)
      }
      for (i, folder) in source.classes.enumerated() { try read(folder, i, of: source.classes.count) }
      guard entries.count > start else { throw nothing(in: source, lackingFrom: missing) }
      ranges.append(start..<entries.count)
    }
  }

  private func nothing(in source: SampleSource, lackingFrom first: Int) -> DataSetError {
    let place =
      source.shards.count > 1 ? "\(source.shards[0]) and \(source.shards.count - 1) more" : source.name
    if let problem = problems.first(where: { source.shards.contains($0.place) }) { return problem }
    guard lacking.count > first else {
      return DataSetError(place, "holds no samples; make the shards again: vugen data build folder")
    }
    let skipped = skipped(first)
    return DataSetError(
      place,
      "none of \(lacking.count - first) samples has both a picture and a text (\(skipped.key): \(skipped.detail)); members of one name must follow each other, as 0001.jpg, 0001.txt: tar --sort=name"
    )
  }

  private mutating func read(_ folder: SampleSource.ClassFolder, _ place: Int, of count: Int) throws {
    files.append(folder.path)
    let name = FileName.last(of: folder.path), file = files.count - 1
    captions[file] =
      try reading.classes?.caption(ofFolder: name, place: place, of: count) ?? name.replacing("_", with: " ")
    for picture in folder.names {
      entries.append(
        Entry(file: file, start: names.count, picture: 0..<1, text: 0..<0, json: 0..<0, label: 0..<0))
      names.append(picture)
    }
  }

  /// Samples that have a picture and something that may be its text.
  public var count: Int { entries.count }
  /// Samples that lack one.
  public var skippedCount: Int { lacking.count }

  /// The `i`-th of the samples that lack a picture or a text.
  public func skipped(_ i: Int) -> SkippedSample {
    let (file, start, kind) = lacking[i]
    let detail = kind == .noPicture ? "it has a text and no picture" : "it has a picture and no text"
    return SkippedSample(shard: files[file], key: key(file, start), kind: kind, detail: detail)
  }

  /// The file that holds sample `i`, as its place among `files`.
  public func file(of i: Int) -> Int { entries[i].file }

  private func key(_ file: Int, _ start: Int) -> String {
    guard let name = try? TarReader(files[file], from: start).next()?.name,
      let member = MemberName(name)
    else { return "byte \(start)" }
    return String(decoding: member.key, as: UTF8.self)
  }

  /// The samples at these places alone, which rise.
  ///
  /// - Parameter isRest: whether what was found beside the samples goes with them.
  package func part(_ places: [Int], isRest: Bool) -> ShardIndex {
    var part = self
    part.entries = places.map { entries[$0] }
    var start = 0
    part.ranges = ranges.map { range in
      let count = places[start...].prefix { range.contains($0) }.count
      defer { start += count }
      return start..<start + count
    }
    if !isRest { (part.lacking, part.problems, part.weights) = ([], [], []) }
    return part
  }

  /// Whether two samples have the same picture, byte for byte. False where one cannot be read.
  package func haveOnePicture(_ i: Int, _ j: Int) -> Bool {
    guard captions[entries[i].file] == nil, captions[entries[j].file] == nil else { return false }
    func bytes(_ i: Int) -> [UInt8]? {
      try? TarReader(files[entries[i].file], from: entries[i].start).bytes(entries[i].picture)
    }
    guard entries[i].picture.count == entries[j].picture.count, let a = bytes(i) else { return false }
    return a == bytes(j)
  }

  // MARK: - Reading

  /// A sample's entry, its file, and how to say that it cannot be used.
  private struct Found {
    let entry: Entry
    let reader: TarReader
    let shard, key: String

    func skipped(_ kind: SkippedSample.Kind, _ detail: String) -> SkippedSample {
      SkippedSample(shard: shard, key: key, kind: kind, detail: detail)
    }
  }

  private func find(_ i: Int) throws -> Found {
    let entry = entries[i], reader = try TarReader(files[entry.file], from: entry.start)
    let name = try reader.next().flatMap { MemberName($0.name) }
    let key = name.map { String(decoding: $0.key, as: UTF8.self) } ?? "byte \(entry.start)"
    return Found(entry: entry, reader: reader, shard: files[entry.file], key: key)
  }

  /// What sample `i` says; its picture is not read, nor looked at. Throws as `sample` does.
  public func said(_ i: Int) throws -> Sample { try loose(i) ?? said(find(i)) }

  /// A picture in a folder of classes; nil for one in a shard.
  private func loose(_ i: Int) -> Sample? {
    captions[entries[i].file].map {
      Sample(key: names[entries[i].start], picture: [], pictureType: "", caption: $0, record: [])
    }
  }

  /// The same with the picture's bytes. Throws `SkippedSample`.
  private func read(_ sample: Sample, in folder: String) throws -> Sample {
    var sample = sample
    do { sample.picture = try Picture.file(at: "\(folder)/\(sample.key)") } catch let error as PictureError {
      throw SkippedSample(shard: folder, key: sample.key, kind: .damagedPicture, detail: error.reason)
    }
    return sample
  }

  private func said(_ found: Found) throws -> Sample {
    let entry = found.entry, texts = texts(of: entry)
    guard texts.allSatisfy({ $0.count <= Self.mostOfText }) else {
      throw found.skipped(.unreadableText, "its text is longer than \(Self.mostOfText >> 20) MB")
    }
    let record = try found.reader.bytes(entry.json)
    var caption = ""
    do {
      for part in texts where caption.isEmpty && !part.isEmpty {
        let text = try PlainText.decode(part == entry.json ? record : found.reader.bytes(part))
        let said: String
        switch part {
        case entry.json: said = CaptionColumns.caption(inJSON: text, under: reading.jsonKey) ?? ""
        case entry.label:
          guard let name = reading.classes.map({ $0.caption(ofLabel: text) }) ?? text else {
            throw found.skipped(
              .unreadableText,
              "\(reading.classes?.file ?? "") has no name for its class, '\(text.oneLine.prefix(20))'")
          }
          said = name
        default: said = text
        }
        caption = said.trimmingCharacters(in: .whitespacesAndNewlines)
      }
    } catch let refusal as PlainText.Refusal {
      throw found.skipped(.unreadableText, refusal.reason)
    }
    guard !caption.isEmpty else {
      throw found.skipped(
        .noText, record.isEmpty ? "its text is empty" : "its JSON names no caption" + underKey)
    }
    return Sample(key: found.key, picture: [], pictureType: "", caption: caption, record: record)
  }

  private var underKey: String { reading.jsonKey.isEmpty ? "" : " under '\(reading.jsonKey)'" }

  /// The parts that may be a sample's text, the first one that says something being it.
  private func texts(of entry: Entry) -> [Part] {
    switch reading.textKey {
    case "": [entry.text, entry.json, entry.label]
    case "json": [entry.json]
    case "cls": [entry.label]
    default: [entry.text]
    }
  }

  /// Sample `i` as it is stored. Throws `SkippedSample` where it cannot be used, `DataSetError` where its file cannot
  /// be read any more.
  public func sample(_ i: Int) throws -> Sample {
    if let loose = loose(i) {
      var sample = try read(loose, in: files[entries[i].file])
      sample.pictureType = Self.type(of: sample.picture)
      return sample
    }
    let found = try find(i)
    var sample = try said(found)
    let most = Picture.Limits().fileBytes
    guard found.entry.picture.count <= most else {
      throw found.skipped(.damagedPicture, "the file has more than \(most / 1_000_000) MB")
    }
    sample.picture = try found.reader.bytes(found.entry.picture)
    sample.pictureType = Self.type(of: sample.picture)
    return sample
  }

  private static func type(of picture: [UInt8]) -> String {
    picture.withUnsafeBytes { PictureFormat(recognising: $0)?.rawValue } ?? ""
  }

  /// Sample `i` with its picture decoded. Throws as `sample` does.
  public func decoded(_ i: Int) throws -> (sample: Sample, picture: Picture) {
    let sample = try self.sample(i), shard = files[entries[i].file]
    do {
      return (sample, try Picture(bytes: sample.picture, name: sample.key))
    } catch let error as PictureError {
      throw SkippedSample(shard: shard, key: sample.key, kind: .damagedPicture, detail: error.reason)
    }
  }

  /// Every sample in order, as `decoded` reads it, as many at a time as there are cores. Throws what `each` throws, and
  /// `DataSetError` where a file cannot be read any more.
  public func readAll(_ each: (Int, Result<(sample: Sample, picture: Picture), SkippedSample>) throws -> Void)
    throws
  {
    let together = max(1, ProcessInfo.processInfo.activeProcessorCount)
    for start in stride(from: 0, to: count, by: together) {
      let results = inParallel(min(together, count - start)) { i in
        Result { try decoded(start + i) }
      }
      for (i, result) in results.enumerated() {
        switch result {
        case .success(let read): try each(start + i, .success(read))
        case .failure(let skipped as SkippedSample): try each(start + i, .failure(skipped))
        case .failure(let error): throw error
        }
      }
    }
  }

  // MARK: - Indexing

  /// Members that stand together under one key.
  private struct Group {
    var key: [UInt8]
    var start: Int
    var endings: Set<[UInt8]> = []
    /// Each with its rank: a lower one is preferred, of equal ones the first.
    var picture, text, json, label: (rank: Int, part: Part)?

    /// - Parameter textKey: of the texts; empty for `.txt` and `.caption`.
    mutating func add(_ member: TarReader.Member, _ name: MemberName, textKey: String) {
      endings.insert(name.ending)
      func better(_ old: inout (rank: Int, part: Part)?, _ rank: Int) {
        let rank = name.isDotted ? rank + 10 : rank
        if rank < old?.rank ?? .max { old = (rank, member.data) }
      }
      switch name.type {
      case "txt" where textKey.isEmpty: better(&text, 0)
      case "caption" where textKey.isEmpty: better(&text, 1)
      case "json": better(&json, 0)
      case "cls": better(&label, 0)
      case textKey: better(&text, 0)
      case let type where PictureFormat.extensions.contains(type): better(&picture, 0)
      default: break
      }
    }
  }

  private mutating func read(_ file: Int) {
    var group: Group?
    do {
      let reader = try TarReader(files[file])
      while let member = try reader.next() {
        guard let name = MemberName(member.name) else { continue }
        if group?.key != name.key || group?.endings.contains(name.ending) == true {
          add(group, file)
          group = Group(key: name.key, start: member.start)
        }
        group?.add(member, name, textKey: reading.textKey)
      }
    } catch {
      problems.append(error as? DataSetError ?? DataSetError(files[file], "\(error)"))
    }
    add(group, file)
  }

  private mutating func add(_ group: Group?, _ file: Int) {
    guard let group else { return }
    func part(_ found: (rank: Int, part: Part)?) -> Part { found?.part ?? 0..<0 }
    let entry = Entry(
      file: file, start: group.start, picture: part(group.picture), text: part(group.text),
      json: part(group.json), label: part(group.label))
    if group.picture == nil {
      // What is neither picture nor text, such as a list beside the samples, is no sample.
      if group.text != nil || group.json != nil { lacking.append((file, group.start, .noPicture)) }
    } else if texts(of: entry).allSatisfy(\.isEmpty) {
      lacking.append((file, group.start, .noText))
    } else {
      entries.append(entry)
    }
  }
}
