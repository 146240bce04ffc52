import Foundation

/// A theme in the 8 or 16 colours of a terminal that has no more: the nearest ones that can be read on their ground.
public struct FewColours {
  /// Places in the terminal's palette; nil for its own colour.
  public struct Pair: Equatable, Sendable {
    /// Of the letters, and of what lies behind them.
    public let foreground, background: Int?
    /// Whether the letters are bold; not where the bright form, in which many terminals show them, cannot be read.
    public let isBold: Bool
  }

  /// What xterm shows at these places; others differ little.
  public static let palette: [Colour] = [
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
  ].map { (value: Int) in Colour(UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255)) }

  /// How text stands out that is read, and any other.
  public static let bodyContrast = 4.5, textContrast = 3.0
  private static let lineContrast = 1.25

  private let count: Int
  private let body: Colour?
  private var grounds: [Colour: Int] = [:]
  private var known: [Style: Pair] = [:]

  /// - Parameter count: 8, or 16 and more.
  public init(_ theme: Theme, count: Int) {
    self.count = count >= 16 ? 16 : 8
    body = theme.colours[.text]
    guard let background = theme.colours[.background] else { return }
    let isLight = background.luminance > 0.5, white = self.count - 1
    // In order: where two are one colour, the first's place counts.
    if let bar = theme.colours[.bar] { grounds[bar] = isLight ? 7 : 0 }
    grounds[background] = isLight ? white : 0
    // Blue is the one on which white letters can be read, bold or not, and no theme's ground.
    if let selection = theme.colours[.selection], selection != background { grounds[selection] = 4 }
  }

  /// The places of a style's colours.
  public mutating func pair(_ style: Style) -> Pair {
    if let found = known[style] { return found }
    let background = style.background.map { grounds[$0] ?? $0.palette16 % count }
    let (ink, isBold) = foreground(style, on: background)
    let pair = Pair(foreground: ink, background: background, isBold: isBold)
    known[style] = pair
    return pair
  }

  /// The letters' place, and whether they are bold.
  private func foreground(_ style: Style, on background: Int?) -> (Int?, isBold: Bool) {
    guard let wanted = style.foreground else { return (nil, style.isBold) }
    let nearest = wanted.palette16 % count
    // What the terminal's own ground is like is not known; black is what it is most often.
    guard let background else { return (nearest == 0 ? (count == 16 ? 8 : 7) : nearest, style.isBold) }
    if wanted == style.background { return (background, style.isBold) }
    let least = least(wanted, style.background)
    func isRead(_ place: Int, isBold: Bool = style.isBold) -> Bool {
      // Many terminals show bold letters in the bright form of their colour.
      let shown = isBold && place < 8 ? [place, place + 8] : [place]
      return place != background
        && shown.allSatisfy { Self.palette[$0].contrast(to: Self.palette[background]) >= least }
    }
    let greys = count == 16 ? [0, 8, 7, 15] : [0, 7]
    let colours = (1..<count).filter { !greys.contains($0) }
    if isRead(nearest) { return (nearest, style.isBold) }
    if let hue = wanted.hue {
      // Red means that something went wrong: what is only near it is not shown in it.
      let like = colours.filter { Self.distance($0, hue) <= ($0 % 8 == 1 ? 20 : 36) && isRead($0) }
      if let found = like.min(by: { Self.distance($0, hue) < Self.distance($1, hue) }) {
        return (found, style.isBold)
      }
      // On a light ground the bright forms leave grey alone: a name stands out more in another colour, which is not bold.
      let far = colours.filter { $0 % 8 != 1 && Self.distance($0, hue) <= 100 && isRead($0, isBold: false) }
      if style.isBold, let found = far.min(by: { Self.distance($0, hue) < Self.distance($1, hue) }) {
        return (found, false)
      }
    }
    func far(_ place: Int) -> Double { abs(Self.palette[place].luminance - wanted.luminance) }
    func contrast(_ place: Int) -> Double { Self.palette[place].contrast(to: Self.palette[background]) }
    let grey = greys.filter { isRead($0) }.min { far($0) < far($1) }
    return (grey ?? greys.max { contrast($0) < contrast($1) }, style.isBold)
  }

  /// The contrast that a colour needs: letters' where the theme's own is one of letters, else that of lines.
  private func least(_ colour: Colour, _ background: Colour?) -> Double {
    if colour == body { return Self.bodyContrast }
    return background.map { colour.contrast(to: $0) < 2.4 } ?? false ? Self.lineContrast : Self.textContrast
  }

  /// Degrees between a place's hue and another one.
  private static func distance(_ place: Int, _ hue: Double) -> Double {
    let far = abs((palette[place].hue ?? 0) - hue)
    return min(far, 360 - far)
  }
}

extension Colour {
  /// Degrees on the circle of colours, 0 for red; nil for greys.
  fileprivate var hue: Double? {
    let (r, g, b) = (Double(red), Double(green), Double(blue))
    let top = max(r, g, b), range = top - min(r, g, b)
    guard range >= 20 else { return nil }
    let sixth =
      top == r ? (g - b) / range : top == g ? (b - r) / range + 2 : (r - g) / range + 4
    return sixth < 0 ? 60 * sixth + 360 : 60 * sixth
  }

  /// How two colours stand out against each other, 1…21, as the Web Content Accessibility Guidelines (2.2) define it.
  public func contrast(to other: Colour) -> Double {
    let (a, b) = (relativeLuminance, other.relativeLuminance)
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  private var relativeLuminance: Double {
    func linear(_ value: UInt8) -> Double {
      let c = Double(value) / 255
      return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }
}
