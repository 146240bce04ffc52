/// A picture in memory: RGBA, 8 bits a channel, not premultiplied, row by row from the top left.
public struct Picture: Sendable, Equatable {
  public let width, height: Int
  /// `[height, width, 4]`.
  public var pixels: [UInt8]

  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == width * height * 4,
      "\(pixels.count) bytes are no RGBA picture of \(width) × \(height)")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// From `[height, width, 3]`, opaque.
  public init(width: Int, height: Int, rgb: [UInt8]) {
    precondition(
      rgb.count == width * height * 3, "\(rgb.count) bytes are no RGB picture of \(width) × \(height)")
    var pixels = [UInt8](repeating: 255, count: width * height * 4)
    for i in 0..<width * height {
      for c in 0..<3 { pixels[4 * i + c] = rgb[3 * i + c] }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// One colour everywhere.
  public init(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 4)
    for _ in 0..<width * height { pixels += [red, green, blue, alpha] }
    self.init(width: width, height: height, pixels: pixels)
  }

  public var isOpaque: Bool {
    stride(from: 3, to: pixels.count, by: 4).allSatisfy { pixels[$0] == 255 }
  }

  /// `[height, width, 3]`, transparent parts laid over `background` (grey value, white unless given).
  public func rgb(over background: UInt8 = 255) -> [UInt8] {
    var rgb = [UInt8](repeating: 0, count: width * height * 3)
    for i in 0..<width * height {
      let alpha = Int(pixels[4 * i + 3])
      for c in 0..<3 {
        let mixed = Int(pixels[4 * i + c]) * alpha + Int(background) * (255 - alpha)
        rgb[3 * i + c] = UInt8((mixed + 127) / 255)
      }
    }
    return rgb
  }

  /// The same on white, opaque.
  public func overWhite() -> Picture { Picture(width: width, height: height, rgb: rgb()) }

  /// Turned and mirrored as an EXIF orientation (1…8) says, so that it stands upright.
  public func oriented(_ orientation: Int) -> Picture {
    guard (2...8).contains(orientation) else { return self }
    let swaps = orientation >= 5
    let (w, h) = swaps ? (height, width) : (width, height)
    var result = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<h {
      for x in 0..<w {
        let (u, v) = source(of: x, y, orientation)
        for c in 0..<4 { result[(y * w + x) * 4 + c] = pixels[(v * width + u) * 4 + c] }
      }
    }
    return Picture(width: w, height: h, pixels: result)
  }

  /// Where the upright picture's (x, y) lies in this one.
  private func source(of x: Int, _ y: Int, _ orientation: Int) -> (Int, Int) {
    switch orientation {
    case 2: (width - 1 - x, y)
    case 3: (width - 1 - x, height - 1 - y)
    case 4: (x, height - 1 - y)
    case 5: (y, x)
    case 6: (y, height - 1 - x)
    case 7: (width - 1 - y, height - 1 - x)
    case 8: (width - 1 - y, x)
    default: (x, y)
    }
  }
}
