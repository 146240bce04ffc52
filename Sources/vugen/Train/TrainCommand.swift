import ArgumentParser
import Foundation
import ModelFiles
import Recipes
import Tensors
import Training

struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a stage of the method.",
    subcommands: [TrainUnderstanding.self, TrainPlot.self])
}

struct TrainUnderstanding: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "understanding", abstract: "Train the understanding tower on scenes.",
    discussion: """
      The run's folder holds the merged recipe, the metrics, a checkpoint and the exported model. Ctrl-C saves \
      and ends; --resume goes on, bit for bit as if it had not been stopped.

      Example: vugen train understanding --output runs/nano --set optimization.steps=8000
      """)

  @Option(help: "The run's folder.") var output: String
  @Option(help: "A recipe in TOML; what it leaves out has its default.") var recipe: String?
  @Option(name: .customLong("set"), help: "Set one value of the recipe, as SECTION.KEY=VALUE.")
  var settings: [String] = []
  @Flag(help: "Go on from the folder's checkpoint, with the folder's recipe unless one is named.")
  var resume = false
  @Option(help: "Begin with the weights of this exported model.") var from: String?
  @Option(help: "Threads (default: the physical cores).") var threads: Int32?
  @Flag(help: "Print the merged recipe and end.") var showRecipe = false
  @Flag(help: "Print one JSON object at the end.") var json = false

  func validate() throws {
    if resume, from != nil { throw ValidationError("--resume has weights of its own; leave --from out.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  @NumericActor
  func run() async throws {
    let file = recipe ?? (resume ? output + "/recipe.toml" : nil)
    let merged = try RecipeFile.merged(UnderstandingRecipe(), file: file, settings: settings)
    if showRecipe {
      print(try RecipeFile.text(of: merged))
      return
    }
    if let threads { Threads.count = threads }
    Interruption.watch()
    let training = try UnderstandingTraining(merged, folder: output, isResuming: resume, from: from)
    defer { training.stop() }
    let count = training.parameterCount
    note("encoder \(count.vision), language model \(count.language) parameters")
    let log = try MetricsLog(path: output + "/metrics.jsonl", keepingThrough: training.trainer.stepCount)
    try follow(training, merged, log)
    if Interruption.isRequested { throw ExitCode(130) }
  }

  /// Steps until the end or an interruption; saves every few minutes.
  @NumericActor
  private func follow(_ training: UnderstandingTraining, _ recipe: UnderstandingRecipe, _ log: MetricsLog)
    throws
  {
    let clock = ContinuousClock(), start = clock.now, first = training.trainer.stepCount
    let perStep = recipe.data.batch * recipe.optimization.accumulation
    var lastSave = clock.now, last: Trainer.Report?
    while !training.trainer.isFinished, !Interruption.isRequested {
      let report = try training.step()
      last = report
      let elapsed = seconds(clock.now - start), done = report.step - first
      let speed = Double(done * perStep) / elapsed
      try log.append(report, picturesPerSecond: speed, seconds: elapsed)
      let left = Double((recipe.optimization.steps - report.step) * perStep) / speed
      show(report, recipe, speed, left)
      if seconds(clock.now - lastSave) > recipe.run.checkpointMinutes * 60 {
        try training.saveCheckpoint()
        lastSave = clock.now
      }
    }
    ProgressLine.end()
    try training.saveCheckpoint()
    try training.export(to: output + "/model")
    try finish(training, last, seconds(clock.now - start))
  }

  private func finish(_ training: UnderstandingTraining, _ last: Trainer.Report?, _ elapsed: Double) throws {
    let step = training.trainer.stepCount
    // A machine without a font for labels still has its model.
    let plot = (try? LossPlot.write(run: output, to: output + "/loss.png")) ?? []
    if json {
      print(
        try jsonLine([
          "path": .text(output + "/model"), "step": .number(Double(step)),
          "loss": .number(Double(last?.loss ?? 0)), "seconds": .number(elapsed),
        ]))
    } else {
      if !plot.isEmpty { print(plot.joined(separator: "\n")) }
      print("step \(step): the model is in \(output)/model")
    }
  }

  private func show(_ r: Trainer.Report, _ recipe: UnderstandingRecipe, _ speed: Double, _ left: Double) {
    let terms = r.terms.map { "\($0.name) \(String(format: "%.3f", $0.value))" }.joined(separator: "  ")
    let minutes = Int(left / 60)
    ProgressLine.show(
      "step \(r.step)/\(recipe.optimization.steps)  loss \(String(format: "%.3f", r.loss))  \(terms)  "
        + "\(Int(speed)) pictures/s  \(minutes / 60) h \(minutes % 60) min left")
  }

  private func note(_ text: String) { FileHandle.standardError.write(Data("vugen: \(text)\n".utf8)) }
}
