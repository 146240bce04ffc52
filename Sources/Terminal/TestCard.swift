import Foundation
import Frames
import Pictures

/// A picture by which a person sees what a terminal does with pictures: colour bars, grey steps, fine lines, a ramp
/// of each primary colour, and a frame whose four sides must all be there.
public enum TestCard {
  /// In pixels.
  public static let width = 256, height = 144

  /// The card, opaque.
  public static func picture() -> Picture {
    var card = Picture(width: width, height: height, red: 24, green: 24, blue: 28)
    func set(_ x: Int, _ y: Int, _ r: Int, _ g: Int, _ b: Int) {
      let at = (y * width + x) * 4
      (card.pixels[at], card.pixels[at + 1], card.pixels[at + 2]) = (UInt8(r), UInt8(g), UInt8(b))
    }
    for y in 0..<height {
      for x in 0..<width {
        switch y {
        case 4..<52:
          // White, yellow, cyan, green, magenta, red, blue, black.
          let bits = 7 - x / 32
          set(x, y, bits & 2 != 0 ? 235 : 20, bits & 4 != 0 ? 235 : 20, bits & 1 != 0 ? 235 : 20)
        case 56..<76:
          let grey = x / 16 * 17
          set(x, y, grey, grey, grey)
        case 80..<100:
          // One, two and four pixels wide.
          let period = x < 85 ? 1 : x < 170 ? 2 : 4
          let light = x / period % 2 == 0 ? 235 : 20
          set(x, y, light, light, light)
        case 104..<140:
          let ramp = (y - 104) / 12
          set(x, y, ramp == 0 ? x : 0, ramp == 1 ? x : 0, ramp == 2 ? x : 0)
        default: break
        }
        if x < 2 || y < 2 || x >= width - 2 || y >= height - 2 { set(x, y, 255, 140, 0) }
      }
    }
    return card
  }

  /// The card for plain output, below the cursor and with the cursor below it.
  ///
  /// - Parameter isTruecolor: false for what the terminal's palette shows.
  public static func bytes(_ graphics: Graphics, isTruecolor: Bool, on facts: TerminalFacts) -> [UInt8] {
    let cell = facts.cell
    // A cell that it fills in part is its own, so that it is shown pixel by pixel.
    let columns = max(16, (width + cell.width - 1) / max(1, cell.width))
    let rows = max(4, (height + cell.height - 1) / max(1, cell.height))
    let key = EncodingKey(
      picture: .testCard, graphics: graphics, isTruecolor: isTruecolor,
      characters: isTruecolor && facts.usesColours ? .many : facts.characters, cell: cell,
      whole: Size(columns, rows),
      part: Rect(0, 0, columns, rows), background: nil)
    let lines = PictureEncoding.encode(picture(), key).rows
    switch graphics {
    case .none: return []
    case .blocks: return lines.flatMap { $0 + Array("\n".utf8) }
    case .sixel: return lines.flatMap(\.self) + Array("\n".utf8)
    // kitty leaves the cursor where it was.
    case .kitty: return lines.flatMap(\.self) + [UInt8](repeating: 10, count: rows + 1)
    }
  }
}
