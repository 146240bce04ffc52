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
  /// Where its latents are kept.
  public let latentFolder: String
  /// Pictures whose latents it learns from, framings of one counted each.
  public let latentCount: Int
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
  ///   - latents: folder of latents that the run shares with others, or a run that has them; its own unless given, or given
  ///     before.
  ///   - ranks: who trains together.
  ///
  /// Throws `RecipeError`, `DataSetError`, `ModelFileError` or `TrainingError`, each in one line.
  public init(
    _ recipe: GeneratorRecipe, model folderOfModel: String, folder: String, isResuming: Bool,
    from: String? = nil, fork: String? = nil, latents: String? = nil, bank: ObjectBank? = nil,
    ranks: Ranks = .alone
  ) throws {
    try recipe.check()
    let latents = try latents.map(LatentPlace.named)
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
      recipe, model, understanding, stored: index?.count)
    (self.recipe, self.folder, source, self.ranks) = (recipe, folder, folderOfModel, ranks)
    let made = try Self.tower(
      configuration, beside: understanding, seed: recipe.model.seed, from: isResuming ? nil : from)
    let trainer = Trainer(made.0, recipe.optimization, ranks: ranks)
    (generator, self.trainer) = (made.0, trainer)
    startingAnew = try fork.map { try trainer.begin(from: Trainer.checkpoint(in: $0)) } ?? made.startingAnew
    // All that the run begins with is read before anything is written.
    try RunFolder.prepare(folder, isResuming: isResuming, ranks)
    latentFolder = latents ?? LatentPlace.own(of: folder)
    latentCount = recipe.data.pictures(of: index.map(\.count))
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
    _ recipe: GeneratorRecipe, _ model: GenerationModel, _ tower: UnderstandingTower, stored: Int?
  ) throws -> (GenerationConfiguration, Double) {
    let grid = model.configuration.grid, patch = recipe.model.patch
    guard (1...grid).contains(patch), grid % patch == 0 else {
      throw RecipeError(
        "model.patch = \(patch) does not divide the \(grid) latents along a side; give a number that does")
    }
    let need = try MemoryNeed.check(recipe, "data.batch = \(recipe.data.batch)") {
      $0.memoryNeed(
        of: model.configuration, beside: tower.configuration, frozen: tower.storedType, stored: stored)
    }
    var configuration = model.configuration
    (configuration.generatorPatch, configuration.predicts) = (patch, recipe.model.predicts)
    let own = TimeGrid.shift(forNumbers: grid * grid * configuration.reducer.latents)
    configuration.timeShift = recipe.model.timeShift > 0 ? recipe.model.timeShift : own
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
    var t = recipe.times.draw(data.size(0), using: &random, ranks)
    if recipe.model.shiftsTraining, configuration.timeShift != 1 {
      t = Tensor(t.toArray().map { TimeGrid.moved($0, by: configuration.timeShift) })
    }
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

  public func drawSamples(to path: String, within seconds: Double) throws -> Bool {
    guard ranks.isFirst else { return true }
    let imaginer = try imaginer(), limit = TimeLimit(seconds: seconds)
    var items: [ContactSheet.Item] = []
    for (i, text) in try sheetPrompts().enumerated() {
      var settings = ImageSettings(prompt: text)
      (settings.seed, settings.steps) = (UInt64(i), 25)
      settings.decoderSteps = model.oneStepDecoder == nil ? 4 : 1
      let drawn = try imaginer.imagine(settings, isCancelled: { limit.isOver })
      guard let drawn, !drawn.isPartial else { break }
      items.append(.init(drawn.picture, text))
    }
    return try SampleSheet.write(items, columns: 6, to: path)
  }

  /// Draws with the averaged weights as far as they have come.
  public func imaginer() throws -> Imaginer {
    let imaginer = Imaginer(understanding, model, generator: try averaged(), template: template)
    (imaginer.type, imaginer.timeShift) = (recipe.run.type, configuration.timeShift)
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
