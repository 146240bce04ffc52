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
package struct EncodedPicture: Sendable {
  /// What is written at the placement's first row, then at the second, and so on.
  package var rows: [[UInt8]]
  var byteCount: Int { rows.reduce(0) { $0 + $1.count } }
}

/// What decides an encoding.
package struct EncodingKey: Hashable, Sendable {
  var picture: PictureID
  var graphics: Graphics
  var isTruecolor: Bool
  /// What characters are to be had where there are less than 256 colours.
  var characters = CharacterSet.many
  var cell: Size
  /// Cells of the whole picture, and the part of them that is seen.
  var whole: Size
  var part: Rect
  /// Beside a picture that has other proportions than its cells.
  var background: Colour?
}

extension EncodingKey {
  /// Where there are many colours. Each argument is the property of its name.
  package init(
    _ picture: PictureID, _ graphics: Graphics, cell: Size, whole: Size, part: Rect, background: Colour?
  ) {
    self.init(
      picture: picture, graphics: graphics, isTruecolor: true, cell: cell, whole: whole, part: part,
      background: background)
  }
}

package enum PictureEncoding {
  package static func encode(_ picture: Picture, _ key: EncodingKey) -> EncodedPicture {
    switch key.graphics {
    case .sixel:
      let cut = scaled(picture, key, perCell: key.cell)
      // A sixel band is six pixels high; a part of one would reach into the next row of cells.
      let height = cut.height >= 6 ? cut.height / 6 * 6 : cut.height
      let whole = cut.cropped(x: 0, y: 0, width: cut.width, height: height)
      // In the card's flat fields dots would look like a fault of the terminal.
      return EncodedPicture(rows: [sixel(whole, isDithered: key.picture != .testCard)])
    case .kitty: return EncodedPicture(rows: [kitty(scaled(picture, key, perCell: key.cell), key)])
    case .blocks:
      if case .many = key.characters {
        return EncodedPicture(rows: blocks(scaled(picture, key, perCell: Size(1, 2)), key))
      }
      let grid = key.characters.grid
      return EncodedPicture(
        rows: CharacterPicture.rows(scaled(picture, key, perCell: grid), key.characters, key.background))
    case .none: return EncodedPicture(rows: [])
    }
  }

  /// The visible part at so many pixels a cell, on the background. The picture keeps its proportions: where its cells
  /// have others, the background is what is seen.
  private static func scaled(_ picture: Picture, _ key: EncodingKey, perCell: Size) -> Picture {
    let back = key.background ?? Colour(255, 255, 255)
    // On white, as the model is given it.
    let flat = picture.over(red: 255, green: 255, blue: 255)
    let size = fitted(flat, key, perCell)
    let isWhole = size.width % flat.width == 0 && size.height % flat.height == 0
    let fits = flat.width == size.width && flat.height == size.height
    let large =
      fits
      ? flat
      : isWhole && size.width >= 2 * flat.width
        ? repeated(flat, size.width, size.height)
        : flat.resizedBicubic(width: size.width, height: size.height)
    return laid(large, key, perCell, back)
  }

  /// How large a picture is in its cells: by a whole factor where less than a cell is lost by it.
  private static func fitted(_ picture: Picture, _ key: EncodingKey, _ perCell: Size) -> Size {
    let cell = Size(max(1, key.cell.width), max(1, key.cell.height))
    let (width, height) = (Double(picture.width), Double(picture.height))
    var factor = min(
      Double(key.whole.width * cell.width) / width, Double(key.whole.height * cell.height) / height)
    let aCell = min(Double(cell.width) / width, Double(cell.height) / height)
    if factor >= 1, factor - factor.rounded(.down) < aCell { factor.round(.down) }
    func pixels(_ side: Double, _ perCell: Int, _ cell: Int, _ cells: Int) -> Int {
      max(1, min(cells * perCell, Int((side * factor * Double(perCell) / Double(cell)).rounded())))
    }
    return Size(
      pixels(width, perCell.width, cell.width, key.whole.width),
      pixels(height, perCell.height, cell.height, key.whole.height))
  }

  /// The part that is seen of a picture that lies in the corner of its cells, or in the middle where more than a cell is
  /// left. Sixel leaves what is less than a cell to the terminal: its own ground is exact there.
  private static func laid(_ picture: Picture, _ key: EncodingKey, _ perCell: Size, _ back: Colour) -> Picture
  {
    let whole = Size(key.whole.width * perCell.width, key.whole.height * perCell.height)
    let right = whole.width - picture.width, below = whole.height - picture.height
    let x = right > perCell.width ? right / 2 : 0, y = below > perCell.height ? below / 2 : 0
    let part = Rect(
      key.part.x * perCell.width, key.part.y * perCell.height, key.part.width * perCell.width,
      key.part.height * perCell.height)
    var seen = part
    if key.graphics == .sixel, x == 0, y == 0 {
      seen.width = max(1, min(part.width, picture.width - part.x))
      seen.height = max(1, min(part.height, picture.height - part.y))
    }
    if x == 0, y == 0, seen == Rect(0, 0, picture.width, picture.height) { return picture }
    var canvas = Picture(
      width: seen.width, height: seen.height, red: back.red, green: back.green, blue: back.blue)
    let columns = max(seen.x, x)..<max(max(seen.x, x), min(seen.maxX, x + picture.width))
    for row in max(seen.y, y)..<max(max(seen.y, y), min(seen.maxY, y + picture.height)) where !columns.isEmpty
    {
      let from = ((row - y) * picture.width + columns.lowerBound - x) * 4
      let to = ((row - seen.y) * seen.width + columns.lowerBound - seen.x) * 4
      canvas.pixels.replaceSubrange(
        to..<to + columns.count * 4, with: picture.pixels[from..<from + columns.count * 4])
    }
    return canvas
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

  /// - Parameter isDithered: whether dots of neighbouring colours stand for those that the palette lacks.
  private static func sixel(_ picture: Picture, isDithered: Bool) -> [UInt8] {
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
    if !isDithered { sixel_dither_set_diffusion_type(dither, Int32(SIXEL_DIFFUSE_NONE)) }
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
        i == 0 ? "a=T,f=100,q=2,C=1,c=\(key.part.width),r=\(key.part.height)," : ""
      bytes +=
        Array("\u{1B}_G\(head)m=\(i == chunks.count - 1 ? 0 : 1);".utf8) + chunk + Array("\u{1B}\\".utf8)
    }
    return bytes
  }

  /// The data with the terminal's name for a picture in its first part.
  static func named(_ data: [UInt8], _ key: EncodingKey, at place: Rect) -> [UInt8] {
    let head = "\u{1B}_Ga=T,"
    return Array("\(head)i=\(identity(key, at: place)),".utf8) + data.dropFirst(head.utf8.count)
  }

  /// The terminal's name for a picture in its place: one name stands in one place only.
  static func identity(_ key: EncodingKey, at place: Rect) -> UInt32 {
    var hash: UInt32 = 2_166_136_261
    let text = "\(key.picture) \(key.whole) \(key.part) \(place)"
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
