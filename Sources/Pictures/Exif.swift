/// The parts of an EXIF block that mean something here: how the picture lies, and texts.
///
/// The block is not copied: one of a TIFF file is the whole of it.
struct Exif<Block: RandomAccessCollection<UInt8>> where Block.Index == Int {
  private let bytes: Block.SubSequence
  private let isBigEndian: Bool

  /// From a TIFF header on, behind `Exif\0\0` or not; nil where it is none.
  init?(_ block: Block) {
    let bytes = block.starts(with: Array("Exif\0\0".utf8)) ? block.dropFirst(6) : block[...]
    if bytes.starts(with: Array("MM\0*".utf8)) {
      isBigEndian = true
    } else if bytes.starts(with: Array("II*\0".utf8)) {
      isBigEndian = false
    } else {
      return nil
    }
    self.bytes = bytes
  }

  private struct Entry {
    var tag, type, count, value: Int
  }

  private func number(_ at: Int, _ size: Int) -> Int? {
    guard at >= 0, at <= bytes.count - size else { return nil }
    let start = bytes.startIndex + at
    return (0..<size).reduce(0) { $0 << 8 | Int(bytes[start + (isBigEndian ? $1 : size - 1 - $1)]) }
  }

  /// The entries of the directory that begins at an offset.
  private func entries(at offset: Int?) -> [Entry] {
    guard let offset, let count = number(offset, 2) else { return [] }
    return (0..<count).prefix(1000).compactMap { i in
      let at = offset + 2 + 12 * i
      guard let tag = number(at, 2), let type = number(at + 2, 2), let count = number(at + 4, 4) else {
        return nil
      }
      return Entry(tag: tag, type: type, count: count, value: at + 8)
    }
  }

  private var first: [Entry] { entries(at: number(4, 4)) }

  /// 1…8, whether it is stored as BYTE, SHORT or LONG; nil where nothing sensible is.
  var orientation: Int? {
    guard let entry = first.first(where: { $0.tag == 0x0112 }) else { return nil }
    let sizes = [1: 1, 3: 2, 4: 4]
    return sizes[entry.type].flatMap { number(entry.value, $0) }.flatMap { (1...8).contains($0) ? $0 : nil }
  }

  /// An XMP packet that lies in the directory, as TIFF files have it.
  var xmpPacket: ArraySlice<UInt8>? { first.first { $0.tag == 0x02BC }.flatMap(contents) }

  private func contents(_ entry: Entry) -> ArraySlice<UInt8>? {
    // BYTE, ASCII and UNDEFINED.
    guard [1, 2, 7].contains(entry.type), entry.count <= EmbeddedBlocks.mostBytes else { return nil }
    let start = entry.count <= 4 ? entry.value : number(entry.value, 4)
    guard let start, start >= 0, start <= bytes.count, entry.count <= bytes.count - start else { return nil }
    return ArraySlice(bytes.dropFirst(start).prefix(entry.count))
  }

  /// Texts by the tags' names.
  var texts: [PNGText] {
    let main = first
    let inner = entries(at: main.first { $0.tag == 0x8769 }.flatMap { number($0.value, 4) })
    return (main + inner).compactMap { entry in
      guard let name = textNames[entry.tag], let raw = contents(entry), !raw.isEmpty else { return nil }
      let text = name == "UserComment" ? comment(raw) : plain(raw)
      return text.isEmpty ? nil : PNGText(name, text)
    }
  }

  private func plain(_ raw: ArraySlice<UInt8>) -> String {
    let end = raw.lastIndex { $0 != 0 }.map { $0 + 1 } ?? raw.startIndex
    return storedText(raw[raw.startIndex..<end])
  }

  /// A text behind eight bytes that name its encoding.
  private func comment(_ raw: ArraySlice<UInt8>) -> String {
    let code = raw.prefix(8), body = raw.dropFirst(8)
    if code.elementsEqual(Array("UNICODE\0".utf8)) {
      // Some programs write UTF-8 under that name: it has no zeros, which UTF-16 of such texts has.
      return body.contains(0) ? wide(body) : String(validating: body, as: UTF8.self) ?? wide(body)
    }
    let isNamed =
      ["ASCII\0\0\0", "JIS\0\0\0\0\0"].contains { code.elementsEqual(Array($0.utf8)) }
      || code.allSatisfy { $0 == 0 }
    return plain(isNamed ? body : raw)
  }

  /// UTF-16 in the order of which more of it is ASCII: programs do not agree on the order that goes with the block's.
  private func wide(_ body: ArraySlice<UInt8>) -> String {
    let pairs = Array(body)
    func units(_ isBig: Bool) -> [UInt16] {
      stride(from: 0, to: pairs.count - 1, by: 2).map { at in
        let (first, second) = (UInt16(pairs[at]), UInt16(pairs[at + 1]))
        return isBig ? first << 8 | second : second << 8 | first
      }
    }
    let big = units(true), little = units(false)
    if let mark = big.first, mark == 0xFEFF || mark == 0xFFFE {
      return String(decoding: (mark == 0xFEFF ? big : little).dropFirst(), as: UTF16.self)
        .trimmingNulls
    }
    let b = big.count { (1..<128).contains($0) }, l = little.count { (1..<128).contains($0) }
    return String(decoding: b == l ? (isBigEndian ? big : little) : b > l ? big : little, as: UTF16.self)
      .trimmingNulls
  }
}

/// The names of tags that hold texts.
private let textNames = [
  0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x013B: "Artist",
  0x9286: "UserComment", 0x927C: "MakerNote",
]

extension Exif<[UInt8]> {
  /// A block with a text as its UserComment, in UTF-16 as AUTOMATIC1111 writes it; from the TIFF header on.
  static func block(comment: String) -> [UInt8] {
    func big(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }
    let body = Array("UNICODE\0".utf8) + comment.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    // A header of 8 bytes, a directory with the place of another, and that one with the comment behind it.
    var block = Array("MM\0*".utf8) + big(8, 4)
    block += big(1, 2) + big(0x8769, 2) + big(4, 2) + big(1, 4) + big(26, 4) + big(0, 4)
    block += big(1, 2) + big(0x9286, 2) + big(7, 2) + big(body.count, 4) + big(44, 4) + big(0, 4)
    return block + body
  }
}

/// Bytes that are UTF-8 as such, others as Latin-1: what writes texts says seldom which it is.
func storedText(_ bytes: some Collection<UInt8>) -> String {
  String(validating: bytes, as: UTF8.self)
    ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

extension String {
  fileprivate var trimmingNulls: String { String(prefix { $0 != "\0" }) }
}
