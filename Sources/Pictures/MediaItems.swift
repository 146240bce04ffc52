/// The EXIF and XMP items of an ISO media file (ISO/IEC 14496-12): AVIF and HEIC keep them apart from the pixels, where
/// `iloc` says.
struct MediaItems {
  private(set) var exif: [UInt8]?
  private(set) var xmp: [UInt8]?
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    guard let meta = box("meta", in: 0..<bytes.count) else { return }
    // Behind version and flags.
    let inner = min(meta.lowerBound + 4, meta.upperBound)..<meta.upperBound
    guard let info = box("iinf", in: inner), let places = box("iloc", in: inner) else { return }
    let kinds = kinds(info), data = box("idat", in: inner)
    for (id, block) in contents(places, of: Set(kinds.keys), data) {
      if kinds[id] == "Exif" {
        // Four bytes say how far behind them the TIFF header lies.
        let skip = block.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        if exif == nil, block.count > 4 { exif = Array(block.dropFirst(4 + min(skip, block.count))) }
      } else if xmp == nil {
        xmp = block
      }
    }
  }

  private func number(_ at: Int, _ size: Int) -> Int? {
    guard size <= 8, at >= 0, at <= bytes.count - size else { return nil }
    let value = bytes[at..<at + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }

  /// The contents of the boxes in a part of the file, with their types.
  private func boxes(in part: Range<Int>) -> [(type: String, content: Range<Int>)] {
    var found: [(String, Range<Int>)] = [], at = part.lowerBound
    while at <= part.upperBound - 8, found.count < 10_000, let short = number(at, 4) {
      var size = short, head = 8
      if short == 1 { (size, head) = (number(at + 8, 8) ?? 0, 16) }
      if short == 0 { size = part.upperBound - at }
      guard size >= head, size <= part.upperBound - at else { break }
      found.append((String(decoding: bytes[at + 4..<at + 8], as: UTF8.self), at + head..<at + size))
      at += size
    }
    return found
  }

  private func box(_ type: String, in part: Range<Int>) -> Range<Int>? {
    boxes(in: part).first { $0.type == type }?.content
  }

  /// Items that are EXIF or XMP, by their ids.
  private func kinds(_ info: Range<Int>) -> [Int: String] {
    guard let version = number(info.lowerBound, 1) else { return [:] }
    let start = info.lowerBound + (version == 0 ? 6 : 8)
    guard start <= info.upperBound else { return [:] }
    var kinds: [Int: String] = [:]
    for entry in boxes(in: start..<info.upperBound) where entry.type == "infe" {
      let at = entry.content.lowerBound
      guard let version = number(at, 1), version >= 2 else { continue }
      let size = version == 2 ? 2 : 4, type = at + 4 + size + 2
      guard let id = number(at + 4, size), type + 4 <= entry.content.upperBound else { continue }
      let name = String(decoding: bytes[type..<type + 4], as: UTF8.self)
      let rest = String(decoding: bytes[type + 4..<entry.content.upperBound], as: UTF8.self)
      if name == "Exif" || (name == "mime" && rest.contains("application/rdf+xml")) { kinds[id] = name }
    }
    return kinds
  }

  /// What lies where `iloc` says, of the wanted items.
  private func contents(_ places: Range<Int>, of wanted: Set<Int>, _ data: Range<Int>?) -> [(Int, [UInt8])] {
    guard let version = number(places.lowerBound, 1), version <= 2,
      let sizes = number(places.lowerBound + 4, 2),
      let count = number(places.lowerBound + 6, version < 2 ? 2 : 4)
    else { return [] }
    let (offsetSize, lengthSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
    let indexSize = version == 0 ? 0 : sizes & 15
    var at = places.lowerBound + (version < 2 ? 8 : 10), found: [(Int, [UInt8])] = []
    func next(_ size: Int) -> Int? {
      defer { at += size }
      return at + size <= places.upperBound ? number(at, size) : nil
    }
    for _ in 0..<min(count, 10_000) {
      guard let id = next(version < 2 ? 2 : 4), let method = version == 0 ? 0 : next(2), next(2) != nil,
        let base = next(baseSize), let extents = next(2)
      else { break }
      var block: [UInt8] = []
      for _ in 0..<extents {
        guard next(indexSize) != nil, let offset = next(offsetSize), let length = next(lengthSize) else {
          return found
        }
        guard wanted.contains(id) else { continue }
        let origin = method & 15 == 1 ? data : method & 15 == 0 ? 0..<bytes.count : nil
        guard let origin, let start = Self.sum(origin.lowerBound, base, offset), start <= origin.upperBound,
          length <= origin.upperBound - start, block.count + length <= bytes.count
        else { continue }
        block += bytes[start..<start + length]
      }
      if wanted.contains(id), !block.isEmpty { found.append((id, block)) }
    }
    return found
  }

  private static func sum(_ numbers: Int...) -> Int? {
    numbers.reduce(0) { total, next in
      total.flatMap { total in
        let (sum, overflow) = total.addingReportingOverflow(next)
        return overflow ? nil : sum
      }
    }
  }
}
