import Frames
import Pictures

/// What pictures are made of where a terminal shows none.
enum CharacterSet: Hashable, Sendable {
  /// Half blocks in 256 colours or more: two pixels a cell, each in its own colour.
  case many
  /// Two pixels by three, two by two, and one by two a cell, in two of few colours.
  case sextants(colours: Int)
  case quadrants(colours: Int)
  case halves(colours: Int)
  /// Letters and signs, by how bright they are.
  case ascii(colours: Int)

  /// Pixels in a cell.
  var grid: Size {
    switch self {
    case .sextants: Size(2, 3)
    case .quadrants: Size(2, 2)
    case .many, .halves: Size(1, 2)
    case .ascii: Size(1, 1)
    }
  }

  /// How many colours there are: 0, 8 or 16.
  var colours: Int {
    switch self {
    case .many: 256
    case .sextants(let colours), .quadrants(let colours), .halves(let colours), .ascii(let colours): colours
    }
  }

  /// The same in shades of the terminal's own letters (`NO_COLOR`).
  var withoutColours: CharacterSet {
    switch self {
    case .many, .halves: .halves(colours: 0)
    case .sextants: .sextants(colours: 0)
    case .quadrants: .quadrants(colours: 0)
    case .ascii: .ascii(colours: 0)
    }
  }

  /// The character whose pixels are in the first colour where their bit is set, the upper left one's first.
  func character(_ bits: Int) -> String {
    switch self {
    case .quadrants: return Self.quadrants[bits & 15]
    case .halves: return Self.halves[bits & 3]
    case .sextants:
      // The block of sextants leaves out what quadrants have already.
      switch bits {
      case 0: return " "
      case 63: return "█"
      case 21: return "▌"
      case 42: return "▐"
      default:
        let place = 0x1FB00 + bits - 1 - (bits > 21 ? 1 : 0) - (bits > 42 ? 1 : 0)
        return Unicode.Scalar(UInt32(place)).map { String(Character($0)) } ?? " "
      }
    case .many, .ascii: return " "
    }
  }

  private static let quadrants = [
    " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
  ]
  private static let halves = [" ", "▀", "▄", "█"]
}

/// Pictures as characters in few colours, or in none.
enum CharacterPicture {
  private typealias Point = SIMD3<Float>

  /// The colours as xterm has them.
  private static let palette: [Point] = [
    [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205],
    [229, 229, 229], [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255],
    [0, 255, 255], [255, 255, 255],
  ]
  private static let shades: [(character: String, share: Float)] = [("░", 0.25), ("▒", 0.5), ("▓", 0.75)]
  private static let signs = Array(" .:-=+*#%@").map(String.init)
  private static let blocks = [" ", "░", "▒", "▓", "█"]

  /// A row of bytes for each row of cells.
  static func rows(_ picture: Picture, _ set: CharacterSet, _ background: Colour?) -> [[UInt8]] {
    let grid = set.grid, isLight = (background?.luminance ?? 0) > 0.5
    return (0..<picture.height / grid.height).map { row in
      var text = "", last = ""
      for column in 0..<picture.width / grid.width {
        let cell = pixels(picture, column, row, grid)
        let (codes, character) = look(cell, set, isLight)
        if codes != last { text += "\u{1B}[0\(codes.isEmpty ? "" : ";\(codes)")m" }
        text += character
        last = codes
      }
      return Array((text + (set.colours == 0 ? "" : "\u{1B}[0m")).utf8)
    }
  }

  private static func pixels(_ picture: Picture, _ column: Int, _ row: Int, _ grid: Size) -> [Point] {
    (0..<grid.width * grid.height).map { i in
      let x = column * grid.width + i % grid.width, y = row * grid.height + i / grid.width
      let at = (y * picture.width + x) * 4
      return Point(Float(picture.pixels[at]), Float(picture.pixels[at + 1]), Float(picture.pixels[at + 2]))
    }
  }

  /// The codes of its colours, and the character.
  private static func look(_ cell: [Point], _ set: CharacterSet, _ isLight: Bool) -> (String, String) {
    let isASCII = if case .ascii = set { true } else { false }
    guard set.colours > 0, !isASCII else {
      let mean = cell.reduce(Point.zero, +) / Float(cell.count)
      let luminance = (mean * Point(0.299, 0.587, 0.114)).sum() / 255
      let ramp = isASCII ? signs : blocks
      let dense = isLight ? 1 - luminance : luminance
      let sign = ramp[max(0, min(ramp.count - 1, Int((dense * Float(ramp.count - 1)).rounded())))]
      guard set.colours > 0 else { return ("", sign) }
      // In its colour, but never in the ground's.
      let inks = (isLight ? 0..<7 : 1..<8)
      let ink = inks.min { distance(palette[$0], mean) < distance(palette[$1], mean) } ?? 7
      return ("\(code(ink, isGround: false))", sign)
    }
    let best = twoColours(cell, set)
    return ("\(code(best.ink, isGround: false));\(code(best.ground, isGround: true))", best.character)
  }

  /// The two colours, and the character of them, that come nearest to a cell's pixels.
  private static func twoColours(_ cell: [Point], _ set: CharacterSet) -> (
    character: String, ink: Int, ground: Int
  ) {
    var best = (character: " ", ink: 7, ground: 0), least = Float.infinity
    for ink in 0..<set.colours {
      for ground in 0..<set.colours {
        if ink > ground {
          var error: Float = 0, bits = 0
          for (i, pixel) in cell.enumerated() {
            let (a, b) = (distance(pixel, palette[ink]), distance(pixel, palette[ground]))
            error += min(a, b)
            if a < b { bits |= 1 << i }
          }
          if error < least { (best, least) = ((set.character(bits), ink, ground), error) }
        }
        guard ink != ground else { continue }
        for shade in shades where !(shade.share == 0.5 && ink < ground) {
          let mixed = palette[ink] * shade.share + palette[ground] * (1 - shade.share)
          // Grain is worse than a flat colour that is as near.
          let error = cell.reduce(Float(0)) { $0 + distance($1, mixed) } * 1.15 + 300
          if error < least { (best, least) = ((shade.character, ink, ground), error) }
        }
      }
    }
    return best
  }

  private static func distance(_ a: Point, _ b: Point) -> Float {
    let d = a - b
    return (d * d * Point(0.9, 1.2, 0.9)).sum()
  }

  private static func code(_ colour: Int, isGround: Bool) -> Int {
    (colour < 8 ? 30 : 82) + colour + (isGround ? 10 : 0)
  }
}
