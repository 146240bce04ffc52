/// Marks of files that have none at their beginning, or share it with others.
extension FileHead {
  /// A ZIP archive whose first member's name, with what follows it, begins with one of these.
  func isZip(of names: String...) -> Bool {
    starts("PK\u{3}\u{4}") && names.contains { starts($0, at: 30) }
  }

  /// An icon or a cursor: its first entry names bytes that lie in the file, behind the entries.
  func isWindowsIcon(kind: Int) -> Bool {
    guard little(0, 2) == 0, little(2, 2) == kind, let entries = little(4, 2), (1...256).contains(entries),
      little(9, 1) == 0, let size = little(14, 4), let offset = little(18, 4)
    else { return false }
    return size >= 12 && offset >= 6 + 16 * entries && offset < count
  }

  /// A Targa picture has no mark at its beginning. One of 1990 or later has one at its end; an older one is believed
  /// where its header makes sense and its pixels fill the file.
  var isTarga: Bool {
    if count >= 44, starts("TRUEVISION-XFILE.\0", at: count - 18) { return true }
    guard resemblesTarga, let kind = little(2, 1), let mapped = little(5, 2), let bits = little(7, 1),
      let width = little(12, 2), let height = little(14, 2), let depth = little(16, 1),
      let name = little(0, 1)
    else { return false }
    let start = 18 + name + (little(1, 1) == 1 ? mapped * ((bits + 7) / 8) : 0)
    let pixels = width * height * ((depth + 7) / 8)
    // Packed runs may be as long as the plain pixels and a byte for each.
    return kind < 8
      ? (start + pixels...start + pixels + 4096).contains(count) : count > start && count < start + 2 * pixels
  }

  /// Whether a Targa header makes sense here.
  var resemblesTarga: Bool {
    guard let map = little(1, 1), map <= 1, let kind = little(2, 1), [1, 2, 3, 9, 10, 11].contains(kind),
      let width = little(12, 2), width > 0, let height = little(14, 2), height > 0,
      let depth = little(16, 1), [8, 15, 16, 24, 32].contains(depth), let flags = little(17, 1),
      flags & 0xC0 == 0
    else { return false }
    return (map == 1) == (kind & 7 == 1)
  }
}

/// A kind of file that people take for a picture.
struct UnreadKind: Sendable {
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

  private static let convert = "convert it to PNG with ImageMagick: convert FILE picture.png"
  private static let unpack = "unpack it and name the pictures inside"
  private static let frame = "take a frame of it: ffmpeg -i FILE -frames:v 1 frame.png"

  /// What a file is, by its content; its name is asked only where a kind has no mark of its own.
  static func found(_ head: FileHead, _ name: String) -> UnreadKind? {
    if let known = all.first(where: { $0.holds(head) }) { return known }
    let isNamed = name.lowercased().hasSuffix(".tga") || name.lowercased().hasSuffix(".icb")
    return head.isTarga || (isNamed && head.resemblesTarga) ? targa : nil
  }

  private static let targa = UnreadKind("a Targa picture", convert) { _ in false }

  private static let all: [UnreadKind] = [
    .init("a PDF", "convert it to PNG: pdftoppm -png -r 150 FILE page", starting: "%PDF"),
    .init(
      "a PostScript file", "convert it to PNG: gs -sDEVICE=png16m -r150 -o page-%d.png FILE", starting: "%!PS"
    ),
    .init(
      "an EPS file", "convert it to PNG: gs -sDEVICE=png16m -r150 -dEPSCrop -o picture.png FILE",
      starting: [0xC5, 0xD0, 0xD3, 0xC6]),
    .init(
      "a Word, Excel or PowerPoint document",
      "its pictures lie in it as in a ZIP archive; unzip FILE '*/media/*'"
    ) {
      $0.isZip(of: "[Content_Types].xml", "word/", "xl/", "ppt/", "_rels/", "docProps/")
    },
    .init("an OpenDocument file", "its pictures lie in it as in a ZIP archive; unzip FILE 'Pictures/*'") {
      $0.isZip(of: "mimetypeapplication/vnd.oasis")
    },
    .init(
      "a Krita or OpenRaster picture",
      "its picture lies in it as in a ZIP archive; unzip FILE mergedimage.png"
    ) {
      $0.isZip(of: "mimetypeapplication/x-krita", "mimetypeimage/openraster")
    },
    .init("an EPUB book", unpack) { $0.isZip(of: "mimetypeapplication/epub") },
    .init("a ZIP archive or a document in one", unpack, starting: "PK\u{3}\u{4}", "PK\u{5}\u{6}"),
    .init(
      "a document of an old office program", "open it there and save the picture",
      starting: [0xD0, 0xCF, 0x11, 0xE0]),
    .init("an RTF document", "open it in an office program and save the picture", starting: "{\\rtf"),
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
    .init("a Canon raw file", "develop it to JPEG: dcraw -e FILE, or darktable") { $0.isRawTIFF },
    .init(
      "a camera's raw file", "develop it to JPEG: dcraw -e FILE, or darktable",
      starting: "FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\0", "FOVb", "\0MRM"),
    .init("a video", frame) { head in
      !head.brands.isEmpty || head.starts([0x1A, 0x45, 0xDF, 0xA3]) || head.starts("OggS")
        || (head.starts("RIFF") && head.starts("AVI ", at: 8)) || head.starts([0, 0, 1, 0xBA])
        || head.starts([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66]) || head.starts([0, 0, 1, 0xB3])
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
    .init("a Windows icon", convert) { $0.isWindowsIcon(kind: 1) },
    .init("a Windows cursor", convert) { $0.isWindowsIcon(kind: 2) },
    .init("a Mac icon", convert, starting: "icns"),
    .init("a Windows metafile", convert, starting: [0xD7, 0xCD, 0xC6, 0x9A]),
    .init("a Windows metafile", convert) { $0.starts([1, 0, 0, 0]) && $0.starts(" EMF", at: 40) },
    .init("a PCX picture", convert) {
      $0.starts([0x0A]) && [2, 3, 5].contains($0.little(1, 1)) && $0.starts([1], at: 2)
    },
    .init("a JPEG XR picture", convert, starting: [0x49, 0x49, 0xBC, 0x01]),
    .init(
      "a BPG picture", "convert it to PNG: bpgdec -o picture.png FILE", starting: [0x42, 0x50, 0x47, 0xFB]),
    .init("a DjVu document", "convert it: ddjvu -format=tiff FILE page.tif", starting: "AT&TFORM"),
    .init("a DICOM picture", "convert it to PNG: dcmj2pnm --write-png FILE picture.png") {
      $0.starts("DICM", at: 128)
    },
    .init("a FITS picture", convert, starting: "SIMPLE  ="),
    .init("an XPM picture", convert, starting: "/* XPM"),
    .init("a NumPy array", "save it as PNG", starting: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]),
    .init("an OpenEXR picture", convert, starting: [0x76, 0x2F, 0x31, 0x01]),
    .init("a Radiance picture", convert, starting: "#?RADIANCE", "#?RGBE"),
    .init("a DirectDraw surface", convert, starting: "DDS "),
    .init("a floating-point PFM picture", convert, starting: "PF\n", "Pf\n"),
    .init("an SGI picture", convert) { head in
      head.starts([0x01, 0xDA]) && [0, 1].contains(head.little(2, 1)) && [1, 2].contains(head.little(3, 1))
    },
    .init("a QOI picture", convert, starting: "qoif"),
    .init("a FLIF picture", convert, starting: "FLIF"),
    .init("a farbfeld picture", convert, starting: "farbfeld"),
    .init("an MNG animation", convert, starting: [0x8A, 0x4D, 0x4E, 0x47], [0x8B, 0x4A, 0x4E, 0x47]),
    .init("a DPX or Cineon picture", convert, starting: "SDPX", "XPDS"),
    .init("a DPX or Cineon picture", convert, starting: [0x80, 0x2A, 0x5F, 0xD7], [0xD7, 0x5F, 0x2A, 0x80]),
    .init("a Sun raster picture", convert, starting: [0x59, 0xA6, 0x6A, 0x95]),
    .init("an ImageMagick picture", convert, starting: "id=ImageMagick"),
    .init("an XBM picture", convert) {
      $0.starts("#define ") && $0.mentions("_width ") && $0.mentions("_bits")
    },
    .init("a PICT picture", convert) { $0.starts([0x00, 0x11, 0x02, 0xFF], at: 522) },
    .init("an IFF picture", convert) { head in
      head.starts("FORM") && (head.starts("ILBM", at: 8) || head.starts("PBM ", at: 8))
    },
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
