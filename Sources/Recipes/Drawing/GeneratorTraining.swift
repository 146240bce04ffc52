import DataSets
import Files
import Flow
import Foundation
import Layers
import ModelFiles
import Pictures
import Requests
import Tensors
import Training
import VUGEN

/// Everything that decides the training of the generation tower.
public struct GeneratorRecipe: TrainingRecipe, Equatable {
  /// Pictures, prompts and batches.
  public struct Data: StoredPictureData, Equatable {
    /// Folder of shards; empty for composed scenes.
    public var shards = ""
    /// Several sources in place of `shards`: shards, folders of them, patterns, folders of classes.
    public var sources: [String] = []
    /// How often each source is drawn from, in proportion to each other; empty where each sample is drawn as often.
    public var weights: [Double] = []
    /// Ending of the member of a sample that is its text; empty for `.txt`, `.caption`, a caption in the `.json`, or the `.cls`.
    public var textKey = ""
    /// Key of the caption in a `.json`; empty for a common one.
    public var jsonKey = ""
    /// File with the names of classes, for a `.cls` and for folders of classes; empty for none.
    public var classNames = ""
    /// Caption of a class, in which `[CLS]` stands for its name.
    public var template = "This is an image of a [CLS]."
    /// Tokens of a text that are learnt from, the rest being cut off and counted; 0 for as many as there is room for.
    public var maxTokens = 0
    /// Share of stored samples that a run never learns from and is measured by, such as 0.02, or a folder of shards to
    /// measure it by; 0 for none. Scenes have no share.
    public var validation = "0.02"
    /// Seed of the data's order and of all that is drawn at random.
    public var seed: UInt64 = 1
    /// Pictures in a batch.
    public var batch = 64
    /// Share of the pictures of the wider set among scenes.
    public var wideShare = 0.05
    /// Share of the scenes that show two things in a relation whatever else is drawn.
    public var pairShare = 0.0
    /// How scenes show their things: `varied` or `clear`.
    public var style = SceneStyle.varied
    /// Pictures whose latents are worked out once and kept.
    public var scenes = 40_000
    /// Share of the prompts that are left empty: the unconditional side of guidance.
    public var promptDropout = 0.1
    /// Share of the other prompts that are a scene's first caption, "a cat left of a dog on a white background"; the rest
    /// are any of its wordings.
    public var firstCaptionShare = 0.0
    /// Share of the samples in shards that may be damaged or lack something; they are skipped. One may in any case,
    /// unless this is 0.
    public var maxSkipped = 0.01
    /// Which part of a stored picture is trained on.
    public var crop = PictureCrop.center
    /// Side of the smallest random square over the picture's shorter side.
    public var cropFrom = 0.5
    /// Whether stored pictures are mirrored at random; scenes, and pictures of whose sides the caption speaks, are not.
    public var flip = true
    /// Different framings of a stored picture whose latents are kept; of one alone the picture is not mirrored.
    public var views = 1

    /// The defaults.
    public init() {}

    var framing: Framing { Framing(crop: crop, cropFrom: cropFrom, flip: flip && views > 1) }

    /// Pictures whose latents are kept: of `stored` samples no more than there are views, as others would be the same.
    func pictures(of stored: Int?) -> Int {
      stored.map { Int(min(Double(scenes), Double($0) * Double(views))) } ?? scenes
    }
  }

  /// What of the tower is not the language model's.
  public struct Model: Codable, Sendable, Equatable {
    /// Seed of what is not copied from the language model.
    public var seed: UInt64 = 1
    /// How sampling steps are moved towards the noise; 1 leaves them even.
    public var timeShift = 1.0
    /// Latents along one side of the square that is one token.
    public var patch = 1

    /// The defaults.
    public init() {}
  }

  /// How often a run measures what of a prompt the tower uses.
  public struct Measure: Codable, Sendable, Equatable {
    /// Minutes between measures; 0 for none. Runs on shards have none: no caption there is known to be wrong.
    public var minutes = 10.0
    /// Scenes of each kind of change.
    public var scenes = 32

    /// The defaults.
    public init() {}
  }

  /// What of the tower is not the language model's.
  public var model = Model()
  /// Pictures, prompts and batches.
  public var data = Data()
  /// How often the use of prompts is measured.
  public var measure = Measure()
  /// How training times are drawn.
  public var times = DecoderRecipe.Times()
  /// Steps, rates, averages.
  public var optimization = Optimization()
  /// Checkpoints, samples, precision.
  public var run = DrawingRun()

  /// The defaults.
  public init() {
    (optimization.rate, optimization.decay, optimization.beta2) = (1e-3, 0.1, 0.99)
    (optimization.steps, optimization.averageDecay) = (10_000, 0.999)
  }

  public func check() throws {
    try checkValues()
  }
}

/// A run of `vugen train generator`: the second tower learns the velocity of latents behind their captions; the
/// understanding half, the reducer and the decoder are frozen (VUGEN §3.3).
public final class GeneratorTraining: TrainingRun {
  /// The merged recipe, as the folder keeps it.
  public let recipe: GeneratorRecipe
  public let folder: String
  public let ranks: Ranks
  /// Over the generation tower.
  public let trainer: Trainer
  public let memoryNeed: Double?
  /// Weights that `from` or `fork` did not have in these sizes.
  public let startingAnew: [String]
  private let source: String
  private let understanding: UnderstandingTower
  private let model: GenerationModel
  /// Of the whole model, with this tower.
  private let configuration: GenerationConfiguration
  private let generator: GenerationTower
  private let cache: LatentCache
  private let mixture: LatentMixture?
  private let heldOut: HeldOutLatents?
  private let storedNotes: [String]
  private let template: ChatTemplate
  /// What scenes are made of, where somebody has it already.
  private let bank: ObjectBank?
  /// Places in the cache whose captions were too long for the model.
  private var cutPlaces: Set<Int> = []
  private var ownPrompts: [String]?

  /// - Parameters:
  ///   - model: folder of a model with reducer and decoder.
  ///   - from: folder of a model whose generation tower the run begins with, as far as its sizes agree.
  ///   - fork: folder of a run whose weights and moments it begins with, as far as their sizes agree.
  ///   - latents: folder of latents that the run shares with others; its own unless given, or given before.
  ///   - ranks: who trains together.
  ///
  /// Throws `RecipeError`, `DataSetError`, `ModelFileError` or `TrainingError`, each in one line.
  public init(
    _ recipe: GeneratorRecipe, model folderOfModel: String, folder: String, isResuming: Bool,
    from: String? = nil, fork: String? = nil, latents: String? = nil, bank: ObjectBank? = nil,
    ranks: Ranks = .alone
  ) throws {
    try recipe.check()
    try RunFolder.check(folder, isResuming: isResuming, ranks)
    let stored = try StoredData(recipe.data, bankIsGiven: bank != nil)
    // Latents are made once of each picture, however often it is drawn.
    var index = stored.training
    index?.weights = []
    mixture = stored.training.flatMap { LatentMixture($0, seed: recipe.data.seed) }
    let loaded = try LoadedModel(folder: folderOfModel, precision: .f32)
    (understanding, template, model) = (loaded.tower, loaded.template, try loaded.generation())
    understanding.type = recipe.run.type
    (configuration, memoryNeed) = try Self.configuration(
      recipe, model, understanding.configuration, stored: index?.count)
    (self.recipe, self.folder, source, self.ranks) = (recipe, folder, folderOfModel, ranks)
    let made = try Self.tower(
      configuration, beside: understanding, seed: recipe.model.seed, from: isResuming ? nil : from)
    let trainer = Trainer(made.0, recipe.optimization, ranks: ranks)
    (generator, self.trainer) = (made.0, trainer)
    startingAnew = try fork.map { try trainer.begin(from: Trainer.checkpoint(in: $0)) } ?? made.startingAnew
    // All that the run begins with is read before anything is written.
    try RunFolder.prepare(folder, isResuming: isResuming, ranks)
    if ranks.isFirst { try LatentPlace.settle(latents, of: folder) }
    self.bank = bank
    cache = try LatentCache(
      in: folder, at: latents, recipe.data, model, understanding.core.encoder, type: recipe.run.type,
      index: index, ranks: ranks
    ) { try bank ?? ObjectBank() }
    heldOut = try stored.validation.map { try HeldOutLatents($0, recipe.data.framing) }
    storedNotes = stored.notes
    if isResuming { try trainer.restore(from: Trainer.checkpoint(in: folder)) }
    try RunFolder.save(recipe, in: folder, ranks)
  }

  /// The model's, with the recipe's patches and time shift, and the bytes that it takes to train it. Throws `RecipeError`.
  private static func configuration(
    _ recipe: GeneratorRecipe, _ model: GenerationModel, _ c: UnderstandingConfiguration, stored: Int?
  ) throws -> (GenerationConfiguration, Double) {
    let grid = model.configuration.grid, patch = recipe.model.patch
    guard (1...grid).contains(patch), grid % patch == 0 else {
      throw RecipeError(
        "model.patch = \(patch) does not divide the \(grid) latents along a side; give a number that does")
    }
    let need = try MemoryNeed.check(recipe, "data.batch = \(recipe.data.batch)") {
      $0.memoryNeed(of: model.configuration, beside: c, stored: stored)
    }
    var configuration = model.configuration
    (configuration.generatorPatch, configuration.timeShift) = (patch, recipe.model.timeShift)
    return (configuration, need)
  }

  /// A copy of the language model's layers, or what fits of the tower in the model folder `from`.
  ///
  /// - Returns: the tower, and the names of what `from` did not have in these sizes. Throws `ModelFileError` or
  ///   `ModuleLoadError`.
  private static func tower(
    _ configuration: GenerationConfiguration, beside understanding: UnderstandingTower, seed: UInt64,
    from: String?
  ) throws -> (GenerationTower, startingAnew: [String]) {
    var random = Philox(seed: seed)
    let tower = GenerationTower(configuration.tower, text: understanding.configuration.text, using: &random)
    try tower.copyLayers(of: understanding.core.language)
    guard let from else { return (tower, []) }
    try RunFolder.check(from, has: [GenerationFiles.generator], of: "generator")
    let file = try SafetensorsFile(path: "\(from)/\(GenerationFiles.generator)")
    return (tower, tower.loadFitting(try file.weights().mapValues { $0.copied() }))
  }

  public var picturesPerStep: Int { recipe.data.batch * recipe.optimization.accumulation * ranks.count }
  public var checkpointMinutes: Double { recipe.run.checkpointMinutes }
  public var writesEvents: Bool { recipe.run.tensorboard }
  public var sampleMinutes: Double? { recipe.run.sheetMinutes }
  /// Numbers in the tower's weights.
  public var parameterCount: Int { generator.parameterCount }
  /// What a person should know of the latents, such as files that were damaged: a line each, once they are there.
  public var latentNotes: [String] { cache.problems }
  public var dataNotes: [String] {
    cache.notes + storedNotes + (cutPlaces.isEmpty ? [] : [SampleAccount.cutCaptions(cutPlaces.count)])
  }

  /// Works out the latents of all pictures that the set lacks. Stopped by `progress`, which is called with the pictures
  /// that are done and all of them and may throw, or by whatever ends the program, it goes on there the next time.
  public func prepare(progress: (_ done: Int, _ of: Int) throws -> Void) throws { try cache.fill(progress) }

  public func step() throws -> Trainer.Report {
    try prepare { _, _ in }
    let first = trainer.stepCount * recipe.optimization.accumulation
    return try trainer.step { i in
      try Activations.madeAgain(recipe.run.checkpointActivations) { try self.loss(number: first + i) }
    }
  }

  private func loss(number: Int) throws -> [LossTerm] {
    let batch = recipe.data.batch
    var random = ranks.random(recipe.data.seed, .generatorBatch(number))
    let places = (0..<batch).map { i -> Int in
      let n = ranks.batch(number) * batch + i
      if let mixture { return mixture.place(of: n, among: cache.count) }
      return ExampleSource.shuffled(
        n % cache.count, of: cache.count, seed: recipe.data.seed, pass: n / cache.count)
    }
    let dropped = Tensor.uniform([batch], using: &random).toArray()
    let words = random.integers(below: 1 << 16, count: batch)
    let prompts = try places.enumerated().map { i, place -> [Int32] in
      let captions = try cache.captions(place), data = recipe.data
      let isEmpty = dropped[i] < Float(data.promptDropout)
      // What is left of the same number says whether it is the first one.
      let isFirst =
        data.firstCaptionShare > 0
        && Double(dropped[i]) - data.promptDropout < data.firstCaptionShare * (1 - data.promptDropout)
      let caption = captions[isFirst ? 0 : Int(words[i]) % captions.count]
      let (tokens, isCut) = template.description(isEmpty ? "" : caption, most: mostWords)
      if isCut { cutPlaces.insert(place) }
      return tokens
    }
    return try terms(cache.latents(places), prompts, using: &random, ranks)
  }

  /// Tokens of a prompt, with what surrounds it, that the model has room for beside a picture and the recipe allows.
  private var mostWords: Int {
    let room = understanding.configuration.text.context - generator.configuration.tokens,
      most = recipe.data.maxTokens
    // What surrounds a prompt comes on top.
    return most == 0 ? room : min(room, most + template.description("").count)
  }

  private func terms(
    _ latents: Tensor, _ prompts: [[Int32]], using random: inout Philox, _ ranks: Ranks
  ) throws -> [LossTerm] {
    let read = try understanding.read(prompts: prompts, pictureTokens: generator.configuration.tokens)
    let data = latents.cast(to: .f32), noise = Tensor.normal(like: data, using: &random)
    let t = recipe.times.draw(data.size(0), using: &random, ranks)
    let velocity = generator(
      StraightPath.point(data, noise, at: t), at: t, prompts: read, language: understanding.core.language,
      type: recipe.run.type)
    return [LossTerm("flow", flowMatchingLoss(velocity: velocity, data: data, noise: noise))]
  }

  public var validationMinutes: Double? { recipe.run.validation(of: heldOut?.count ?? 0) }

  public func validationLoss() throws -> Double {
    guard let heldOut else { return .nan }
    let held = HeldOutLoss(count: heldOut.count, batch: recipe.data.batch, ranks)
    return try trainer.evaluated {
      try held.mean { _, samples, random in
        let (latents, captions) = try heldOut.part(
          samples, model.reducer, understanding.core.encoder, recipe.run.type)
        let prompts = captions.map { template.description($0, most: mostWords).tokens }
        return try terms(latents, prompts, using: &random, .alone)
      }
    }
  }

  public func stop() {}

  /// Prompts that every sheet of a run on scenes shows, seeds being their places.
  public static let samplePrompts = [
    "a red apple", "a cat", "a blue car", "a dog on a white background", "three stars", "two bananas",
    "a tree left of a house", "a green frog above a yellow star", "a purple umbrella", "five hearts",
    "a penguin right of a snowman", "a clock",
  ]

  /// What every sheet shows: of a person's own samples as many captions, first of those that are held out. Throws
  /// `DataSetError`.
  package func sheetPrompts() throws -> [String] {
    guard !recipe.data.isComposed else { return Self.samplePrompts }
    if let ownPrompts { return ownPrompts }
    let most = Self.samplePrompts.count
    var prompts = try heldOut?.captions(most: most) ?? []
    // A picture may be there several times.
    for place in 0..<min(cache.count, 100 * most) where prompts.count < most {
      let caption = try cache.captions(place)[0]
      if !prompts.contains(caption) { prompts.append(caption) }
    }
    ownPrompts = prompts
    return prompts
  }

  public func drawSamples(to path: String) throws {
    guard ranks.isFirst else { return }
    let imaginer = try imaginer()
    var items: [ContactSheet.Item] = []
    for (i, text) in try sheetPrompts().enumerated() {
      var settings = ImageSettings(prompt: text)
      (settings.seed, settings.steps) = (UInt64(i), 25)
      settings.decoderSteps = model.oneStepDecoder == nil ? 4 : 1
      if let drawn = try imaginer.imagine(settings) { items.append(.init(drawn.picture, text)) }
    }
    try SampleSheet.write(items, columns: 6, to: path)
  }

  /// Draws with the averaged weights as far as they have come.
  public func imaginer() throws -> Imaginer {
    let imaginer = Imaginer(understanding, model, generator: try averaged(), template: template)
    imaginer.type = recipe.run.type
    return imaginer
  }

  /// Composes scenes of the run's own kind which it is not trained on; nil where it is trained on stored pictures. Throws
  /// `DataSetError`.
  public func unseenScenes() throws -> SceneComposer? {
    guard recipe.data.isComposed else { return nil }
    var composer = SceneComposer(
      try bank ?? cache.cutOuts ?? ObjectBank(includingSingles: false), seed: ~recipe.data.seed,
      size: model.configuration.imageSize)
    composer.style = recipe.data.style
    return composer
  }

  private func averaged() throws -> GenerationTower {
    var random = Philox(seed: 0)
    let tower = Parameter.deferringValues {
      GenerationTower(configuration.tower, text: understanding.configuration.text, using: &random)
    }
    try tower.load(trainer.averagedTensors, from: folder)
    return tower
  }

  /// The whole model folder, with this generation tower.
  public func exporter() throws -> (_ folder: String) throws -> Void {
    let tower = try averaged()
    return { [source, configuration, recipe] folder in
      try RunFolder.make(folder, named: recipe.run.name)
      let rest = [GenerationFiles.reducer, GenerationFiles.decoder, GenerationFiles.oneStepDecoder]
      try RunFolder.copy(RunFolder.understandingFiles(of: source) + rest, from: source, to: folder)
      try AtomicFile.write(configuration.fileContents(), to: "\(folder)/\(GenerationFiles.configuration)")
      try GenerationFiles.write(tower.tensorsByName, to: "\(folder)/\(GenerationFiles.generator)")
    }
  }
}
