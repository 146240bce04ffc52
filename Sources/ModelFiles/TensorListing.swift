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
  }

  /// In the order of their names.
  public var tensors: [Row]
  /// Of all of them.
  public var parameters, bytes: Int

  /// Throws `ModelFileError` where there is no such file or folder, or none that can be read.
  public init(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ModelFileError(path, "\(FileName.absence(path)); name a model folder or a safetensors file")
    }
    let file = try isFolder.boolValue ? nil : SafetensorsFile(path: path)
    let files =
      try file.map { file in Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) }) }
      ?? ModelWeights(folder: path).files
    tensors = files.compactMap { name, file in
      file.header.entries[name].map {
        Row(
          name: name, type: $0.type.rawValue, shape: $0.shape, parameters: $0.shape.reduce(1, *),
          bytes: $0.range.count)
      }
    }.sorted { $0.name < $1.name }
    parameters = tensors.reduce(0) { $0 + $1.parameters }
    bytes = tensors.reduce(0) { $0 + $1.bytes }
  }
}
