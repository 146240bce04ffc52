import Digests
import Files
import Foundation
import ModelFiles

/// The model that a run builds upon, as its folder keeps it (`base.json`): a run that is resumed goes on upon the same one.
public struct BaseModel: Codable, Equatable, Sendable {
  static let file = "base.json"

  /// The absolute path of its folder.
  public let folder: String
  /// SHA-256 of its weights' files, one after the other, by name.
  public let sha256: String

  /// Reads the weights. Throws `ModelFileError`, `DigestError` or what `progress` throws.
  ///
  /// - Parameter progress: called with the bytes that are read and all of them.
  public init(folder: String, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }) throws {
    self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path
    let digest = RunningDigest(.sha256), piece = 64 << 20
    let names = try FileName.names(in: folder).filter { $0.hasSuffix(".safetensors") }
    let all = names.reduce(0) { $0 + Int(FileName.status("\(folder)/\($1)")?.st_size ?? 0) }
    var done = 0
    for name in names {
      Array(name.utf8).withUnsafeBytes { digest.add($0) }
      let file = try MappedFile(path: "\(folder)/\(name)")
      try withExtendedLifetime(file) {
        for start in stride(from: 0, to: file.bytes.count, by: piece) {
          try progress(done + start, all)
          let end = min(file.bytes.count, start + piece)
          digest.add(UnsafeRawBufferPointer(rebasing: file.bytes[start..<end]))
        }
      }
      done += file.bytes.count
    }
    sha256 = try digest.finish()
  }

  /// What the run in a folder builds upon; nil for one from before this was kept.
  public static func of(run: String) throws -> BaseModel? {
    let path = "\(run)/\(file)"
    guard FileName.exists(path) else { return nil }
    return try ModelJSON.read(BaseModel.self, at: path, kind: "note of a run's model")
  }

  /// Keeps it with the run.
  public func save(in run: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(self), to: "\(run)/\(Self.file)")
  }

  /// The folder for a run that is resumed: the one that it was begun upon, wherever `given` finds the same weights now.
  /// Throws `TrainingBaseError` where they are gone, or are others.
  public static func resumed(
    _ run: String, given: String?, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> String? {
    guard let base = try of(run: run) else { return given }
    let place = given ?? base.folder
    guard FileName.isFolder(place) else {
      throw TrainingBaseError(
        "\(run): the model that it was begun upon, \(base.folder), is gone; name it by --model")
    }
    guard try BaseModel(folder: place, progress: progress).sha256 == base.sha256 else {
      throw TrainingBaseError(
        given == nil
          ? "\(run): the model that it was begun upon, \(base.folder), has other weights now; name the old one by --model"
          : "\(run): it was begun upon \(base.folder), and --model has other weights; leave out --model, or begin a new run"
      )
    }
    return place
  }
}

/// A run's model that cannot be gone on with: one line.
public struct TrainingBaseError: Error, CustomStringConvertible, Equatable {
  /// The line.
  public let description: String

  init(_ description: String) { self.description = description.oneLine }
}
