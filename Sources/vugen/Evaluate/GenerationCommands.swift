import ArgumentParser
import DataSets
import Evaluation
import Foundation
import ModelFiles
import Requests
import Tensors
import VUGEN

extension Split: ExpressibleByArgument {}

struct EvaluateReconstruction: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruction", abstract: "Measure the PSNR of scenes drawn again from their latents.",
    discussion: "Example: vugen evaluate reconstruction --scenes 100")

  @OptionGroup var model: ModelOptions
  @Option(help: "Number of scenes.") var scenes = 100
  @Option(help: "Split of the scenes: val or held-out.") var split = Split.heldOut
  @Option(help: "Seed of the scenes.") var seed: UInt64 = 1
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...1_000_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 1000000.") }
  }

  @NumericActor
  func run() async throws {
    Interruption.watch()
    let tower = try model.load().tower
    let drawing = try GenerationModel(folder: model.folder, beside: tower.configuration)
    let bank = try ObjectBank(includingSingles: false)
    let composer = SceneComposer(bank, seed: seed, size: drawing.configuration.imageSize)
    let evaluation = ReconstructionEvaluation(tower, drawing)
    var report: [String: ReportValue] = ["samples": .number(Double(scenes))]
    for steps in [8, 1] {
      let values = try evaluation.run(composer, split, scenes: scenes, steps: steps) { done in
        ProgressLine.show("\(steps) steps: \(done) of \(scenes) scenes")
        if Interruption.isRequested { throw ExitCode(130) }
      }.sorted()
      ProgressLine.end()
      let mean = values.reduce(0, +) / Double(values.count), name = steps == 1 ? "1 step" : "\(steps) steps"
      report["psnr \(name)"] = .number(mean)
      if !json {
        print(
          String(
            format: "%@: mean PSNR %.1f dB, from %.1f to %.1f", name, mean, values[0],
            values[values.count - 1]))
      }
    }
    bank.account(for: &report)
    print(json ? try jsonLine(report) : "scenes of \(bank.account)")
  }
}

struct EvaluateGeneration: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generation", abstract: "Draw scenes' captions and ask the model about the pictures.",
    discussion: """
      The judge is the understanding tower of the same model, and its questions name the things that they ask \
      about, so the scores are flattering: captions of the pictures are a stricter test.

      Example: vugen evaluate generation --samples 50 --cfg 3 --cfg 5 --sheet sheet.png
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: "Number of pictures per measure.") var samples = 50
  @Option(help: "Split of the scenes: val or held-out.") var split = Split.validation
  @Option(help: "Guidance scale; repeat for several (default: \(DrawingDefaults.guidance.formatted())).")
  var cfg: [Float] = []
  @Option(help: "Sampling steps.") var steps = 50
  @Option(help: "Pixel decoder steps.") var decoderSteps = 1
  @Option(help: "Seed of the scenes and the noise.") var seed: UInt64 = 1
  @Option(
    help: "Write a contact sheet of the first 64 pictures to this file (.png, .jpg or .webp).",
    completion: .file(extensions: ["png", "jpg", "webp"]))
  var sheet: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1...ImagineSettings.mostSteps).contains(steps) {
      throw ValidationError("--steps must be 1 to \(ImagineSettings.mostSteps).")
    }
    if !(1...ImagineSettings.mostDecoderSteps).contains(decoderSteps) {
      throw ValidationError("--decoder-steps must be 1 to \(ImagineSettings.mostDecoderSteps).")
    }
    if !(1...100_000).contains(samples) { throw ValidationError("--samples must be 1 to 100000.") }
  }

  @NumericActor
  func run() async throws {
    Interruption.watch()
    var settings = ImagineSettings(prompt: "x")
    (settings.seed, settings.steps, settings.decoderSteps) = (seed, steps, decoderSteps)
    let scales = cfg.isEmpty ? [DrawingDefaults.guidance] : cfg
    for scale in scales {
      settings.guidanceScale = scale
      try settings.check()
    }
    let (tower, tokenizer) = try model.load()
    let imaginer = try Imaginer(tower, tokenizer, folder: model.folder)
    let side = tower.configuration.vision.imageSize
    let bank = try ObjectBank(includingSingles: false)
    let composer = SceneComposer(bank, seed: seed, size: side)
    let evaluation = GenerationEvaluation(imaginer, tokenizer, folder: model.folder)
    var report: [String: ReportValue] = ["samples": .number(Double(samples))]
    var items: [ContactSheet.Item] = []
    for scale in scales {
      settings.guidanceScale = scale
      let scores = try evaluation.run(
        composer, split, samples: samples, settings: settings,
        progress: { done in
          ProgressLine.show("guidance \(scale): \(done) pictures")
          if Interruption.isRequested { throw ExitCode(130) }
        },
        drawn: { if items.count < 64 { items.append(.init($0.picture, "\($0.prompt): \($0.verdict)")) } })
      ProgressLine.end()
      for name in GenerationEvaluation.measures {
        guard let score = scores[name] else { continue }
        report["\(name), guidance \(scale)"] = .number(score.share)
        if !json {
          let padded = name.padding(toLength: 14, withPad: " ", startingAt: 0)
          print(
            String(format: "guidance %.1f  %@ %5.1f %%  of %d", scale, padded, 100 * score.share, score.asked)
          )
        }
      }
    }
    bank.account(for: &report)
    if let sheet { try AtomicFile.write(Data(try ContactSheet().draw(items).data(for: sheet)), to: sheet) }
    if json {
      print(try jsonLine(report))
    } else {
      print("the judge is the model's own understanding tower; captions of \(bank.account)")
    }
  }
}
