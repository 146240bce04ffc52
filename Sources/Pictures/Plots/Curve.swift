/// A named line of a plot.
public struct Curve: Sendable, Equatable {
  /// As the legend calls it.
  public var name: String
  /// x and y, from left to right.
  public var points: [SIMD2<Double>]

  /// Points that a plot has no place for are left out: those that are not finite, and numbers near the largest.
  public init(_ name: String, _ points: [SIMD2<Double>]) {
    self.name = name
    self.points = points.filter { abs($0.x) < 1e300 && abs($0.y) < 1e300 }
  }

  /// The curve as at most `count` points, each the mean of its neighbours: noise out, the course in.
  public func smoothed(to count: Int) -> Curve {
    guard points.count > count, count > 0 else { return self }
    let means = (0..<count).map { i -> SIMD2<Double> in
      let part = points[i * points.count / count..<(i + 1) * points.count / count]
      return part.reduce(SIMD2()) { $0 + $1 } / Double(part.count)
    }
    return Curve(name, means)
  }
}

/// The part of the plane that a plot shows.
struct PlotRange {
  var low, high: SIMD2<Double>

  /// Around all points; y from 0 where that is near.
  init(_ curves: [Curve]) {
    let all = curves.flatMap(\.points)
    let xs = all.map(\.x), ys = all.map(\.y)
    low = SIMD2(xs.min() ?? 0, min(0, ys.min() ?? 0))
    // One wild first step must not flatten the rest.
    let sorted = ys.sorted(),
      top = sorted.isEmpty ? 1 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
    high = SIMD2(xs.max() ?? 1, top)
    // By more than the numbers' own steps.
    if high.x <= low.x { high.x = low.x + max(1, abs(low.x) * 1e-6) }
    if high.y <= low.y { high.y = low.y + max(1, abs(low.y) * 1e-6) }
  }

  /// Place in 0…1, from the lower left.
  func place(_ point: SIMD2<Double>) -> SIMD2<Double> {
    ((point - low) / (high - low)).clamped(lowerBound: SIMD2(), upperBound: SIMD2(repeating: 1))
  }

  /// Round numbers between two bounds.
  static func ticks(_ low: Double, _ high: Double, about count: Int) -> [Double] {
    // Numbers of a damaged log may be further apart than a number can say, or not apart at all.
    let rough = high / Double(count) - low / Double(count)
    guard rough.isFinite, rough > 1e-300, rough < 1e300 else { return [low] }
    var step = 1.0
    while step > rough { step /= 10 }
    while step * 10 <= rough { step *= 10 }
    if step * 5 <= rough { step *= 5 } else if step * 2 <= rough { step *= 2 }
    return (0...(2 * count + 2)).map { ((low / step).rounded(.up) + Double($0)) * step }.filter { $0 <= high }
  }

  static func label(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e9 { return String(Int(value)) }
    let hundredths = (value * 100).rounded() / 100
    return String(hundredths)
  }
}
