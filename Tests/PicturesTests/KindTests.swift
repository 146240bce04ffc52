import Foundation
import ModelFiles
import Pictures
import Tensors
import TestSupport
import Testing

/// The files that `make_kinds.py` wrote: every kind, as other programs make them.
struct KindFixtures {
  let folder: String
  let file: SafetensorsFile

  init() throws {
    folder = try PictureFixtures().folder + "/Kinds"
    file = try SafetensorsFile(path: folder + "/kinds.safetensors")
  }

  func expected(_ name: String) throws -> Picture {
    let shape = try #require(file.header.entries[name]).shape
    return try file.withBytes(of: name) { Picture(width: shape[1], height: shape[0], pixels: Array($0)) }
  }

  func path(_ name: String) -> String { folder + "/" + name }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

struct KindTests {
  /// Levels by which a decoder of these may differ from Pillow's.
  private static let looseness = [
    "jpg": 3, "avif": 2, "heic": 2, "jp2": 1, "j2k": 1, "tif": 1, "webp": 1,
  ]

  /// Debian 13 has libheif's decoder in a package of its own.
  private static func lacksDecoder(_ error: any Error) -> Bool { "\(error)".contains("may lack a decoder") }

  @Test func readsEveryKind() throws {
    let fixtures = try KindFixtures()
    #expect(fixtures.file.names.count >= 60)
    for name in fixtures.file.names {
      do {
        let found = try Picture(path: fixtures.path(name)), expected = try fixtures.expected(name)
        let limit = Self.looseness[(name as NSString).pathExtension] ?? (name.contains("p3") ? 1 : 0)
        let isProfiled = ["p3", "adobe", "linear"].contains { name.hasPrefix($0) }
        #expect(visibleDifference(found, expected) <= max(limit, isProfiled ? 1 : 0), "\(name)")
      } catch  where Self.lacksDecoder(error) {
        print("\(name) is not compared: \(error)")
      } catch {
        Issue.record("\(name): \(error)")
      }
    }
  }

  /// Decoders that write to standard error have a table of open files of their own: nobody else's leads elsewhere meanwhile.
  @Test func standardErrorStaysWhereItIs() async throws {
    let bytes = try KindFixtures().bytes("plain.heic"), before = Self.place(of: STDERR_FILENO)
    let watching = Task.detached {
      var isSame = true
      while !Task.isCancelled {
        isSame = isSame && Self.place(of: STDERR_FILENO) == before
        await Task.yield()
      }
      return isSame
    }
    for _ in 0..<20 { _ = try? Picture(bytes: bytes, name: "plain.heic") }
    watching.cancel()
    let isSame = await watching.value
    #expect(isSame && Self.place(of: STDERR_FILENO) == before)
  }

  private static func place(of descriptor: Int32) -> [UInt64] {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : []
  }

  /// Hidden colours of clear pixels count for nothing.
  private func visibleDifference(_ a: Picture, _ b: Picture) -> Int {
    guard a.width == b.width, a.height == b.height else { return 256 }
    return stride(from: 0, to: a.pixels.count, by: 4).reduce(0) { most, i in
      let alpha = Int(b.pixels[i + 3])
      return (i..<i + 4).reduce(most) { most, at in
        let off = abs(Int(a.pixels[at]) - Int(b.pixels[at]))
        return max(most, at == i + 3 || alpha > 0 ? off : 0)
      }
    }
  }

  @Test func storedColoursAreKeptWhereTheyAreAskedFor() throws {
    let fixtures = try KindFixtures()
    var limits = Picture.Limits()
    limits.colours = .stored
    let plain = try Picture(path: fixtures.path("srgb.png"), limits: limits)
    for name in ["p3.png", "adobe.webp", "linear.png"] {
      #expect(try Picture(path: fixtures.path(name), limits: limits) == plain, "\(name)")
      #expect(try Picture(path: fixtures.path(name)) != plain, "\(name)")
    }
    // The usual profile moves nothing.
    #expect(try Picture(path: fixtures.path("srgb.png")) == plain)
  }

  @Test(arguments: [
    ("%PDF-1.7\n", "this is a PDF; convert it to PNG: pdftoppm"), ("PK\u{3}\u{4}abc", "ZIP archive"),
    ("<?xml version='1.0'?><svg xmlns='x'>", "an SVG drawing; convert it"),
    ("\0\0\0\u{18}ftypisom\0\0\0\0isommp42", "a video; take a frame of it: ffmpeg -i 'here'"),
    ("8BPS\0\u{1}", "Photoshop"), ("DDS \u{7C}\0\0\0", "with ImageMagick: convert 'here' picture.png"),
    ("<!DOCTYPE html><html>", "a web page"), ("farbfeld\0\0\0\u{1}", "a farbfeld picture"),
    ("SDPX\0\0\0\0", "a DPX or Cineon picture"), ("id=ImageMagick  version=1.0", "an ImageMagick picture"),
    ("#define x_width 8\n#define x_height 8\nstatic char x_bits[] = {", "an XBM picture"),
    ("FORM\0\0\0\u{10}ILBMBMHD", "an IFF picture"), ("FLIF31", "a FLIF picture"),
    ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
  ])
  func namesWhatItDoesNotRead(_ content: String, _ reason: String) {
    let error = #expect(throws: PictureError.self) { try Picture(bytes: Array(content.utf8), name: "here") }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  private func reason(_ bytes: [UInt8], _ name: String = "a.bin") -> String {
    do {
      _ = try Picture(bytes: bytes, name: name)
      return "read"
    } catch {
      return "\(error)"
    }
  }

  /// A TIFF file of two pixels with these samples each, and what it says of those behind its colours.
  private func tiff(_ pixels: [[UInt8]], kind: Int, extras: [Int]) -> [UInt8] {
    func little(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let count = pixels[0].count
    var tags = [
      (256, 4, [pixels.count]), (257, 4, [1]), (258, 3, Array(repeating: 8, count: count)), (259, 3, [1]),
      (262, 3, [kind]), (273, 4, [0]), (277, 3, [count]), (278, 4, [1]), (279, 4, [count * pixels.count]),
    ]
    if !extras.isEmpty { tags.append((338, 3, extras)) }
    var later: [UInt8] = [], fields: [UInt8] = []
    let start = 8 + 2 + 12 * tags.count + 4
    let long = tags.reduce(0) { $0 + ($1.2.count * ($1.1 == 3 ? 2 : 4) > 4 ? $1.2.count * 2 : 0) }
    for (tag, form, values) in tags {
      var packed = (tag == 273 ? [start + long] : values).flatMap { little($0, form == 3 ? 2 : 4) }
      if packed.count > 4 {
        later += packed
        packed = little(start + later.count - packed.count, 4)
      }
      fields += little(tag, 2) + little(form, 2) + little(values.count, 4) + (packed + [0, 0]).prefix(4)
    }
    return Array("II*\0".utf8) + little(8, 4) + little(tags.count, 2) + fields + little(0, 4) + later
      + pixels.flatMap { $0 }
  }

  /// Samples behind the colours are alpha where the file says so; what it does not name, such as a selection that Photoshop
  /// keeps there, is none.
  @Test func samplesThatAreNoAlphaAreLeft() throws {
    func read(_ pixels: [[UInt8]], _ extras: [Int], kind: Int = 2) throws -> [UInt8] {
      try Picture(bytes: tiff(pixels, kind: kind, extras: extras), name: "a.tif").pixels
    }
    let pixels: [[UInt8]] = [[200, 100, 50, 40], [10, 20, 30, 255]]
    let opaque: [UInt8] = [200, 100, 50, 255, 10, 20, 30, 255]
    #expect(try read(pixels, [0]) == opaque)
    #expect(try read(pixels.map { $0 + [7, 8] }, [0, 0, 0]) == opaque)
    #expect(try read(pixels.map { $0 + [7] }, [0, 2]) == opaque)
    let clear: [UInt8] = [200, 100, 50, 40, 10, 20, 30, 255]
    for extras in [[2], [2, 0], [2, 0, 0]] {
      #expect(try read(pixels.map { $0 + [9, 9].prefix(extras.count - 1) }, extras) == clear, "\(extras)")
    }
    // Without a word four samples have an alpha, as Pillow takes them.
    #expect(try read(pixels, []) == clear)
    let within: [UInt8] = [255, 255, 255, 40, 10, 20, 30, 255]
    for extras in [[1], [1, 0]] {
      #expect(try read(pixels.map { $0 + [9].prefix(extras.count - 1) }, extras) == within, "\(extras)")
    }
    let grey: [[UInt8]] = [[90, 40], [7, 255]]
    #expect(try read(grey, [0], kind: 1) == [90, 90, 90, 255, 7, 7, 7, 255])
    #expect(try read(grey, [2], kind: 1) == [90, 90, 90, 40, 7, 7, 7, 255])
    #expect(try read(grey.map { $0 + [1, 2] }, [0, 0, 0], kind: 1) == [90, 90, 90, 255, 7, 7, 7, 255])
  }

  /// What is cut off is no better in another format, and what is whole is not damaged.
  @Test func cutFilesAndUnreadFormsAreToldApart() throws {
    let fixtures = try KindFixtures()
    var seen: Set<String> = []
    for name in fixtures.file.names {
      let ending = (name as NSString).pathExtension, bytes = try fixtures.bytes(name)
      guard ["bmp", "ppm", "pgm", "pbm", "tif", "gif", "jp2"].contains(ending) else { continue }
      for part in [bytes.count / 2, bytes.count - bytes.count / 8 - 1] {
        let said = reason(Array(bytes.prefix(part)))
        guard said != "read", !said.contains("not a picture of a known kind") else { continue }
        #expect(said.hasSuffix("; copy or download the file again"), "\(name): \(said)")
        seen.insert(ending)
      }
    }
    #expect(seen.isSuperset(of: ["bmp", "ppm", "tif"]), "\(seen)")
    var jpeg = try Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768)).data(.jpeg)
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg[frame + 4] = 12
    #expect(
      reason(jpeg).hasSuffix("12 bits a channel are not read, only 8; convert it to PNG"), "\(reason(jpeg))")
    let head = "P7\nWIDTH 2\nHEIGHT 2\nDEPTH 5\nMAXVAL 255\nENDHDR\n"
    let deep = Array(head.utf8) + [UInt8](repeating: 1, count: 20)
    #expect(reason(deep).hasSuffix("1 to 4 channels are read; convert it to PNG"), "\(reason(deep))")
    var bitmap = try fixtures.bytes(try #require(fixtures.file.names.first { $0.hasSuffix(".bmp") }))
    bitmap[28] = 13
    #expect(reason(bitmap).hasSuffix("are not read; convert it to PNG"), "\(reason(bitmap))")
  }

  /// Kinds that have no mark: told by what follows, and only then by the name.
  @Test func kindsWithoutAMarkAreKnown() {
    let head: [UInt8] = [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 3, 0, 24, 0x20]
    let targa = head + [UInt8](repeating: 7, count: 36)
    var packed = head
    packed[2] = 10
    packed.append(contentsOf: [0x83, 1, 2, 3, 0x87, 4, 5, 6])
    let footer = [UInt8](repeating: 0, count: 8) + Array("TRUEVISION-XFILE.\0".utf8)
    for bytes in [targa, packed, targa + footer, [UInt8](repeating: 3, count: 40) + footer] {
      #expect(reason(bytes).contains("a Targa picture; convert it"), "\(reason(bytes))")
    }
    // One that is cut off is known by its name.
    #expect(reason(Array(targa.prefix(30))).contains("not a picture of a known kind"))
    #expect(reason(Array(targa.prefix(30)), "a.TGA").contains("a Targa picture"))
  }

  /// Kinds whose mark others share.
  @Test func resemblingKindsAreToldApart() {
    func icon(_ kind: UInt8) -> [UInt8] {
      [0, 0, kind, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 40, 0, 0, 0, 22, 0, 0, 0]
        + [UInt8](repeating: 0, count: 40)
    }
    #expect(reason(icon(1)).contains("a Windows icon") && reason(icon(2)).contains("a Windows cursor"))
    func zip(_ first: String) -> [UInt8] {
      Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 26) + Array(first.utf8)
    }
    let kinds: [([UInt8], String)] = [
      (zip("[Content_Types].xml"), "a Word, Excel or PowerPoint document"),
      (zip("word/document.xml"), "a Word,"),
      (zip("mimetypeapplication/vnd.oasis.opendocument.text"), "an OpenDocument file"),
      (zip("a.png"), "a ZIP archive"),
      ([0xC5, 0xD0, 0xD3, 0xC6], "an EPS file"),
      (Array("II*\0\u{10}\0\0\0CR\u{2}\0".utf8), "a Canon raw file"),
      (Array("MMOR".utf8), "a camera's raw file"), (Array("icns".utf8), "a Mac icon"),
      ([0xD0, 0xCF, 0x11, 0xE0], "an old office program"), (Array("{\\rtf1".utf8), "an RTF document"),
    ]
    for (bytes, answer) in kinds {
      #expect(reason(bytes).contains(answer), "\(answer): \(reason(bytes))")
    }
  }

  /// EXIF and XMP of the kinds that keep them in boxes or directories of their own.
  @Test func settingsAreFoundInTIFFAndAVIFAndHEIC() throws {
    let fixtures = try KindFixtures()
    for name in ["told.tif", "toldxmp.tif", "told.avif", "toldxmp.avif", "told.heic"] {
      let bytes = try fixtures.bytes(name), texts = Picture.texts(bytes: bytes)
      let words = texts.first { $0.key == "UserComment" }?.value ?? ""
      #expect(words.hasPrefix("a green pear\nNegative prompt: blurry\nSteps: 21"), "\(name): \(texts)")
      var random = Philox(seed: 5)
      for _ in 0..<2000 { _ = Picture.texts(bytes: damaged(bytes, &random)) }
    }
  }

  /// A few bytes that promise many pixels are refused before memory is taken.
  @Test func promisesAreWeighed() throws {
    let fixtures = try KindFixtures()
    var png = try PictureFixtures().bytes("grey8.png")
    png.replaceSubrange(16..<24, with: [0, 0, 0x2E, 0xE0, 0, 0, 0x27, 0x10])  // 12 000 × 10 000
    var gif = try fixtures.bytes("still.gif")
    gif.replaceSubrange(6..<10, with: [0xE0, 0x2E, 0x10, 0x27])
    for (bytes, name) in [(png, "png"), (gif, "gif")] {
      let error = #expect(throws: PictureError.self) { try Picture(bytes: bytes, name: name) }
      #expect(error?.reason.contains("too few") == true || error?.reason.contains("CRC") == true, "\(name)")
    }
  }

  @Test(arguments: WrittenFormat.allCases)
  func textsGoThroughEveryWrittenKind(_ format: WrittenFormat) throws {
    let picture = Picture(width: 9, height: 7, red: 200, green: 30, blue: 90)
    let parameters = "ein grüner Apfel 🍏 漢字\nSteps: 5, Seed: 7", json = #"{"a":"<\"&'> ü"}"#
    let bytes = try picture.data(format, texts: [PNGText("parameters", parameters), PNGText("vugen", json)])
    #expect(bytes.withUnsafeBytes { PictureFormat(recognising: $0)?.rawValue } == format.rawValue)
    let texts = Picture.texts(bytes: bytes)
    #expect(texts.first { $0.key == (format == .png ? "parameters" : "UserComment") }?.value == parameters)
    #expect(texts.first { $0.key == "vugen" }?.value == json)
    #expect(difference(try Picture(bytes: bytes, name: "again"), picture) <= (format == .jpeg ? 3 : 0))
    #expect(WrittenFormat(path: "a/b.JPG") == .jpeg && WrittenFormat(path: "a.webp") == .webp)
  }

  @Test func aPipeIsReadAsAFile() throws {
    let fixtures = try KindFixtures(), bytes = try fixtures.bytes("colour.ppm")
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(write(ends[1], bytes, bytes.count) == bytes.count)
    close(ends[1])
    defer { close(ends[0]) }
    #expect(try Picture(path: "/dev/fd/\(ends[0])") == fixtures.expected("colour.ppm"))
  }

  /// Damaged files end in an error or in a picture of the size they say, never in a crash. Set
  /// VUGEN_FUZZ to run more than the 500 a format.
  @Test(arguments: PictureFormat.allCases)
  func survivesDamage(_ format: PictureFormat) throws {
    let plain = try PictureFixtures(), kinds = try KindFixtures()
    let all =
      try plain.names("g").map(plain.bytes) + plain.names("webp").map(plain.bytes)
      + kinds.file.names.map(kinds.bytes)
    let originals = all.filter { bytes in bytes.withUnsafeBytes { PictureFormat(recognising: $0) } == format }
    #expect(!originals.isEmpty)
    var random = Philox(seed: 11, stream: UInt64(format.name.count)), failures = 0
    // A film's decoder takes its time.
    let isSlow = format == .avif || format == .heic
    let rounds = damageRounds(isSlow ? 50 : 500, share: isSlow ? 10 : 1)
    for round in 0..<rounds {
      let bytes = damaged(originals[round % originals.count], &random)
      do {
        let picture = try Picture(bytes: bytes, name: "damaged", limits: .init(pixels: 1_000_000))
        #expect(picture.pixels.count == picture.width * picture.height * 4)
      } catch {
        #expect(error is PictureError)
        failures += 1
      }
      _ = Picture.texts(bytes: bytes)
    }
    // Where pixels are stored as they are, most damage is to a pixel.
    #expect(failures > rounds / ([.png, .jpeg, .webp].contains(format) ? 4 : 50))
  }
}
