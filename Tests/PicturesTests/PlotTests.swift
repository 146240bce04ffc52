import Pictures
import Testing

struct PlotTests {
  /// Whatever a damaged log says of steps and losses.
  @Test(
    arguments: [
      [], [SIMD2(0, 0)], [SIMD2(9.2e18, 3e38), SIMD2(9.2e18, 3e38)], [SIMD2(1, .nan), SIMD2(.infinity, 2)],
      [SIMD2(-1e299, 1e299), SIMD2(1e299, -1e299)], [SIMD2(1, .leastNonzeroMagnitude), SIMD2(1, 1.7e308)],
    ] as [[SIMD2<Double>]])
  func aPlotIsDrawnOfAnyNumbers(_ points: [SIMD2<Double>]) throws {
    let curve = Curve("loss", points)
    #expect(TextPlot.lines(curve).count == 10)
    let named = TextPlot.lines(curve, title: "a run: loss", x: "step")
    #expect(named.count == 12 && named[0].hasSuffix("a run: loss") && named[11].contains(" step "))
    #expect(try LinePlot(title: "", x: "", y: "", [curve]).draw().width > 0)
  }

  /// Pictures keep their proportions in the cells of a sheet, and stand in their middle.
  @Test func sheetsKeepProportions() throws {
    let wide = Picture(width: 80, height: 20, red: 200, green: 0, blue: 0)
    let high = Picture(width: 5, height: 10, red: 0, green: 0, blue: 200)
    let sheet = try ContactSheet(columns: 2, side: 40).draw([.init(wide, ""), .init(high, "")])
    func extent(_ isOf: (Int) -> Bool) -> (width: Int, height: Int, x: Int, y: Int) {
      let found = (0..<sheet.width * sheet.height).filter { isOf($0 * 4) }
      let columns = found.map { $0 % sheet.width }, rows = found.map { $0 / sheet.width }
      guard let left = columns.min(), let right = columns.max(), let top = rows.min(), let end = rows.max()
      else { return (0, 0, 0, 0) }
      return (right - left + 1, end - top + 1, left, top)
    }
    let red = extent { sheet.pixels[$0] > 150 && sheet.pixels[$0 + 2] < 50 }
    let blue = extent { sheet.pixels[$0 + 2] > 150 && sheet.pixels[$0] < 50 }
    #expect(red == (40, 10, 8, 8 + 15) && blue == (20, 40, 8 + 48 + 10, 8), "\(red) \(blue)")
  }
}
