/// Files of few bytes that promise, and hold, many pixels.
public enum HugePicture {
  /// A black PNG of one bit a pixel. Its width must be a multiple of 8.
  public static func png(width: Int, height: Int) -> [UInt8] {
    func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
      let content = Array(type.utf8) + body
      return big(body.count) + content + big(Int(crc(content)))
    }
    let header = big(width) + big(height) + [1, 0, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
      + chunk("IDAT", zeros((width / 8 + 1) * height)) + chunk("IEND", [])
  }

  private static let table: [UInt32] = (0..<256).map { n in
    (0..<8).reduce(UInt32(n)) { c, _ in c & 1 == 1 ? 0xEDB8_8320 ^ (c >> 1) : c >> 1 }
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 255)] ^ ($0 >> 8) }
  }

  /// So many zeros in zlib's form: one, and runs of 258 from one byte back, by deflate's fixed codes.
  private static func zeros(_ count: Int) -> [UInt8] {
    var out: [UInt8] = [0x78, 0x9C], pending: UInt32 = 0, held: UInt32 = 0
    func put(_ bits: UInt32, _ length: UInt32) {
      pending |= bits << held
      held += length
      while held >= 8 {
        out.append(UInt8(pending & 255))
        pending >>= 8
        held -= 8
      }
    }
    put(0b011, 3)
    let runs = (count - 1) / 258
    // A code's first bit comes first: 0 is 00110000, the longest run 11000101 and its distance 00000.
    for _ in 0..<(count - runs * 258) { put(0b0000_1100, 8) }
    for _ in 0..<runs { put(0b0_0000_1010_0011, 13) }
    put(0, 7)
    if held > 0 { put(0, 8 - held) }
    let sum = (UInt32(count % 65521) << 16) | 1
    return out + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) }
  }
}
