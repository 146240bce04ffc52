/// What numbers the settings of a drawing can have. Those of a file, a flag or a key pass here: what is outside is
/// refused by name, or set to the nearest that is inside.
public enum DrawingLimits {
  /// What a log may say: a picture of an older version or another program can have more than `guidanceRange`.
  public static let recordedGuidance: ClosedRange<Float> = 0...100
  /// Of the sampler.
  public static let steps = 1...1000
  /// Of the pixel decoder.
  public static let decoderSteps = 1...100
  /// What the studio's inspector shows.
  public static let shownDecoderSteps = 1...16
  /// Pictures of one request.
  public static let count = 1...16
}

extension Comparable {
  /// The nearest value of a range. What compares with nothing, such as a NaN, is the lower end.
  public func clamped(to range: ClosedRange<Self>) -> Self {
    self >= range.upperBound ? range.upperBound : self > range.lowerBound ? self : range.lowerBound
  }
}
