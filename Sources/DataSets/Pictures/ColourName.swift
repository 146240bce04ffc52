import Foundation
import Pictures

/// The eleven basic colour terms of English (Berlin and Kay).
public enum ColourName: String, Codable, Sendable, CaseIterable {
  case red, orange, yellow, green, blue, purple, pink, brown, black, white, gray

  /// Its place among all names.
  fileprivate var place: Int {
    switch self {
    case .red: 0
    case .orange: 1
    case .yellow: 2
    case .green: 3
    case .blue: 4
    case .purple: 5
    case .pink: 6
    case .brown: 7
    case .black: 8
    case .white: 9
    case .gray: 10
    }
  }

  /// What a person calls an sRGB colour.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    let (h, s, v) = hueSaturationValue(red, green, blue)
    if v < 0.2 {
      self = .black
    } else if s < 0.16 {
      self = v > 0.82 ? .white : v < 0.28 ? .black : .gray
    } else {
      self = Self.chromatic(h, s, v)
    }
  }

  /// Hue in degrees; brown is dark orange, pink is light red.
  private static func chromatic(_ h: Double, _ s: Double, _ v: Double) -> ColourName {
    switch h {
    case ..<14, 345...: s < 0.5 && v > 0.7 ? .pink : v < 0.38 ? .brown : .red
    case ..<41: v < 0.68 || (s < 0.74 && v < 0.86) ? .brown : .orange
    case ..<68: v < 0.5 ? (h < 50 ? .brown : .green) : .yellow
    case ..<165: .green
    case ..<250: .blue
    case ..<292: .purple
    default: s < 0.75 || v > 0.75 ? .pink : .purple
    }
  }

  /// A clear example: hue in degrees, saturation, and the value of a mid-tone.
  var example: (hue: Double, saturation: Double, value: Double) {
    switch self {
    case .red: (357, 0.86, 0.85)
    case .orange: (26, 0.95, 0.98)
    case .yellow: (52, 0.85, 0.97)
    case .green: (125, 0.68, 0.65)
    case .blue: (216, 0.8, 0.85)
    case .purple: (272, 0.62, 0.68)
    case .pink: (335, 0.45, 0.98)
    case .brown: (24, 0.62, 0.45)
    case .black: (0, 0, 0.13)
    case .white: (0, 0, 0.96)
    case .gray: (0, 0, 0.55)
    }
  }

  /// The colour that most of a cut-out has, if one covers at least `share` of what is opaque and no other
  /// comes near.
  public static func dominant(of picture: Picture, share: Double = 0.5) -> ColourName? {
    // A table by place: hashing a name for every pixel took longer than finding it.
    var counts = [Int](repeating: 0, count: allCases.count), total = 0
    picture.pixels.withUnsafeBufferPointer { bytes in
      for i in stride(from: 0, to: bytes.count, by: 4) where bytes[i + 3] > 127 {
        counts[ColourName(red: bytes[i], green: bytes[i + 1], blue: bytes[i + 2]).place] += 1
        total += 1
      }
    }
    let order = zip(allCases, counts).sorted { ($0.1, $0.0.rawValue) > ($1.1, $1.0.rawValue) }
    let (first, most) = order[0]
    guard most > 0, Double(most) >= share * Double(total) else { return nil }
    return most >= 2 * order[1].1 ? first : nil
  }
}

/// Hue in degrees, saturation and value in 0…1.
func hueSaturationValue(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (Double, Double, Double) {
  let r = Double(red) / 255, g = Double(green) / 255, b = Double(blue) / 255
  let top = max(r, g, b), chroma = top - min(r, g, b)
  guard chroma > 0 else { return (0, 0, top) }
  var h = top == r ? (g - b) / chroma : top == g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma
  if h < 0 { h += 6 }
  return (h * 60, chroma / top, top)
}

/// The inverse of `hueSaturationValue`.
func colourOf(hue: Double, saturation: Double, value: Double) -> (UInt8, UInt8, UInt8) {
  let h = (hue.truncatingRemainder(dividingBy: 360) + 360).truncatingRemainder(dividingBy: 360) / 60
  let chroma = value * saturation
  let x = chroma * (1 - abs(h.truncatingRemainder(dividingBy: 2) - 1)), low = value - chroma
  let (r, g, b): (Double, Double, Double) =
    switch Int(h) {
    case 0: (chroma, x, 0)
    case 1: (x, chroma, 0)
    case 2: (0, chroma, x)
    case 3: (0, x, chroma)
    case 4: (x, 0, chroma)
    default: (chroma, 0, x)
    }
  func byte(_ c: Double) -> UInt8 { UInt8(max(0, min(255, ((c + low) * 255).rounded()))) }
  return (byte(r), byte(g), byte(b))
}

/// The pixels that carry a cut-out's colour: the main one's, all where none leads. Found once for all the colours that they
/// may take.
struct MainColour {
  /// Where a pixel begins in the picture's bytes, and its largest channel, which is its HSV value in 255ths.
  private let pixels: [(place: Int, top: UInt8)]
  /// The median of the values, 0…1.
  private let middle: Double

  /// Nil where nothing is visible.
  init?(of picture: Picture) {
    let main = ColourName.dominant(of: picture, share: 0.3)
    let carries = ColourName.allCases.map { name in
      main.map { name == $0 || Self.areShades(name, $0) } ?? true
    }
    var found: [(place: Int, top: UInt8)] = [], counts = [Int](repeating: 0, count: 256)
    picture.pixels.withUnsafeBufferPointer { bytes in
      for i in stride(from: 0, to: bytes.count, by: 4) where bytes[i + 3] > 0 {
        let name = ColourName(red: bytes[i], green: bytes[i + 1], blue: bytes[i + 2])
        guard carries[name.place] else { continue }
        let top = max(bytes[i], bytes[i + 1], bytes[i + 2])
        found.append((i, top))
        counts[Int(top)] += 1
      }
    }
    guard !found.isEmpty else { return nil }
    var below = 0, median = 0
    while below + counts[median] <= found.count / 2 {
      below += counts[median]
      median += 1
    }
    pixels = found
    middle = max(0.05, Double(median) / 255)
  }

  /// The picture that it was found in, in another colour, or nil where the eye would not call the result so.
  ///
  /// The pixels take the new hue and saturation; their shading stays, stretched around the new colour's own lightness. Small
  /// parts of other colours stay as they are.
  func replaced(by name: ColourName, in picture: Picture) -> Picture? {
    let target = name.example
    let colours = (0...255).map { top in
      let shade = Double(top) / 255 / middle
      // A highlight must not leave the colour's range, nor a shadow.
      let stretched = target.value * (shade < 1 ? 0.45 + 0.55 * shade : 1 + 0.35 * (shade - 1))
      let saturation = target.saturation * (shade > 1.5 ? 0.75 : 1)
      return colourOf(hue: target.hue, saturation: saturation, value: min(1, stretched))
    }
    var copy = picture
    copy.pixels.withUnsafeMutableBufferPointer { bytes in
      for (i, top) in pixels { (bytes[i], bytes[i + 1], bytes[i + 2]) = colours[Int(top)] }
    }
    return ColourName.dominant(of: copy) == name ? copy : nil
  }

  /// Whether one name is the other in light or shadow.
  private static func areShades(_ a: ColourName, _ b: ColourName) -> Bool {
    let families: [Set<ColourName>] = [
      [.red, .pink, .brown], [.orange, .brown, .yellow], [.white, .gray], [.pink, .purple], [.black, .gray],
    ]
    return families.contains { $0.contains(a) && $0.contains(b) }
  }
}

extension Picture {
  /// This cut-out in another colour, or nil where the eye would not call the result so.
  public func recoloured(_ name: ColourName) -> Picture? {
    MainColour(of: self)?.replaced(by: name, in: self)
  }
}
