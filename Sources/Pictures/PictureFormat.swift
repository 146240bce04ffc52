/// The kinds of picture file that are read.
public enum PictureFormat: String, Sendable, CaseIterable {
  case png, jpeg, webp, gif, bmp, tiff, avif, heic, jpeg2000, pnm

  /// Recognised by content, never by name.
  public init?(recognising bytes: UnsafeRawBufferPointer) {
    let head = FileHead(bytes)
    if head.starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if head.starts([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if head.starts("RIFF"), head.starts("WEBP", at: 8) {
      self = .webp
    } else if head.starts("GIF87a") || head.starts("GIF89a") {
      self = .gif
    } else if head.isRawTIFF {
      return nil
    } else if head.starts("II*\0") || head.starts("MM\0*") || head.starts("II+\0") || head.starts("MM\0+") {
      self = .tiff
    } else if let brand = head.isoPicture {
      self = brand
    } else if head.starts("\0\0\0\u{0C}jP  ") || head.starts([0xFF, 0x4F, 0xFF, 0x51]) {
      self = .jpeg2000
    } else if head.isBitmap {
      self = .bmp
    } else if head.isAnymap {
      self = .pnm
    } else {
      return nil
    }
  }

  /// As it stands in messages.
  public var name: String {
    switch self {
    case .webp: "WebP"
    case .jpeg2000: "JPEG 2000"
    case .pnm: "PNM"
    default: rawValue.uppercased()
    }
  }

  /// All of them, for help and messages.
  public static let names = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, HEIC, JPEG 2000, PPM and PGM"

  /// Endings of the names of such files, in lower case. Folders are searched by these; what a file is, its content
  /// says.
  public static let extensions: Set<String> = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif", "heic",
    "heif",
    "hif", "jp2", "j2k", "j2c", "jpf", "jpx", "pnm", "ppm", "pgm", "pbm", "pam",
  ]
}

/// The first bytes of a file.
struct FileHead {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  func starts(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
    bytes.count >= offset + prefix.count && bytes[offset..<offset + prefix.count].elementsEqual(prefix)
  }

  func starts(_ prefix: String, at offset: Int = 0) -> Bool { starts(Array(prefix.utf8), at: offset) }

  /// Whether a text stands within the first kilobyte, whatever its case.
  func mentions(_ text: String) -> Bool {
    String(decoding: bytes.prefix(1024), as: UTF8.self).lowercased().contains(text)
  }

  /// Four characters of an ISO media file's brands, the major one first.
  var brands: [String] {
    guard starts("ftyp", at: 4), bytes.count >= 12 else { return [] }
    let size = min(bytes.count, bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }, 256)
    return stride(from: 8, to: max(12, size) - 3, by: 4).filter { $0 != 12 }.map {
      String(decoding: bytes[$0..<$0 + 4], as: UTF8.self)
    }
  }

  fileprivate var isoPicture: PictureFormat? {
    let brands = brands
    guard let major = brands.first else { return nil }
    let heic: Set = ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs"]
    if major == "avif" || major == "avis" { return .avif }
    if heic.contains(major) { return .heic }
    guard major == "mif1" || major == "msf1" || major == "miaf" else { return nil }
    return brands.contains("avif") || brands.contains("avis") ? .avif : .heic
  }

  /// A number in the file's first bytes, the lowest byte first; nil past its end.
  func little(_ at: Int, _ size: Int) -> Int? {
    guard at >= 0, at + size <= bytes.count else { return nil }
    return (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }

  var count: Int { bytes.count }

  fileprivate var isBitmap: Bool {
    guard starts("BM"), bytes.count >= 18 else { return false }
    let header = (0..<4).reduce(0) { $0 | Int(bytes[14 + $1]) << (8 * $1) }
    return (12...124).contains(header)
  }

  /// Canon's raw files are TIFF files with a mark of their own.
  var isRawTIFF: Bool { starts("II*\0") && starts("CR\u{2}", at: 8) }

  fileprivate var isAnymap: Bool {
    guard starts("P"), bytes.count >= 3, (0x31...0x37).contains(bytes[1]) else { return false }
    return [0x20, 0x09, 0x0A, 0x0D, 0x23].contains(bytes[2])
  }

  /// What a file is that is no picture of the kinds that are read, and what to do with it.
  func explanation(_ name: String) -> String {
    if bytes.isEmpty { return "the file is empty" }
    if let known = UnreadKind.found(self, name) {
      return "this is \(known.name); \(known.advice.replacing("FILE", with: "'\(name)'"))"
    }
    return "this is not a picture of a known kind (\(PictureFormat.names))"
  }
}
