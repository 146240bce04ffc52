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

  init(_ training: any TrainingRun, asJSON: Bool) { (self.training, self.asJSON) = (training, asJSON) }

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
      case .note(let line):
        ProgressLine.end()
        note(line.oneLine)
      }
    }
    defer { ProgressLine.end() }
    let end = try loop.run(onFirstStep: preparation.end)
    ProgressLine.end()
    try finish(end)
    try Interruption.check()
  }

  private func finish(_ end: TrainingLoop.End) throws {
    let step = training.trainer.stepCount, folder = training.folder
    // A machine without a font for labels still has its model.
    let plot = (try? LossPlot.write(run: folder, to: folder + "/loss.png")) ?? []
    if end.last == nil, training.trainer.isFinished {
      note(
        "this run is finished; to continue, raise optimization.steps (now \(training.trainer.settings.steps))"
      )
    }
    if asJSON {
      var report: [String: ReportValue] = [
        "path": .text(folder + "/model"), "step": .number(Double(step)), "seconds": .number(end.seconds),
      ]
      // Of a run that had no step left there is none.
      if let last = end.last { report["loss"] = .number(Double(last.loss)) }
      print(try jsonLine(report))
    } else {
      if !plot.isEmpty { print(plot.joined(separator: "\n")) }
      print("step \(step): the model is in \(folder)/model")
    }
  }

  private func show(_ r: Trainer.Report, _ pace: TrainingLoop.Pace) {
    let terms = r.terms.map { "\($0.name) \(String(format: "%.3f", $0.value))" }.joined(separator: "  ")
    let minutes = Int(pace.secondsLeft / 60)
    ProgressLine.show(
      "step \(r.step)/\(training.trainer.settings.steps)  loss \(String(format: "%.3f", r.loss))  \(terms)  "
        + "\(Int(pace.picturesPerSecond)) pictures/s  \(minutes / 60) h \(minutes % 60) min left")
  }
}
