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
}
