import Files
import Foundation

/// What the shards of an import that was ended were made of, so that the same import goes on with those that are as they
/// were: a line of the settings, then one a shard, each written before its shard.
public final class ImportAccount {
  /// All but the pictures that a shard depends on.
  private struct Settings: Codable, Equatable {
    /// Of this file.
    var form = 1
    var program: String
    var size: Int?
    var perShard: Int
  }

  /// A picture that could not be read, by its place in its shard.
  struct Bad: Codable, Equatable {
    var place: Int
    var reason: String
  }

  private struct Made: Codable {
    var shard: Int
    /// The pictures' paths, sizes, times of change and captions.
    var sources: String
    var bad: [Bad]
  }

  private let path: String
  private let settings: Settings
  private var made: [Int: Made] = [:]
  private var hasBegun = false
  /// Whether there is something, and all of it is of other pictures or settings.
  public private(set) var isOfOthers = false
  /// Pictures in shards that are finished.
  public internal(set) var pictures = 0

  /// - Parameters:
  ///   - path: the account's file.
  ///   - size: to which pictures are shrunk.
  ///   - program: what makes the shards: another version may make others.
  public init(_ path: String, size: Int?, perShard: Int, program: String) {
    self.path = path
    settings = Settings(program: program, size: size, perShard: perShard)
  }

  /// Reads what is there; keeps the shards of it that are as they were, and removes all others from their folder. Throws
  /// `FileAccessError`, or what `isGood` throws; nothing is changed then.
  ///
  /// - Parameter isGood: whether the pictures of a shard that could not be read still cannot.
  func begin(
    in folder: String, _ parts: [ArraySlice<FolderImport.Pair>],
    isGood: (_ part: ArraySlice<FolderImport.Pair>, [Bad]) throws -> Bool
  ) throws {
    let lines = ((try? MappedFile.contents(of: path)) ?? Data()).split(separator: UInt8(ascii: "\n"))
    let decoder = JSONDecoder()
    let isSame = lines.first.flatMap { try? decoder.decode(Settings.self, from: $0) } == settings
    for line in isSame ? lines.dropFirst() : [] {
      // The last one may be half a line.
      guard let entry = try? decoder.decode(Made.self, from: line), parts.indices.contains(entry.shard) else {
        continue
      }
      let part = parts[entry.shard]
      let isThere = FileName.exists("\(folder)/\(Self.name(entry.shard))") != (entry.bad.count == part.count)
      if isThere, entry.sources == Self.sources(part), try isGood(part, entry.bad) {
        made[entry.shard] = entry
      }
    }
    pictures = made.reduce(0) { $0 + parts[$1.key].count }
    let kept = Set(made.keys.map(Self.name)), names = try FileName.names(in: folder)
    isOfOthers = made.isEmpty && names.contains { $0.hasSuffix(".tar") }
    for name in names where !kept.contains(name) { FileName.remove("\(folder)/\(name)") }
    if !lines.isEmpty { try write() }
  }

  /// A shard's name.
  static func name(_ shard: Int) -> String { "train-\(Shards.padded(shard, 6)).tar" }

  /// What could not be read of a shard that is finished and as it was; nil for any other.
  func bad(ofFinished shard: Int) -> [Bad]? { made[shard]?.bad }

  /// Of what a shard is about to be written. Throws `FileAccessError`.
  func note(_ shard: Int, sources: String, _ bad: [Bad]) throws {
    if !hasBegun { try write() }
    let entry = Made(shard: shard, sources: sources, bad: bad)
    let line = try JSONText.line(entry) + Data("\n".utf8)
    let descriptor = FileName.open(path, O_WRONLY | O_APPEND)
    guard descriptor >= 0 else { throw FileAccessError(path, "cannot be written: " + FileName.systemReason) }
    defer { close(descriptor) }
    guard try line.withUnsafeBytes({ try Patience.write($0, to: descriptor, path) }) else {
      throw FileAccessError(path, "cannot be written: " + FileName.systemReason)
    }
  }

  /// The settings and the shards that are kept.
  private func write() throws {
    hasBegun = true
    var lines = try JSONText.line(settings) + Data("\n".utf8)
    for entry in made.values.sorted(by: { $0.shard < $1.shard }) {
      lines += try JSONText.line(entry) + Data("\n".utf8)
    }
    try AtomicFile.write(lines, to: path)
  }

  /// One text for all that a shard's pictures were when it was made.
  static func sources(_ part: ArraySlice<FolderImport.Pair>) -> String {
    var hash = ContentHash()
    for pair in part {
      var words = [pair.path, pair.caption]
      if let status = FileName.status(pair.path) {
        let times = [status.st_mtim, status.st_ctim].flatMap { [$0.tv_sec, $0.tv_nsec] }
        words += ([Int(status.st_dev), Int(status.st_ino), Int(status.st_size)] + times).map(String.init)
      }
      // No path holds a zero.
      for word in words { hash.add(Array(word.utf8) + [0]) }
      hash.add([10])
    }
    return hash.text
  }
}
