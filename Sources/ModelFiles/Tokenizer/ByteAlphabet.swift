/// GPT-2's printable characters for the 256 bytes, in which `tokenizer.json` spells its vocabulary.
enum ByteAlphabet {
  /// The character of each byte: itself where it is printable Latin-1, else one from U+0100 on.
  static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { byte in
      let value = UInt32(byte)
      if (33...126).contains(value) || (161...172).contains(value) || (174...255).contains(value) {
        return Unicode.Scalar(UInt8(value))
      }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? "?"
    }
  }()

  static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  /// The bytes that a vocabulary entry spells; `nil` for one with other characters.
  static func decode(_ text: String) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
