import Files
import Foundation
import Recipes
import Tensors
import Training

/// Runs a stage and prints what comes of it.
@NumericActor
struct TrainingReport {
  private let training: any TrainingRun
  private let asJSON: Bool

  /// What is told now and then.
  private final class Told {
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    var pace = ProgressPace(from: 0)
    var text: ProgressText
    /// When a line was told last, behind which step.
    var since: (seconds: Double, step: Int)

    init(from step: Int, of steps: Int) {
      (start, since, text) = (clock.now, (0, step), ProgressText(steps: steps))
    }

    var seconds: Double { (clock.now - start) / .seconds(1) }
  }

  private let told: Told

  init(_ training: any TrainingRun, asJSON: Bool) {
    (self.training, self.asJSON) = (training, asJSON)
    told = Told(from: training.trainer.stepCount, of: training.trainer.settings.steps)
  }

  /// - Parameters:
  ///   - preparation: ends with the first step, behind which there is something to save.
  ///   - measure: called behind each step.
  func run(after preparation: Preparation, measure: @escaping (_ step: Int) throws -> Void = { _ in }) throws
  {
    defer { preparation.giveUp() }
    if training.trainer.isFinished { preparation.end() } else { preparation.tell("the first step") }
    let loop = TrainingLoop(training, isCancelled: { Interruption.isRequested }, measure: measure) { event in
      switch event {
      case .step(let report, let pace): show(report, pace)
      case .validation(let found, let isBest): told.text.validation = (found, isBest)
      case .note(let line):
        ProgressLine.end()
        note(line.oneLine)
      }
    }
    defer { ProgressLine.end() }
    let end = try finished(loop, preparation)
    ProgressLine.end()
    if training.ranks.isFirst { try finish(end) }
    if isLeft {
      try Output.finish()
      note("interrupted; step \(training.trainer.stepCount) is saved, and --resume goes on from there")
      throw CancellationError()
    }
  }

  /// Whether a signal has ended it; one that comes behind the last step ends nothing.
  private var isLeft: Bool { Interruption.isRequested && !training.trainer.isFinished }

  private func finished(_ loop: TrainingLoop, _ preparation: Preparation) throws -> TrainingLoop.End {
    var isBegun = false
    do {
      return try loop.run {
        isBegun = true
        preparation.end()
      }
    } catch {
      if !isBegun { try preparation.attempt { throw error } }
      throw error
    }
  }

  private func finish(_ end: TrainingLoop.End) throws {
    let step = training.trainer.stepCount, folder = training.folder
    // A machine without a font for labels still has its model.
    let plot = (try? LossPlot.write(run: folder, to: folder + "/loss.png")) ?? []
    let steps = training.trainer.settings.steps, wasFinished = end.last == nil && training.trainer.isFinished
    if asJSON {
      var report: [String: ReportValue] = [
        "path": .text(folder + "/model"), "step": .number(Double(step)), "seconds": .number(end.seconds),
      ]
      if let bytes = SystemMemory.peakBytes { report["peakBytes"] = .number(Double(bytes)) }
      // Of a run that had no step left there is none.
      if let last = end.last { report["loss"] = .number(Double(last.loss)) }
      if let best = end.best {
        report["validationLoss"] = .number(best.loss)
        report["bestStep"] = .number(Double(best.step))
        report["best"] = .text(Validation.bestFolder(of: folder))
      }
      if isLeft { InterruptionReport.note(report) } else { print(try jsonLine(report)) }
    } else {
      if !plot.isEmpty { print(plot.joined(separator: "\n")) }
      let done = wasFinished ? ", already finished" : training.trainer.isFinished ? ", finished" : ""
      print("step \(step) of \(steps)\(done): the model is in \(folder)/model")
      if let best = end.best {
        print(
          "the lowest validation loss, \(number(best.loss)), was that of step \(best.step): its model is in \(Validation.bestFolder(of: folder))"
        )
      }
    }
    // Behind the plot, where it is read.
    guard wasFinished else { return }
    try Output.finish()
    note("this run is finished, and nothing was done; to continue, raise optimization.steps (now \(steps))")
  }

  /// A line that is written over and over on a terminal; elsewhere, now and then one that stays.
  private func show(_ r: Trainer.Report, _ pace: TrainingLoop.Pace) {
    guard !ProgressLine.isShown else { return ProgressLine.show(told.text.brief(r, pace)) }
    let now = told.seconds
    guard told.pace.isDue(at: now) else { return }
    let recent = Double((r.step - told.since.step) * training.picturesPerStep) / (now - told.since.seconds)
    told.since = (now, r.step)
    note(told.text.whole(r, pace, recent: recent, bytes: SystemMemory.residentBytes))
  }

  private func number(_ value: Double) -> String { String(format: "%.3f", value) }
}
