import Foundation

/// What is said of a run that goes on: over and over on a terminal, and now and then in a log.
public struct ProgressText {
  /// Of all the run's steps.
  public var steps: Int
  /// What was measured last of what is held out, and whether none was lower.
  public var validation: (found: Validation, isBest: Bool)?

  /// Of a run of so many steps, nothing measured yet.
  public init(steps: Int) { self.steps = steps }

  /// A line that is written over.
  public func brief(_ report: Trainer.Report, _ pace: TrainingLoop.Pace) -> String {
    "\(start(report))  \(Self.speed(pace.picturesPerSecond)) pictures/s  \(Self.left(pace))"
  }

  /// A line that stays.
  ///
  /// - Parameters:
  ///   - recent: pictures a second since the line before.
  ///   - bytes: of memory in use; nil where nobody knows.
  public func whole(_ report: Trainer.Report, _ pace: TrainingLoop.Pace, recent: Double, bytes: Int?)
    -> String
  {
    let memory = bytes.map { String(format: "  %.1f GB in use", Double($0) / 1e9) } ?? ""
    let speed = "\(Self.speed(recent)) pictures/s (on average \(Self.speed(pace.picturesPerSecond)))"
    return "\(start(report))  \(speed)\(memory)  \(Self.left(pace))"
  }

  private func start(_ report: Trainer.Report) -> String {
    let terms = report.terms.map { "  \($0.name) \(Self.number(Double($0.value)))" }.joined()
    let held = validation.map {
      "  validation \(Self.number($0.found.loss)) at step \($0.found.step)\($0.isBest ? ", the lowest" : "")"
    }
    return "step \(report.step)/\(steps)  loss \(Self.number(Double(report.loss)))\(terms)\(held ?? "")"
  }

  private static func left(_ pace: TrainingLoop.Pace) -> String {
    let minutes = Int(min(pace.secondsLeft, 1e9) / 60)
    return "\(minutes / 60) h \(minutes % 60) min left"
  }

  private static func number(_ value: Double) -> String { String(format: "%.3f", value) }

  private static func speed(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }
}
