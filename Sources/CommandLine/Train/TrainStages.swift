import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import Recipes
import Tensors
import Training
import VUGEN

struct TrainUnderstanding: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "understanding", abstract: "Train the understanding tower on scenes.",
    discussion: """
      Example: vugen train understanding --output runs/nano --set optimization.steps=8000

      With --from, sizes that are not set are those of that model, which may be any Perception Language Model.
      """)

  @OptionGroup var options: TrainOptions

  @NumericActor
  func run() async throws {
    try Company.run(threads: options.threads) { ranks in
      guard let recipe = try ranks.together({ try options.merged(Self.defaults(options), ranks) }) else {
        return
      }
      let preparation = options.begin(nice: recipe.run.nice, ranks)
      let training = try options.begun(preparation, ranks, from: recipe.data.places) {
        var bank: ObjectBank?
        if !options.isResuming, options.start == nil, options.origin == nil {
          var isBegun = false
          let kind = recipe.data.isComposed ? "scenes" : "captions"
          try ranks.first {
            bank = try UnderstandingTraining.learnTokenizer(recipe, folder: options.output) { done, all in
              let phase =
                done == 0
                ? "learning words from \(all) \(kind)"
                : done < all
                  ? "learning words from \(all) \(kind), \(done) are read" : "learning how words are spelt"
              preparation.tell(phase)
              // The rest follows every second, and every half minute in a log.
              if !isBegun { ProgressLine.begin(phase) }
              isBegun = true
            }
          }
        }
        return try UnderstandingTraining(
          recipe, folder: options.output, isResuming: options.isResuming, from: options.start,
          fork: options.origin, bank: bank, ranks: ranks)
      }
      let count = training.parameterCount
      if training.tookWholeModel == false {
        note("the language model differs in size from that of --from; only the encoder is used")
      }
      noteStartingAnew(training.startingAnew, options)
      note("encoder \(count.vision), language model \(count.language) parameters")
      try TrainingReport(training, asJSON: options.json).run(after: preparation)
    }
  }
}

extension TrainUnderstanding {
  /// A run that begins with a model's weights has the model's sizes, unless its recipe says otherwise. What is wrong with the
  /// model is told where it is read.
  fileprivate static func defaults(_ options: TrainOptions) -> UnderstandingRecipe {
    options.isResuming
      ? UnderstandingRecipe()
      : options.start.flatMap { try? UnderstandingRecipe.sized(as: $0) } ?? UnderstandingRecipe()
  }
}

struct TrainDecoder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decoder", abstract: "Train the dimension reducer and the pixel decoder together.",
    discussion: "Example: vugen train decoder --model runs/nano/model --output runs/decoder")

  @OptionGroup var options: TrainOptions
  @Option(
    help: "Model folder whose frozen encoder is used (default: nano, the built-in model).",
    completion: .models, transform: folderPath)
  var model: String?

  @NumericActor
  func run() async throws {
    try Company.run(threads: options.threads) { ranks in
      guard let recipe = try ranks.together({ try options.merged(DecoderRecipe(), ranks) }) else { return }
      let preparation = options.begin(nice: recipe.run.nice, ranks)
      let base = try options.base(model, preparation, ranks)
      let training = try options.begun(preparation, ranks, upon: base, from: recipe.data.places) {
        try DecoderTraining(
          recipe, model: base, folder: options.output, isResuming: options.isResuming,
          from: options.start, fork: options.origin, ranks: ranks)
      }
      try preparation.attempt {
        try training.prepare { done, all in
          preparation.tell("principal components of \(done) of \(all) pictures")
        }
      }
      preparation.tell(nil)
      noteStartingAnew(training.startingAnew, options)
      let count = training.parameterCount
      note("reducer \(count.reducer), decoder \(count.decoder) parameters")
      try TrainingReport(training, asJSON: options.json).run(after: preparation)
    }
  }
}

struct TrainGenerator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generator", abstract: "Train the generation tower in the reduced understanding space.",
    discussion: "Example: vugen train generator --model runs/decoder/model --output runs/generator")

  @OptionGroup var options: TrainOptions
  @Option(
    help: "Model folder with reducer and decoder (default: nano, the built-in model).", completion: .models,
    transform: folderPath)
  var model: String?
  @Option(
    help:
      "Folder of latents that several runs share, or a run that has them: each is made once, also where the runs make them at the same time (default: the run's own).",
    completion: .directory, transform: folderPath)
  var latents: String?

  @NumericActor
  func run() async throws {
    try Company.run(threads: options.threads) { ranks in
      guard let recipe = try ranks.together({ try options.merged(GeneratorRecipe(), ranks) }) else { return }
      let preparation = options.begin(
        nice: recipe.run.nice, ranks, left: "the same command goes on with the latents made so far")
      let base = try options.base(model, preparation, ranks)
      let training = try options.begun(preparation, ranks, upon: base, from: recipe.data.places) {
        try GeneratorTraining(
          recipe, model: base, folder: options.output, isResuming: options.isResuming,
          from: options.start, fork: options.origin, latents: latents, ranks: ranks)
      }
      try Self.makeLatents(training, preparation)
      noteStartingAnew(training.startingAnew, options)
      note("generation tower \(training.parameterCount) parameters")
      let measure = recipe.measure
      let log = PromptUseLog(
        .init(
          folder: training.folder, stepCount: training.trainer.stepCount, minutes: measure.minutes,
          scenes: measure.scenes, imaginer: training.imaginer, unseenScenes: training.unseenScenes)
      ) {
        ProgressLine.end()
        note($0)
      }
      try TrainingReport(training, asJSON: options.json).run(after: preparation) { try log.measure(step: $0) }
    }
  }

  /// Makes those that are not there. A signal leaves what is made, and the same command goes on with it.
  @NumericActor
  private static func makeLatents(_ training: GeneratorTraining, _ preparation: Preparation) throws {
    let place = training.latentFolder, whole = counted(training.latentCount, "picture")
    var isTold = false
    preparation.tell("looking for the latents of \(whole)")
    try preparation.attempt {
      try training.prepare { done, all in
        if !isTold {
          let which = done == 0 ? whole : "\(all - done) of \(whole)"
          note(
            "first the latents of \(which) are made (data.scenes: \(training.recipe.data.scenes) at most); they are kept in \(place)"
              .oneLine)
          isTold = true
        }
        preparation.tell(done < all ? "latents of \(done) of \(all) pictures" : "making the tower")
      }
    }
    preparation.tell(nil)
    if !isTold { note("the latents of \(whole) are in \(place)".oneLine) }
    for line in training.latentNotes { note(line.oneLine) }
  }
}

struct TrainDistill: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distill", abstract: "Distil the pixel decoder to a single step.",
    discussion: "Example: vugen train distill --model runs/generator/model --output runs/distilled")

  @OptionGroup var options: TrainOptions
  @Option(
    help: "Model folder with reducer and decoder (default: nano, the built-in model).", completion: .models,
    transform: folderPath)
  var model: String?

  func validate() throws {
    if options.from != nil {
      throw ValidationError("the student starts as a copy of its teacher; leave out --from.")
    }
  }

  @NumericActor
  func run() async throws {
    try Company.run(threads: options.threads) { ranks in
      guard let recipe = try ranks.together({ try options.merged(DistillRecipe(), ranks) }) else { return }
      let preparation = options.begin(nice: recipe.run.nice, ranks)
      let base = try options.base(model, preparation, ranks)
      let training = try options.begun(preparation, ranks, upon: base, from: recipe.data.places) {
        try DistillTraining(
          recipe, model: base, folder: options.output, isResuming: options.isResuming,
          fork: options.origin, ranks: ranks)
      }
      noteStartingAnew(training.startingAnew, options)
      try TrainingReport(training, asJSON: options.json).run(after: preparation)
    }
  }
}

/// What a model of other sizes could not pass on.
private func noteStartingAnew(_ names: [String], _ options: TrainOptions) {
  guard !names.isEmpty else { return }
  note(
    "\(options.origin ?? "--from") has different sizes; starting from scratch: "
      + names.joined(separator: ", "))
}
