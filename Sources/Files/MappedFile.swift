import Foundation

/// A file's bytes, mapped read-only; the pages come from the system's cache as they are read.
public final class MappedFile: @unchecked Sendable {
  /// As it was given, for messages.
  public let path: String
  /// Valid while this object is: whoever takes it keeps the file alive.
  public let bytes: UnsafeRawBufferPointer

  /// Throws `FileAccessError` when the file cannot be opened or mapped, or is no plain file.
  public init(path: String) throws {
    self.path = path
    // A pipe must not be waited for.
    let descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileAccessError(path, Self.reason(errno, path)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileAccessError(path, FileName.systemReason)
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw FileAccessError(
        path,
        kind == S_IFDIR
          ? "this is a folder where a file is meant; name the file, or put it there"
          : "this is not a plain file; copy what comes from it into one")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw FileAccessError(path, "the file cannot be mapped: " + String(cString: strerror(errno)))
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  /// Why a file cannot be opened, and what to do.
  public static func reason(_ code: Int32, _ path: String) -> String {
    switch code {
    case ENOENT:
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
        return "this links to \(target), which is not there"
      }
      return FileName.advised(code)
    case EACCES, EPERM: return "no permission to read it; change that with chmod, or name a copy of your own"
    default: return FileName.advised(code)
    }
  }

  /// A copy of a small file's bytes. Throws `FileAccessError`, also where there is no memory for what is none.
  public static func contents(of path: String) throws -> Data {
    let file = try MappedFile(path: path)
    // What is made of it takes as much again, and more.
    try Self.checkRoom(3 * file.bytes.count, for: file.bytes.count, path)
    return withExtendedLifetime(file) { Data(file.bytes) }
  }

  /// Bytes of a file for which there is room in any case.
  private static let small = 1 << 20

  /// Throws `FileAccessError` where there is no memory for `needed` bytes of a file's `size`: Swift's arrays end the program.
  public static func checkRoom(_ needed: Int, for size: Int, _ path: String) throws {
    guard size > small else { return }
    // Not malloc: what is freed at once a compiler takes for given.
    let memory = mmap(nil, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw FileAccessError(path, "there is no memory for its \(size / 1_000_000) MB; close other programs")
    }
    munmap(memory, needed)
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
