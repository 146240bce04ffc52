import Foundation

/// Parts of pictures, pictures over and beside others, and what tells two apart.
extension Picture {
  /// A part, its top left corner at (x, y); what of it lies outside is left out, but for one pixel.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Picture {
    let x = max(0, min(x, self.width - 1)), y = max(0, min(y, self.height - 1))
    let width = max(1, min(width, self.width - x)), height = max(1, min(height, self.height - y))
    var part: [UInt8] = []
    part.reserveCapacity(width * height * 4)
    for row in y..<y + height {
      let start = (row * self.width + x) * 4
      part += pixels[start..<start + width * 4]
    }
    return Picture(width: width, height: height, pixels: part)
  }

  /// `alpha` of 255 parts of one value over the rest of another, rounded.
  static func mixed(_ value: UInt8, over other: UInt8, alpha: Int) -> UInt8 {
    UInt8((Int(value) * alpha + Int(other) * (255 - alpha) + 127) / 255)
  }

  /// Laid over one colour, opaque.
  public func over(red: UInt8, green: UInt8, blue: UInt8) -> Picture {
    guard !isOpaque else { return self }
    var result = self
    for i in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[i + 3])
      result.pixels[i] = Self.mixed(pixels[i], over: red, alpha: alpha)
      result.pixels[i + 1] = Self.mixed(pixels[i + 1], over: green, alpha: alpha)
      result.pixels[i + 2] = Self.mixed(pixels[i + 2], over: blue, alpha: alpha)
      result.pixels[i + 3] = 255
    }
    return result
  }

  /// Lays `other` over this one, its top left corner at (x, y); what of it lies outside is left out.
  public mutating func lay(_ other: Picture, x: Int, y: Int) {
    for row in 0..<other.height where (0..<height).contains(y + row) {
      for column in 0..<other.width where (0..<width).contains(x + column) {
        let from = (row * other.width + column) * 4, to = ((y + row) * width + x + column) * 4
        let alpha = Int(other.pixels[from + 3])
        for c in 0..<3 {
          pixels[to + c] = Self.mixed(other.pixels[from + c], over: pixels[to + c], alpha: alpha)
        }
        pixels[to + 3] = 255
      }
    }
  }

  /// This one and another of the same height side by side.
  public func beside(_ other: Picture) -> Picture {
    precondition(height == other.height, "pictures of two heights")
    var joined: [UInt8] = []
    joined.reserveCapacity(pixels.count + other.pixels.count)
    for y in 0..<height {
      for picture in [self, other] {
        joined += picture.pixels[y * picture.width * 4..<(y + 1) * picture.width * 4]
      }
    }
    return Picture(width: width + other.width, height: height, pixels: joined)
  }

  /// Every colour times its alpha: what may be averaged.
  public func premultiplied() -> Picture {
    var result = self
    for i in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[i + 3])
      for c in i..<i + 3 { result.pixels[c] = Self.mixed(pixels[c], over: 0, alpha: alpha) }
    }
    return result
  }

  /// Peak signal-to-noise ratio in dB against a picture of the same size; infinite where they are equal.
  public func psnr(_ other: Picture) -> Double {
    precondition(width == other.width && height == other.height, "pictures of two sizes")
    var sum = 0.0
    for (a, b) in zip(rgb(), other.rgb()) {
      let d = Double(a) - Double(b)
      sum += d * d
    }
    return 10 * log10(255 * 255 / (sum / Double(width * height * 3)))
  }

  /// Where this picture and another of the same size differ, from black over red and yellow to white; and the share
  /// of pixels that differ by more than 16 levels in a channel.
  public func difference(from other: Picture) -> (map: Picture, share: Double) {
    precondition(width == other.width && height == other.height, "pictures of two sizes")
    let a = rgb(), b = other.rgb()
    var map = [UInt8](repeating: 0, count: a.count), differing = 0
    for pixel in 0..<width * height {
      var largest = 0
      for c in 0..<3 { largest = max(largest, abs(Int(a[3 * pixel + c]) - Int(b[3 * pixel + c]))) }
      if largest > 16 { differing += 1 }
      let heat = 3 * largest
      for c in 0..<3 { map[3 * pixel + c] = UInt8(max(0, min(255, heat - 255 * c))) }
    }
    return (Picture(width: width, height: height, rgb: map), Double(differing) / Double(width * height))
  }
}
