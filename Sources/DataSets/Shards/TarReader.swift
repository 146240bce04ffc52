import Files
import Foundation

/// Finds the plain files of a tar archive in any of its dialects: V7, ustar, pax, and GNU's with its long names.
///
/// Only headers are read, so that memory stays the same however large the archive is; what a member holds is read by its
/// place. A damaged archive gives what comes before the damage.
final class TarReader {
  struct Member {
    /// Where its headers begin: a reader that starts there finds the same member.
    let start: Int
    /// As it is stored, in whatever encoding.
    let name: [UInt8]
    let data: Range<Int>
  }

  private let path: String
  private let descriptor: Int32
  private let size: Int
  private var at: Int
  private static let block = 512
  /// No name is longer, and no file may ask for more memory.
  private static let mostOfHeader = 1 << 20

  /// Throws `DataSetError` where there is no such plain file.
  init(_ path: String, from start: Int = 0) throws {
    (self.path, at) = (path, start)
    descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      size = 0
      throw DataSetError(path, FileName.systemReason)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      size = 0
      throw DataSetError(path, "this is not a plain file; name a shard (.tar) or a folder of shards")
    }
    size = Int(status.st_size)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The bytes of a part of the file. Throws `DataSetError` where it is not as long any more.
  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    let bytes = try upTo(range.count, from: range.lowerBound)
    guard bytes.count == range.count else {
      throw DataSetError(path, "became shorter while it was read; leave the data alone and begin again")
    }
    return bytes
  }

  private func upTo(_ count: Int, from start: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, done in
      while done < count {
        let n = pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(start + done))
        if n < 0, errno == EINTR { continue }
        guard n >= 0 else { throw DataSetError(path, FileName.systemReason) }
        if n == 0 { break }
        done += n
      }
    }
  }

  // MARK: - Members

  /// What headers before a member say about it.
  private struct Extension {
    var name: [UInt8]?
    var size: Int?
    var isSparse = false
  }

  /// The next plain file; nil at the end. Throws `DataSetError` where the archive is damaged or cut.
  func next() throws -> Member? {
    var said = Extension(), start = at
    while let header = try header() {
      let kind = header[156], own = at - Self.block
      let isExtension = "xXLKg".utf8.contains(kind)
      guard let stored = (isExtension ? nil : said.size) ?? Self.number(header[124..<136]) else {
        throw damaged(own)
      }
      if kind == UInt8(ascii: "S") { try skipSparseMap(header) }
      let hasData = !(UInt8(ascii: "2")...UInt8(ascii: "6")).contains(kind)
      let data = at..<at + (hasData ? stored : 0), name = said.name ?? Self.name(header)
      guard data.count <= size - at else { throw cut("inside '\(String(decoding: name, as: UTF8.self))'") }
      at = at + (data.count + Self.block - 1) / Self.block * Self.block
      switch kind {
      case UInt8(ascii: "x"), UInt8(ascii: "X"):
        Self.read(pax: try extensionBytes(data), into: &said)
        continue
      case UInt8(ascii: "L"):
        said.name = Array(try extensionBytes(data).prefix { $0 != 0 })
        continue
      case UInt8(ascii: "K"), UInt8(ascii: "g"): continue
      case UInt8(ascii: "0"), UInt8(ascii: "7"), 0:
        if !said.isSparse, name.last != UInt8(ascii: "/") {
          return Member(start: start, name: name, data: data)
        }
      default: break
      }
      (said, start) = (Extension(), at)
    }
    return nil
  }

  private func extensionBytes(_ data: Range<Int>) throws -> [UInt8] {
    guard data.count <= Self.mostOfHeader else { throw damaged(data.lowerBound) }
    return try bytes(data)
  }

  /// GNU's older sparse files have blocks of their map behind the header.
  private func skipSparseMap(_ header: [UInt8]) throws {
    var goesOn = header[482] != 0
    while goesOn {
      guard at + Self.block <= size else { throw cut("inside a sparse file's map") }
      goesOn = try bytes(at..<at + Self.block)[504] != 0
      at += Self.block
    }
  }

  /// The next block that is a header, which is then behind us; nil at the archive's end.
  private func header() throws -> [UInt8]? {
    let here = at, bytes = try upTo(Self.block, from: here)
    guard bytes.contains(where: { $0 != 0 }) else {
      guard !bytes.isEmpty else {
        throw size == 0
          ? DataSetError(path, "the file is empty; make or fetch it again") : cut("without an end mark")
      }
      return try headerBehindZeros()
    }
    guard Self.isHeader(bytes) else {
      throw bytes.count < Self.block && here > 0 ? cut("inside a header") : damaged(here)
    }
    at += Self.block
    return bytes
  }

  /// Blocks of zeros are the end, unless archives were joined: then the next one goes on behind them.
  private func headerBehindZeros() throws -> [UInt8]? {
    let piece = 128 * Self.block
    while at < size {
      let bytes = try upTo(piece, from: at)
      if let first = bytes.firstIndex(where: { $0 != 0 }) {
        let begin = first / Self.block * Self.block
        let found = Array(bytes[begin..<min(bytes.count, begin + Self.block)])
        guard Self.isHeader(found) else { break }
        at += begin + Self.block
        return found
      }
      at += bytes.count
    }
    at = size
    return nil
  }

  private func cut(_ place: String) -> DataSetError {
    DataSetError(path, "ends \(place); the file is cut, make or fetch it again")
  }

  private func damaged(_ place: Int) -> DataSetError {
    let head = place == 0 ? (try? upTo(6, from: 0)) ?? [] : []
    let packed: [([UInt8], String)] = [
      ([0x1F, 0x8B], "gunzip"), ([0xFD, 0x37, 0x7A, 0x58], "unxz"), ([0x28, 0xB5, 0x2F, 0xFD], "unzstd"),
      ([0x42, 0x5A, 0x68], "bunzip2"),
    ]
    if let program = packed.first(where: { head.starts(with: $0.0) })?.1 {
      return DataSetError(path, "this is compressed; unpack it to a .tar: \(program)")
    }
    return DataSetError(
      path,
      place == 0
        ? "this is not a tar archive; name a shard, or make some from your pictures: vugen data build folder PICTURES --output SHARDS"
        : "is not a tar archive from byte \(place) on; make or fetch it again")
  }

  // MARK: - Fields

  /// Whether the sum of a header's bytes is what it says, as bytes with or without a sign.
  private static func isHeader(_ block: [UInt8]) -> Bool {
    guard block.count == Self.block, let said = number(block[148..<156]) else { return false }
    var unsigned = 0, signed = 0
    for (i, byte) in block.enumerated() {
      let value = (148..<156).contains(i) ? 32 : byte
      unsigned += Int(value)
      signed += Int(Int8(bitPattern: value))
    }
    return said == unsigned || said == signed
  }

  /// Octal digits between blanks, or, where the first bit is set, a binary number. nil for what no size can be.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      guard first & 0x40 == 0 else { return nil }
      var value = Int(first & 0x3F)
      for byte in field.dropFirst() {
        guard value < 1 << 48 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
    if digits.isEmpty { return 0 }
    guard let value = Int(String(decoding: digits, as: UTF8.self), radix: 8), (0..<1 << 56).contains(value)
    else {
      return nil
    }
    return value
  }

  /// A name of its own, behind the folders that ustar keeps in another field.
  private static func name(_ header: [UInt8]) -> [UInt8] {
    let name = Array(header[0..<100].prefix { $0 != 0 }), folders = header[345..<500].prefix { $0 != 0 }
    let isPOSIX = header[257..<263].elementsEqual(Array("ustar\0".utf8))
    return isPOSIX && !folders.isEmpty ? Array(folders) + [UInt8(ascii: "/")] + name : name
  }

  /// Records of a pax header: "LENGTH KEY=VALUE\n", the length being that of the whole record.
  private static func read(pax bytes: [UInt8], into said: inout Extension) {
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 32),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)), (1...rest.count).contains(length),
      rest.startIndex + length > space + 1
    {
      let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
      rest = rest.dropFirst(length)
      guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let key = String(decoding: record[..<equals], as: UTF8.self), value = record[(equals + 1)...]
      switch key {
      case "path": said.name = Array(value)
      case "size":
        said.size = Int(String(decoding: value, as: UTF8.self)).flatMap {
          (0..<1 << 56).contains($0) ? $0 : nil
        }
      default: if key.hasPrefix("GNU.sparse.") { said.isSparse = true }
      }
    }
  }
}
