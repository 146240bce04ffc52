/// Writing POSIX tar (ustar), which WebDataset's shards are; `TarReader` reads it.
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
}
