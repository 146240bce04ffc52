import Files
import Foundation
import Tensors

/// A safetensors file, mapped: tensors are read as they are asked for.
public final class SafetensorsFile: Sendable {
  /// As it was given, for messages.
  public let path: String
  /// Names, types, shapes and places, checked against the file's size.
  public let header: SafetensorsHeader
  private let file: MappedFile

  /// Throws `ModelFileError`.
  public init(path: String) throws {
    self.path = path
    file = try ModelFolder.mapped(path)
    header = try SafetensorsHeader(bytes: file.bytes, path: path)
  }

  /// Of all tensors, sorted.
  public var names: [String] { header.entries.keys.sorted() }

  /// The bytes of one tensor as they are stored. Throws `ModelFileError` for a name that is not there.
  public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let entry = try entry(name)
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]))
  }

  /// The file as it lies on the disk.
  func withAllBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try body(file.bytes) }

  /// Lets go of the memory of a tensor that was read and will hardly be read again.
  public func discardPages(of name: String) throws {
    try withBytes(of: name) { file.discardPages($0) }
  }

  private func entry(_ name: String) throws -> SafetensorsHeader.Entry {
    guard let entry = header.entries[name] else {
      throw ModelFileError(
        path, tensor: name, "the file has no such tensor; copy the model's files from its source again")
    }
    return entry
  }

  /// One tensor. f32 and bf16 borrow the mapped file; f16 and f64 become f32, integers and booleans i32.
  ///
  /// Throws `ModelFileError` for a name that is not there, and for integers that do not fit 32 bits.
  public func tensor(_ name: String) throws -> Tensor {
    let entry = try entry(name), shape = entry.shape
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
    func converted<T>(_: T.Type, _ convert: (T) -> Float) -> Tensor {
      Tensor(
        (0..<bytes.count / MemoryLayout<T>.size).map {
          convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
        }, shape: shape)
    }
    func whole<T: FixedWidthInteger>(_: T.Type) throws -> Tensor {
      let values = try (0..<bytes.count / MemoryLayout<T>.size).map { i -> Int32 in
        let value = bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self)
        guard let small = Int32(exactly: value) else {
          throw ModelFileError(
            path, tensor: name, "the number \(value) does not fit 32 bits; the file is damaged")
        }
        return small
      }
      return Tensor(indices: values, shape: shape)
    }
    switch entry.type {
    case .f32: return plain(bytes, shape, .f32)
    case .bf16: return plain(bytes, shape, .bf16)
    case .f16: return converted(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .f64: return converted(Double.self) { Float($0) }
    case .bool, .u8: return try whole(UInt8.self)
    case .i8: return try whole(Int8.self)
    case .i16: return try whole(Int16.self)
    case .u16: return try whole(UInt16.self)
    case .i32: return plain(bytes, shape, .i32)
    case .u32: return try whole(UInt32.self)
    case .i64: return try whole(Int64.self)
    case .u64: return try whole(UInt64.self)
    }
  }

  private func plain(_ bytes: UnsafeRawBufferPointer, _ shape: [Int], _ type: ElementType) -> Tensor {
    let isAligned = Int(bitPattern: bytes.baseAddress) % type.byteCount == 0
    return isAligned
      ? Tensor(borrowing: bytes, owner: file, shape: shape, type: type)
      : Tensor(copying: bytes, shape: shape, type: type)
  }

  /// Every tensor by name, borrowed from the mapped file. Throws `ModelFileError` for a type that is not read.
  public func allTensors() throws -> [String: Tensor] {
    try Dictionary(uniqueKeysWithValues: names.map { ($0, try tensor($0)) })
  }

  /// All tensors in f32. Throws `ModelFileError` where one holds whole numbers, which are no weights.
  public func weights() throws -> [String: Tensor] {
    try Dictionary(uniqueKeysWithValues: names.map { ($0, try weight($0)) })
  }

  fileprivate func weight(_ name: String) throws -> Tensor {
    let tensor = try tensor(name)
    guard tensor.type != .i32 else {
      let type = header.entries[name]?.type.rawValue ?? ""
      throw ModelFileError(
        path, tensor: name, "whole numbers (\(type)) are no weights; take the model in BF16 or F32")
    }
    return tensor.cast(to: .f32)
  }
}

/// The weights of a model folder: one `model.safetensors`, or shards that an index names.
public struct ModelWeights: Sendable {
  /// Where the parts lie.
  public let folder: String
  /// The file that holds each tensor.
  public let files: [String: SafetensorsFile]

  private struct Index: Decodable {
    let weightMap: [String: String]

    enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
  }

  /// A whole file comes before an index beside it, which may be an old one: so does the reference.
  ///
  /// Throws `ModelFileError` naming the file that is missing or damaged.
  public init(folder: String) throws {
    self.folder = folder
    let names = try ModelFolder.list(folder)
    if names.contains(ModelFolder.whole) {
      let file = try SafetensorsFile(path: "\(folder)/\(ModelFolder.whole)")
      files = Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) })
    } else if names.contains(ModelFolder.index) {
      files = try Self.sharded("\(folder)/\(ModelFolder.index)", folder)
    } else {
      throw ModelFileError(folder, ModelFolder.withoutWeights(folder, names))
    }
  }

  private static func sharded(_ path: String, _ folder: String) throws -> [String: SafetensorsFile] {
    let index = try ModelJSON.read(Index.self, at: path, kind: "index of shards")
    for (tensor, name) in index.weightMap {
      // A name must not lead out of the folder.
      guard !name.contains("/"), !name.isEmpty, name != "..", name != "." else {
        throw ModelFileError(
          path, tensor: tensor, "'\(name)' is no file name; copy the index from the model's source again")
      }
    }
    if let missing = ModelFolder.missingShards(Set(index.weightMap.values), in: folder) {
      throw ModelFileError(folder, missing)
    }
    var shards: [String: SafetensorsFile] = [:], files: [String: SafetensorsFile] = [:]
    for (tensor, name) in index.weightMap.sorted(by: { $0.key < $1.key }) {
      let shard = try shards[name] ?? SafetensorsFile(path: folder + "/" + name)
      shards[name] = shard
      guard shard.header.entries[tensor] != nil else {
        throw ModelFileError(
          shard.path, tensor: tensor, "the index promises it, but it is not here; download the file again")
      }
      files[tensor] = shard
    }
    return files
  }

  /// Every tensor of every part by name. Throws `ModelFileError` as the parts do.
  public func allTensors() throws -> [String: Tensor] {
    try Dictionary(uniqueKeysWithValues: files.map { ($0.key, try $0.value.tensor($0.key)) })
  }

  /// All tensors in f32. Throws `ModelFileError` where one holds whole numbers, which are no weights.
  public func weights() throws -> [String: Tensor] {
    try Dictionary(uniqueKeysWithValues: files.map { ($0.key, try $0.value.weight($0.key)) })
  }
}
