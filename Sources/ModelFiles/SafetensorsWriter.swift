import Files
import Foundation
import Tensors

/// Writes safetensors files: under a temporary name, then renamed, so that a file is whole or not there.
public enum SafetensorsWriter {
  /// Writes `tensors`, ordered by name, as f32, bf16 or i32. Throws `ModelFileError`; leaves nothing behind.
  ///
  /// - Parameter summed: whether the file keeps a checksum of itself: `SafetensorsFile.checkSum`.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], summed: Bool = false, to path: String
  ) throws {
    let names = tensors.keys.sorted()
    try write(
      names.compactMap { name in
        tensors[name].map { Item(name: name, type: $0.type.stored, shape: $0.shape) }
      }, metadata: metadata, summed: summed, to: path
    ) { name, body in
      if let tensor = tensors[name] { try tensor.withBytes(body) }
    }
  }

  /// One tensor to come: what the header says of it.
  public struct Item: Sendable {
    /// As the module's path gives it.
    public let name: String
    /// Of its elements, in the file.
    public let type: SafetensorsType
    /// Sizes of the axes, outermost first.
    public let shape: [Int]

    /// Each argument is the property of its name.
    public init(name: String, type: SafetensorsType, shape: [Int]) {
      (self.name, self.type, self.shape) = (name, type, shape)
    }

    var byteCount: Int { shape.reduce(type.byteCount, *) }
  }

  /// Writes tensors one after the other without holding them all: `bytes` is asked for each in turn.
  ///
  /// - Parameter summed: whether the file keeps a checksum of itself; not one that is no plain file.
  public static func write(
    _ items: [Item], metadata: [String: String] = [:], summed: Bool = false, to path: String,
    bytes: (_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let isSummed = summed && path != "-" && !AtomicFile.isSpecial(path)
    let header = try header(items, isSummed ? SafetensorsSum.blank(in: metadata) : metadata, path)
    let sum = isSummed ? SafetensorsSum.Running(header) : nil
    try AtomicFile.write(to: path, filling: sum?.filling) { write in
      func add(_ bytes: UnsafeRawBufferPointer) throws {
        sum?.add(bytes)
        try write(bytes)
      }
      var length = UInt64(header.count).littleEndian
      try withUnsafeBytes(of: &length) { try add($0) }
      try header.withUnsafeBytes { try add($0) }
      for item in items {
        var given = 0
        try bytes(item.name) {
          given += $0.count
          try add($0)
        }
        guard given == item.byteCount else {
          throw ModelFileError(path, tensor: item.name, "\(given) bytes were given for \(item.byteCount)")
        }
      }
    }
  }

  private static func header(_ items: [Item], _ metadata: [String: String], _ path: String) throws -> Data {
    var parts: [String] = [], position = 0, seen = Set<String>()
    func add(_ name: String, _ value: some Encodable) throws {
      let key = String(decoding: try JSONText.line(name), as: UTF8.self)
      parts.append(key + ":" + String(decoding: try JSONText.line(value), as: UTF8.self))
    }
    if !metadata.isEmpty { try add("__metadata__", metadata) }
    for item in items {
      guard seen.insert(item.name).inserted, item.name != "__metadata__" else {
        throw ModelFileError(path, tensor: item.name, "this name cannot be written twice, or is reserved")
      }
      try add(
        item.name,
        SafetensorsHeader.RawEntry(
          dtype: item.type.rawValue, shape: item.shape, dataOffsets: [position, position + item.byteCount]))
      position += item.byteCount
    }
    var data = Data(("{" + parts.joined(separator: ",") + "}").utf8)
    // The data begin on a multiple of 64, so that a mapped file's tensors are aligned.
    data.append(Data(repeating: UInt8(ascii: " "), count: (64 - (8 + data.count) % 64) % 64))
    return data
  }
}

extension ElementType {
  fileprivate var stored: SafetensorsType {
    switch self {
    case .f32: .f32
    case .bf16: .bf16
    case .i32: .i32
    }
  }
}
