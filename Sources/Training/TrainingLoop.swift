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
  ///   - isCancelled: asked before each step; a run that is cancelled saves and exports what it has learnt. Where one rank
  ///     is, all are.
  ///   - measure: called behind each step, on the first rank alone.
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
    do { return try steps(onFirstStep) } catch RanksError.gone {
      let step = training.trainer.stepCount
      if step > 0 { try? training.saveCheckpoint() }
      throw RanksError.ended(at: step)
    }
  }

  private func steps(_ onFirstStep: () -> Void) throws -> End {
    defer { training.stop() }
    try training.trainer.shareState()
    let trainer = training.trainer, start = clock.now, first = trainer.stepCount
    let log: MetricsLog? = try training.ranks.together { try metrics(keepingThrough: first) }
    var lastSave = start, lastSheet = start, last: Trainer.Report?
    let notes = training.dataNotes
    var isStopped = try training.ranks.any([isCancelled()])[0]
    while !trainer.isFinished, !isStopped {
      let report = try step()
      onFirstStep()
      last = report
      let elapsed = seconds(since: start),
        speed = Double((report.step - first) * training.picturesPerStep) / elapsed
      try log?.append(report, picturesPerSecond: speed, seconds: elapsed)
      let left = Double((trainer.settings.steps - report.step) * training.picturesPerStep) / speed
      tell(.step(report, Pace(picturesPerSecond: speed, secondsLeft: left)))
      // By the first rank's clock.
      let due = try training.ranks.any(
        [
          seconds(since: lastSave) > training.checkpointMinutes * 60,
          training.sampleMinutes.map { seconds(since: lastSheet) > $0 * 60 } ?? false,
        ].map { $0 && training.ranks.isFirst })
      if due[0] {
        try training.saveCheckpoint()
        lastSave = clock.now
      }
      if due[1] {
        try drawSamples(step: report.step)
        lastSheet = clock.now
      }
      if training.ranks.isFirst { try measure(report.step) }
      isStopped = try training.ranks.any([isCancelled()])[0]
    }
    try finish(notes, isCancelled: isStopped)
    return End(last: last, seconds: seconds(since: start))
  }

  private func metrics(keepingThrough step: Int) throws -> MetricsLog? {
    guard training.ranks.isFirst else { return nil }
    return try MetricsLog(path: training.folder + "/metrics.jsonl", keepingThrough: step)
  }

  /// What is saved, told and made behind the last step.
  private func finish(_ notes: [String], isCancelled: Bool) throws {
    try training.saveCheckpoint()
    // What was found while pictures were read.
    if training.dataNotes != notes { for line in training.dataNotes { tell(.note(line)) } }
    try training.export(to: training.folder + "/model")
    // Whoever stops a run does not wait for a sheet.
    if training.sampleMinutes != nil, !isCancelled { try drawSamples(step: training.trainer.stepCount) }
  }

  /// What ends a run leaves what it has learnt.
  private func step() throws -> Trainer.Report {
    do { return try training.step() } catch {
      // What diverges has led to weights that are no good: those that are saved stay. All ranks have come to the same numbers.
      if case TrainingError.nonFinite(let step, let culprit, _) = error {
        let saved = Trainer.savedStep(in: training.folder)
        throw training.ranks.shared(TrainingError.nonFinite(step: step, culprit: culprit, saved: saved))
      }
      if training.trainer.stepCount > 0 { try? training.saveCheckpoint() }
      if error is TrainingError { throw training.ranks.shared(error) }
      throw error
    }
  }

  private func drawSamples(step: Int) throws {
    try training.drawSamples(to: training.folder + "/samples-\(step).png")
  }

  private func seconds(since start: ContinuousClock.Instant) -> Double { (clock.now - start) / .seconds(1) }
}
