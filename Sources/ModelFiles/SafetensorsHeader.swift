import Foundation

/// The element types that safetensors files name.
public enum SafetensorsType: String, Sendable, CaseIterable, Codable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .u8, .i8: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .f64, .i64, .u64: 8
    }
  }
}

/// The checked header of a safetensors file: where each tensor lies.
///
/// Layout: header length (8 bytes, little-endian), header (JSON: name → dtype, shape, data_offsets, and
/// optional `__metadata__` of strings), data. Offsets count from the end of the header.
public struct SafetensorsHeader: Sendable, Equatable {
  /// One tensor: what it is and where it lies.
  public struct Entry: Sendable, Equatable {
    /// Of its elements, in the file.
    public let type: SafetensorsType
    /// Sizes of the axes, outermost first.
    public let shape: [Int]
    /// Bytes in the file.
    public let range: Range<Int>
  }

  /// Every tensor by its name.
  public let entries: [String: Entry]
  /// The file's `__metadata__`; empty where it has none.
  public let metadata: [String: String]

  /// A header of more than this is taken for a wrong length: the reference implementation's limit.
  static let largestHeader = 100_000_000

  /// An entry as it stands in the JSON.
  struct RawEntry: Codable {
    let dtype: String
    let shape: [Int]
    let dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  private enum RawValue: Decodable {
    case entry(RawEntry), metadata([String: String])

    init(from decoder: any Decoder) throws {
      if decoder.codingPath.last?.stringValue == "__metadata__" {
        self = .metadata(try [String: String](from: decoder))
      } else {
        self = .entry(try RawEntry(from: decoder))
      }
    }
  }

  /// Reads and checks the header of a whole file's bytes.
  ///
  /// Throws `ModelFileError` naming `path` for a wrong length, broken JSON, duplicate names, an unknown
  /// type, a shape that does not match its bytes, and offsets that overlap or leave the file.
  public init(bytes: UnsafeRawBufferPointer, path: String) throws {
    guard !bytes.isEmpty else { throw ModelFileError(path, "the file is empty; download or copy it again") }
    guard bytes.count >= 8 else {
      throw ModelFileError(
        path, "\(bytes.count) bytes are too few for a safetensors file; download or copy it again")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Self.largestHeader, Int(length) <= bytes.count - 8 else {
      throw ModelFileError(
        path,
        StrangeFile.explanation(bytes)
          ?? "the header's length of \(length) bytes does not fit the file's \(bytes.count); the file is cut off or no safetensors file"
      )
    }
    let json = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)])
    let raw = try Self.parse(json, path)
    var entries: [String: Entry] = [:], metadata: [String: String] = [:]
    for (name, value) in raw.sorted(by: Self.comesFirst) {
      switch value {
      case .metadata(let strings): metadata = strings
      case .entry(let entry):
        entries[name] = try Self.checked(entry, name, dataStart: 8 + Int(length), bytes.count, path)
      }
    }
    try Self.checkOverlaps(entries, path)
    (self.entries, self.metadata) = (entries, metadata)
  }

  /// In the order in which they lie in the file, so that the first one that is wrong is named each time.
  private static func comesFirst(_ a: (key: String, value: RawValue), _ b: (key: String, value: RawValue))
    -> Bool
  {
    func place(_ value: RawValue) -> Int {
      if case .entry(let entry) = value { entry.dataOffsets.first ?? -1 } else { -1 }
    }
    return (place(a.value), a.key) < (place(b.value), b.key)
  }

  private static func parse(_ json: UnsafeRawBufferPointer, _ path: String) throws -> [String: RawValue] {
    if let name = JSONKeys.firstDuplicate(json) {
      throw ModelFileError(path, tensor: name, "the header names it twice; the file is damaged")
    }
    do {
      return try JSONDecoder().decode([String: RawValue].self, from: Data(json))
    } catch let error as DecodingError {
      throw ModelFileError(
        path, tensor: tensorName(in: error),
        "the header is no valid safetensors JSON: \(explain(error)); download the file again")
    } catch {
      throw ModelFileError(path, "the header is no valid safetensors JSON; download the file again")
    }
  }

  private static func tensorName(in error: DecodingError) -> String? {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context.codingPath.first?.stringValue
    @unknown default: nil
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "'\(context.codingPath.last?.stringValue ?? "")' is of the wrong kind"
    default: "it cannot be read"
    }
  }

  private static func checked(
    _ raw: RawEntry, _ name: String, dataStart: Int, _ fileSize: Int, _ path: String
  ) throws -> Entry {
    guard let type = SafetensorsType(rawValue: raw.dtype) else {
      let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
      throw ModelFileError(
        path, tensor: name, "unknown type '\(raw.dtype)'; known are \(known); take the model in BF16 or F32")
    }
    // As if no size were 0: strides are products, too.
    var bytes = type.byteCount
    for size in raw.shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(1, size))
      guard size >= 0, !overflow, product <= 1 << 60 else {
        throw ModelFileError(path, tensor: name, "impossible shape \(raw.shape); the file is damaged")
      }
      bytes = product
    }
    guard raw.shape.count <= 8 else {
      throw ModelFileError(path, tensor: name, "\(raw.shape.count) sizes are too many; the file is damaged")
    }
    if raw.shape.contains(0) { bytes = 0 }
    guard raw.dataOffsets.count == 2 else {
      throw ModelFileError(
        path, tensor: name,
        "'data_offsets' must be two numbers, not \(raw.dataOffsets.count); the file is damaged")
    }
    let (begin, end) = (raw.dataOffsets[0], raw.dataOffsets[1])
    guard begin >= 0, end >= begin, end <= fileSize - dataStart else {
      throw ModelFileError(
        path, tensor: name,
        "bytes \(begin)…\(end) leave the file's \(fileSize - dataStart) bytes of data; the file is cut off (an incomplete download?) or damaged"
      )
    }
    guard end - begin == bytes else {
      throw ModelFileError(
        path, tensor: name,
        "\(end - begin) bytes for the shape \(raw.shape) of \(type.rawValue), which needs \(bytes); the file is damaged"
      )
    }
    return Entry(type: type, shape: raw.shape, range: dataStart + begin..<dataStart + end)
  }

  private static func checkOverlaps(_ entries: [String: Entry], _ path: String) throws {
    let ordered = entries.filter { !$0.value.range.isEmpty }
      .sorted { ($0.value.range.lowerBound, $0.key) < ($1.value.range.lowerBound, $1.key) }
    for (first, second) in zip(ordered, ordered.dropFirst())
    where second.value.range.lowerBound < first.value.range.upperBound {
      throw ModelFileError(
        path, tensor: second.key, "its bytes overlap those of '\(first.key)'; the file is damaged")
    }
  }
}

/// The keys of a JSON object's top level, as they stand: decoders keep one of several equal names.
enum JSONKeys {
  /// The first name that the outermost object holds twice. Says nothing about broken JSON.
  static func firstDuplicate(_ json: UnsafeRawBufferPointer) -> String? {
    var seen = Set<String>(), depth = 0, i = 0, expectsKey = false
    while i < json.count {
      switch json[i] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        expectsKey = depth == 1 && json[i] == UInt8(ascii: "{")
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ","): expectsKey = depth == 1
      case UInt8(ascii: "\""):
        let start = i
        i += 1
        while i < json.count, json[i] != UInt8(ascii: "\"") { i += json[i] == UInt8(ascii: "\\") ? 2 : 1 }
        if expectsKey, depth == 1, i < json.count {
          expectsKey = false
          if let name = string(json, start...i), !seen.insert(name).inserted { return name }
        }
      default: break
      }
      i += 1
    }
    return nil
  }

  private static func string(_ json: UnsafeRawBufferPointer, _ range: ClosedRange<Int>) -> String? {
    let quoted = UnsafeRawBufferPointer(rebasing: json[range])
    if !quoted.contains(UInt8(ascii: "\\")) {
      return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
    }
    return try? JSONDecoder().decode(String.self, from: Data(quoted))
  }
}
