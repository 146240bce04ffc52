import Foundation
import ModelFiles

/// Writing and reading POSIX tar (ustar), which WebDataset's shards are.
///
/// Times and owners are zero: the same members give the same bytes.
enum TarArchive {
  private static let block = 512

  static func header(name: String, size: Int) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at: Int) {
      for (i, byte) in text.utf8.enumerated() { header[at + i] = byte }
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    precondition(name.utf8.count < 100, "a member's name of \(name.utf8.count) bytes")
    put(name, at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
    header[154] = 0
    return header
  }

  /// The bytes that fill a member up to a whole block.
  static func padding(after size: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: (block - size % block) % block)
  }

  static let end = [UInt8](repeating: 0, count: 2 * block)

  /// Every regular member of an archive. Throws `DataSetError` where the file is cut or no archive.
  static func members(of bytes: UnsafeRawBufferPointer, path: String) throws -> [(
    name: String, range: Range<Int>
  )] {
    var list: [(String, Range<Int>)] = [], at = 0
    while at + block <= bytes.count {
      let header = UnsafeRawBufferPointer(rebasing: bytes[at..<at + block])
      if header.allSatisfy({ $0 == 0 }) { return list }
      guard checksumHolds(header), let size = number(header[124..<136]), size >= 0 else {
        throw DataSetError(path, "is no tar archive from byte \(at) on; make the shards again")
      }
      let start = at + block
      guard size <= bytes.count - start else {
        throw DataSetError(path, "ends inside a member; the file is cut, make the shards again")
      }
      if header[156] == UInt8(ascii: "0") || header[156] == 0 {
        list.append((text(header[0..<100]), start..<start + size))
      }
      at = start + (size + block - 1) / block * block
    }
    throw DataSetError(path, "has no end; the file is cut, make the shards again")
  }

  private static func text(_ field: Slice<UnsafeRawBufferPointer>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    Int(text(field).trimmingCharacters(in: .whitespaces), radix: 8)
  }

  private static func checksumHolds(_ header: UnsafeRawBufferPointer) -> Bool {
    var sum = 0
    for (i, byte) in header.enumerated() { sum += (148..<156).contains(i) ? 32 : Int(byte) }
    return number(header[148..<156]) == sum
  }
}
