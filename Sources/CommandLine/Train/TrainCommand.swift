import ArgumentParser
import DataSets
import Evaluation
import Files
import Foundation
import ModelFiles
import Recipes
import Synchronization
import Tensors
import Training
import VUGEN

struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train one stage of the method.",
    discussion: """
      The stages, in order: understanding, decoder (with the reducer), generator, distill. A run's folder holds \
      the merged recipe, the metrics, a checkpoint, sheets of samples and the exported model, which the next \
      stage takes as --model. Ctrl-C, SIGTERM and SIGHUP save and exit, and before the first step, when there is \
      nothing to save, exit at once; --resume continues, bit for bit as if never interrupted.

      mpirun -n 4 vugen train STAGE … trains by four processes, here or on several machines, each with its own batches of \
      data.batch; the documentation's cluster.md has more.
      """,
    subcommands: [
      TrainUnderstanding.self, TrainDecoder.self, TrainGenerator.self, TrainDistill.self, TrainPlot.self,
    ])

  /// What each stage's recipe can say.
  static let recipes = [
    ("understanding", UnderstandingRecipe.help), ("decoder", DecoderRecipe.help),
    ("generator", GeneratorRecipe.help), ("distill", DistillRecipe.help),
  ]
}

extension RecipeFile {
  /// As `merged`, with all values checked. What is wrong with the file is a failure; with what `--set` makes of it, wrong
  /// usage.
  static func merged<Recipe: TrainingRecipe>(_ defaults: Recipe, file: String?, options: [String]) throws
    -> Recipe
  {
    let stored = try merged(defaults, file: file)
    guard !options.isEmpty else {
      try stored.check()
      return stored
    }
    do {
      let whole = try merged(defaults, file: file, settings: options)
      try whole.check()
      return whole
    } catch let error as RecipeError {
      let text = "\(error)"
      throw ValidationError(text.hasSuffix("?") ? text : text + ".")
    }
  }
}

extension RecipePreset: ExpressibleByArgument {}

/// What every stage's command takes.
struct TrainOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")], help: "Folder of the run.", completion: .directory,
    transform: writtenFolder)
  var folder: String?
  @Option(
    help: "Recipe in TOML; values left out keep their defaults.", completion: .file(extensions: ["toml"]),
    transform: namedPath)
  var recipe: String?
  @Option(
    help:
      "Recipe to begin with: imagenet or stockmix (the paper's), or nano (how nano was trained); --recipe and --set change it."
  )
  var preset: RecipePreset?
  @Option(name: .customLong("set"), help: "Override one value of the recipe, as SECTION.KEY=VALUE.")
  var settings: [String] = []
  @Flag(
    help:
      "Continue from the folder's checkpoint, with the folder's recipe and what --recipe and --set change of it."
  )
  var resume = false
  @Option(
    help:
      "Begin a new run in this folder from the weights of the run in --output, with its recipe and what --recipe and --set change of it.",
    completion: .directory, transform: folderPath)
  var fork: String?
  @Flag(help: "Replace an existing folder that holds a model, shards or a run.") var overwrite = false
  @Option(help: "Start from the weights of this exported model.", completion: .models, transform: folderPath)
  var from: String?
  @Option(parsing: .unconditional, help: "Number of threads (default: one per physical core).") var threads:
    Int32?
  @Flag(help: "Print the merged recipe and exit.") var showRecipe = false
  @Flag(help: "List every key of the recipe with its range, default and meaning, and exit.")
  var helpRecipe = false
  @Flag(help: "Print one JSON object at the end.") var json = false

  /// The folder of the run.
  var output: String { fork ?? folder ?? "" }
  /// Whether the run goes on that is in the folder.
  var isResuming: Bool { resume && fork == nil }
  /// The folder of a run that is there, which this one goes on with or begins from; nil for none.
  private var older: String? { resume || fork != nil ? folder : nil }
  /// The folder of the run that this one begins from.
  var origin: String? { fork == nil ? nil : folder }

  func validate() throws {
    if folder == nil, !helpRecipe, !showRecipe || resume || fork != nil {
      throw ValidationError("Missing expected argument '--output <output>'.")
    }
    if fork != nil, from != nil { throw ValidationError("--fork has its own weights; leave out --from.") }
    if fork != nil, preset != nil { throw ValidationError("--fork has its own recipe; leave out --preset.") }
    if resume, from != nil { throw ValidationError("--resume has its own weights; leave out --from.") }
    if resume, preset != nil { throw ValidationError("--resume has its own recipe; leave out --preset.") }
    if isResuming, overwrite { throw ValidationError("--resume goes on with what --overwrite would remove.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  /// The folder of `--from`.
  var start: String? { from.map { EmbeddedModel.folder(for: $0) } }

  /// The recipe, or nil where it was only to be shown.
  ///
  /// - Parameter ranks: who trains together.
  func merged<Recipe: TrainingRecipe>(_ defaults: Recipe, _ ranks: Ranks) throws -> Recipe? {
    let given = preset.map { Recipe.preset($0) }
    if case .some(.none) = given {
      throw ValidationError("the paper does not train this stage; leave out --preset, or give nano.")
    }
    if helpRecipe {
      let help = json ? try jsonLine(of: ["keys": Recipe.help]) : RecipeHelp.text(of: Recipe.help)
      if !Company.isSilent { print(help) }
      return nil
    }
    if !isResuming, !showRecipe { try checkFolder(output, holdsNone: [recipe, origin]) }
    let own = older.map { $0 + "/recipe.toml" }
    if let own, let obstacle = FileName.obstacle(toFile: own) { throw CommandError("\(own): \(obstacle)") }
    if let own, let older, recipe == nil || fork != nil, !FileName.exists(own) {
      throw CommandError(
        "\(older): there is no run here to resume; name the folder of one, or leave out \(fork == nil ? "--resume" : "--fork") to begin it"
      )
    }
    var standard = (given ?? nil) ?? defaults
    if let own, let older, FileName.exists(own) {
      try checkStage(of: own, in: older, Recipe.self)
      standard = try RecipeFile.merged(Recipe.ofOlderRuns, file: own, isOwn: true)
    }
    if let origin { try RunFolder.checkCheckpoint(of: origin) }
    if let origin, !FileName.exists(Trainer.checkpoint(in: origin)) {
      throw CommandError(
        "\(origin): there is no checkpoint here to begin from; leave out --fork to begin anew")
    }
    let merged = try RecipeFile.merged(standard, file: recipe, options: settings)
    guard showRecipe else {
      if isResuming { try checkChanges(to: merged, ranks) }
      return merged
    }
    let text = json ? try jsonLine(of: merged) : try RecipeFile.text(of: merged)
    if !Company.isSilent { print(text) }
    return nil
  }

  /// Says what of the folder's recipe is changed. Throws `CommandError` where that would make it another run.
  private func checkChanges<Recipe: TrainingRecipe>(to recipe: Recipe, _ ranks: Ranks) throws {
    let own = output + "/recipe.toml"
    guard FileName.exists(own) else { return }
    let changes = RecipeChanges(
      from: try RecipeFile.merged(Recipe.ofOlderRuns, file: own, isOwn: true), to: recipe,
      oldRanks: Trainer.savedRanks(in: output), ranks: ranks.count)
    if let refusal = changes.refusal(of: output) { throw CommandError(refusal) }
    if let line = changes.note { note(line.oneLine) }
  }

  /// Throws `CommandError` where the run in the folder is one of another stage.
  private func checkStage<Recipe: TrainingRecipe>(of own: String, in folder: String, _ type: Recipe.Type)
    throws
  {
    func holds<Other: TrainingRecipe>(_ recipe: Other) -> Bool {
      (try? RecipeFile.merged(recipe, file: own)) != nil
    }
    let stages: [(name: String, type: any TrainingRecipe.Type, isHere: Bool)] = [
      ("understanding", UnderstandingRecipe.self, holds(UnderstandingRecipe())),
      ("decoder", DecoderRecipe.self, holds(DecoderRecipe())),
      ("generator", GeneratorRecipe.self, holds(GeneratorRecipe())),
      ("distill", DistillRecipe.self, holds(DistillRecipe())),
    ]
    let here = stages.filter(\.isHere)
    guard here.count == 1, here[0].type != type else { return }
    throw CommandError(
      "\(folder): this is a run of another stage; continue it by vugen train \(here[0].name) --resume --output \(folder)"
    )
  }

  /// What is done before the first step, which a signal ends at once.
  ///
  /// - Parameters:
  ///   - ranks: of which the first one gives back what was there before.
  ///   - left: what an interrupted one leaves.
  func begin(nice: Int32, _ ranks: Ranks, left: String = "nothing to resume") -> Preparation {
    ProcessPriority.lower(to: nice)
    if let threads { Threads.count = threads }
    // A run ends behind a step, whose pictures are read to their end.
    Interruption.watch(endings: true, cutsSteps: false)
    guard overwrite, ranks.isFirst else {
      // A run that is there has something to go on from, whatever is not done yet.
      let saved = isResuming ? Trainer.savedStep(in: output) : nil
      let resumed = saved.map { "the checkpoint of step \($0) is as it was, and --resume goes on from there" }
      return Preparation(.program(left: resumed ?? left, step: saved == nil ? "first" : "first new"))
    }
    let replaced = output
    return Preparation(
      .program(left: "\(replaced) is as it was".oneLine), onFailure: { OutputFolder.putBack(replaced) },
      onSuccess: { OutputFolder.removeOld(replaced) })
  }

  /// The folder of the model to build upon; a run that is resumed knows its own. Throws `TrainingBaseError`.
  func base(_ model: String?, _ preparation: Preparation, _ ranks: Ranks) throws -> String {
    let given = model.map { EmbeddedModel.folder(for: $0) }
    guard let older else { return given ?? EmbeddedModel.folder }
    // A new run may be begun upon another model.
    if fork != nil, let given { return given }
    return try preparation.attempt {
      var found: String?
      try ranks.first {
        found = try BaseModel.resumed(older, given: given) { preparation.tellReading($0, of: $1) }
      }
      // The embedded one may lie elsewhere on another host.
      return try ranks.broadcast(found) ?? EmbeddedModel.folder
    }
  }

  /// A run in its folder, which is replaced where that is asked for: what was there comes back until the first step is done.
  ///
  /// - Parameters:
  ///   - ranks: which all make it; the first one touches the folder.
  ///   - model: the folder of the model that the stage builds upon.
  ///   - places: what it learns from; none for scenes.
  func begun<Run: TrainingRun>(
    _ preparation: Preparation, _ ranks: Ranks, upon model: String? = nil, from places: [String],
    _ make: () throws -> Run
  ) throws -> Run {
    try ranks.first {
      if !isResuming {
        try checkFolder(output, holdsNone: [model, start, origin] + places.map(Optional.some))
      }
      // Before anything is put aside or written; a model's weights, which may take minutes, come last.
      try preparation.attempt {
        for place in places { _ = try SampleSource(place) }
        if let start { try ModelFolder.checkConfiguration(start) }
        for folder in [start, isResuming ? nil : model].compactMap({ $0 }) {
          try ModelFolder.checkSums(folder) { preparation.tellReading($0, of: $1) }
        }
      }
      if overwrite { try OutputFolder.putAside(output) }
    }
    let training = try preparation.attempt { try ranks.together(make) }
    if !isResuming, let model {
      try preparation.attempt {
        try ranks.first {
          try BaseModel(folder: model) { preparation.tellReading($0, of: $1) }.save(in: output)
        }
      }
    }
    preparation.tell(nil)
    for line in training.dataNotes + [training.memoryNote].compactMap({ $0 }) { note(line.oneLine) }
    return training
  }
}

extension Preparation {
  /// That a model's weights are read to be known again.
  fileprivate func tellReading(_ done: Int, of all: Int) {
    tell("reading the model's weights, \(done / 1_000_000) of \(all / 1_000_000) MB")
  }
}

extension Preparation.Surroundings {
  /// This program: what is done is told on a terminal every second, and elsewhere every half minute.
  ///
  /// - Parameters:
  ///   - left: what an interrupted one leaves.
  ///   - step: the step that was not reached.
  static func program(left: String, step: String = "first") -> Preparation.Surroundings {
    let pace = Mutex(ProgressPace(from: 0))
    return Preparation.Surroundings(
      wait: { Interruption.wait(seconds: 1) }, isInterrupted: { Interruption.isRequested },
      show: { phase, seconds in
        guard let phase else { return ProgressLine.end() }
        let line = "\(phase), \(Int(seconds)) s"
        ProgressLine.show(line)
        if !ProgressLine.isShown, pace.withLock({ $0.isDue(at: seconds) }) { note(line) }
      },
      leave: {
        // The libraries' own ends must not run beside work.
        PartialOutput.removeAll()
        InterruptionReport.tell(status: Interruption.status)
        _ = try? Output.finish()
        note("interrupted before the \(step) step; \(left)")
        _exit(Interruption.status)
      })
  }
}
