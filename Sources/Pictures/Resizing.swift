import Foundation

extension Picture {
  /// Bicubic with antialiasing, as Pillow resizes: separable, a = −0.5, the filter stretched when shrinking,
  /// rounded to 8 bits after each of the two passes. The aspect ratio is not kept.
  /// Transparent pictures are resized premultiplied, so that no colour bleeds from what cannot be seen.
  public func resizedBicubic(width newWidth: Int, height newHeight: Int) -> Picture {
    resized(newWidth, newHeight, .cubic)
  }

  /// The same with Lanczos' kernel of three lobes, as Pillow's LANCZOS.
  public func resizedLanczos(width newWidth: Int, height newHeight: Int) -> Picture {
    resized(newWidth, newHeight, .lanczos)
  }

  private func resized(_ newWidth: Int, _ newHeight: Int, _ kernel: Resampler.Kernel) -> Picture {
    precondition(newWidth > 0 && newHeight > 0, "a picture of \(newWidth) × \(newHeight)")
    if (newWidth, newHeight) == (width, height) { return self }
    let opaque = isOpaque
    let columns = Resampler(from: width, to: newWidth, kernel),
      rows = Resampler(from: height, to: newHeight, kernel)
    var planes = opaque ? pixels : premultiplied().pixels
    if verticalFirst(newWidth, newHeight) {
      planes = rows.alongColumns(planes, rowBytes: width * 4)
      planes = columns.alongRows(planes, rows: newHeight)
    } else {
      planes = columns.alongRows(planes, rows: height)
      planes = rows.alongColumns(planes, rowBytes: newWidth * 4)
    }
    let result = Picture(width: newWidth, height: newHeight, pixels: planes)
    return opaque ? result : result.unpremultiplied()
  }

  /// Shrunk until its longer side has no more than `most` pixels; a smaller one as it is.
  public func fitted(_ most: Int) -> Picture {
    let side = max(width, height)
    guard side > most else { return self }
    return resizedBicubic(width: max(1, width * most / side), height: max(1, height * most / side))
  }

  /// The order of the passes shows only where a hard edge overshoots and is clipped between them. As in Pillow 13, the
  /// rows come first where the height loses more than twice the pixels that the width loses; older Pillows always
  /// begin with the columns.
  private func verticalFirst(_ newWidth: Int, _ newHeight: Int) -> Bool {
    height > newHeight && height - newHeight > 2 * (width - newWidth)
  }

  private func unpremultiplied() -> Picture {
    var copy = self
    for i in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[i + 3])
      guard alpha != 0, alpha != 255 else { continue }
      for c in i..<i + 3 { copy.pixels[c] = UInt8(min(255, 255 * Int(pixels[c]) / alpha)) }
    }
    return copy
  }
}

/// The weights that make each new pixel from a window of old ones.
private struct Resampler {
  enum Kernel {
    /// Keys' with a = −0.5 (Catmull–Rom).
    case cubic
    /// sinc(x) sinc(x/3).
    case lanczos

    var radius: Double { self == .cubic ? 2 : 3 }

    func callAsFunction(_ x: Double) -> Double {
      let t = abs(x)
      switch self {
      case .cubic:
        let a = -0.5
        if t < 1 { return ((a + 2) * t - (a + 3)) * t * t + 1 }
        if t < 2 { return (((t - 5) * t + 8) * t - 4) * a }
        return 0
      case .lanczos:
        func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
        return t < 3 ? sinc(t) * sinc(t / 3) : 0
      }
    }
  }

  struct Window {
    let first: Int
    let weights: [Float]
  }

  let windows: [Window]
  let isIdentity: Bool

  init(from oldSize: Int, to newSize: Int, _ kernel: Kernel) {
    isIdentity = oldSize == newSize
    let scale = Double(oldSize) / Double(newSize), stretch = max(scale, 1), support = kernel.radius * stretch
    windows = (0..<newSize).map { i in
      let centre = (Double(i) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5)), last = min(oldSize, Int(centre + support + 0.5))
      var weights = (first..<last).map { kernel((Double($0) - centre + 0.5) / stretch) }
      let total = weights.reduce(0, +)
      if total != 0 { weights = weights.map { $0 / total } }
      return Window(first: first, weights: weights.map(Float.init))
    }
  }

  private static func byte(_ x: Float) -> UInt8 { UInt8(max(0, min(255, (x + 0.5).rounded(.down)))) }

  func alongRows(_ pixels: [UInt8], rows: Int) -> [UInt8] {
    if isIdentity { return pixels }
    let oldRow = pixels.count / rows, newRow = windows.count * 4
    var result = [UInt8](repeating: 0, count: rows * newRow)
    pixels.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        for y in 0..<rows {
          for (x, window) in windows.enumerated() {
            var sum = SIMD4<Float>(repeating: 0)
            var at = y * oldRow + window.first * 4
            for weight in window.weights {
              sum +=
                weight * SIMD4(Float(from[at]), Float(from[at + 1]), Float(from[at + 2]), Float(from[at + 3]))
              at += 4
            }
            for c in 0..<4 { to[y * newRow + x * 4 + c] = Self.byte(sum[c]) }
          }
        }
      }
    }
    return result
  }

  func alongColumns(_ pixels: [UInt8], rowBytes: Int) -> [UInt8] {
    if isIdentity { return pixels }
    var result = [UInt8](repeating: 0, count: windows.count * rowBytes)
    var sums = [Float](repeating: 0, count: rowBytes)
    pixels.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        for (y, window) in windows.enumerated() {
          for i in 0..<rowBytes { sums[i] = 0 }
          for (k, weight) in window.weights.enumerated() {
            let row = (window.first + k) * rowBytes
            for i in 0..<rowBytes { sums[i] += weight * Float(from[row + i]) }
          }
          for i in 0..<rowBytes { to[y * rowBytes + i] = Self.byte(sums[i]) }
        }
      }
    }
    return result
  }
}
