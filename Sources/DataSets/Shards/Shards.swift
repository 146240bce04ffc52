import Files
import Foundation
import Pictures

/// One example of a data set: a picture, its caption and what is known of it.
public struct Sample: Sendable {
  /// Its name in a shard; members of a sample are called by it.
  public var key: String
  /// The picture's file, and its kind: `png`, `jpg`, `webp`.
  public var picture: [UInt8]
  /// The ending of the picture's name: `png`, `jpg`, `webp`.
  public var pictureType: String
  /// What is said of the picture.
  public var caption: String
  /// JSON, such as a `SceneRecord`.
  public var record: [UInt8]

  /// Each argument is the property of its name.
  public init(key: String, picture: [UInt8], pictureType: String, caption: String, record: [UInt8]) {
    (self.key, self.picture, self.pictureType) = (key, picture, pictureType)
    (self.caption, self.record) = (caption, record)
  }

  /// The record of a composed scene, if it is one.
  public var scene: SceneRecord? {
    guard !record.isEmpty,
      let scene = try? JSONDecoder().decode(SceneRecord.self, from: JSONText.strict(record))
    else { return nil }
    return scene.isSane ? scene : nil
  }

  /// Whether its record is meant to be one of a composed scene, whether it can be used or not.
  package var isRecordOfScene: Bool {
    let object = try? JSONSerialization.jsonObject(with: JSONText.strict(record))
    return ["background", "objects", "questions"].allSatisfy { (object as? [String: Any])?[$0] != nil }
  }

  static func of(_ scene: Scene) throws -> Sample {
    try Sample(
      key: Shards.padded(Int(scene.record.index), 8), picture: scene.picture.pngData(),
      pictureType: "png",
      caption: scene.record.caption, record: [UInt8](JSONText.line(scene.record)))
  }
}

/// Shards in WebDataset's form: tar files whose members share a key.
public enum Shards {
  static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Writes one shard, whole or not at all. Throws `FileAccessError`.
  public static func write(_ samples: [Sample], to path: String) throws {
    try write(to: path) { put in for sample in samples { try put(sample) } }
  }

  /// The same of samples that come one after the other, so that not all of them are in memory. Throws what `body` throws;
  /// nothing is written then.
  static func write(to path: String, _ body: (_ put: (Sample) throws -> Void) throws -> Void) throws {
    try AtomicFile.write(to: path) { write in
      func put(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
      try body { sample in
        let parts = [
          (sample.pictureType, sample.picture), ("txt", [UInt8](sample.caption.utf8)),
          ("json", sample.record),
        ]
        for (type, bytes) in parts {
          try put(TarArchive.header(name: "\(sample.key).\(type)", size: bytes.count))
          try put(bytes)
          try put(TarArchive.padding(after: bytes.count))
        }
      }
      try put(TarArchive.end)
    }
  }

  /// Shards of a folder, or the file itself, in order. Throws `DataSetError` when there are none.
  ///
  /// - Parameter most: names to look at below a folder that holds none itself: a whole disk, which somebody may name by a
  ///   slip, has more.
  public static func files(at place: String, most: Int = 20_000) throws -> [String] {
    let path = place.count > 1 && place.hasSuffix("/") ? String(place.dropLast()) : place
    guard FileName.exists(path) else {
      throw DataSetError(path, "\(FileName.absence(path)); name a shard or a folder of shards")
    }
    guard FileName.isFolder(path) else { return [path] }
    let here: [String]
    do { here = try FileName.names(in: path) } catch {
      throw DataSetError(path, (error as? FileAccessError)?.reason ?? "cannot be read")
    }
    var names = here.filter(isShard)
    if names.isEmpty {
      do {
        names = try FileName.filesBelow(path, most: most).filter { isShard(FileName.last(of: $0)) }
      } catch {
        throw DataSetError(
          path,
          "holds no shards (.tar) itself, and more than \(most) files and folders below, too many to look through; name the folder of the shards"
        )
      }
    }
    guard !names.isEmpty else {
      if let packed = here.first(where: {
        $0.lowercased().contains(".tar.") || $0.lowercased().hasSuffix(".tgz")
      }) {
        throw DataSetError("\(path)/\(packed)", "this is compressed; unpack it to a .tar")
      }
      throw DataSetError(
        path,
        "holds no shards (.tar); make some from your pictures: vugen data build folder PICTURES --output SHARDS"
      )
    }
    return names.sorted().map { path == "/" ? "/\($0)" : "\(path)/\($0)" }
  }

  /// Names that are looked at beside a folder's shards.
  private static let mostNames = 100_000

  /// Files beside a folder's shards that are none, and are not what this program writes there. Of a file there are none,
  /// and none are counted where there are too many.
  public static func others(at place: String) -> OtherFiles {
    var others = OtherFiles()
    let names = (try? FileName.filesBelow(place, hidden: false, most: mostNames)) ?? []
    for name in names
    where !isShard(FileName.last(of: name)) && name != heldOutList && !FileName.isFolder("\(place)/\(name)") {
      others.add(name)
    }
    return others
  }

  /// What was left out of training, by its file's name.
  static let heldOutList = "held_out.json"

  /// Those of a folder's shards that training reads: `train-*.tar` where there are such, else all but those that are
  /// called after validation or tests. Throws `DataSetError` when there are none.
  public static func trainingFiles(at path: String) throws -> [String] {
    let all = try files(at: path)
    guard all != [path] else { return all }  // a file by its name
    func isCalled(_ file: String, _ beginnings: [String]) -> Bool {
      let name = FileName.last(of: file).lowercased()
      return beginnings.contains { name.hasPrefix($0) }
    }
    let training = all.filter { isCalled($0, [Split.train.rawValue]) }
    if !training.isEmpty { return training }
    let others = all.filter { !isCalled($0, [Split.validation.rawValue, Split.heldOut.rawValue]) }
    guard !others.isEmpty else {
      throw DataSetError(
        path, "holds shards for validation alone; name one of them to train on it in any case")
    }
    let untested = others.filter { !isCalled($0, ["test"]) }
    return untested.isEmpty ? others : untested
  }

  private static func isShard(_ name: String) -> Bool {
    name.lowercased().hasSuffix(".tar") && !name.hasPrefix(".")
  }
}

/// Writes a folder of shards of composed scenes.
public struct SceneShardBuilder: Sendable {
  /// What makes the scenes.
  public var composer: SceneComposer
  /// The last shard of a split may have fewer.
  public var scenesPerShard = 1000

  /// A thousand scenes a shard.
  public init(_ composer: SceneComposer) { self.composer = composer }

  /// - Parameter progress: called with the number of scenes done; throws to stop between shards.
  public func write(
    _ counts: [(split: Split, count: Int)], to folder: String, progress: (Int) throws -> Void = { _ in }
  ) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DataSetError(folder, "cannot be made: \(FileName.reason(of: error))")
    }
    try AtomicFile.write(
      try JSONText.lines(HeldOut.list(of: composer.bank)), to: "\(folder)/\(Shards.heldOutList)")
    var done = 0
    for (split, count) in counts {
      for start in stride(from: 0, to: count, by: scenesPerShard) {
        let end = min(count, start + scenesPerShard)
        let samples = try inParallel(end - start) { i in
          Result { try Sample.of(composer.scene(UInt64(start + i), split)) }
        }.map { try $0.get() }
        let number = Shards.padded(start / scenesPerShard, 6)
        try Shards.write(samples, to: "\(folder)/\(split.rawValue)-\(number).tar")
        done += end - start
        try progress(done)
      }
    }
  }
}
