import DataSets
import Files
import Foundation
import Layers
import ModelFiles
import Tensors
import Training
import VUGEN

/// A run of `vugen train understanding` in a folder of its own.
///
///     recipe.toml              the merged recipe
///     tokenizer.json           learnt from what the data say
///     checkpoint.safetensors   the state, whole or not at all
///     metrics.jsonl            a line a step
///     model/                   the model, exported with averaged weights
public final class UnderstandingTraining: TrainingRun {
  /// The merged recipe, as the folder keeps it.
  public let recipe: UnderstandingRecipe
  public let folder: String
  public let ranks: Ranks
  /// Learnt from the data, or taken with `from`.
  public let tokenizer: Tokenizer
  /// Over both halves and the heads of the other objectives.
  public let trainer: Trainer
  public let memoryNeed: Double?
  /// Whether the model named by `from` was taken whole, or its encoder alone; nil without one.
  public let tookWholeModel: Bool?
  /// Weights that `fork` did not have in these sizes.
  public let startingAnew: [String]
  private let objective: UnderstandingObjective
  private let configuration: UnderstandingConfiguration
  private let packer: BatchPacker
  private let heldOut: BatchPacker?
  private let storedNotes: [String]
  private let unfedNote: String?
  private var prefetcher: Prefetcher<PackedBatch>?

  /// Learns the tokenizer of a run that begins from nothing, unless its folder has one: what comes before `init`, and takes
  /// longest. Words come from the captions of the data given, from scenes only where these are the data. Stopped by
  /// `progress`, which is called with the samples that are read and all of them, it begins again the next time. Throws
  /// `RecipeError` or `DataSetError`, each in one line.
  ///
  /// - Parameter scenes: how many it reads where no data are given.
  /// - Returns: the cut-outs that it has read, for `init`; nil where it had none to read.
  @discardableResult
  public static func learnTokenizer(
    _ recipe: UnderstandingRecipe, folder: String, bank given: ObjectBank? = nil,
    scenes: Int = BytePairTraining.mostSamples,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> ObjectBank? {
    try recipe.check()
    try recipe.checkMemory()
    try RunFolder.check(folder, isResuming: false, .alone)
    // What is wrong with the data is told before the long work, not behind it.
    let index = try StoredData(recipe.data, bankIsGiven: given != nil).training
    let path = folder + "/tokenizer.json", vocabulary = recipe.model.vocabulary
    guard !FileName.exists(path) else { return given }
    try RunFolder.makeEarly(folder)
    var bank = given
    let learnt: BytePairTraining
    if let index {
      learnt = try BytePairTraining(samplesOf: index, vocabulary: vocabulary, progress: progress)
    } else {
      try progress(0, scenes)
      let read = try given ?? ObjectBank()
      bank = read
      learnt = try BytePairTraining(
        scenesOf: SceneComposer(read, seed: recipe.data.seed, size: 32), scenes: scenes,
        vocabulary: vocabulary, progress: progress)
    }
    try AtomicFile.write(learnt.json(specialTokens: BytePairTraining.specialTokens), to: path)
    return bank
  }

  /// Begins a run, or takes up the one that is there. Its tokenizer lies in its folder (`learnTokenizer`), or comes with
  /// `model`.
  ///
  /// - Parameters:
  ///   - isResuming: whether to go on from the folder's checkpoint. Without it, a folder that holds one is
  ///     an error.
  ///   - model: folder of an exported model whose weights and tokenizer the run begins with.
  ///   - fork: folder of a run whose tokenizer, weights and moments it begins with, as far as their sizes agree.
  ///   - bank: the cut-outs, where they are in memory already.
  ///   - ranks: who trains together.
  ///
  /// Throws `RecipeError`, `DataSetError`, `ModelFileError` or `TrainingError`, each in one line.
  public init(
    _ recipe: UnderstandingRecipe, folder: String, isResuming: Bool, from model: String? = nil,
    fork: String? = nil, bank given: ObjectBank? = nil, ranks: Ranks = .alone
  ) throws {
    try recipe.check(hasWeights: model != nil || fork != nil || isResuming)
    memoryNeed = try recipe.checkMemory()
    (self.recipe, self.folder, self.ranks) = (recipe, folder, ranks)
    try RunFolder.check(folder, isResuming: isResuming, ranks)
    let start = isResuming ? nil : model
    if let start { try UnderstandingObjective.check(start) }
    let stored = try StoredData(recipe.data, bankIsGiven: given != nil), index = stored.training
    // All that the run begins with is read before anything is written.
    tokenizer = try Self.tokenizer(recipe, folder, start ?? fork)
    configuration = try recipe.configuration(
      specialTokens: tokenizer.specialTokens, upon: Self.base(of: fork ?? folder, start))
    let bank = index == nil ? try given ?? ObjectBank() : nil
    // The same whether they come from cut-outs or from records in shards, for which nothing need be installed.
    let classes = try bank?.entries.map(\.kind.name) ?? ObjectClass.curated().map(\.name)
    let unfed = try index.map { try UnfedLosses($0, recipe.objectives) }
    let objective = UnderstandingObjective(
      configuration, recipe: recipe, weights: unfed?.rest ?? recipe.objectives, classes: classes.count,
      ranks: ranks)
    (self.objective, unfedNote) = (objective, unfed?.note)
    tookWholeModel = try start.map { try objective.begin(with: $0) }
    let trainer = Trainer(objective, recipe.optimization, ranks: ranks)
    self.trainer = trainer
    startingAnew = try fork.map { try trainer.begin(from: Trainer.checkpoint(in: $0)) } ?? []
    try RunFolder.prepare(folder, isResuming: isResuming, ranks)
    if let start = start ?? fork, ranks.isFirst { try Self.keepBase(start, in: folder) }
    let template = try ChatTemplate(tokenizer, configuration, folder: folder)
    let source = try recipe.examples(of: index, folder: ranks.isFirst ? folder : nil, bank)
    let c = configuration
    packer = BatchPacker(source, template, c, classes: classes, data: recipe.data)
    heldOut = try stored.validation.map {
      try BatchPacker(heldOut: $0, template, c, classes: classes, data: recipe.data)
    }
    storedNotes = stored.notes
    if isResuming { try trainer.restore(from: Trainer.checkpoint(in: folder)) }
    try RunFolder.save(recipe, in: folder, ranks)
  }

  /// What of the model, or of the run, that a run begins with stays in the run.
  private static func keepBase(_ start: String, in folder: String) throws {
    try RunFolder.copy(RunFolder.companions, from: start, to: folder)
    let place = [start + baseFolder, start].first { FileName.exists($0 + "/config.json") }
    guard let place else { return }
    try RunFolder.make(folder + baseFolder)
    try RunFolder.copy(["config.json"], from: place, to: folder + baseFolder)
  }

  /// Where a run keeps the configuration of the model that it began with.
  private static let baseFolder = "/base"

  /// The configuration of the model that a run begins with, or began with; nil for none.
  private static func base(of folder: String, _ start: String?) throws -> UnderstandingConfiguration? {
    let own = folder + baseFolder
    let place = start ?? (FileName.exists(own + "/config.json") ? own : nil)
    return try place.map { try UnderstandingConfiguration(folder: $0) }
  }

  /// The run's own tokenizer, or that of the model that it starts from.
  private static func tokenizer(_ recipe: UnderstandingRecipe, _ folder: String, _ start: String?) throws
    -> Tokenizer
  {
    let place = start ?? folder, path = place + "/tokenizer.json"
    let isOld = !FileName.exists(path) && FileName.exists(place + "/tokenizer.model")
    guard start != nil || isOld || FileName.exists(path) else {
      throw RecipeError("\(path): no such file; a run begins with a tokenizer, or with a model by --from")
    }
    let tokenizer = try isOld ? Tokenizer(folder: place) : Tokenizer(json: path)
    guard tokenizer.vocabularySize <= recipe.model.vocabulary else {
      throw RecipeError(
        "\(path): \(tokenizer.vocabularySize) tokens, more than model.vocabulary = \(recipe.model.vocabulary); raise it"
      )
    }
    return tokenizer
  }

  /// Numbers in the model itself, without what is thrown away.
  public var parameterCount: (vision: Int, language: Int) {
    let core = objective.tower.core
    return (core.encoder.module.parameterCount, core.language.parameterCount)
  }

  /// The next step. Throws `TrainingError.nonFinite`, or what kept data from being made.
  public func step() throws -> Trainer.Report {
    let accumulation = recipe.optimization.accumulation
    if prefetcher == nil {
      prefetcher = Prefetcher(from: trainer.stepCount * accumulation) { [packer, ranks] in
        try packer.make(ranks.batch($0))
      }
    }
    return try trainer.step { _ in
      guard let batch = try self.prefetcher?.next() else { return [] }
      return try self.loss(batch)
    }
  }

  private func loss(_ batch: PackedBatch) throws -> [LossTerm] {
    try Activations.madeAgain(recipe.run.checkpointActivations) {
      try objective.loss(batch, picturePlaces: packer.picturePlaces)
    }
  }

  /// A step on batch `number`, which was made before: what training would cost if data cost nothing.
  ///
  /// - Returns: the seconds of the step alone.
  public func stepWithoutData(on number: Int) throws -> Double {
    let batch = try packer.make(number), clock = ContinuousClock(), start = clock.now
    _ = try trainer.step { _ in try self.loss(batch) }
    return (clock.now - start) / .seconds(1)
  }

  public var picturesPerStep: Int { recipe.data.batch * recipe.optimization.accumulation * ranks.count }
  public var checkpointMinutes: Double { recipe.run.checkpointMinutes }
  public var writesEvents: Bool { recipe.run.tensorboard }
  public var dataNotes: [String] { packer.source.notes + [unfedNote].compactMap { $0 } + storedNotes }
  public var validationMinutes: Double? {
    let minutes = recipe.run.validationMinutes
    return heldOut != nil && minutes > 0 ? minutes : nil
  }

  public func validationLoss() throws -> Double {
    guard let heldOut else { return .nan }
    let held = HeldOutLoss(count: heldOut.source.distinct ?? 0, batch: recipe.data.batch, ranks)
    return try trainer.evaluated {
      try objective.alone {
        try held.mean { _, samples, _ in
          try objective.loss(heldOut.make(of: samples), picturePlaces: heldOut.picturePlaces)
        }
      }
    }
  }

  /// Writes the model with its averaged weights in bf16: a folder that `vugen ask` loads.
  public func exporter() throws -> (_ folder: String) throws -> Void {
    let tensors = trainer.averagedTensors
    return { [configuration, run = folder, recipe] folder in
      try RunFolder.make(folder, named: recipe.run.name)
      let tower = tensors.part("tower.").mapValues { $0.cast(to: .bf16) }
      try SafetensorsWriter.write(
        tower, metadata: ["format": "pt"], summed: true, to: folder + "/model.safetensors")
      try SafetensorsWriter.write(
        tensors.part("alignment."), summed: true, to: folder + "/alignment.safetensors")
      try AtomicFile.write(configuration.fileContents(), to: folder + "/config.json")
      try RunFolder.copy(RunFolder.companions, from: run, to: folder)
    }
  }

  /// Ends the threads that make data.
  public func stop() {
    prefetcher?.stop()
    prefetcher = nil
  }
}

extension UnderstandingRecipe {
  /// What is learnt from: stored samples, or scenes.
  ///
  /// - Parameter folder: of the run, where what is skipped is named; nil where it is not.
  fileprivate func examples(of index: ShardIndex?, folder: String?, _ bank: ObjectBank?) throws
    -> ExampleSource
  {
    try ExampleSource(
      shards: data.shards, seed: data.seed, wideShare: data.wideShare, framing: data.framing,
      side: model.imageSize, mostSkipped: data.maxSkipped, folder: folder, index: index
    ) { try bank ?? ObjectBank() }
  }
}
