import Foundation

/// Files that appear whole or not at all.
public enum AtomicFile {
  /// Calls `body` with a function that writes; renames the file when all went well, removes it when not.
  ///
  /// Files that a killed process left half written are removed by the next one that writes into their folder. A link is
  /// followed, and a file that is replaced keeps its mode. What is no plain file, such as a device or a pipe, is written
  /// to as it stands, and `-` is standard output. Throws `FileAccessError` with the system's reason, such as
  /// a full disk, what `body` throws, or `Patience.Ended` where nobody read a pipe.
  ///
  /// - Parameters:
  ///   - mode: of a new file; nil for what is usual.
  ///   - filling: bytes that are known when all is written, and their place; not of what is no plain file.
  public static func write(
    to path: String, mode: mode_t? = nil, filling: (() throws -> Filling?)? = nil,
    _ body: (_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    if path == "-" { return try body { try writeAll($0, to: STDOUT_FILENO, "standard output") } }
    guard !path.isEmpty else { throw FileAccessError("the output", "has no name; name a file") }
    let status = FileName.status(path), kind = (status?.st_mode ?? 0) & S_IFMT
    if status != nil, kind == S_IFDIR { throw FileAccessError(path, "this is a folder; name a file") }
    if let number = openDescriptor(path) { return try body { try writeAll($0, to: number, path) } }
    if status != nil, kind != S_IFREG { return try writeThrough(path, body) }
    try replace(try followed(path), path, mode: status.map { $0.st_mode & 0o7777 } ?? mode, filling, body)
  }

  /// Bytes that take the place of those that were written there.
  public struct Filling {
    let offset: Int
    let bytes: [UInt8]

    /// - Parameter offset: from the file's beginning.
    public init(at offset: Int, _ bytes: [UInt8]) { (self.offset, self.bytes) = (offset, bytes) }
  }

  /// Writes a whole file. Throws `FileAccessError`.
  ///
  /// - Parameter mode: of a new file; nil for what is usual.
  public static func write(_ data: Data, to path: String, mode: mode_t? = nil) throws {
    try write(to: path, mode: mode) { write in try data.withUnsafeBytes { try write($0) } }
  }

  /// Where a chain of links ends, whether something is there or not. Throws `FileAccessError` where it has no end.
  public static func followed(_ given: String) throws -> String {
    var path = given
    for _ in 0..<40 {
      guard let next = target(of: path) else { return path }
      path = next
    }
    throw FileAccessError(given, FileName.circle)
  }

  /// What a link names; nil for what is none.
  private static func target(of path: String) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = FileName.withPath(path) { readlink($0, &target, Int(PATH_MAX)) }
    guard length > 0 else { return nil }
    let next = FileName.text(target[..<length].map { UInt8(bitPattern: $0) })
    return next.hasPrefix("/") ? next : FileName.parent(of: path).joined(next)
  }

  /// The number behind a name such as /dev/stdout or /dev/fd/3, or behind a link to it: an open file, which is written on
  /// where it stands, and no name to put another file under.
  public static func openDescriptor(_ given: String) -> Int32? {
    let names = ["/dev/stdout": STDOUT_FILENO, "/dev/stderr": STDERR_FILENO]
    var path = given
    for _ in 0..<40 {
      let number =
        names[path]
        ?? ["/dev/fd/", "/proc/self/fd/"].first { path.hasPrefix($0) }.flatMap {
          Int32(path.dropFirst($0.count))
        }
      if let number { return fcntl(number, F_GETFD) < 0 ? nil : number }
      guard let next = target(of: path) else { return nil }
      path = next
    }
    return nil
  }

  /// Whether what is written there goes to standard output, by whatever name.
  public static func isStandardOutput(_ path: String) -> Bool {
    let number = openDescriptor(path)
    if path == "-" || number == STDOUT_FILENO { return true }
    guard let own = status(STDOUT_FILENO), let there = number.map(status) ?? FileName.status(path),
      there.st_dev == own.st_dev, there.st_ino == own.st_ino
    else { return false }
    // A file is replaced, and to a device that is no terminal it is all the same.
    return number != nil || own.st_mode & S_IFMT == S_IFIFO || isatty(STDOUT_FILENO) == 1
  }

  private static func status(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether a device, a pipe or an open file is meant, whatever its name: what is written to as it stands.
  public static func isSpecial(_ path: String) -> Bool {
    path.hasPrefix("/dev/fd/") || openDescriptor(path) != nil || FileName.isSpecial(path)
  }

  private static func writeThrough(
    _ path: String, _ body: (_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let descriptor = try Patience.openForWriting(path)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    try body { try writeAll($0, to: descriptor, path) }
  }

  private static func replace(
    _ target: String, _ path: String, mode: mode_t?, _ filling: (() throws -> Filling?)?,
    _ body: (_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    // A name of its own: the target's may be as long as names can be.
    let folder = FileName.parent(of: target)
    LeftPartials.sweep(folder)
    let temporary = folder.joined(LeftPartials.name())
    let partial = PartialOutput(temporary)
    defer { partial.forget() }
    let descriptor = FileName.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    var isOpen = true
    // For as long as it is open, whoever looks for what was left sees that somebody is at it.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
    do {
      if let mode { _ = fchmod(descriptor, mode) }
      try body { try writeAll($0, to: descriptor, path) }
      if let filling = try filling?() {
        let written = filling.bytes.withUnsafeBytes {
          pwrite(descriptor, $0.baseAddress, $0.count, off_t(filling.offset))
        }
        guard written == filling.bytes.count else { throw failure(path) }
      }
      guard fsync(descriptor) == 0 else { throw failure(path) }
      isOpen = false
      guard close(descriptor) == 0, FileName.rename(temporary, target) else { throw failure(path) }
    } catch {
      if isOpen { close(descriptor) }
      FileName.withPath(temporary) { _ = unlink($0) }
      throw error
    }
  }

  private static func failure(_ path: String) -> FileAccessError {
    FileAccessError(path, "cannot be written: " + FileName.systemReason)
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws {
    guard try Patience.write(bytes, to: descriptor, path) else { throw failure(path) }
  }
}

extension String {
  /// A name in this folder; an empty one is the working folder.
  func joined(_ name: String) -> String {
    isEmpty ? name : hasSuffix("/") ? self + name : "\(self)/\(name)"
  }
}
