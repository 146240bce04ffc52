/// A plot in Braille dots, for a terminal.
public enum TextPlot {
  /// Rows of text; the first curve alone is drawn.
  ///
  /// - Parameters:
  ///   - title: a row above the drawing, and the axis below it called `x` with its ends; without it, the drawing alone.
  ///   - width, height: of the drawing in characters, without the numbers at its left.
  public static func lines(
    _ curve: Curve, title: String? = nil, x name: String = "", width: Int = 64, height: Int = 10
  ) -> [String] {
    let range = PlotRange([curve])
    var dots = [[Bool]](repeating: [Bool](repeating: false, count: width * 2), count: height * 4)
    let thinned = curve.smoothed(to: width * 2).points
    for (i, point) in thinned.enumerated() {
      let place = range.place(point)
      let x = Int(place.x * Double(width * 2 - 1)), y = Int((1 - place.y) * Double(height * 4 - 1))
      let before = i == 0 ? y : Int((1 - range.place(thinned[i - 1]).y) * Double(height * 4 - 1))
      // Up to the last point's height, so that the line has no holes.
      for row in min(y, before)...max(y, before) { dots[row][x] = true }
    }
    let labels = [PlotRange.label(range.high.y), PlotRange.label(range.low.y)]
    let margin = labels.map(\.count).max() ?? 0
    let rows = (0..<height).map { row in
      let label = row == 0 ? labels[0] : row == height - 1 ? labels[1] : ""
      let cells = (0..<width).map { column in cell(dots, row, column) }.joined()
      return String(repeating: " ", count: margin - label.count) + label + " ┤" + cells
    }
    guard let title else { return rows }
    let indent = String(repeating: " ", count: margin + 2)
    return [indent + title] + rows + [indent + axis(name, range, width)]
  }

  /// The ends of an axis and between them its name.
  private static func axis(_ name: String, _ range: PlotRange, _ width: Int) -> String {
    let (low, high) = (PlotRange.label(range.low.x), PlotRange.label(range.high.x))
    let room = max(2, width - low.count - high.count - name.count)
    func blanks(_ count: Int) -> String { String(repeating: " ", count: max(1, count)) }
    return low + blanks(room / 2) + name + blanks(room - room / 2) + high
  }

  /// Eight dots as one Braille character.
  private static func cell(_ dots: [[Bool]], _ row: Int, _ column: Int) -> String {
    let bits: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
    var pattern: UInt32 = 0
    for y in 0..<4 {
      for x in 0..<2 where dots[row * 4 + y][column * 2 + x] { pattern |= bits[y][x] }
    }
    return Unicode.Scalar(0x2800 + pattern).map(String.init) ?? " "
  }
}
