import Foundation
import Pictures

/// A thing cut out of its picture, ready to be drawn at any size, angle and place.
public struct CutOut: Sendable {
  /// Where it comes from: `emoji/1F34E` or a stamp's path; a recoloured one ends in `#red`.
  public let id: String
  /// The colour that a person would name, if there is one.
  public let colour: ColourName?
  /// Halved again and again, premultiplied; the first is the largest.
  private let levels: [Picture]
  /// Mean colour of what is opaque, 0…255.
  let mean: SIMD3<Double>

  /// In pixels, of the largest size.
  public var width: Int { levels[0].width }
  /// In pixels, of the largest size.
  public var height: Int { levels[0].height }

  /// Longest side that is kept.
  static let mostPixels = 144

  /// Trims transparent borders and shrinks; nil when nothing is visible.
  init?(id: String, picture: Picture) {
    guard let trimmed = picture.trimmed() else { return nil }
    let fitting = trimmed.fitted(Self.mostPixels)
    self.init(id: id, fitting: fitting, colour: ColourName.dominant(of: fitting))
  }

  private init(id: String, fitting: Picture, colour: ColourName?) {
    (self.id, self.colour, plain) = (id, colour, fitting)
    var list = [fitting.premultiplied()]
    while let last = list.last, min(last.width, last.height) >= 8 { list.append(last.halved()) }
    levels = list
    var sum = SIMD3<Double>(), count = 0.0
    for i in stride(from: 0, to: fitting.pixels.count, by: 4) where fitting.pixels[i + 3] > 127 {
      sum += SIMD3(
        Double(fitting.pixels[i]), Double(fitting.pixels[i + 1]), Double(fitting.pixels[i + 2]))
      count += 1
    }
    mean = sum / max(1, count)
  }

  private let plain: Picture

  /// The same thing in each of the colours in which the eye would call it so.
  func recoloured() -> [ColourName: CutOut] {
    guard let main = MainColour(of: plain) else { return [:] }
    var list: [ColourName: CutOut] = [:]
    for name in ColourName.allCases {
      list[name] =
        name == colour
        ? self
        : main.replaced(by: name, in: plain).map {
          CutOut(id: "\(id)#\(name.rawValue)", fitting: $0, colour: name)
        }
    }
    return list
  }

  /// How a cut-out is laid on a picture.
  struct Placement {
    var centre: SIMD2<Double>
    /// Pixels of the picture per pixel of the cut-out.
    var scale: Double
    /// Radians, clockwise.
    var angle: Double
    var isMirrored: Bool
  }

  /// Width and height of the upright box around the turned cut-out, at scale 1.
  func extent(angle: Double) -> SIMD2<Double> {
    let c = abs(cos(angle)), s = abs(sin(angle)), w = Double(width), h = Double(height)
    return SIMD2(c * w + s * h, s * w + c * h)
  }

  /// Draws, and returns the box of what became visible: left, top, right, bottom (past the end).
  ///
  /// - Parameter owner: what `canvas.owners` says of the pixels that it covers.
  func draw(_ place: Placement, into canvas: inout Canvas, owner: UInt8) -> [Int] {
    var level = 0, scale = place.scale
    while level + 1 < levels.count, scale <= 0.5 {
      level += 1
      scale *= 2
    }
    let source = levels[level]
    let half = extent(angle: place.angle) * place.scale / 2
    let x0 = max(0, Int(place.centre.x - half.x) - 1), x1 = min(canvas.side, Int(place.centre.x + half.x) + 2)
    let y0 = max(0, Int(place.centre.y - half.y) - 1), y1 = min(canvas.side, Int(place.centre.y + half.y) + 2)
    let c = cos(place.angle) / scale, s = sin(place.angle) / scale, flip = place.isMirrored ? -1.0 : 1
    var box = [canvas.side, canvas.side, 0, 0]
    for y in y0..<max(y0, y1) {
      for x in x0..<max(x0, x1) {
        let dx = Double(x) + 0.5 - place.centre.x, dy = Double(y) + 0.5 - place.centre.y
        let u = flip * (c * dx + s * dy) + Double(source.width) / 2 - 0.5
        let v = -s * dx + c * dy + Double(source.height) / 2 - 0.5
        let pixel = source.bilinear(Float(u), Float(v))
        guard pixel[3] > 0.5 else { continue }
        canvas.blend(pixel, x, y)
        if pixel[3] > 127 { canvas.owners[y * canvas.side + x] = owner }
        if pixel[3] > 96 { box = [min(box[0], x), min(box[1], y), max(box[2], x + 1), max(box[3], y + 1)] }
      }
    }
    return box
  }
}

/// The picture in the making: RGB, 0…255.
struct Canvas {
  let side: Int
  var pixels: [SIMD4<Float>]
  /// What covers each pixel: 0 the background, else an object's number from 1 on.
  var owners: [UInt8]

  init(side: Int, pixels: [SIMD4<Float>]) {
    (self.side, self.pixels) = (side, pixels)
    owners = [UInt8](repeating: 0, count: side * side)
  }

  mutating func blend(_ premultiplied: SIMD4<Float>, _ x: Int, _ y: Int) {
    let at = y * side + x
    pixels[at] = premultiplied + pixels[at] * (1 - premultiplied[3] / 255)
  }

  var picture: Picture {
    var bytes = [UInt8](repeating: 255, count: side * side * 4)
    for (i, pixel) in pixels.enumerated() {
      for c in 0..<3 { bytes[4 * i + c] = UInt8(max(0, min(255, pixel[c].rounded()))) }
    }
    return Picture(width: side, height: side, pixels: bytes)
  }
}

extension Picture {
  /// Without its transparent borders; nil when nothing is visible.
  func trimmed() -> Picture? {
    var (left, top, right, bottom) = (width, height, 0, 0)
    for y in 0..<height {
      for x in 0..<width where pixels[(y * width + x) * 4 + 3] > 24 {
        (left, right, top, bottom) = (min(left, x), max(right, x + 1), min(top, y), max(bottom, y + 1))
      }
    }
    guard left < right else { return nil }
    return cropped(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// Half as wide and high, each pixel the mean of four.
  fileprivate func halved() -> Picture {
    let w = width / 2, h = height / 2
    var half = [UInt8](repeating: 0, count: w * h * 4)
    for y in 0..<h {
      for x in 0..<w {
        for c in 0..<4 {
          let at = (2 * y * width + 2 * x) * 4 + c
          let sum =
            Int(pixels[at]) + Int(pixels[at + 4]) + Int(pixels[at + 4 * width])
            + Int(pixels[at + 4 * width + 4])
          half[(y * w + x) * 4 + c] = UInt8((sum + 2) / 4)
        }
      }
    }
    return Picture(width: w, height: h, pixels: half)
  }

  /// The colour at a place between pixels; transparent outside.
  fileprivate func bilinear(_ u: Float, _ v: Float) -> SIMD4<Float> {
    let x = Int(u.rounded(.down)), y = Int(v.rounded(.down))
    guard x >= -1, y >= -1, x < width, y < height else { return SIMD4() }
    let fx = u - Float(x), fy = v - Float(y)
    let top = pixel(x, y) * (1 - fx) + pixel(x + 1, y) * fx
    let bottom = pixel(x, y + 1) * (1 - fx) + pixel(x + 1, y + 1) * fx
    return top * (1 - fy) + bottom * fy
  }

  private func pixel(_ x: Int, _ y: Int) -> SIMD4<Float> {
    guard x >= 0, y >= 0, x < width, y < height else { return SIMD4() }
    let at = (y * width + x) * 4
    return pixels.withUnsafeBufferPointer {
      SIMD4(Float($0[at]), Float($0[at + 1]), Float($0[at + 2]), Float($0[at + 3]))
    }
  }
}
