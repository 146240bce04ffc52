/// A line plot as a picture.
public struct LinePlot {
  /// Above the plot.
  public var title: String
  /// What stands at the axes.
  public var axes: (x: String, y: String)
  /// Each in a colour of its own; colours repeat after six.
  public var curves: [Curve]
  /// Of the whole picture, in pixels.
  public var width = 760, height = 440

  /// A plot of the usual size.
  public init(title: String, x: String, y: String, _ curves: [Curve]) {
    (self.title, axes, self.curves) = (title, (x, y), curves)
  }

  /// Okabe and Ito's colours: told apart by colour-blind people, too.
  private static let colours: [(UInt8, UInt8, UInt8)] = [
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (230, 159, 0),
  ]
  private static let ink: (UInt8, UInt8, UInt8) = (60, 60, 66)
  private static let margins = (left: 56, top: 34, right: 16, bottom: 44)

  /// Throws `PictureError` when no font is found.
  public func draw() throws -> Picture {
    let font = try FontFace.forLabels(), range = PlotRange(curves)
    var picture = Picture(width: width, height: height, red: 252, green: 252, blue: 251)
    drawGrid(range, font, &picture)
    for (i, curve) in curves.enumerated() {
      let colour = Self.colours[i % Self.colours.count]
      drawLine(curve.smoothed(to: 300), range, colour, &picture)
      font.draw(
        curve.name, into: &picture, x: width - 150, y: Self.margins.top + 16 + 16 * i, size: 12,
        colour: colour)
    }
    font.draw(title, into: &picture, x: Self.margins.left, y: 22, size: 14, colour: Self.ink)
    font.draw(axes.x, into: &picture, x: width / 2, y: height - 10, size: 12, colour: Self.ink)
    font.draw(axes.y, into: &picture, x: 8, y: Self.margins.top - 8, size: 12, colour: Self.ink)
    return picture
  }

  private func pixel(_ point: SIMD2<Double>, _ range: PlotRange) -> (x: Double, y: Double) {
    let place = range.place(point), m = Self.margins
    return (
      Double(m.left) + place.x * Double(width - m.left - m.right),
      Double(height - m.bottom) - place.y * Double(height - m.top - m.bottom)
    )
  }

  private func drawGrid(_ range: PlotRange, _ font: FontFace, _ picture: inout Picture) {
    for value in PlotRange.ticks(range.low.y, range.high.y, about: 6) {
      let y = Int(pixel(SIMD2(range.low.x, value), range).y)
      for x in Self.margins.left..<width - Self.margins.right { picture.dot(x, y, (226, 226, 228)) }
      font.draw(PlotRange.label(value), into: &picture, x: 22, y: y + 4, size: 11, colour: Self.ink)
    }
    for value in PlotRange.ticks(range.low.x, range.high.x, about: 7) {
      let x = Int(pixel(SIMD2(value, range.low.y), range).x)
      for y in Self.margins.top..<height - Self.margins.bottom { picture.dot(x, y, (238, 238, 240)) }
      font.draw(PlotRange.label(value), into: &picture, x: x - 10, y: height - 28, size: 11, colour: Self.ink)
    }
  }

  private func drawLine(
    _ curve: Curve, _ range: PlotRange, _ colour: (UInt8, UInt8, UInt8), _ picture: inout Picture
  ) {
    for (a, b) in zip(curve.points, curve.points.dropFirst()) {
      let from = pixel(a, range), to = pixel(b, range)
      let steps = max(1, Int(2 * max(abs(to.x - from.x), abs(to.y - from.y))))
      for i in 0...steps {
        let t = Double(i) / Double(steps)
        let x = Int((from.x + t * (to.x - from.x)).rounded()),
          y = Int((from.y + t * (to.y - from.y)).rounded())
        picture.dot(x, y, colour)
        picture.dot(x, y + 1, colour)
      }
    }
  }
}

extension Picture {
  fileprivate mutating func dot(_ x: Int, _ y: Int, _ colour: (UInt8, UInt8, UInt8)) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    let at = (y * width + x) * 4
    (pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]) = (colour.0, colour.1, colour.2, 255)
  }
}
