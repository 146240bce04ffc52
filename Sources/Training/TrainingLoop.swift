import Files
import Foundation
import Tensors

/// Drives any run to its end or to an interruption: steps, metrics, checkpoints, samples, export.
@NumericActor
public struct TrainingLoop {
  /// What is told as a run goes on.
  public enum Event: Sendable {
    case step(Trainer.Report, Pace)
    /// What a person should know: a line.
    case note(String)
  }

  /// How fast a run goes.
  public struct Pace: Sendable, Equatable {
    /// The mean since the loop began.
    public let picturesPerSecond: Double
    /// Until the last step, at this pace.
    public let secondsLeft: Double
  }

  /// What came of it.
  public struct End: Sendable {
    /// The last step that was taken; nil where the run was finished before.
    public let last: Trainer.Report?
    /// How long it took this time.
    public let seconds: Double
  }

  private let training: any TrainingRun
  private let isCancelled: () -> Bool
  private let clock = ContinuousClock()
  private let measure: (_ step: Int) throws -> Void
  private let tell: (Event) -> Void

  /// - Parameters:
  ///   - isCancelled: asked before each step; a run that is cancelled saves and exports what it has learnt.
  ///   - measure: called behind each step.
  public init(
    _ training: any TrainingRun, isCancelled: @escaping () -> Bool = { false },
    measure: @escaping (_ step: Int) throws -> Void = { _ in }, tell: @escaping (Event) -> Void = { _ in }
  ) {
    (self.training, self.isCancelled) = (training, isCancelled)
    (self.measure, self.tell) = (measure, tell)
  }

  /// Runs. Throws what ends a run; what it has learnt until then is saved.
  ///
  /// - Parameter onFirstStep: called when the first step is done, behind which there is something to save.
  public func run(onFirstStep: () -> Void = {}) throws -> End {
    defer { training.stop() }
    let trainer = training.trainer, start = clock.now, first = trainer.stepCount
    let log = try MetricsLog(path: training.folder + "/metrics.jsonl", keepingThrough: first)
    var lastSave = start, lastSheet = start, last: Trainer.Report?
    let notes = training.dataNotes
    while !trainer.isFinished, !isCancelled() {
      guard let report = try step() else { break }
      onFirstStep()
      last = report
      let elapsed = seconds(since: start),
        speed = Double((report.step - first) * training.picturesPerStep) / elapsed
      try log.append(report, picturesPerSecond: speed, seconds: elapsed)
      let left = Double((trainer.settings.steps - report.step) * training.picturesPerStep) / speed
      tell(.step(report, Pace(picturesPerSecond: speed, secondsLeft: left)))
      if seconds(since: lastSave) > training.checkpointMinutes * 60 {
        try training.saveCheckpoint()
        lastSave = clock.now
      }
      if let minutes = training.sampleMinutes, seconds(since: lastSheet) > minutes * 60 {
        try drawSamples(step: report.step)
        lastSheet = clock.now
      }
      try measure(report.step)
    }
    try training.saveCheckpoint()
    // What was found while pictures were read.
    if training.dataNotes != notes { for line in training.dataNotes { tell(.note(line)) } }
    try training.export(to: training.folder + "/model")
    // Whoever stops a run does not wait for a sheet.
    if training.sampleMinutes != nil, !isCancelled() { try drawSamples(step: trainer.stepCount) }
    return End(last: last, seconds: seconds(since: start))
  }

  /// What ends a run leaves what it has learnt. nil where it is cancelled while it waits for pictures: their reading ends
  /// then, too.
  private func step() throws -> Trainer.Report? {
    do { return try training.step() } catch {
      guard training.trainer.stepCount > 0 else { throw error }
      if isCancelled(), error is CancellationError || error is Patience.Ended { return nil }
      try? training.saveCheckpoint()
      throw error
    }
  }

  private func drawSamples(step: Int) throws {
    try training.drawSamples(to: training.folder + "/samples-\(step).png")
  }

  private func seconds(since start: ContinuousClock.Instant) -> Double { (clock.now - start) / .seconds(1) }
}
