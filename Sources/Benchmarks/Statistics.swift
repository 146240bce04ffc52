extension [Double] {
  /// The value in the middle, the upper one of two; 0 of none.
  public var median: Double { percentile(50) }

  /// The sum by the count; 0 of none.
  public var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

  /// The value below which so many of a hundred lie: of 300 values, number 297 of their order for 99; 0 of none.
  public func percentile(_ share: Int) -> Double {
    isEmpty ? 0 : sorted()[Swift.min(count - 1, count * share / 100)]
  }
}
