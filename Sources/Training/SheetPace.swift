/// When a sheet of samples is due: every so many minutes, but less often where it takes more than a twentieth of the time.
public struct SheetPace: Sendable {
  /// Of the time, sheets may take so much at most.
  public static let share = 0.05

  /// What the last sheet of a short run may take, in seconds.
  static let least = 30.0

  private let interval: Double
  private var last = 0.0
  private var cost = 0.0

  /// - Parameter minutes: between two sheets; nil where none is drawn.
  public init(minutes: Double?) { interval = minutes.map { $0 * 60 } ?? .infinity }

  /// A sheet took `seconds`, and is there at a time, in seconds from when the pace was made.
  public mutating func note(drawn seconds: Double, at time: Double) { (cost, last) = (seconds, time) }

  /// How long a sheet may take that is begun at a time, in seconds: its share of what has passed since the last one.
  public func limit(at time: Double) -> Double { max(Self.least, Self.share * (time - last)) }

  /// Whether a sheet is due at a time. One that takes as long as the last must not take more than its share of what passes
  /// from that on.
  public func isDue(at time: Double) -> Bool {
    time - last > interval && cost <= Self.share * (time - last + cost)
  }
}
