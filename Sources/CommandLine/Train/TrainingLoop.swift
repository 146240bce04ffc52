import ArgumentParser
import Files
import Foundation
import Recipes
import Tensors
import Training

/// Drives any stage's run to its end or to an interruption: progress, metrics, checkpoints, samples, export.
@NumericActor
struct TrainingLoop {
  private let training: any TrainingRun
  private let asJSON: Bool
  private let clock = ContinuousClock()
  private let measure: (_ step: Int) throws -> Void

  /// - Parameter measure: called behind each step.
  init(
    _ training: any TrainingRun, asJSON: Bool, measure: @escaping (_ step: Int) throws -> Void = { _ in }
  ) {
    (self.training, self.asJSON, self.measure) = (training, asJSON, measure)
  }

  /// - Parameter preparation: ends with the first step, behind which there is something to save.
  func run(after preparation: Preparation) throws {
    defer { training.stop() }
    defer { preparation.giveUp() }
    if training.trainer.isFinished { preparation.end() } else { preparation.tell("the first step") }
    let trainer = training.trainer, start = clock.now, first = trainer.stepCount
    let log = try MetricsLog(path: training.folder + "/metrics.jsonl", keepingThrough: first)
    var lastSave = start, lastSheet = start, last: Trainer.Report?
    let notes = training.dataNotes
    while !trainer.isFinished, !Interruption.isRequested {
      let report = try step()
      preparation.end()
      last = report
      let elapsed = seconds(clock.now - start)
      let speed = Double((report.step - first) * training.picturesPerStep) / elapsed
      try log.append(report, picturesPerSecond: speed, seconds: elapsed)
      show(report, speed)
      if seconds(clock.now - lastSave) > training.checkpointMinutes * 60 {
        try training.saveCheckpoint()
        lastSave = clock.now
      }
      if let minutes = training.sampleMinutes, seconds(clock.now - lastSheet) > minutes * 60 {
        try drawSamples(step: report.step)
        lastSheet = clock.now
      }
      try measure(report.step)
    }
    ProgressLine.end()
    try training.saveCheckpoint()
    // What was found while pictures were read.
    if training.dataNotes != notes { for line in training.dataNotes { note(line.oneLine) } }
    try training.export(to: training.folder + "/model")
    // Whoever stops a run does not wait for a sheet.
    if training.sampleMinutes != nil, !Interruption.isRequested { try drawSamples(step: trainer.stepCount) }
    try finish(last, seconds(clock.now - start))
    try Interruption.check()
  }

  /// What ends a run leaves what it has learnt.
  private func step() throws -> Trainer.Report {
    do { return try training.step() } catch {
      ProgressLine.end()
      if training.trainer.stepCount > 0 { try? training.saveCheckpoint() }
      throw error
    }
  }

  private func drawSamples(step: Int) throws {
    try training.drawSamples(to: training.folder + "/samples-\(step).png")
  }

  private func finish(_ last: Trainer.Report?, _ elapsed: Double) throws {
    let step = training.trainer.stepCount, folder = training.folder
    // A machine without a font for labels still has its model.
    let plot = (try? LossPlot.write(run: folder, to: folder + "/loss.png")) ?? []
    if last == nil, training.trainer.isFinished {
      note("this run was finished; to go on, raise optimization.steps = \(training.trainer.settings.steps)")
    }
    if asJSON {
      var report: [String: ReportValue] = [
        "path": .text(folder + "/model"), "step": .number(Double(step)), "seconds": .number(elapsed),
      ]
      // Of a run that had no step left there is none.
      if let last { report["loss"] = .number(Double(last.loss)) }
      print(try jsonLine(report))
    } else {
      if !plot.isEmpty { print(plot.joined(separator: "\n")) }
      print("step \(step): the model is in \(folder)/model")
    }
  }

  private func show(_ r: Trainer.Report, _ speed: Double) {
    let steps = training.trainer.settings.steps
    let terms = r.terms.map { "\($0.name) \(String(format: "%.3f", $0.value))" }.joined(separator: "  ")
    let minutes = Int(Double((steps - r.step) * training.picturesPerStep) / speed / 60)
    ProgressLine.show(
      "step \(r.step)/\(steps)  loss \(String(format: "%.3f", r.loss))  \(terms)  "
        + "\(Int(speed)) pictures/s  \(minutes / 60) h \(minutes % 60) min left")
  }
}

/// A line on standard error.
func note(_ text: String) { writeError("vugen: \(text.message)\n") }
