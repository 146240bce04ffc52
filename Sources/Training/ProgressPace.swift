/// When a line about long work is due where nobody watches: not at once, and then every so often.
public struct ProgressPace: Sendable {
  /// Seconds between two lines in a log.
  public static let usual = 30.0

  private let interval: Double
  private var last: Double

  /// - Parameter start: seconds on any clock.
  public init(every interval: Double = usual, from start: Double) {
    (self.interval, last) = (interval, start)
  }

  /// Whether a line is due at a time; the next one is due an interval later.
  public mutating func isDue(at time: Double) -> Bool {
    guard time - last >= interval else { return false }
    last = time
    return true
  }
}
