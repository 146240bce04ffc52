import CImageCodecs
import Files
import Foundation

/// A text of a picture file, such as `parameters` with the settings of a generated picture. PNG has chunks for them;
/// what JPEG and WebP hold in EXIF, XMP and comments comes in the same form.
public struct PNGText: Sendable, Equatable {
  /// 1 to 79 Latin-1 characters.
  public let key: String
  /// Any text; what is not ASCII is stored as UTF-8.
  public let value: String

  /// Each argument is the property of its name.
  public init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}

/// The kinds of picture file that are written.
public enum WrittenFormat: String, Sendable, CaseIterable {
  case png, jpeg, webp

  /// As a file's name ends; nil where it says nothing, as a folder's does, which ends in a slash.
  public init?(path: String) {
    guard !path.hasSuffix("/") else { return nil }
    switch (path as NSString).pathExtension.lowercased() {
    case "png": self = .png
    case "jpg", "jpeg", "jpe", "jfif": self = .jpeg
    case "webp": self = .webp
    default: return nil
    }
  }

  /// How names of such files end.
  public var suffix: String { self == .jpeg ? "jpg" : rawValue }

  /// How names of such files end, for a person.
  public static var endings: String {
    let all = allCases.map { "." + $0.suffix }
    return all.dropLast().joined(separator: ", ") + " or " + (all.last ?? "")
  }

  /// Why no picture is written under a name: it ends like another kind of file. nil where it can be, and for a folder's name,
  /// which ends in a slash.
  public static func objection(to path: String) -> String? {
    guard !path.hasSuffix("/") else { return nil }
    if let bare = FileName.bareEnding(of: path, among: PictureFormat.extensions) {
      guard WrittenFormat(path: "picture.\(bare)") != nil else {
        return "\(FileName.last(of: path)) is not supported; name a \(endings) file"
      }
      return "'\(FileName.last(of: path))' has an ending but no name; name a file, such as picture.\(bare)"
    }
    let ending = (path as NSString).pathExtension
    guard !ending.isEmpty, WrittenFormat(path: path) == nil else { return nil }
    return ".\(ending) is not supported; name a \(endings) file"
  }
}

extension Picture {
  /// A file's bytes in the format that its name tells, PNG where it tells none, with texts inside.
  ///
  /// In JPEG and WebP `parameters` is EXIF's UserComment, where AUTOMATIC1111 and its readers have it, and every other
  /// text a property in XMP. Throws `PictureError`.
  public func data(for path: String, texts: [PNGText] = []) throws -> [UInt8] {
    try data(WrittenFormat(path: path) ?? .png, texts: texts)
  }

  /// The same in a given format.
  public func data(_ format: WrittenFormat, texts: [PNGText] = []) throws -> [UInt8] {
    switch format {
    case .png: try pngData(texts: texts)
    case .jpeg: try jpegData(texts: texts)
    case .webp: try webpData(texts: texts)
    }
  }

  /// A PNG file's bytes; RGB where nothing is transparent. Values that are not ASCII become iTXt chunks.
  ///
  /// Throws `PictureError` for a key that PNG does not allow.
  public func pngData(texts: [PNGText] = []) throws -> [UInt8] {
    for text in texts
    where !(1...79).contains(text.key.utf8.count) || !text.key.allSatisfy({ $0.isASCII && $0 >= " " }) {
      throw PictureError("PNG", "'\(text.key)' is no key of a text chunk: 1 to 79 printable ASCII characters")
    }
    let opaque = isOpaque, bytes = opaque ? rgb() : pixels
    let keys = texts.map { strdup($0.key) }, values = texts.map { strdup($0.value.replacing("\0", with: "")) }
    defer { (keys + values).forEach { free($0) } }
    let keyList = keys.map { UnsafePointer<CChar>($0) }, valueList = values.map { UnsafePointer<CChar>($0) }
    var out = vugen_bytes()
    let status = vugen_png_encode(
      bytes, UInt32(width), UInt32(height), opaque ? 3 : 4, keyList, valueList, texts.count, &out)
    return try Self.taken(status, &out, "PNG")
  }

  /// Longest content of a JPEG segment.
  private static let mostOfSegment = 65_533

  /// A JPEG file's bytes, over white. `quality` is 1…100.
  ///
  /// Throws `PictureError`, also where the texts do not fit into a segment of it.
  public func jpegData(quality: Int = 92, texts: [PNGText] = []) throws -> [UInt8] {
    guard width <= 65500, height <= 65500 else {
      throw PictureError("JPEG", "\(width) × \(height) is more than JPEG's 65500; write a PNG")
    }
    var (exif, xmp) = Self.blocks(texts)
    if !exif.isEmpty { exif = Array("Exif\0\0".utf8) + exif }
    if !xmp.isEmpty { xmp = Array("http://ns.adobe.com/xap/1.0/\0".utf8) + xmp }
    // The comment says again, at greater length, what XMP holds.
    if exif.count > Self.mostOfSegment { exif = [] }
    guard xmp.count <= Self.mostOfSegment else {
      throw PictureError(
        "JPEG",
        "settings of \(xmp.count / 1000) kB do not fit; name a .png or .webp file, or draw a shorter prompt")
    }
    var out = vugen_bytes()
    let status = vugen_jpeg_encode(
      rgb(), UInt32(width), UInt32(height), Int32(max(1, min(100, quality))), exif, exif.count, xmp,
      xmp.count, &out)
    return try Self.taken(status, &out, "JPEG")
  }

  /// A WebP file's bytes, without loss.
  public func webpData(texts: [PNGText] = []) throws -> [UInt8] {
    guard width <= 16383, height <= 16383 else {
      throw PictureError("WebP", "\(width) × \(height) is more than WebP's 16383; write a PNG")
    }
    let (exif, xmp) = Self.blocks(texts)
    var out = vugen_bytes()
    let status = vugen_webp_encode(
      pixels, UInt32(width), UInt32(height), exif, exif.count, xmp, xmp.count, &out)
    return try Self.taken(status, &out, "WebP")
  }

  private static func blocks(_ texts: [PNGText]) -> (exif: [UInt8], xmp: [UInt8]) {
    let comment = texts.first { $0.key == "parameters" }
    let others = texts.filter { text in
      text.key != "parameters" && !text.key.isEmpty && text.key.allSatisfy { $0.isASCII && $0.isLetter }
    }
    return (
      comment.map { Exif<[UInt8]>.block(comment: $0.value) } ?? [],
      others.isEmpty ? [] : Array(XMP.packet(others).utf8)
    )
  }

  private static func taken(_ status: Int32, _ out: inout vugen_bytes, _ name: String) throws -> [UInt8] {
    guard status == 0, let bytes = out.bytes else {
      throw PictureError(name, "the picture cannot be encoded: \(text(of: &out.message))")
    }
    defer { vugen_bytes_free(&out) }
    return Array(UnsafeBufferPointer(start: bytes, count: out.count))
  }

  /// The texts of a picture file's bytes (PNG, JPEG, WebP, GIF, TIFF, AVIF, HEIC), around the picture; none of another kind of
  /// file. The pixels are not read.
  public static func texts(bytes: [UInt8]) -> [PNGText] { bytes.withUnsafeBytes { texts(of: $0) } }

  /// The same of memory that somebody else holds, such as a mapped file.
  public static func texts(of bytes: UnsafeRawBufferPointer) -> [PNGText] {
    PictureFormat(recognising: bytes).map { EmbeddedBlocks(bytes, $0, keepsTexts: true).allTexts } ?? []
  }
}
