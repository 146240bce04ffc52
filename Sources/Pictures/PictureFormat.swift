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
  public static let names = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, HEIC, JPEG 2000 and PPM"

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

  fileprivate var isBitmap: Bool {
    guard starts("BM"), bytes.count >= 18 else { return false }
    let header = (0..<4).reduce(0) { $0 | Int(bytes[14 + $1]) << (8 * $1) }
    return (12...124).contains(header)
  }

  fileprivate var isAnymap: Bool {
    guard starts("P"), bytes.count >= 3, (0x31...0x37).contains(bytes[1]) else { return false }
    return [0x20, 0x09, 0x0A, 0x0D, 0x23].contains(bytes[2])
  }

  /// What a file is that is no picture of the kinds that are read, and what to do with it.
  func explanation(_ name: String) -> String {
    if bytes.isEmpty { return "the file is empty" }
    if let known = UnreadKind.all.first(where: { $0.holds(self) }) {
      return "this is \(known.name); \(known.advice.replacing("FILE", with: "'\(name)'"))"
    }
    return "this is not a picture of a known kind (\(PictureFormat.names))"
  }
}

/// A kind of file that people take for a picture.
private struct UnreadKind: Sendable {
  let name, advice: String
  let holds: @Sendable (FileHead) -> Bool

  init(_ name: String, _ advice: String, _ holds: @escaping @Sendable (FileHead) -> Bool) {
    (self.name, self.advice, self.holds) = (name, advice, holds)
  }

  init(_ name: String, _ advice: String, starting prefixes: String...) {
    self.init(name, advice) { head in prefixes.contains { head.starts($0) } }
  }

  init(_ name: String, _ advice: String, starting prefixes: [UInt8]...) {
    self.init(name, advice) { head in prefixes.contains { head.starts($0) } }
  }

  private static let convert = "convert it to PNG: magick FILE picture.png"
  private static let unpack = "unpack it and name the pictures inside"
  private static let frame = "take a frame of it: ffmpeg -i FILE -frames:v 1 frame.png"

  static let all: [UnreadKind] = [
    .init("a PDF", "convert it to PNG: pdftoppm -png -r 150 FILE page", starting: "%PDF"),
    .init(
      "a PostScript file", "convert it to PNG: gs -sDEVICE=png16m -r150 -o page-%d.png FILE", starting: "%!PS"
    ),
    .init("a ZIP archive or a document in one", unpack, starting: "PK\u{3}\u{4}", "PK\u{5}\u{6}"),
    .init("a gzip file", unpack, starting: [0x1F, 0x8B]),
    .init("a bzip2 file", unpack, starting: "BZh"),
    .init("an xz file", unpack, starting: [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
    .init("a Zstandard file", unpack, starting: [0x28, 0xB5, 0x2F, 0xFD]),
    .init("a 7-Zip archive", unpack, starting: [0x37, 0x7A, 0xBC, 0xAF]),
    .init("a RAR archive", unpack, starting: "Rar!"),
    .init("a tar archive", unpack) { $0.starts("ustar", at: 257) },
    .init("a Canon raw file", "develop it to JPEG: dcraw -e FILE, or darktable") {
      $0.brands.first == "crx "
    },
    .init(
      "a camera's raw file", "develop it to JPEG: dcraw -e FILE, or darktable",
      starting: "FUJIFILMCCD-RAW", "IIRO", "IIU\0"),
    .init("a video", frame) { head in
      !head.brands.isEmpty || head.starts([0x1A, 0x45, 0xDF, 0xA3]) || head.starts("OggS")
        || (head.starts("RIFF") && head.starts("AVI ", at: 8)) || head.starts([0, 0, 1, 0xBA])
        || head.starts("moov", at: 4) || head.starts("mdat", at: 4) || head.starts("FLV")
    },
    .init("a sound", "name a picture") { head in
      head.starts("ID3") || head.starts("fLaC") || (head.starts("RIFF") && head.starts("WAVE", at: 8))
    },
    .init("a Photoshop file", convert, starting: "8BPS"),
    .init("a GIMP file", convert, starting: "gimp xcf"),
    .init(
      "a JPEG XL picture", "convert it to PNG: djxl FILE picture.png", starting: [0xFF, 0x0A],
      [0, 0, 0, 12, 0x4A, 0x58, 0x4C, 0x20]),
    .init("a Windows icon", convert, starting: [0, 0, 1, 0], [0, 0, 2, 0]),
    .init("an OpenEXR picture", convert, starting: [0x76, 0x2F, 0x31, 0x01]),
    .init("a Radiance picture", convert, starting: "#?RADIANCE", "#?RGBE"),
    .init("a DirectDraw surface", convert, starting: "DDS "),
    .init("a QOI picture", convert, starting: "qoif"),
    .init("a Git LFS pointer and not the picture itself", "fetch it: git lfs pull") {
      $0.starts("version https://git-lfs")
    },
    .init("an SVG drawing", "convert it to PNG: rsvg-convert FILE -o drawing.png") { $0.mentions("<svg") },
    .init("a web page", "the download went wrong; fetch the picture itself") { head in
      head.mentions("<!doctype html") || head.mentions("<html")
    },
    .init("a program", "name a picture", starting: [0x7F, 0x45, 0x4C, 0x46]),
  ]
}
