import Files
import Foundation
import Tensors

/// What is wrong with a model file, in one line that names the file and, where one is meant, the tensor.
public struct ModelFileError: Error, CustomStringConvertible, Equatable {
  /// The file or folder that it is about.
  public let path: String
  /// The tensor in it, where it is about one.
  public let tensor: String?
  /// What is wrong and what to do, without the path.
  public let reason: String

  /// An error about a path; `reason` is a part of a sentence without a full stop.
  public init(_ path: String, tensor: String? = nil, _ reason: String) {
    (self.path, self.tensor, self.reason) = (path, tensor, reason)
  }

  public var description: String { "\(path): " + (tensor.map { "tensor '\($0)': " } ?? "") + reason }
}

extension MappedFile: DiscardablePages {}

extension ModelFolder {
  /// A file of a model, mapped. Throws `ModelFileError`; of a link that leads nowhere it says how to complete the model.
  static func mapped(_ path: String) throws -> MappedFile {
    do { return try MappedFile(path: path) } catch let error as FileAccessError {
      throw ModelFileError(path, error.reason + advice(on: path))
    }
  }

  /// A copy of a model's small file. Throws as `mapped` does.
  public static func contents(of path: String) throws -> Data {
    let file = try mapped(path)
    return withExtendedLifetime(file) { Data(file.bytes) }
  }

  /// Copies a file of a model, which may be larger than what is left of memory, piece by piece. Throws as `mapped` does, or
  /// `FileAccessError`.
  public static func copy(_ path: String, to copy: String) throws {
    let file = try mapped(path), piece = 64 << 20
    try AtomicFile.write(to: copy) { write in
      for begin in stride(from: 0, to: file.bytes.count, by: piece) {
        let part = UnsafeRawBufferPointer(
          rebasing: file.bytes[begin..<min(file.bytes.count, begin + piece)])
        try write(part)
        file.discardPages(part)
      }
    }
  }

  /// What to do about a link that leads nowhere; empty for anything else.
  static func advice(on path: String) -> String {
    guard !FileName.exists(path), (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    else { return "" }
    let folder = (path as NSString).deletingLastPathComponent
    return "; "
      + (hubName(of: folder) == nil ? "download or copy the model again" : completion(of: folder, "it"))
  }
}
