import Foundation
import Pictures
import Tensors
import TestSupport
import Testing

/// Pictures that are made small while they are decoded.
struct WantedSizeTests {
  private func limits(_ wanted: Picture.Wanted, _ colours: Picture.Colours = .srgb) -> Picture.Limits {
    var limits = Picture.Limits()
    (limits.wanted, limits.colours) = (wanted, colours)
    return limits
  }

  /// What is made of the whole picture.
  private func expected(_ whole: Picture, _ wanted: Picture.Wanted) -> Picture {
    switch wanted {
    case .square(let side): return whole.overWhite().resizedBicubic(width: side, height: side)
    case .within(let most):
      let side = max(whole.width, whole.height)
      guard side > most else { return whole }
      return whole.resizedBicubic(
        width: max(1, whole.width * most / side), height: max(1, whole.height * most / side))
    }
  }

  private static let sizes: [Picture.Wanted] = [.square(7), .square(128), .within(5), .within(40)]

  /// Every kind, with its profiles, inks and transparency: bit for bit.
  @Test func isTheResizedWhole() throws {
    let kinds = try KindFixtures(), plain = try PictureFixtures()
    let all =
      try kinds.file.names.map { ($0, try kinds.bytes($0)) }
      + (plain.names("g") + plain.names("webp")).map { ($0, try plain.bytes($0)) }
    var compared = 0
    for (name, bytes) in all {
      for colours in Picture.Colours.allCases {
        var own = Picture.Limits()
        own.colours = colours
        guard let whole = try? Picture(bytes: bytes, name: name, limits: own) else { continue }
        for wanted in Self.sizes {
          let found = try Picture(bytes: bytes, name: name, limits: limits(wanted, colours))
          #expect(
            found == expected(whole, wanted),
            "\(name) \(wanted): \(difference(found, expected(whole, wanted)))")
          compared += 1
        }
      }
    }
    #expect(compared > 700)
  }

  /// A JPEG file with an EXIF orientation.
  private func turned(_ picture: Picture, _ orientation: UInt8) throws -> [UInt8] {
    let plain = try picture.jpegData(quality: 100)
    let exif: [UInt8] =
      Array("Exif\0\0MM\0*".utf8) + [
        0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
      ]
    return Array(plain.prefix(2)) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + Array(plain.dropFirst(2))
  }

  @Test(arguments: UInt8(1)...8)
  func isTheResizedWholeHoweverItLies(_ orientation: UInt8) throws {
    var random = Philox(seed: 3)
    // Both orders of the passes, from both sides.
    for (width, height) in [(90, 60), (61, 200), (200, 61), (1, 300), (300, 1)] {
      let pixels = random.integers(below: 256, count: width * height * 3).map { UInt8($0) }
      let bytes = try turned(Picture(width: width, height: height, rgb: pixels), orientation)
      let whole = try Picture(bytes: bytes, name: "whole")
      #expect((whole.width == height) == (orientation >= 5))
      for wanted in [Picture.Wanted.square(9), .square(64), .within(31)] {
        #expect(try Picture(bytes: bytes, name: "small", limits: limits(wanted)) == expected(whole, wanted))
      }
    }
  }

  /// JPEG files of more pixels than the limit are decoded at a fraction where a small picture is wanted.
  @Test func theLimitIsForWhatIsDecoded() throws {
    let (width, height) = (2500, 2000)
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      for i in 0..<width * height {
        buffer[3 * i] = UInt8(i % width / 10)
        buffer[3 * i + 1] = UInt8(i / width / 8)
        buffer[3 * i + 2] = 90
      }
      count = width * height * 3
    }
    let bytes = try Picture(width: width, height: height, rgb: pixels).jpegData(quality: 90)
    let whole = try Picture(bytes: bytes, name: "whole"), small = expected(whole, .square(128))
    #expect(try Picture(bytes: bytes, name: "small", limits: limits(.square(128))) == small)
    var few = limits(.square(128))
    few.pixels = 2_000_000
    #expect(difference(try Picture(bytes: bytes, name: "small", limits: few), small) <= 2)
    for wanted in [nil, Picture.Wanted.square(448)] {
      few.wanted = wanted
      let error = #expect(throws: PictureError.self) { try Picture(bytes: bytes, name: "wide", limits: few) }
      #expect(error?.reason.contains("--max-pixels") == true)
    }
  }

  /// A file is named by its own size, whatever fraction of it would be decoded.
  @Test func theFilesOwnSizeIsNamed() throws {
    var bytes = try Picture(width: 64, height: 64, red: 9, green: 90, blue: 200).jpegData(quality: 50)
    let frame = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
    bytes.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    for (wanted, pixels) in [
      (Picture.Wanted?.some(.square(64)), 128_000_000), (.within(64), 1_000_000), (nil, 9),
    ] {
      var few = Picture.Limits(pixels: pixels)
      few.wanted = wanted
      let error = #expect(throws: PictureError.self) { try Picture(bytes: bytes, name: "vast", limits: few) }
      #expect(error?.reason.contains("65500 × 65500 pixels") == true, "\(error as Any)")
    }
  }

  /// Whatever a file lacks, the line says what is wrong and what to do.
  @Test func cutFilesAreToldWhatToDo() throws {
    let kinds = try KindFixtures(), plain = try PictureFixtures()
    let all =
      try kinds.file.names.map { ($0, try kinds.bytes($0)) }
      + (plain.names("g") + plain.names("webp")).map { ($0, try plain.bytes($0)) }
    for (name, bytes) in all {
      for tenth in 1..<10 {
        do {
          _ = try Picture(bytes: Array(bytes.prefix(bytes.count * tenth / 10)), name: "cut")
        } catch let error as PictureError {
          #expect(
            [";", "not a picture of a known kind", "is empty"].contains(where: error.reason.contains),
            "\(name) \(tenth): \(error)")
        }
      }
    }
  }

  @Test func absurdSizesAreNamed() throws {
    let bytes = try Picture(width: 4, height: 4, red: 1, green: 2, blue: 3).pngData()
    #expect(throws: Never.self) { try Picture(bytes: bytes, name: "whole") }
    func bitmap(_ width: Int32, _ height: Int32) -> [UInt8] {
      func little(_ value: Int32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
      return Array("BM".utf8) + little(70) + little(0) + little(54) + little(40) + little(width)
        + little(height)
        + [1, 0, 24, 0] + little(0) + little(0) + little(0) + little(0) + little(0) + little(0)
        + [UInt8](repeating: 9, count: 16)
    }
    for (width, height) in [(-4, 1), (0, 1), (4, 0), (4, .min), (.min, .min)] as [(Int32, Int32)] {
      let error = #expect(throws: PictureError.self) {
        try Picture(bytes: bitmap(width, height), name: "a.bmp")
      }
      let line = error?.reason ?? ""
      let says =
        "\(width) × \(height) pixels, which no picture has (a side may have 1000000); copy or download"
      #expect(line.contains(says), "\(line)")
    }
    #expect(try Picture(bytes: bitmap(4, -1), name: "upside down").height == 1)
  }

  /// What a header says that is too much, and how much there may be.
  @Test(arguments: [65_536, 1 << 31, 1 << 32, 1 << 40, 1_000_000_000_000_000, .max] as [UInt64])
  func hugeNumbersOfHeadersAreNamed(_ number: UInt64) {
    func reason(_ text: String) -> String { reasonOf(Array(text.utf8) + [0, 0, 0, 0, 0, 0]) }
    let told = number < 1_000_000_000_000_000 ? "\(number)" : "at least 1000000000000000"
    for kind in ["P2", "P3", "P5", "P6"] {
      let line = reason("\(kind)\n1 1\n\(number)\n")
      #expect(line.contains("its maxval is \(told), and the format allows 1 to 65535"), "\(line)")
    }
    let depth = reason("P7\nWIDTH 1\nHEIGHT 1\nDEPTH \(number)\nMAXVAL 255\nENDHDR\n")
    #expect(depth.contains("its depth is ") && depth.contains(", and 1 to 4 channels are read"), "\(depth)")
    guard number > 1_000_000 else { return }
    let pam = "P7\nWIDTH 1\nHEIGHT \(number)\nDEPTH 3\nMAXVAL 255\nENDHDR\n"
    for text in ["P1\n\(number) 1\n", "P4\n1 \(number)\n", "P5\n\(number) 1\n255\n", pam] {
      let line = reason(text)
      #expect(line.contains(told) && line.contains(", and a side may have 1000000; shrink"), "\(line)")
    }
    for (width, height) in [(number, 3), (3, number), (number, number)] {
      let line = reasonOf(bigTIFF(width, height))
      #expect(
        line.contains("its header says \(width) × \(height) pixels, and a side may have 1000000"), "\(line)")
    }
  }

  /// What no number stands for is said, too.
  @Test func headersWithoutNumbersSayWhich() {
    for (text, says) in [
      ("P6\n-5 4\n255\n", "its header has no number for the width"),
      ("P5\n5 x\n255\n", "its header has no number for the height"),
      ("P2\n5 5\n", "no number for the maxval"),
      ("P7\nWIDTH 1\nHEIGHT 1\n", "its header has no ENDHDR"),
      ("P5\n1 1\n0\n", "its maxval is 0, and the format"),
    ] {
      let line = reasonOf(Array(text.utf8))
      #expect(line.contains(says), "\(line)")
    }
  }

  private func reasonOf(_ bytes: [UInt8]) -> String {
    do {
      _ = try Picture(bytes: bytes, name: "a picture")
      return ""
    } catch { return (error as? PictureError)?.reason ?? "\(error)" }
  }

  /// The header of a grey picture whose rows are a strip each.
  private func bigTIFF(_ width: UInt64, _ height: UInt64) -> [UInt8] {
    func little(_ value: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    let entries: [(tag: UInt64, type: UInt64, value: UInt64)] = [
      (256, 16, width), (257, 16, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 16, 16), (277, 3, 1),
      (278, 16, 1), (279, 16, 16),
    ]
    return Array("II+".utf8) + [0] + little(8, 2) + little(0, 2) + little(32, 8) + little(0, 16)
      + little(UInt64(entries.count), 8)
      + entries.flatMap { little($0.tag, 2) + little($0.type, 2) + little(1, 8) + little($0.value, 8) }
      + little(0, 8)
  }
}
