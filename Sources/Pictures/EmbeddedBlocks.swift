import CImageCodecs

/// What lies beside the pixels of a PNG, JPEG, WebP, GIF, TIFF, AVIF or HEIC file: EXIF, XMP and texts. Nothing is decoded
/// for it.
struct EmbeddedBlocks {
  /// The most that is taken of a block that is copied: more is none of a picture's.
  static let mostBytes = 16 << 20

  /// What a block of EXIF says.
  private struct Said {
    var orientation: Int?
    var texts: [PNGText]
  }

  private var exif: Said?
  private var xmp: XMP?
  /// Text chunks and comments, in the file's order.
  private var texts: [PNGText] = []
  /// Bytes that texts may still come to, as they stand there or unfolded.
  private var budget = 64 << 20
  /// Whether texts are wanted, which a large file may have many of.
  private let keepsTexts: Bool

  /// - Parameter keepsTexts: false where only the orientation is wanted.
  init(_ bytes: UnsafeRawBufferPointer, _ format: PictureFormat, keepsTexts: Bool) {
    self.keepsTexts = keepsTexts
    switch format {
    case .png: readPNG(bytes)
    case .jpeg: readJPEG(bytes)
    case .webp: readWebP(bytes)
    case .gif: if keepsTexts { readGIF(bytes) }
    case .tiff:
      // The file is built as an EXIF block is.
      keep(exif: bytes)
      if let packet = Exif(bytes)?.xmpPacket { keep(xmp: packet) }
    case .avif, .heic:
      let items = MediaItems(bytes)
      if let block = items.exif { keep(exif: block) }
      if let packet = items.xmp { keep(xmp: packet) }
    default: break
    }
  }

  /// As EXIF says, or where it says nothing, XMP.
  var orientation: Int? { exif?.orientation ?? xmp?.orientation }

  /// All texts by their keys.
  var allTexts: [PNGText] { texts + (exif?.texts ?? []) + (xmp?.texts ?? []) }

  private mutating func keep<Block: RandomAccessCollection<UInt8>>(exif block: Block)
  where Block.Index == Int {
    guard exif == nil, let found = Exif(block) else { return }
    exif = Said(orientation: found.orientation, texts: keepsTexts ? found.texts : [])
  }

  private mutating func keep(xmp block: some Collection<UInt8>) {
    if xmp == nil { xmp = XMP(String(decoding: block.prefix(Self.mostBytes), as: UTF8.self)) }
  }

  // MARK: PNG

  private mutating func readPNG(_ bytes: UnsafeRawBufferPointer) {
    var at = 8
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { return }
      let body = bytes[at + 8..<at + 8 + length]
      switch String(decoding: bytes[at + 4..<at + 8], as: UTF8.self) {
      case "tEXt", "zTXt", "iTXt": readText(body, kind: bytes[at + 4])
      case "eXIf": keep(exif: body)
      default: break
      }
      at += 12 + length
    }
  }

  private mutating func inflated(_ body: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    var out = vugen_bytes()
    let status = Array(body).withUnsafeBufferPointer {
      vugen_inflate($0.baseAddress, $0.count, budget, &out)
    }
    guard status == 0, let bytes = out.bytes else { return nil }
    defer { vugen_bytes_free(&out) }
    budget -= min(budget, out.count)
    return Array(UnsafeBufferPointer(start: bytes, count: out.count))
  }

  /// A key, a zero, and the text: plain, compressed (z), or international (i).
  private mutating func readText(_ body: Slice<UnsafeRawBufferPointer>, kind: UInt8) {
    guard let end = body.prefix(80).firstIndex(of: 0), end > body.startIndex else { return }
    let key = storedText(body[body.startIndex..<end]), isExif = Self.exifKeys.contains(key)
    guard body.count <= budget, keepsTexts || isExif || key == Self.xmpKey else { return }
    var rest = body[(end + 1)...], isPacked = kind == UInt8(ascii: "z")
    if kind == UInt8(ascii: "i") {
      guard rest.count >= 2 else { return }
      isPacked = rest[rest.startIndex] == 1
      rest = rest.dropFirst(2)
      // A language and a translated key.
      for _ in 0..<2 {
        guard let zero = rest.firstIndex(of: 0) else { return }
        rest = rest[(zero + 1)...]
      }
    } else if isPacked {
      rest = rest.dropFirst()
    }
    guard let value = isPacked ? inflated(rest) : Array(rest) else { return }
    if key == Self.xmpKey { return keep(xmp: value) }
    if isExif, value.count <= Self.mostBytes, let block = Self.unhexed(value) { return keep(exif: block) }
    if !isPacked { budget -= value.count }
    if keepsTexts { texts.append(PNGText(key, storedText(value))) }
  }

  private static let xmpKey = "XML:com.adobe.xmp"
  private static let exifKeys = ["Raw profile type exif", "Raw profile type APP1"]

  /// ImageMagick's way: a name and a length in lines of their own, then digits.
  private static func unhexed(_ value: [UInt8]) -> [UInt8]? {
    let lines = value.split(separator: UInt8(ascii: "\n"))
    let digits = lines.dropFirst(2).joined().compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count >= 16 else { return nil }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  // MARK: JPEG

  private mutating func readJPEG(_ bytes: UnsafeRawBufferPointer) {
    let xmpName = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    var at = 2
    while at + 4 <= bytes.count {
      // Bytes that belong to no segment are passed over, as decoders do.
      guard bytes[at] == 0xFF, bytes[at + 1] != 0xFF, bytes[at + 1] != 0 else {
        at += 1
        continue
      }
      let marker = bytes[at + 1]
      if marker == 0xDA || marker == 0xD9 { return }
      if (0xD0...0xD8).contains(marker) || marker == 1 {
        at += 2
        continue
      }
      let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      guard length >= 2, at + 2 + length <= bytes.count else { return }
      let body = bytes[at + 4..<at + 2 + length]
      if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) { keep(exif: body) }
      if marker == 0xE1, body.starts(with: xmpName) { keep(xmp: body.dropFirst(xmpName.count)) }
      if marker == 0xFE, keepsTexts { texts.append(PNGText("Comment", storedText(body.filter { $0 != 0 }))) }
      at += 2 + length
    }
  }

  // MARK: WebP

  private mutating func readWebP(_ bytes: UnsafeRawBufferPointer) {
    var at = 12
    while at + 8 <= bytes.count {
      let length = (0..<4).reduce(0) { $0 | Int(bytes[at + 4 + $1]) << (8 * $1) }
      guard length <= bytes.count - at - 8 else { return }
      let body = bytes[at + 8..<at + 8 + length]
      switch String(decoding: bytes[at..<at + 4], as: UTF8.self) {
      case "EXIF": keep(exif: body)
      case "XMP ": keep(xmp: body)
      default: break
      }
      at += 8 + length + length % 2
    }
  }
}

// MARK: GIF

extension EmbeddedBlocks {
  /// Comments, which stand among the pictures' blocks.
  private mutating func readGIF(_ bytes: UnsafeRawBufferPointer) {
    /// The bytes of a table of colours that a flag announces.
    func table(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }
    guard bytes.count > 13 else { return }
    var at = 13 + table(bytes[10])
    while at + 2 < bytes.count {
      var comment: [UInt8] = []
      let isComment = bytes[at] == 0x21 && bytes[at + 1] == 0xFE
      switch bytes[at] {
      case 0x21: at += 2
      case 0x2C where at + 10 < bytes.count: at += 11 + table(bytes[at + 9])
      default: return
      }
      // Pieces of up to 255 bytes, the last of which has none.
      while at < bytes.count, bytes[at] > 0 {
        let end = min(bytes.count, at + 1 + Int(bytes[at]))
        if isComment, comment.count < budget { comment += bytes[at + 1..<end] }
        at = end
      }
      at += 1
      budget -= min(budget, comment.count)
      if isComment, !comment.isEmpty { texts.append(PNGText("Comment", storedText(comment))) }
    }
  }
}

/// The few properties of an XMP packet that mean something here, found without reading it as a whole.
struct XMP {
  private let packet: String
  /// What this program's own properties are named by.
  private static let space = "urn:vugen-studio:1.0/"

  init(_ packet: String) { self.packet = String(packet.prefix(4 << 20)) }

  var orientation: Int? {
    value(of: "tiff:Orientation").flatMap { Int($0) }.flatMap { (1...8).contains($0) ? $0 : nil }
  }

  /// Texts that drawing programs leave, and this program's own by their keys.
  var texts: [PNGText] {
    var found: [PNGText] = []
    for (name, key) in [("exif:UserComment", "UserComment"), ("dc:description", "Description")] {
      if let text = value(of: name), !text.isEmpty { found.append(PNGText(key, text)) }
    }
    if packet.contains(Self.space) {
      for match in packet.matches(of: #/\svugen:([A-Za-z]+)="/#) {
        let key = String(match.1)
        if let text = value(of: "vugen:\(key)") { found.append(PNGText(key, text)) }
      }
    }
    return found
  }

  /// An attribute's value, or an element's text without the tags inside.
  private func value(of name: String) -> String? {
    if let start = packet.range(of: "\(name)=\"")?.upperBound,
      let end = packet[start...].firstIndex(of: "\"")
    {
      return Self.unescaped(packet[start..<end])
    }
    guard let open = packet.range(of: "<\(name)"), let start = packet[open.upperBound...].firstIndex(of: ">"),
      let end = packet.range(of: "</\(name)>"), packet.index(after: start) <= end.lowerBound
    else { return nil }
    let inner = packet[packet.index(after: start)..<end.lowerBound].replacing(#/<[^>]*>/#, with: "")
    return Self.unescaped(inner[...]).trimmed
  }

  private static let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'")]

  private static func unescaped(_ text: Substring) -> String {
    let numbers = text.replacing(#/&#(x?)([0-9A-Fa-f]{1,6});/#) { match in
      UInt32(match.2, radix: match.1.isEmpty ? 10 : 16).flatMap(Unicode.Scalar.init).map {
        String(Character($0))
      }
        ?? String(match.0)
    }
    return escapes.reduce(String(numbers)) { $0.replacing($1.0, with: $1.1) }.replacing("&amp;", with: "&")
  }

  /// A packet that holds texts as properties of this program's own.
  static func packet(_ texts: [PNGText]) -> String {
    let properties = texts.map { text in
      var value = text.value.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
      value = value.replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\n", with: "&#10;")
      return "\n  vugen:\(text.key)=\"\(value)\""
    }
    return """
      <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
      <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:vugen="\(space)"\(properties.joined())/>
      </rdf:RDF></x:xmpmeta>
      <?xpacket end="w"?>
      """
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
