import Files
import Foundation
import Tensors

/// Drives any run to its end or to an interruption: steps, metrics, checkpoints, samples, validation, export.
@NumericActor
public struct TrainingLoop {
  /// What is told as a run goes on.
  public enum Event: Sendable {
    case step(Trainer.Report, Pace)
    /// What is held out was measured; whether no measure before was as low.
    case validation(Validation, isBest: Bool)
    /// What a person should know: a line.
    case note(String)
  }

  /// How fast a run goes.
  public struct Pace: Sendable, Equatable {
    /// The mean since the loop began.
    public let picturesPerSecond: Double
    /// Until the last step, at this pace.
    public let secondsLeft: Double

    /// Each argument is the property of its name.
    public init(picturesPerSecond: Double, secondsLeft: Double) {
      (self.picturesPerSecond, self.secondsLeft) = (picturesPerSecond, secondsLeft)
    }
  }

  /// What came of it.
  public struct End: Sendable {
    /// The last step that was taken; nil where the run was finished before.
    public let last: Trainer.Report?
    /// How long it took this time.
    public let seconds: Double
    /// The lowest validation loss of the whole run, whose model is kept; nil where nothing is held out.
    public let best: Validation?
  }

  /// How far it has come.
  private struct State {
    let start: ContinuousClock.Instant
    /// When what is done now and then was done last.
    var save, validation: ContinuousClock.Instant
    var sheet: SheetPace
    var last: Trainer.Report?
    var best: Validation?
    /// Whether it was told that lines of metrics are not kept.
    var hasLostMetrics = false
    /// For TensorBoard, where the run writes them.
    var events: EventFile?
  }

  /// What is to be done behind a step.
  private struct Due {
    let save, sheet, validation: Bool
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
    var state = State(
      start: start, save: start, validation: start, sheet: SheetPace(minutes: training.sampleMinutes),
      best: try bestSoFar())
    if training.writesEvents, training.ranks.isFirst {
      try attempt("no events are written") {
        state.events = try EventFile(path: EventFile.path(in: training.folder), after: first)
      }
    }
    let notes = training.dataNotes
    var isStopped = try training.ranks.any([isCancelled()])[0]
    while !trainer.isFinished, !isStopped {
      let report = try step()
      onFirstStep()
      state.last = report
      let elapsed = seconds(since: start),
        speed = Double((report.step - first) * training.picturesPerStep) / elapsed
      let left = Double((trainer.settings.steps - report.step) * training.picturesPerStep) / speed
      tell(.step(report, Pace(picturesPerSecond: speed, secondsLeft: left)))
      let events = state.events
      try follow(report, &state) { loss in
        let line = MetricsLog.Line(
          report, picturesPerSecond: speed, seconds: elapsed, validationLoss: loss)
        try log?.append(line)
        try events?.append(line)
      }
      isStopped = try training.ranks.any([isCancelled()])[0]
    }
    try finish(notes, state, isCancelled: isStopped)
    return End(last: state.last, seconds: seconds(since: start), best: state.best)
  }

  /// What comes behind a step.
  ///
  /// - Parameter log: keeps the step's figures, with the validation loss where it was measured.
  private func follow(
    _ report: Trainer.Report, _ state: inout State, log: (_ validationLoss: Double?) throws -> Void
  ) throws {
    let due = try due(state)
    var loss: Double?
    if due.validation {
      loss = try validate(step: report.step, &state.best)
      state.validation = clock.now
    }
    do { try log(loss) } catch {
      if !state.hasLostMetrics { lose("lines of metrics are not kept", error) }
      state.hasLostMetrics = true
    }
    if due.save {
      try attempt("the checkpoint is not saved, and an older one is as it was") {
        try training.saveCheckpoint()
      }
      state.save = clock.now
    }
    if due.sheet {
      let start = clock.now
      try drawSamples(state)
      state.sheet.note(drawn: seconds(since: start), at: seconds(since: state.start))
    }
    if training.ranks.isFirst { try attempt("nothing is measured") { try measure(report.step) } }
  }

  private func metrics(keepingThrough step: Int) throws -> MetricsLog? {
    guard training.ranks.isFirst else { return nil }
    return try MetricsLog(path: training.folder + "/metrics.jsonl", keepingThrough: step)
  }

  /// By the first rank's clock. Behind the last step what is held out is measured in any case.
  private func due(_ last: State) throws -> Due {
    func isOver(_ minutes: Double?, _ last: ContinuousClock.Instant) -> Bool {
      minutes.map { seconds(since: last) > $0 * 60 } ?? false
    }
    let flags = try training.ranks.any(
      [
        isOver(training.checkpointMinutes, last.save), last.sheet.isDue(at: seconds(since: last.start)),
        isOver(training.validationMinutes, last.validation)
          || training.validationMinutes != nil && training.trainer.isFinished,
      ].map { $0 && training.ranks.isFirst })
    return Due(save: flags[0], sheet: flags[1], validation: flags[2])
  }

  /// What is saved, told and made behind the last step.
  private func finish(_ notes: [String], _ state: State, isCancelled: Bool) throws {
    try training.saveCheckpoint()
    // What was found while pictures were read.
    if training.dataNotes != notes { for line in training.dataNotes { tell(.note(line)) } }
    try training.export(to: training.folder + "/model")
    // Whoever stops a run does not wait for a sheet.
    if training.sampleMinutes != nil, !isCancelled { try drawSamples(state) }
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

  private func drawSamples(_ state: State) throws {
    let limit = state.sheet.limit(at: seconds(since: state.start))
    let step = training.trainer.stepCount, path = training.folder + "/samples-\(step).png"
    try attempt("no sheet is drawn") {
      let isDrawn = try training.drawSamples(to: path, within: limit)
      guard isDrawn else {
        return tell(
          .note(
            "no sheet is drawn: its first picture takes longer than a twentieth of the time; run.sampleMinutes = 0 draws none"
          ))
      }
      try state.events?.append(sheet: path, step: step)
    }
  }

  private func seconds(since start: ContinuousClock.Instant) -> Double { (clock.now - start) / .seconds(1) }

  /// What a run can do without: a full disk or a missing font ends none. What ends all ranks, or a signal, still does.
  private func attempt(_ loss: String, _ work: () throws -> Void) throws {
    do { try work() } catch
      where !(error is RanksError || error is SharedFailure || error is CancellationError)
    {
      lose(loss, error)
    }
  }

  private func lose(_ loss: String, _ error: any Error) {
    tell(.note("step \(training.trainer.stepCount): \(loss): \(error)"))
  }

  // MARK: Validation

  /// What an earlier part of the run has kept, as the first rank finds it.
  private func bestSoFar() throws -> Validation? {
    guard training.validationMinutes != nil else { return nil }
    guard training.ranks.isFirst else { return try training.ranks.broadcast(nil as Validation?) }
    // A run that was killed while it replaced the folder has the old one aside.
    _ = OutputFolder.takeUp(Validation.bestFolder(of: training.folder))
    return try training.ranks.broadcast(Validation.best(of: training.folder))
  }

  /// Measures what is held out, and keeps the model where it is the best so far. Returns the loss; nil for what is no number.
  private func validate(step: Int, _ best: inout Validation?) throws -> Double? {
    guard let loss = try measured() else { return nil }
    let found = Validation(step: step, loss: loss)
    let isBest = found.loss.isFinite && found.loss < best?.loss ?? .infinity
    tell(.validation(found, isBest: isBest))
    guard found.loss.isFinite else { return nil }
    guard isBest else { return found.loss }
    let write = try training.exporter()
    if training.ranks.isFirst {
      try attempt("the best model so far is not kept") { try found.keep(in: training.folder, write) }
    }
    best = found
    return found.loss
  }

  /// nil where it could not be measured; then on no rank.
  private func measured() throws -> Double? {
    do { return try training.validationLoss() } catch
      where !(error is RanksError || error is CancellationError)
    {
      let shared = error as? SharedFailure
      if shared?.isTold ?? true { lose("the validation loss is not measured", shared?.reason ?? error) }
      return nil
    }
  }
}
