import Files
import Foundation

/// An entry that is to be written.
struct NewLatents {
  let key: LatentKey
  /// A JSON array of texts.
  let captions: Data
  /// bf16 `[patches, channels]`.
  let numbers: [UInt8]

  /// What tells a damaged entry.
  static func check(_ numbers: UnsafeRawBufferPointer, captions: UnsafeRawBufferPointer) -> String {
    var hash = ContentHash()
    hash.add(numbers)
    hash.add(captions)
    return String(repeating: "0", count: LatentChunk.checkDigits - hash.text.count) + hash.text
  }

  fileprivate var line: Data {
    let check = numbers.withUnsafeBytes { numbers in
      captions.withUnsafeBytes { Self.check(numbers, captions: $0) }
    }
    return Data("\(key.text) \(check) ".utf8) + captions + [10]
  }
}

/// What appends to a chunk that no other process appends to.
final class LatentWriter {
  /// Of the numbers of a chunk; a chunk has one entry in any case.
  static let most = 256 << 20

  private let path: String
  private let index, latents: Int32
  private let entryBytes: Int
  private var rows: Int

  /// Whether another chunk is to be begun.
  var isFull: Bool { rows > 0 && (rows + 1) * entryBytes > Self.most }

  private init(_ path: String, index: Int32, latents: Int32, _ head: LatentHead, rows: Int) {
    (self.path, self.index, self.latents, self.rows) = (path, index, latents, rows)
    entryBytes = head.entryBytes
  }

  deinit {
    close(index)
    close(latents)
  }

  /// Goes on with a chunk of this set that nobody writes to, or begins one. Throws `FileAccessError`.
  static func open(in folder: String, _ head: LatentHead) throws -> LatentWriter {
    var number = 1
    while true {
      let digits = String(number)
      let path = "\(folder)/\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
      let isThere = FileName.isTaken(path + ".index")
      if let writer = isThere ? goingOn(path, head) : try beginning(path, head) { return writer }
      number += 1
    }
  }

  private static func goingOn(_ path: String, _ head: LatentHead) -> LatentWriter? {
    let index = FileName.open(path + ".index", O_RDWR)
    guard index >= 0 else { return nil }
    guard flock(index, LOCK_EX | LOCK_NB) == 0 else {
      close(index)
      return nil
    }
    // Read behind the lock, so that nobody adds to it any more.
    let chunk = LatentChunk(path, head)
    _ = chunk.newLines()
    // One that lost all it held, or whose writer was killed before its first line, begins anew.
    if FileName.status(path + ".index")?.st_size == 0 { return try? filled(path, index: index, head) }
    let size = chunk.rows * head.entryBytes
    guard chunk.state == .ours, size + head.entryBytes <= most || chunk.rows == 0,
      ftruncate(index, off_t(chunk.length)) == 0
    else {
      close(index)
      return nil
    }
    let latents = FileName.open(path + ".latents", O_RDWR | O_CREAT, 0o644)
    // What has lost entries is not lengthened: the next one would stand in their place.
    guard latents >= 0, let there = FileName.status(path + ".latents")?.st_size, Int(there) >= size,
      ftruncate(latents, off_t(size)) == 0
    else {
      close(index)
      if latents >= 0 { close(latents) }
      return nil
    }
    return LatentWriter(path, index: index, latents: latents, head, rows: chunk.rows)
  }

  /// nil where another process is faster. Throws `FileAccessError`.
  private static func beginning(_ path: String, _ head: LatentHead) throws -> LatentWriter? {
    let index = FileName.open(path + ".index", O_RDWR | O_CREAT | O_EXCL, 0o644)
    guard index >= 0 else {
      if errno == EEXIST { return nil }
      throw failure(path + ".index")
    }
    guard flock(index, LOCK_EX | LOCK_NB) == 0 else {
      close(index)
      return nil
    }
    return try filled(path, index: index, head)
  }

  /// The first line of a chunk that holds nothing, under its lock. Throws `FileAccessError`; no chunk is there then.
  private static func filled(_ path: String, index: Int32, _ head: LatentHead) throws -> LatentWriter {
    // Another file, and not the same one cut: whoever has that mapped goes on reading it.
    FileName.remove(path + ".latents")
    let latents = FileName.open(path + ".latents", O_RDWR | O_CREAT, 0o644)
    do {
      guard latents >= 0 else { throw failure(path + ".latents") }
      let line = try JSONText.line(head) + [10]
      try line.withUnsafeBytes { try put($0, to: index, path + ".index") }
    } catch {
      // Nobody has learnt of it.
      FileName.remove(path + ".index")
      FileName.remove(path + ".latents")
      close(index)
      if latents >= 0 { close(latents) }
      throw error
    }
    return LatentWriter(path, index: index, latents: latents, head, rows: 0)
  }

  /// Adds entries, all of them or none. Throws `FileAccessError`.
  func append(_ entries: [NewLatents]) throws {
    let size = lseek(index, 0, SEEK_END), start = off_t(rows * entryBytes)
    do {
      _ = lseek(latents, start, SEEK_SET)
      for entry in entries {
        try entry.numbers.withUnsafeBytes { try Self.put($0, to: latents, path + ".latents") }
      }
      // The numbers are on the disk before their lines are.
      guard fdatasync(latents) == 0 else { throw Self.failure(path + ".latents") }
      let lines = entries.reduce(into: Data()) { $0 += $1.line }
      try lines.withUnsafeBytes { try Self.put($0, to: index, path + ".index") }
    } catch {
      _ = ftruncate(index, size)
      _ = ftruncate(latents, start)
      throw error
    }
    rows += entries.count
  }

  private static func put(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws {
    guard try Patience.write(bytes, to: file, path) else { throw failure(path) }
  }

  private static func failure(_ path: String) -> FileAccessError {
    let reason = FileName.systemReason
    return FileAccessError(path, "cannot be written: \(reason); the latents made so far stay")
  }
}
