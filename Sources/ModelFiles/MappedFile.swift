import FileNames
import Foundation
import Tensors

/// A file's bytes, mapped read-only; the pages come from the system's cache as they are read.
public final class MappedFile: DiscardablePages, @unchecked Sendable {
  public let path: String
  /// Valid while this object is: whoever takes it keeps the file alive.
  public let bytes: UnsafeRawBufferPointer

  /// Throws `ModelFileError` when the file cannot be opened or mapped, or is no plain file.
  public init(path: String) throws {
    self.path = path
    // A pipe must not be waited for.
    let descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw ModelFileError(path, Self.reason(errno, path)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ModelFileError(path, String(cString: strerror(errno)))
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw ModelFileError(
        path, kind == S_IFDIR ? "this is a folder where a file is meant" : "this is not a plain file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw ModelFileError(path, "the file cannot be mapped: " + String(cString: strerror(errno)))
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  /// Why a file cannot be opened, and what to do.
  static func reason(_ code: Int32, _ path: String) -> String {
    switch code {
    case ENOENT:
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
        return String(cString: strerror(code))
      }
      let folder = (path as NSString).deletingLastPathComponent
      let next =
        ModelFolder.hubName(of: folder) == nil
        ? "download or copy the model again" : ModelFolder.completion(of: folder, "it")
      return "this links to \(target), which is not there; \(next)"
    case EACCES, EPERM: return "no permission to read it; change that with chmod, or name a copy of your own"
    default: return String(cString: strerror(code))
    }
  }

  /// A copy of a small file's bytes. Throws `ModelFileError`.
  public static func contents(of path: String) throws -> Data {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { Data(file.bytes) }
  }

  /// Lets go of the pages that lie wholly in `part` of the bytes; they come back when they are read.
  public func discardPages(_ part: UnsafeRawBufferPointer) {
    let page = Int(getpagesize())
    guard let base = part.baseAddress else { return }
    let start = (Int(bitPattern: base) + page - 1) / page * page
    let end = (Int(bitPattern: base) + part.count) / page * page
    guard end > start else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_DONTNEED)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}

/// What is wrong with a model file, in one line that names the file and, where one is meant, the tensor.
public struct ModelFileError: Error, CustomStringConvertible, Equatable {
  public let path: String
  public let tensor: String?
  public let reason: String

  public init(_ path: String, tensor: String? = nil, _ reason: String) {
    (self.path, self.tensor, self.reason) = (path, tensor, reason)
  }

  public var description: String { "\(path): " + (tensor.map { "tensor '\($0)': " } ?? "") + reason }
}
