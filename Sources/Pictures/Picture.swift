import CImageCodecs

/// A picture in memory: RGBA, 8 bits a channel, not premultiplied, row by row from the top left.
public struct Picture: Sendable, Equatable {
  /// In pixels; at least 1.
  public let width, height: Int
  /// `[height, width, 4]`.
  public var pixels: [UInt8]

  /// From `[height, width, 4]`, RGBA. Another number of bytes is a caller's bug.
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

  /// Whether every pixel's alpha is 255.
  public var isOpaque: Bool {
    stride(from: 3, to: pixels.count, by: 4).allSatisfy { pixels[$0] == 255 }
  }

  /// `[height, width, 3]`, transparent parts laid over `background` (grey value, white unless given).
  public func rgb(over background: UInt8 = 255) -> [UInt8] {
    var rgb = [UInt8](repeating: 0, count: width * height * 3)
    for i in 0..<width * height {
      let alpha = Int(pixels[4 * i + 3])
      for c in 0..<3 { rgb[3 * i + c] = Self.mixed(pixels[4 * i + c], over: background, alpha: alpha) }
    }
    return rgb
  }

  /// The same on white, opaque.
  public func overWhite() -> Picture { Picture(width: width, height: height, rgb: rgb()) }

  /// The largest difference of a number, 0 to 255, between two pictures over white; nil where their sizes differ.
  public func largestDifference(from other: Picture) -> Int? {
    guard (width, height) == (other.width, other.height) else { return nil }
    return zip(rgb(), other.rgb()).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  /// Its left side on the right.
  public func mirrored() -> Picture { oriented(2) }

  /// Turned and mirrored as an EXIF orientation (1…8) says, so that it stands upright.
  public func oriented(_ orientation: Int) -> Picture {
    guard (2...8).contains(orientation) else { return self }
    let swaps = orientation >= 5
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, count in
      vugen_copy_upright(pixels, UInt32(width), UInt32(height), Int32(orientation), buffer.baseAddress)
      count = pixels.count
    }
    return Picture(width: swaps ? height : width, height: swaps ? width : height, pixels: turned)
  }
}
