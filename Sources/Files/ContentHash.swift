/// FNV-1a in 64 bits: tells files of different weights apart; not cryptographic.
public struct ContentHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Of no bytes yet.
  public init() {}

  /// Adds the bytes behind those that came before. Where they are cut into calls matters, as eight are taken at a
  /// time.
  public mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  /// The same of memory that somebody else holds.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    // Eight bytes at a time: megabytes of weights must cost milliseconds.
    let words = bytes.count / 8
    for i in 0..<words {
      let word = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
      state = (state ^ word) &* 0x0000_0100_0000_01b3
      state ^= state >> 29
    }
    for byte in bytes.dropFirst(8 * words) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }

  /// What all bytes so far come to, in up to 16 hexadecimal digits.
  public var text: String { String(state, radix: 16) }
}
