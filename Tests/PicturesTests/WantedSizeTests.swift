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
      #expect(line.contains("\(width) × \(height) pixels, which no picture has; copy or download"), "\(line)")
    }
    #expect(try Picture(bytes: bitmap(4, -1), name: "upside down").height == 1)
  }
}
