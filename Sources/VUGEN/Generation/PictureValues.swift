import Foundation
import Pictures
import Tensors

extension Picture {
  /// A picture of values in −1…1, `[height, width, 3]`; what lies outside is clipped.
  public init(values: Tensor) {
    let shape = Array(values.shape.suffix(3))
    precondition(
      shape.count == 3 && shape[2] == 3 && values.count == shape.reduce(1, *), "\(values) is no picture")
    let bytes = values.toArray().map {
      UInt8(max(0, min(255, (($0.isFinite ? $0 : 0) * 127.5 + 127.5).rounded())))
    }
    self.init(width: shape[1], height: shape[0], rgb: bytes)
  }

  /// Values in −1…1, `[1, height, width, 3]`; transparent parts lie over white.
  public var values: Tensor {
    Tensor(rgb().map { Float($0) / 127.5 - 1 }, shape: [1, height, width, 3])
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
