import Foundation

/// What keeps a file or folder from being used, in one line with the system's reason.
public struct FileAccessError: Error, CustomStringConvertible, Equatable {
  /// The file or folder that it is about.
  public let path: String
  /// What is wrong, without the path.
  public let reason: String

  /// An error about a path; `reason` is a part of a sentence without a full stop.
  public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

  public var description: String { "\(path): \(reason)" }
}

extension FileName {
  /// The reason for the last failure of the system, and what to do about it.
  public static var systemReason: String { advised(errno) }

  /// The system's reason, and what a person can do where it is theirs to mend.
  public static func advised(_ code: Int32) -> String {
    let advice =
      switch code {
      case ENOENT: "check the name"
      case EACCES, EPERM: "change that with chmod, or name another"
      case ENOTDIR: "a part of the path is a file; check the name"
      case EISDIR: "name a file"
      case ENAMETOOLONG: "shorten it"
      case ENOSPC, EDQUOT: "make room, or name another place"
      case EROFS: "name another place"
      case EMFILE, ENFILE: "raise the limit (ulimit -n), or close other programs"
      case EFBIG: "raise the limit (ulimit -f), or name another place"
      default: ""
      }
    return String(cString: strerror(code)) + (advice.isEmpty ? "" : "; \(advice)")
  }

  /// The system's reason in an error of Foundation's, which says it at length or not at all.
  public static func reason(of error: any Error) -> String {
    if let error = error as? FileAccessError { return error.reason }
    var inner = error as NSError
    while let next = inner.userInfo[NSUnderlyingErrorKey] as? NSError { inner = next }
    if inner.domain == NSPOSIXErrorDomain {
      return advised(Int32(truncatingIfNeeded: inner.code))
    }
    switch CocoaError.Code(rawValue: inner.code) {
    case .fileNoSuchFile, .fileReadNoSuchFile: return advised(ENOENT)
    case .fileReadNoPermission, .fileWriteNoPermission: return advised(EACCES)
    case .fileWriteFileExists: return String(cString: strerror(EEXIST))
    case .fileWriteOutOfSpace: return advised(ENOSPC)
    case .fileReadInapplicableStringEncoding, .fileReadCorruptFile: return "this is no UTF-8 text"
    default: return error is CocoaError ? "the system refuses it" : inner.localizedDescription
    }
  }

  static let circle = "this link leads round in a circle"

  /// Why there is nothing where a person means something: a link that leads nowhere says where to.
  public static func absence(_ path: String) -> String {
    guard withPath(path, { access($0, F_OK) }) != 0 else { return "" }
    let reason = errno == ENOENT ? "no such file or folder" : String(cString: strerror(errno))
    guard isLink(path) else { return reason }
    guard let end = try? AtomicFile.followed(path) else { return circle }
    return exists(end) ? reason : "this link leads to \(end), where nothing is"
  }

  /// What keeps somebody from a file that is there: a link that leads nowhere or round in a circle, a folder or anything else
  /// in its place, no permission. nil where it can be read, and where nothing has its name.
  public static func obstacle(toFile path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      if isLink(path), code == ENOENT || code == ELOOP { return absence(path) }
      return code == ENOENT ? nil : MappedFile.reason(code, path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
    return status.st_mode & S_IFMT == S_IFDIR
      ? "this is a folder where a file is meant" : "this is not a plain file"
  }

  /// As `stat` tells it; nil where nothing is there.
  public static func status(_ path: String) -> stat? {
    var status = stat()
    return withPath(path) { stat($0, &status) } == 0 ? status : nil
  }

  /// Whether a link is there, wherever it leads.
  public static func isLink(_ path: String) -> Bool {
    var status = stat()
    return withPath(path) { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Whether something is there; a link that leads nowhere is nothing.
  public static func exists(_ path: String) -> Bool { withPath(path) { access($0, F_OK) } == 0 }

  /// Whether a name is taken, wherever a link behind it leads: what is there and cannot be read is not absent.
  public static func isTaken(_ path: String) -> Bool {
    var status = stat()
    return withPath(path) { lstat($0, &status) } == 0
  }

  /// Whether a folder is there, or a link to one.
  public static func isFolder(_ path: String) -> Bool {
    status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  /// A descriptor, or −1 with `errno`.
  public static func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
    withPath(path) { Glibc.open($0, flags | O_CLOEXEC, mode) }
  }

  /// False with `errno` where it did not go.
  public static func rename(_ old: String, _ new: String) -> Bool {
    withPath(old) { old in withPath(new) { new in Glibc.rename(old, new) == 0 } }
  }

  /// Removes a file, or a folder with all in it; what cannot be removed stays.
  public static func remove(_ path: String) {
    if withPath(path, { unlink($0) }) == 0 { return }
    for name in (try? names(in: path)) ?? [] { remove("\(path)/\(name)") }
    withPath(path) { _ = rmdir($0) }
  }

  /// Names in a folder, in order. Throws `FileAccessError`.
  public static func names(in folder: String) throws -> [String] {
    guard let stream = withPath(folder, { opendir($0) }) else { throw FileAccessError(folder, systemReason) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      // The whole of a name, however long the field is declared.
      guard let field = MemoryLayout<dirent>.offset(of: \dirent.d_name) else { break }
      let name = UnsafeRawPointer(entry) + field
      let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))
      if ![[46], [46, 46]].contains(Array(bytes)) { names.append(text(Array(bytes))) }
    }
    return names.sorted()
  }

  /// Whether a pipe, a socket or a device is there, which may be waited for without an end.
  public static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard withPath(path, { stat($0, &status) }) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// Files below a folder, as paths from it, in order; links to folders are not followed, so that none leads round in
  /// a circle. Throws `FileAccessError` where the folder itself cannot be read, or `Patience.Ended`.
  ///
  /// - Parameters:
  ///   - hidden: whether names that begin with a dot count, of files and of folders.
  ///   - most: names to look at; where there are more, such as on a whole disk, that is an error.
  ///   - endsEarly: whether it is left where somebody asks for the end; not by what puts finished work in its place.
  ///   - onLocked: called with each folder below that cannot be read.
  public static func filesBelow(
    _ folder: String, hidden: Bool = true, most: Int = .max, endsEarly: Bool = false,
    onLocked: (FileAccessError) -> Void = { _ in }
  ) throws -> [String] {
    func isShown(_ name: String) -> Bool { hidden || !name.hasPrefix(".") }
    var found: [String] = [], waiting = try names(in: folder).filter(isShown), looked = 0
    while let name = waiting.popLast() {
      looked += 1
      if endsEarly, looked % 64 == 0, Patience.isEnded { throw Patience.Ended() }
      guard looked <= most else {
        throw FileAccessError(folder, "more than \(most) files and folders lie below it; name a smaller one")
      }
      var status = stat()
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      guard withPath(path, { lstat($0, &status) }) == 0 else {
        onLocked(FileAccessError(path, systemReason))
        continue
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        found.append(name)
        continue
      }
      do { waiting += try names(in: path).filter(isShown).map { "\(name)/\($0)" } } catch {
        onLocked(error as? FileAccessError ?? FileAccessError(path, "\(error)"))
      }
    }
    return found.sorted()
  }

  /// Folders that hold a file of a name, below the folder that has been typed so far, whose paths go on as they were typed:
  /// at most three levels deep, and not many, so that a key is answered at once in the largest of trees.
  ///
  /// - Parameter most: names to look at.
  public static func folders(holding file: String, below typed: String, most: Int = 2000) -> [String] {
    let cut = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    var found: [String] = [], level = [String(typed[..<cut])], looked = 0
    for _ in 0..<3 {
      var next: [String] = []
      for folder in level {
        for name in (try? names(in: folder.isEmpty ? "." : folder)) ?? [] where !name.hasPrefix(".") {
          let path = folder + name
          guard path.hasPrefix(typed) || typed.hasPrefix(path) else { continue }
          looked += 1
          guard looked <= most else { return found }
          guard isFolder(path) else { continue }
          if exists("\(path)/\(file)") { found.append(path) } else { next.append(path + "/") }
        }
      }
      level = next
    }
    return found
  }

  /// Makes a folder and those above it. Throws `FileAccessError`.
  ///
  /// - Parameter mode: of the last one, where it is made.
  public static func makeFolder(_ path: String, mode: mode_t = 0o777) throws {
    if isFolder(path) { return }
    let upper = parent(of: path)
    if !upper.isEmpty, upper != path { try makeFolder(upper) }
    _ = try makeOneFolder(path, mode: mode)
  }

  /// Makes a folder in one that is there. Throws `FileAccessError`.
  ///
  /// - Returns: whether it was not there.
  static func makeOneFolder(_ path: String, mode: mode_t = 0o777) throws -> Bool {
    if withPath(path, { mkdir($0, mode) }) == 0 { return true }
    // Before anything else is asked of the system.
    let reason = systemReason
    if isFolder(path) { return false }
    if exists(path) { throw FileAccessError(path, "this is a file and no folder; name another") }
    throw FileAccessError(path, isLink(path) ? absence(path) : "cannot be made: " + reason)
  }

  /// An open plain file. What is none, such as a pipe, which may never begin, or a device, which may never end, is
  /// refused. Throws `FileAccessError`.
  public static func openPlain(_ path: String) throws -> FileHandle {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileAccessError(path, systemReason) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileAccessError(path, "this is not a plain file")
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// All bytes of a plain file. Throws `FileAccessError`.
  public static func contents(ofPlain path: String) throws -> Data {
    let file = try openPlain(path), size = Int(status(path)?.st_size ?? 0)
    try MappedFile.checkRoom(2 * size, for: size, path)
    do { return try file.readToEnd() ?? Data() } catch { throw FileAccessError(path, reason(of: error)) }
  }

  /// The text of a small file that a person names: a plain file or a pipe that somebody writes to. A device, which may
  /// have no end, is refused, and a pipe without a writer, which may never begin, is empty. Throws `FileAccessError`.
  public static func contents(ofText path: String, most: Int = 64 << 20) throws -> String {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileAccessError(path, systemReason) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileAccessError(path, systemReason) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFIFO else {
      throw FileAccessError(
        path, kind == S_IFDIR ? "this is a folder; name a file" : "this is not a plain file; name one")
    }
    if kind == S_IFIFO { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
    var bytes: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= most {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileAccessError(path, systemReason) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    guard bytes.count <= most else {
      throw FileAccessError(path, "more than \(most >> 20) MB; this is no file of settings")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileAccessError(path, "this is no UTF-8 text; convert it: iconv -t UTF-8")
    }
    return text
  }
}
