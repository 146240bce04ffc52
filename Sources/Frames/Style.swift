/// A colour in sRGB.
public struct Colour: Hashable, Sendable {
  /// sRGB, 8 bits each.
  public var red, green, blue: UInt8

  /// Each argument is the property of its name.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// From "#rrggbb"; nil for anything else.
  public init?(hex: String) {
    let digits = hex.dropFirst()
    guard hex.hasPrefix("#"), digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit),
      let value = UInt32(digits, radix: 16)
    else { return nil }
    self.init(UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255))
  }

  /// "#rrggbb".
  public var hex: String {
    let digits = String(value, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// `0xRRGGBB`.
  public var value: Int { Int(red) << 16 | Int(green) << 8 | Int(blue) }

  /// The nearest place in the 6 × 6 × 6 cube or the grey ramp of 256-colour terminals.
  public var palette256: Int {
    func level(_ c: UInt8) -> Int { c < 48 ? 0 : c < 115 ? 1 : min(5, (Int(c) - 35) / 40) }
    func value(_ level: Int) -> Int { level == 0 ? 0 : 55 + 40 * level }
    let (r, g, b) = (level(red), level(green), level(blue))
    let mean = (Int(red) + Int(green) + Int(blue)) / 3
    let grey = max(0, min(23, (mean - 3) / 10)), greyValue = 8 + 10 * grey
    func distance(_ x: Int, _ y: Int, _ z: Int) -> Int {
      let (p, q, s) = (Int(red) - x, Int(green) - y, Int(blue) - z)
      return p * p + q * q + s * s
    }
    let cube = distance(value(r), value(g), value(b))
    return distance(greyValue, greyValue, greyValue) < cube ? 232 + grey : 16 + 36 * r + 6 * g + b
  }

  /// The colour at a place of the cube or the grey ramp, 16…255.
  public init(palette256 place: Int) {
    if place >= 232 {
      let grey = UInt8(8 + 10 * (min(255, place) - 232))
      self.init(grey, grey, grey)
    } else {
      func value(_ level: Int) -> UInt8 { level == 0 ? 0 : UInt8(55 + 40 * level) }
      let cube = max(0, place - 16)
      self.init(value(cube / 36), value(cube / 6 % 6), value(cube % 6))
    }
  }

  /// The nearest of the eight colours and their bright forms that every colour terminal has.
  public var palette16: Int {
    let top = max(red, green, blue), bottom = min(red, green, blue)
    if top - bottom < 40 { return top < 50 ? 0 : top < 110 ? 8 : top < 190 ? 7 : 15 }
    let half = (Int(top) + Int(bottom)) / 2
    let bits = (Int(red) > half ? 1 : 0) | (Int(green) > half ? 2 : 0) | (Int(blue) > half ? 4 : 0)
    return top > 170 ? bits + 8 : bits
  }

  /// How bright it looks, 0…1.
  public var luminance: Double { (0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)) / 255 }
}

/// How a cell looks. No colour means the terminal's own.
public struct Style: Hashable, Sendable {
  /// nil for the terminal's own.
  public var foreground, background: Colour?
  /// Bold, or brighter.
  public var isBold = false
  /// Fainter than usual.
  public var isDim = false
  /// Slanted, where the terminal can.
  public var isItalic = false
  /// With a line below.
  public var isUnderlined = false
  /// Foreground and background exchanged.
  public var isReversed = false

  /// Colours without attributes.
  public init(_ foreground: Colour? = nil, on background: Colour? = nil) {
    (self.foreground, self.background) = (foreground, background)
  }

  /// The same in bold.
  public var bold: Style { changed { $0.isBold = true } }
  /// The same, fainter.
  public var dim: Style { changed { $0.isDim = true } }
  /// The same in italics.
  public var italic: Style { changed { $0.isItalic = true } }
  /// The same with a line below.
  public var underlined: Style { changed { $0.isUnderlined = true } }
  /// The same with its colours exchanged.
  public var reversed: Style { changed { $0.isReversed = true } }
  /// The same on another background; nil for the terminal's own.
  public func on(_ colour: Colour?) -> Style { changed { $0.background = colour } }

  private func changed(_ change: (inout Style) -> Void) -> Style {
    var copy = self
    change(&copy)
    return copy
  }
}
