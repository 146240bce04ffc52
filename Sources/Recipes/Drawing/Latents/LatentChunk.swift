import Files
import Foundation

/// What all chunks of one set of latents have in common.
struct LatentHead: Codable, Equatable, Sendable {
  /// The version of the format.
  var latents = 1
  /// SHA-256 of the encoder's and the reducer's weights and of how they are computed with.
  let model: String
  /// Shape of an entry.
  let patches, channels: Int

  /// Of an entry's numbers.
  var entryBytes: Int { 2 * patches * channels }
}

/// One chunk of a set of latents: two files that grow together.
///
/// `000001.index` is text. Its first line is the head, each further one an entry's, a line feed at its end:
///
///     {"channels":64,"latents":1,"model":"6f0c…","patches":1024}
///     <key> <check> ["a red apple","an apple on a table"]
///
/// `000001.latents` has the entries' numbers in the order of the lines, without anything between them: bf16,
/// `[patches, channels]`, row by row, little-endian.
///
/// The key, 32 hexadecimal digits, is that of `LatentKey`; the check, 16 digits, is the `ContentHash` of the numbers and of
/// the captions' JSON; captions are those of the picture, the first one first. An entry is there once its line has its end,
/// which is written behind the numbers: what a killed process leaves half written is no entry, and whoever goes on with the
/// chunk cuts it off. A chunk is written by one process at a time, which holds a lock (flock) on its index; all others may
/// read. An entry that turned out to be damaged has dashes in place of its key.
final class LatentChunk {
  enum State { case unread, ours, ofAnotherModel, damaged }

  /// An entry's line.
  struct Line {
    /// nil for one that is struck out, or no line at all.
    let key: LatentKey?
    /// Where its numbers lie.
    let row: Int
    /// Of the line, without its end.
    let bytes: Range<Int>
    /// Whether it is neither an entry's nor one that was struck out.
    let isDamaged: Bool
  }

  private static let dashes = [UInt8](repeating: UInt8(ascii: "-"), count: LatentKey.digits)
  static let separator = UInt8(ascii: " ")
  /// Digits of a check.
  static let checkDigits = 16
  /// Where a line's captions begin.
  static let captionsStart = LatentKey.digits + 1 + checkDigits + 1

  /// Of both files, without their endings.
  let path: String
  private let head: LatentHead
  private(set) var state = State.unread
  /// Lines behind the head.
  private(set) var rows = 0
  /// Of the index, up to the last whole line's end.
  private(set) var length = 0
  private var text: MappedFile?, numbers: MappedFile?

  var index: String { path + ".index" }
  var latents: String { path + ".latents" }

  init(_ path: String, _ head: LatentHead) { (self.path, self.head) = (path, head) }

  /// The lines that have come since the last call.
  func newLines() -> [Line] {
    guard state == .unread || state == .ours, let size = FileName.status(index)?.st_size, size > length,
      let new = Self.read(index, length..<Int(size))
    else { return [] }
    var lines: [Line] = [], start = 0
    while let end = new[start...].firstIndex(of: 10) {
      let line = new[start..<end]
      if state == .unread {
        let found = try? JSONDecoder().decode(LatentHead.self, from: Data(line))
        state = found == head ? .ours : found == nil ? .damaged : .ofAnotherModel
        guard state == .ours else { return [] }
      } else {
        let key = line.count > Self.captionsStart ? LatentKey(line.prefix(LatentKey.digits)) : nil
        lines.append(
          Line(
            key: key, row: rows, bytes: length..<length + line.count,
            isDamaged: key == nil && !line.prefix(LatentKey.digits).allSatisfy { $0 == UInt8(ascii: "-") }))
        rows += 1
      }
      length += line.count + 1
      start = end + 1
    }
    return lines
  }

  /// Whether it lost its index and has numbers that nobody knows any more.
  var isEmptied: Bool {
    state == .unread && FileName.status(index)?.st_size == 0 && (FileName.status(latents)?.st_size ?? 0) > 0
  }

  /// Not by a mapping: what is behind the last line may be cut off meanwhile.
  private static func read(_ path: String, _ range: Range<Int>) -> [UInt8]? {
    let descriptor = FileName.open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      while count < range.count {
        let more = pread(
          descriptor, buffer.baseAddress?.advanced(by: count), range.count - count,
          off_t(range.lowerBound + count))
        if more < 0, errno == EINTR { continue }
        guard more > 0 else { return }
        count += more
      }
    }
  }

  /// The numbers of an entry and who keeps them in memory; nil where the file does not have them.
  func numbers(_ row: Int) -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)? {
    let range = row * head.entryBytes..<(row + 1) * head.entryBytes
    guard let file = Self.mapped(latents, range.upperBound, &numbers) else { return nil }
    return (UnsafeRawBufferPointer(rebasing: file.bytes[range]), file)
  }

  /// A line as it stands; nil where the file does not have it any more.
  func text(_ line: Range<Int>) -> [UInt8]? {
    guard let file = Self.mapped(index, line.upperBound, &text) else { return nil }
    return Array(file.bytes[line])
  }

  /// The file, with at least so many bytes.
  private static func mapped(_ path: String, _ size: Int, _ known: inout MappedFile?) -> MappedFile? {
    if let known, known.bytes.count >= size { return known }
    known = try? MappedFile(path: path)
    return known.flatMap { $0.bytes.count >= size ? $0 : nil }
  }

  /// Strikes a damaged entry out, where that may be written.
  func strike(_ line: Range<Int>) {
    let descriptor = FileName.open(index, O_WRONLY)
    guard descriptor >= 0 else { return }
    // A shorter one keeps its end.
    _ = pwrite(descriptor, Self.dashes, min(Self.dashes.count, line.count), off_t(line.lowerBound))
    close(descriptor)
  }
}
