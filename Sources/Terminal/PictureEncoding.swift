import CSixel
import Foundation
import Frames
import Pictures
import Requests

/// How pictures are shown.
public enum Graphics: String, Sendable, CaseIterable {
  case sixel, kitty
  /// Half-block characters, two pixels a cell.
  case blocks
  case none
}

/// A picture, or the visible part of one, as bytes for the terminal.
struct EncodedPicture: Sendable {
  /// What is written at the placement's first row, then at the second, and so on.
  var rows: [[UInt8]]
  var byteCount: Int { rows.reduce(0) { $0 + $1.count } }
}

/// What decides an encoding.
struct EncodingKey: Hashable, Sendable {
  var picture: PictureID
  var graphics: Graphics
  var isTruecolor: Bool
  var cell: Size
  /// Cells of the whole picture, and the part of them that is seen.
  var whole: Size
  var part: Rect
  /// Behind transparent parts.
  var background: Colour?
}

enum PictureEncoding {
  static func encode(_ picture: Picture, _ key: EncodingKey) -> EncodedPicture {
    switch key.graphics {
    case .sixel:
      let cut = scaled(picture, key, perCell: key.cell)
      // A sixel band is six pixels high; a part of one would reach into the next row of cells.
      let height = cut.height >= 6 ? cut.height / 6 * 6 : cut.height
      return EncodedPicture(rows: [sixel(cut.cropped(x: 0, y: 0, width: cut.width, height: height))])
    case .kitty: return EncodedPicture(rows: [kitty(scaled(picture, key, perCell: key.cell), key)])
    case .blocks: return EncodedPicture(rows: blocks(scaled(picture, key, perCell: Size(1, 2)), key))
    case .none: return EncodedPicture(rows: [])
    }
  }

  /// The visible part at so many pixels a cell, on the background.
  private static func scaled(_ picture: Picture, _ key: EncodingKey, perCell: Size) -> Picture {
    let width = max(1, key.whole.width * perCell.width), height = max(1, key.whole.height * perCell.height)
    let back = key.background ?? Colour(255, 255, 255)
    let flat = picture.over(red: back.red, green: back.green, blue: back.blue)
    let fits = flat.width == width && flat.height == height
    let isWhole = width % flat.width == 0 && height % flat.height == 0
    let large =
      fits
      ? flat
      : isWhole && width >= 2 * flat.width
        ? repeated(flat, width, height)
        : flat.resizedBicubic(width: width, height: height)
    let part = Rect(
      key.part.x * perCell.width, key.part.y * perCell.height, key.part.width * perCell.width,
      key.part.height * perCell.height)
    return part == Rect(0, 0, width, height)
      ? large
      : large.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
  }

  /// Whole factors keep small pictures' pixels sharp.
  private static func repeated(_ picture: Picture, _ width: Int, _ height: Int) -> Picture {
    var pixels = [UInt8](repeating: 255, count: width * height * 4)
    for y in 0..<height {
      let row = y * picture.height / height * picture.width
      for x in 0..<width {
        let from = (row + x * picture.width / width) * 4, to = (y * width + x) * 4
        for c in 0..<3 { pixels[to + c] = picture.pixels[from + c] }
      }
    }
    return Picture(width: width, height: height, pixels: pixels)
  }

  // MARK: Sixel

  private final class Sink { var bytes: [UInt8] = [] }

  private static func sixel(_ picture: Picture) -> [UInt8] {
    let sink = Sink(), context = Unmanaged.passUnretained(sink).toOpaque()
    var output: OpaquePointer?
    let status = sixel_output_new(
      &output,
      { data, size, context in
        guard let data, let context, size > 0 else { return 0 }
        let bytes = UnsafeRawBufferPointer(start: data, count: Int(size))
        Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue().bytes += bytes
        return size
      }, context, nil)
    guard status == 0, let output else { return [] }
    defer { sixel_output_unref(output) }
    var dither: OpaquePointer?
    guard sixel_dither_new(&dither, 256, nil) == 0, let dither else { return [] }
    defer { sixel_dither_unref(dither) }
    var rgb = picture.rgb()
    let width = Int32(picture.width), height = Int32(picture.height)
    let isReady = sixel_dither_initialize(
      dither, &rgb, width, height, Int32(SIXEL_PIXELFORMAT_RGB888), Int32(SIXEL_LARGE_NORM),
      Int32(SIXEL_REP_CENTER_BOX),
      Int32(SIXEL_QUALITY_LOW))
    guard isReady == 0, sixel_encode(&rgb, width, height, 3, dither, output) == 0 else { return [] }
    return sink.bytes
  }

  // MARK: Kitty

  private static func kitty(_ picture: Picture, _ key: EncodingKey) -> [UInt8] {
    guard let png = try? picture.pngData() else { return [] }
    let text = Array(Data(png).base64EncodedString().utf8)
    var bytes: [UInt8] = []
    let chunks = stride(from: 0, to: text.count, by: 4096).map { text[$0..<min(text.count, $0 + 4096)] }
    for (i, chunk) in chunks.enumerated() {
      let head =
        i == 0 ? "a=T,f=100,q=2,C=1,i=\(identity(key)),c=\(key.part.width),r=\(key.part.height)," : ""
      bytes +=
        Array("\u{1B}_G\(head)m=\(i == chunks.count - 1 ? 0 : 1);".utf8) + chunk + Array("\u{1B}\\".utf8)
    }
    return bytes
  }

  /// The terminal's name for a picture.
  static func identity(_ key: EncodingKey) -> UInt32 {
    var hash: UInt32 = 2_166_136_261
    let text = "\(key.picture) \(key.whole) \(key.part)"
    for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return hash & 0x7FFF_FFFF | 1
  }

  // MARK: Half blocks

  private static func blocks(_ picture: Picture, _ key: EncodingKey) -> [[UInt8]] {
    func colour(_ x: Int, _ y: Int) -> Colour {
      let at = (min(y, picture.height - 1) * picture.width + x) * 4
      return Colour(picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2])
    }
    func code(_ c: Colour, _ base: Int) -> String {
      key.isTruecolor ? "\(base);2;\(c.red);\(c.green);\(c.blue)" : "\(base);5;\(c.palette256)"
    }
    return (0..<(picture.height + 1) / 2).map { row in
      var text = "", last = ""
      for x in 0..<picture.width {
        let codes = "\(code(colour(x, 2 * row), 38));\(code(colour(x, 2 * row + 1), 48))"
        if codes != last { text += "\u{1B}[\(codes)m" }
        text += "▀"
        last = codes
      }
      return Array((text + "\u{1B}[0m").utf8)
    }
  }
}
