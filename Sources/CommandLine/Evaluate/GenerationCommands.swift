import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import Pictures
import Requests
import Tensors
import Training
import VUGEN

extension Split: ExpressibleByArgument {}

struct EvaluateReconstruction: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruction", abstract: "Measure the PSNR of scenes drawn again from their latents.",
    discussion: "Example: vugen evaluate reconstruction --scenes 100")

  @OptionGroup var model: ModelOptions
  @Option(parsing: .unconditional, help: "Number of scenes.") var scenes = 100
  @Option(help: "Split of the scenes: val or held-out.") var split = Split.heldOut
  @Option(parsing: .unconditional, help: "Seed of the scenes.") var seed: UInt64 = 1
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...1_000_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 1000000.") }
  }

  @NumericActor
  func run() async throws { try Company.run { try measure($0) } }

  @NumericActor
  private func measure(_ ranks: Ranks) throws {
    Interruption.watch(endings: !ranks.isAlone)
    let (loaded, drawing, bank) = try ranks.together {
      let loaded = try model.load()
      return (loaded, try loaded.generation(), try ObjectBank(includingSingles: false))
    }
    let composer = SceneComposer(bank, seed: seed, size: drawing.configuration.imageSize)
    let evaluation = ReconstructionEvaluation(loaded.tower, drawing)
    var report: [String: ReportValue] = ["samples": .number(Double(scenes))]
    for steps in [8, 1] {
      let values: [Double]
      do {
        values = try evaluation.run(composer, split, scenes: scenes, steps: steps, ranks: ranks) { done in
          ProgressLine.show("\(steps) steps: \(done) of \(scenes) scenes")
          try Interruption.check()
        }.sorted()
      } catch {
        throw evaluationEnd(report, knownBefore: 1, asJSON: json, ranks, by: error)
      }
      ProgressLine.end()
      guard ranks.isFirst else { continue }
      let mean = values.reduce(0, +) / Double(values.count), name = steps == 1 ? "1 step" : "\(steps) steps"
      report["psnr \(name)"] = .number(mean)
      InterruptionReport.note(report)
      if !json {
        print(
          String(
            format: "%@: mean PSNR %.1f dB, from %.1f to %.1f", name, mean, values[0],
            values[values.count - 1]))
      }
      try Output.finish()
    }
    guard ranks.isFirst else { return }
    bank.account(for: &report)
    print(json ? try jsonLine(report) : "scenes of \(bank.account)")
  }
}

struct EvaluateGeneration: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generation",
    abstract: "Draw scenes' captions and compare what a judge says of the pictures.",
    discussion: """
      The judge describes each picture without being told what it should show; its caption must name the things, their \
      number, their colours and their order as the prompt does. Where a question does not give its answer away ("How many \
      things are there?", "Where is the cat?"), the share of right answers is printed beside it. The judge is the model \
      itself, or another understanding model given with --judge. Its own errors are measured first, on composed scenes \
      with true and with false claims about them.

      Example: vugen evaluate generation --samples 50 --cfg 3 --cfg 5 --sheet sheet.png
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: "Model folder of a different judge.", completion: .directory, transform: folderPath)
  var judge: String?
  @Option(parsing: .unconditional, help: "Number of pictures per measure.") var samples = 50
  @Option(help: "Split of the scenes: val or held-out.") var split = Split.validation
  @Option(
    parsing: .unconditionalSingleValue,
    help:
      "Guidance scale, \(DrawingDefaults.guidanceLimits); repeat for several (default: \(DrawingDefaults.guidance.formatted()))."
  )
  var cfg: [Float] = []
  @Option(parsing: .unconditional, help: "Sampling steps.") var steps = 50
  @Option(parsing: .unconditional, help: "Pixel decoder steps.") var decoderSteps = 1
  @Option(parsing: .unconditional, help: "Seed of the scenes and the noise.") var seed: UInt64 = 1
  @Option(
    help: "Write a contact sheet of the first 64 pictures to this file (.png, .jpg or .webp).",
    completion: .file(extensions: ["png", "jpg", "webp"]), transform: picturePath)
  var sheet: String?
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...ImageSettings.mostSteps).contains(steps) {
      throw ValidationError("--steps must be 1 to \(ImageSettings.mostSteps).")
    }
    if !(1...ImageSettings.mostDecoderSteps).contains(decoderSteps) {
      throw ValidationError("--decoder-steps must be 1 to \(ImageSettings.mostDecoderSteps).")
    }
    if !(1...100_000).contains(samples) { throw ValidationError("--samples must be 1 to 100000.") }
    try BinaryOutput.check([sheet], isJSON: json)
    guard cfg.allSatisfy(DrawingDefaults.guidanceRange.contains) else {
      throw ValidationError("--cfg must be \(DrawingDefaults.guidanceLimits).")
    }
  }

  @NumericActor
  func run() async throws { try Company.run { try measure($0) } }

  @NumericActor
  private func measure(_ ranks: Ranks) throws {
    Interruption.watch(endings: !ranks.isAlone)
    BinaryOutput.take([sheet])
    let scales = cfg.isEmpty ? [DrawingDefaults.guidance] : cfg
    let (loaded, imaginer, chosen, bank) = try ranks.together {
      if ranks.isFirst { try existing.check(sheet) }
      for scale in scales { try settings(scale).checkAsOptions() }
      let loaded = try model.load()
      return (
        loaded, try Imaginer(loaded), try chooseJudge(loaded), try ObjectBank(includingSingles: false)
      )
    }
    let composer = SceneComposer(bank, seed: seed, size: loaded.configuration.vision.imageSize)
    var found = Findings(samples: samples)
    do {
      try show(reliabilityOf: chosen, composer, ranks, in: &found.report)
      InterruptionReport.note(found.report)
      for scale in scales {
        try measure(
          GenerationEvaluation(imaginer, judge: chosen), composer, settings(scale), ranks, into: &found)
      }
      bank.account(for: &found.report)
      if let sheet, ranks.isFirst { try existing.write(sheet) { try found.draw(to: $0) } }
    } catch {
      ProgressLine.end()
      throw ranks.isFirst ? kept(found, ranks, because: error) : error
    }
    guard ranks.isFirst else { return }
    print(json ? try jsonLine(found.report) : "captions of \(bank.account)")
  }

  private func settings(_ scale: Float) -> ImageSettings {
    var settings = ImageSettings(prompt: "x")
    (settings.seed, settings.steps, settings.decoderSteps) = (seed, steps, decoderSteps)
    settings.guidanceScale = scale
    return settings
  }

  /// What is measured and drawn so far.
  private struct Findings {
    /// Pictures on a sheet.
    static let most = 64

    var report: [String: ReportValue]
    var items: [ContactSheet.Item] = []

    init(samples: Int) { report = ["samples": .number(Double(samples))] }

    func draw(to sheet: String) throws {
      try AtomicFile.write(Data(try ContactSheet().draw(items).data(for: sheet)), to: sheet)
    }
  }

  @NumericActor
  private func measure(
    _ evaluation: GenerationEvaluation, _ composer: SceneComposer, _ settings: ImageSettings, _ ranks: Ranks,
    into found: inout Findings
  ) throws {
    let scale = settings.guidanceScale
    var items = found.items
    defer { found.items = items }
    let result = try evaluation.run(
      composer, split, samples: samples, settings: settings, ranks: ranks,
      progress: { done in
        ProgressLine.show("guidance \(scale): \(done) pictures")
        try Interruption.check()
      },
      kept: sheet == nil ? 0 : Findings.most - items.count,
      drawn: { items.append(.init($0.picture, "\($0.prompt): \($0.verdict)")) })
    ProgressLine.end()
    show(result, scale, in: &found.report)
    InterruptionReport.note(found.report)
    try Output.finish()
  }

  /// What the command ends with where it ends early; what is drawn and measured by then has a place.
  private func kept(_ found: Findings, _ ranks: Ranks, because error: any Error) -> any Error {
    var end = error
    if let sheet, !found.items.isEmpty, let place = try? existing.keep(sheet, { try found.draw(to: $0) }) {
      let drawn = counted(found.items.count, "picture")
      if error is CancellationError {
        note("interrupted after \(drawn); \(place) holds them".oneLine)
      } else {
        end = CommandError("\(Failure.reason(of: error)); what is drawn, \(drawn), is in \(place)")
      }
    }
    return evaluationEnd(found.report, knownBefore: 1, asJSON: json, ranks, by: end)
  }

  @NumericActor
  private func chooseJudge(_ loaded: LoadedModel) throws -> DrawingJudge {
    guard let judge else { return DrawingJudge(loaded) }
    return DrawingJudge(
      try LoadedModel(folder: EmbeddedModel.folder(for: judge), precision: loaded.precision))
  }

  /// What the judge's verdicts are worth, on as many scenes as give each measure about `samples`.
  @NumericActor
  private func show(
    reliabilityOf judge: DrawingJudge, _ composer: SceneComposer, _ ranks: Ranks,
    in report: inout [String: ReportValue]
  ) throws {
    let found = try judge.reliability(composer, split, scenes: 5 * samples, ranks: ranks) { done in
      ProgressLine.show("the judge's own errors: \(done) of \(5 * samples) scenes")
      try Interruption.check()
    }
    ProgressLine.end()
    for measure in DrawingJudge.Measure.allCases {
      guard let score = found.right[measure] else { continue }
      report["judge: \(measure.rawValue) right called right"] = .number(score.share)
      line("judge: a right picture is called right", measure.rawValue, score)
    }
    for fault in SceneFault.allCases {
      guard let score = found.caught[fault] else { continue }
      report["judge: \(fault.rawValue) called wrong"] = .number(score.share)
      line("judge: a wrong picture is called wrong", fault.rawValue, score)
    }
    try Output.finish()
  }

  private func show(
    _ result: GenerationEvaluation.Result, _ scale: Float, in report: inout [String: ReportValue]
  ) {
    for measure in DrawingJudge.Measure.allCases {
      guard let score = result.byCaption[measure] else { continue }
      report["\(measure.rawValue), guidance \(scale)"] = .number(score.share)
      line(String(format: "guidance %.1f, by caption", scale), measure.rawValue, score)
      guard let asked = result.byQuestion[measure] else { continue }
      report["\(measure.rawValue) by question, guidance \(scale)"] = .number(asked.share)
      line(String(format: "guidance %.1f, by question", scale), measure.rawValue, asked)
    }
  }

  private func line(_ what: String, _ name: String, _ score: UnderstandingEvaluation.Score) {
    guard !json else { return }
    let padded = name.padding(toLength: 18, withPad: " ", startingAt: 0)
    print(String(format: "%@  %@ %5.1f %%  of %d", what, padded, 100 * score.share, score.asked))
  }
}
