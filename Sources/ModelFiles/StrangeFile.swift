import Files
import Foundation

/// Files that are not what their names promise, told by their first bytes.
enum StrangeFile {
  private static let kinds: [(start: [UInt8], explanation: String)] = [
    (
      Array("version https://git-lfs".utf8),
      "this is a Git LFS pointer and not the file itself; fetch it where it was cloned: git lfs pull"
    ),
    (
      Array("GGUF".utf8),
      "this is a GGUF file, which is not read; take the safetensors files from the model's source"
    ),
    (Array("PK\u{3}\u{4}".utf8), pickled), ([0x80, 2], pickled), ([0x80, 4], pickled),
    (
      [0x89, 0x48, 0x44, 0x46],
      "this is an HDF5 file, which is not read; take the safetensors files from the model's source"
    ),
    ([0x1F, 0x8B], "this is a gzip file; unpack it"),
    ([0x28, 0xB5, 0x2F, 0xFD], "this is a Zstandard file; unpack it"),
  ]
  private static let pickled =
    "this is a PyTorch checkpoint, which is not read; take the safetensors files from the model's source"

  /// What a file is instead; nil where it is nothing that is known.
  static func explanation(_ bytes: UnsafeRawBufferPointer) -> String? {
    if bytes.isEmpty { return "the file is empty; download or copy it again" }
    // What a file system leaves where a machine stops in the midst of writing.
    if bytes.prefix(64).allSatisfy({ $0 == 0 }), bytes.allSatisfy({ $0 == 0 }) {
      return "the file holds zero bytes alone; download or copy it again"
    }
    if let kind = kinds.first(where: { bytes.starts(with: $0.start) }) { return kind.explanation }
    let text = String(decoding: bytes.prefix(256), as: UTF8.self).lowercased()
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.hasPrefix("<!doctype html") || text.hasPrefix("<html") else { return nil }
    return "this is a web page: the download went wrong; download the file itself"
  }

  static func explanation(_ file: MappedFile) -> String? {
    withExtendedLifetime(file) { explanation(file.bytes) }
  }
}

/// JSON files of a model folder, whose every fault has a line of its own.
public enum ModelJSON {
  /// Reads a file. Throws `ModelFileError` for one that is missing, empty, no JSON or not UTF-8, and for a value that
  /// is missing or of the wrong kind, by its name.
  ///
  /// - Parameter kind: what the file should be, such as `configuration`.
  public static func read<T: Decodable>(_ type: T.Type, at path: String, kind: String) throws -> T {
    let file = try ModelFolder.mapped(path)
    if let strange = StrangeFile.explanation(file) { throw ModelFileError(path, strange) }
    // A letter has one zero beside it.
    let isWide =
      file.bytes.starts(with: [0xFF, 0xFE]) || file.bytes.starts(with: [0xFE, 0xFF])
      || (file.bytes.count > 3 && (file.bytes[0] == 0) != (file.bytes[1] == 0))
    if isWide {
      throw ModelFileError(path, "this is UTF-16 and not UTF-8; save it as UTF-8, or copy it again")
    }
    do {
      return try withExtendedLifetime(file) { try JSONDecoder().decode(type, from: Data(file.bytes)) }
    } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
      let reason = oddNumber(Data(file.bytes)) ?? "this is not JSON, or it is cut off"
      throw ModelFileError(path, "\(reason); copy the file from the model's source again")
    } catch let error as DecodingError {
      throw ModelFileError(path, "\(reason(error, kind)); copy the file from the model's source again")
    } catch let error as ModelFileError {
      throw error
    } catch {
      throw ModelFileError(path, "this is no \(kind); copy the file from the model's source again")
    }
  }

  private static func reason(_ error: DecodingError, _ kind: String) -> String {
    switch error {
    case .keyNotFound(let key, let context): return "'\(place(context.codingPath + [key]))' is missing"
    case .valueNotFound(_, let context):
      return context.codingPath.isEmpty ? "this is no \(kind)" : "'\(place(context.codingPath))' is empty"
    case .typeMismatch(let type, let context):
      return context.codingPath.isEmpty
        ? "this is no \(kind)" : "'\(place(context.codingPath))' must be \(name(of: type))"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "this is not JSON, or it is cut off"
        : "'\(place(context.codingPath))' is of the wrong kind or out of range"
    @unknown default: return "this is no \(kind)"
    }
  }

  /// The decoder calls a number that does not fit no JSON, and does not say which it is; nil where it is no number's
  /// fault.
  private static func oddNumber(_ data: Data) -> String? {
    guard let object = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) else {
      return nil
    }
    var huge: String?, broken: String?
    func visit(_ value: Any, _ path: [String]) {
      if let table = value as? [String: Any] {
        for key in table.keys.sorted() { visit(table[key] ?? 0, path + [key]) }
      } else if let list = value as? [Any] {
        for item in list { visit(item, path) }
      } else if let number = value as? Double {
        let name = "'\(path.joined(separator: "."))' (\(number))"
        if abs(number) >= 0x1p31, huge == nil { huge = name }
        if abs(number) >= 1, number.rounded() != number, broken == nil { broken = name }
      }
    }
    visit(object, [])
    let suspect = (huge ?? broken).map { ", such as \($0)" } ?? ""
    return "a number is out of range, or not a whole one\(suspect)"
  }

  private static func place(_ keys: [any CodingKey]) -> String {
    keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is Int.Type, is Int32.Type: "a whole number"
    case is Double.Type, is Float.Type: "a number"
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any Collection.Type: "a list or a section"
    default: "of another kind"
    }
  }
}
