import Digests
import Foundation

/// Where a file is put together, and where it goes when it is whole.
struct HubPlace {
  let partial, whole, lock: String
}

/// One file from the hub: begun where an earlier run ended, checked by its checksum, renamed when it is whole.
struct HubDownload {
  let client: HubClient, file: HubFile, place: HubPlace, commit: String
  /// Told how many bytes came; less than 0 where some are thrown away.
  let advance: (Int) -> Void

  /// Enough to call a try a success that begins the count anew.
  private static let worthwhile = 1 << 20

  /// Returns whether anything was put in place. The caller holds the lock. Throws `HubError` or `ModelFileError`.
  func run() throws {
    var isFirst = true
    while true {
      let part = try HubPart(place.partial, file)
      let begun = part.size
      if isFirst { advance(begun) }
      try part.rehash { try client.check() }
      try fill(part)
      if try part.isSound() {
        try part.finish(as: place.whole)
        return
      }
      try part.remove()
      advance(-file.size)
      // What an earlier run left may be wrong; what came just now is not.
      guard isFirst, begun > 0 else {
        throw HubError(
          .damaged, "\(file.path) came damaged: its checksum is not the one that the hub names; try again")
      }
      isFirst = false
    }
  }

  /// Asks until all bytes are there.
  private func fill(_ part: HubPart) throws {
    var tries = 0, reached = part.size
    while part.size < file.size {
      try client.check()
      if part.size - reached >= Self.worthwhile { (tries, reached) = (0, part.size) }
      let problem = try attempt(part)
      guard let problem, part.size < file.size else { continue }
      tries += 1
      guard tries <= HubClient.mostTries else { throw problem.error }
      try client.pause(before: tries, problem.head)
    }
  }

  private struct Problem {
    let error: HubError
    var head: HTTPHead?
  }

  /// One request for what is missing; what went wrong with it, where another may go better.
  private func attempt(_ part: HubPart) throws -> Problem? {
    var request = HTTPRequest(
      address: try client.fileAddress(file.path, commit: commit), seconds: client.settings.stallSeconds)
    let start = part.size
    if start > 0 { request.headers = ["Range: bytes=\(start)-"] }
    var isChecked = false
    do {
      let answer = try client.exchange(request) { head, bytes in
        if !isChecked { try begin(head, start, part) }
        isChecked = true
        guard part.size + bytes.count <= file.size else {
          part.discard(advance)
          throw HubError(
            .strange,
            "more of \(file.path) comes than the \(file.size) bytes that it is long; nothing is kept")
        }
        try part.append(bytes)
        advance(bytes.count)
        return true
      }
      return try judge(answer, part)
    } catch let failure as HTTPFailure {
      try client.check()
      let error = HubError(failure, host: client.settings.endpoint.host)
      guard HubClient.isPassing(failure) else { throw error }
      return Problem(error: error)
    }
  }

  /// Whether the answer that begins is the one that was asked for.
  private func begin(_ head: HTTPHead, _ start: Int, _ part: HubPart) throws {
    if head.status == 206 {
      let range = head["content-range"]?.wholeMatch(of: #/bytes (\d{1,18})-(\d{1,18})\/(\d{1,18}|\*)/#)
      let isRight = range.map { Int($0.1) == start && ($0.3 == "*" || Int($0.3) == file.size) } ?? false
      guard isRight else {
        part.discard(advance)
        throw HubError(.strange, "another part of \(file.path) comes than was asked for; try again")
      }
    } else {
      // The whole file, though a part was asked for.
      if start > 0 { part.discard(advance) }
      if let length = head["content-length"].flatMap({ Int($0) }), length != file.size {
        throw HubError(
          .strange,
          "\(file.path) should be \(file.size) bytes long, and \(length) are sent; nothing of it is kept")
      }
    }
  }

  private func judge(_ answer: HubClient.Answer, _ part: HubPart) throws -> Problem? {
    let head = answer.head
    if head.status == 200 || head.status == 206 {
      return part.size < file.size
        ? Problem(error: HubError(.network, "\(file.path) breaks off again and again; try again later")) : nil
    }
    // What is there is not the beginning of what the hub has.
    if head.status == 416 { part.discard(advance) }
    let error = HubError(head, about: client.name, file: file.path, client.settings)
    // A signed address that has run out: the hub makes another.
    let hasExpired = answer.isElsewhere && [401, 403, 404, 410].contains(head.status)
    guard head.status == 416 || hasExpired || HubClient.isPassing(head.status) else { throw error }
    return Problem(
      error: hasExpired
        ? HubError(.server, "the store of the hub refuses \(file.path) (\(head.status)); try again later")
        : error,
      head: head)
  }
}

/// The beginning of a file, on the disk.
final class HubPart {
  private(set) var size: Int
  private let path: String, file: HubFile, descriptor: Int32
  private var digest: RunningDigest, hashed = 0

  /// Opens what is there, or makes it. Throws `ModelFileError`.
  init(_ path: String, _ file: HubFile) throws {
    (self.path, self.file, digest) = (path, file, RunningDigest(file.digest))
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ModelFileError(path, "is no plain file; remove it")
    }
    size = Int(status.st_size)
    if size > file.size { discard { _ in } }
  }

  deinit { close(descriptor) }

  private static func failure(_ path: String) -> ModelFileError {
    let code = errno
    let advice = code == ENOSPC || code == EDQUOT ? "; make room and run the same command again to go on" : ""
    return ModelFileError(path, "cannot be written: " + String(cString: strerror(code)) + advice)
  }

  /// Reads what an earlier run left.
  func rehash(check: () throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while hashed < size {
      try check()
      let count = pread(descriptor, &buffer, min(buffer.count, size - hashed), off_t(hashed))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw ModelFileError(path, "cannot be read; remove it") }
      buffer.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      hashed += count
    }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written = pwrite(descriptor, part.baseAddress, part.count, off_t(size))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(path) }
      digest.add(UnsafeRawBufferPointer(rebasing: part[..<written]))
      size += written
      hashed = size
      rest = rest.dropFirst(written)
    }
  }

  /// Begins anew.
  func discard(_ advance: (Int) -> Void) {
    advance(-size)
    ftruncate(descriptor, 0)
    (size, hashed, digest) = (0, 0, RunningDigest(file.digest))
  }

  /// Throws `DigestError`.
  func isSound() throws -> Bool { try size == file.size && digest.finish() == file.etag }

  /// Throws `ModelFileError`.
  func finish(as whole: String) throws {
    guard fsync(descriptor) == 0, rename(path, whole) == 0 else { throw Self.failure(whole) }
  }

  func remove() throws { unlink(path) }
}
