import Files
import Foundation

/// The tensors of a model folder or a safetensors file, as their heads tell them.
public struct TensorListing: Codable, Sendable, Equatable {
  /// One tensor.
  public struct Row: Codable, Sendable, Equatable {
    /// Its name, and its type as the file spells it.
    public var name, type: String
    /// As it is stored.
    public var shape: [Int]
    /// Numbers in it, and bytes that they take.
    public var parameters, bytes: Int
    /// The file that holds it, by its name.
    public var file: String
  }

  /// In the order of their names.
  public var tensors: [Row]
  /// Of all of them.
  public var parameters, bytes: Int

  /// Throws `ModelFileError` where there is no such file or folder, or none that can be read.
  ///
  /// - Parameter others: files of a folder that hold tensors beside its weights, where they are there.
  public init(_ path: String, others: [String] = []) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ModelFileError(path, "\(FileName.absence(path)); name a model folder or a safetensors file")
    }
    if isFolder.boolValue {
      let files = try others.filter { FileName.isTaken("\(path)/\($0)") }.map {
        try SafetensorsFile(path: "\(path)/\($0)")
      }
      let weights = try ModelWeights(folder: path).files
      tensors = weights.compactMap { Row($0, in: $1) } + files.flatMap(Self.rows)
    } else {
      tensors = Self.rows(of: try SafetensorsFile(path: path))
    }
    tensors.sort { ($0.name, $0.file) < ($1.name, $1.file) }
    parameters = tensors.reduce(0) { $0 + $1.parameters }
    bytes = tensors.reduce(0) { $0 + $1.bytes }
  }

  private static func rows(of file: SafetensorsFile) -> [Row] { file.names.compactMap { Row($0, in: file) } }
}

extension TensorListing.Row {
  fileprivate init?(_ name: String, in file: SafetensorsFile) {
    guard let entry = file.header.entries[name] else { return nil }
    self.init(
      name: name, type: entry.type.rawValue, shape: entry.shape, parameters: entry.shape.reduce(1, *),
      bytes: entry.range.count, file: FileName.last(of: file.path))
  }
}
