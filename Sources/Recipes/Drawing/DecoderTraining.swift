import DataSets
import Files
import Foundation
import Layers
import ModelFiles
import Tensors
import Training
import VUGEN

/// A run of `vugen train decoder`: dimension reducer and pixel decoder together, over a frozen encoder
/// (VUGEN §3.3). The folder is that of `UnderstandingTraining`, with sheets of reconstructions beside it.
public final class DecoderTraining: TrainingRun {
  /// The merged recipe, as the folder keeps it.
  public let recipe: DecoderRecipe
  public let folder: String
  public let ranks: Ranks
  /// Over reducer, decoder and the heads that align features.
  public let trainer: Trainer
  public let memoryNeed: Double?
  /// Of the model that the run exports.
  public let configuration: GenerationConfiguration
  /// Weights that `from` or `fork` did not have in these sizes.
  public let startingAnew: [String]
  private let source: String
  private let encoder: VisionEncoder
  private let objective: DecoderObjective
  private let loss: DecoderLoss
  private let stream: PictureStream
  /// Whether the principal components are still to be worked out.
  private var needsComponents: Bool

  /// - Parameters:
  ///   - model: folder of the model whose understanding half is trained upon.
  ///   - from: folder of a model whose reducer and decoder the run begins with, as far as their sizes agree.
  ///   - fork: folder of a run whose weights and moments it begins with, as far as their sizes agree.
  ///   - bank: the cut-outs, where they are in memory already.
  ///   - ranks: who trains together.
  ///
  /// Throws `RecipeError`, `DataSetError`, `ModelFileError` or `TrainingError`, each in one line.
  public init(
    _ recipe: DecoderRecipe, model: String, folder: String, isResuming: Bool, from: String? = nil,
    fork: String? = nil, bank: ObjectBank? = nil, ranks: Ranks = .alone
  ) throws {
    try recipe.check(hasWeights: from != nil || fork != nil || isResuming)
    try RunFolder.check(folder, isResuming: isResuming, ranks)
    let stored = try StoredData(recipe.data, bankIsGiven: bank != nil)
    let tower = try LoadedModel(folder: model, precision: .f32).tower
    configuration = try recipe.configuration(for: tower.configuration)
    memoryNeed = try recipe.checkMemory(upon: tower.configuration)
    (self.recipe, self.folder, source, self.ranks) = (recipe, folder, model, ranks)
    encoder = tower.core.encoder
    let teachers = try DecoderTeachers(
      encoder, recipe.objectives, grid: configuration.imageSize / configuration.decoder.multiple,
      type: recipe.run.type)
    let objective = DecoderObjective(
      configuration, recipe, alignmentWidth: teachers.alignmentWidth, ranks: ranks)
    let trainer = Trainer(objective, recipe.optimization, clippingApart: "alignment.", ranks: ranks)
    (self.objective, self.trainer) = (objective, trainer)
    startingAnew =
      try isResuming
      ? []
      : fork.map { try trainer.begin(from: Trainer.checkpoint(in: $0)) }
        ?? from.map { try Self.begin(objective, from: $0) } ?? []
    let lacksReducer = from == nil && fork == nil || startingAnew.contains { $0.hasPrefix("reducer.") }
    needsComponents = configuration.reducer.kind == .pca && !isResuming && lacksReducer
    if recipe.model.frozenReducer, startingAnew.contains(where: { $0.hasPrefix("reducer.") }) {
      throw RecipeError(
        "model.frozenReducer: the reducer of --from has other sizes; set model.ratio as it has")
    }
    loss = DecoderLoss(weights: recipe.objectives, teachers: teachers)
    // All that the run begins with is read before anything is written.
    try RunFolder.prepare(folder, isResuming: isResuming, ranks)
    stream = try PictureStream(
      recipe.data, side: configuration.imageSize, seenSide: encoder.configuration.imageSize, folder: folder,
      stored: stored, ranks: ranks
    ) { try bank ?? ObjectBank() }
    if isResuming { try trainer.restore(from: Trainer.checkpoint(in: folder)) }
    try RunFolder.save(recipe, in: folder, ranks)
  }

  /// Batches that principal components are worked out of.
  private static let batchesOfComponents = 64

  /// Works out the principal components, where the reducer is one of those and the run has none yet. Stopped by
  /// `progress`, which is called with the pictures that are done and all of them, it begins again the next time. Throws
  /// `LinearAlgebra.Failure`, or what keeps pictures from being made.
  public func prepare(progress: (_ done: Int, _ of: Int) throws -> Void) throws {
    guard needsComponents else { return }
    let c = configuration.reducer, count = Self.batchesOfComponents,
      pictures = recipe.data.batch * ranks.count
    var components = PrincipalComponents(channels: c.features)
    for number in 0..<count {
      try progress(number * pictures, count * pictures)
      components.add(encoder(try stream.batch(number).seen.cast(to: recipe.run.type)))
    }
    try components.share(ranks.summed)
    try objective.reducer.load(
      components.reducer(latents: c.latents).tensorsByName, from: "the principal components")
    needsComponents = false
  }

  /// Takes what fits of a model's reducer and decoder: one of other latents passes its decoder's body on.
  private static func begin(_ objective: DecoderObjective, from folder: String) throws -> [String] {
    try RunFolder.check(folder, has: [GenerationFiles.reducer, GenerationFiles.decoder], of: "decoder")
    func take(
      _ name: String, _ module: some Module, names: ([String: Tensor]) -> [String: Tensor] = { $0 }
    ) throws -> [String] {
      let tensors = names(try SafetensorsFile(path: "\(folder)/\(name)").weights())
      let part = name.prefix { $0 != "." }
      return module.loadFitting(tensors.mapValues { $0.copied() }).map { "\(part).\($0)" }
    }
    return try take(GenerationFiles.reducer, objective.reducer)
      + take(GenerationFiles.decoder, objective.decoder, names: PixelDecoder.named)
  }

  public var picturesPerStep: Int { recipe.data.batch * recipe.optimization.accumulation * ranks.count }
  public var checkpointMinutes: Double { recipe.run.checkpointMinutes }
  public var writesEvents: Bool { recipe.run.tensorboard }
  public var sampleMinutes: Double? { recipe.run.sheetMinutes }
  public var dataNotes: [String] { stream.notes }
  /// Numbers in the weights of the two parts.
  public var parameterCount: (reducer: Int, decoder: Int) {
    (objective.reducer.parameterCount, objective.decoder.parameterCount)
  }

  public func step() throws -> Trainer.Report {
    try prepare { _, _ in }
    let first = trainer.stepCount * recipe.optimization.accumulation
    return try trainer.step { i in
      let batch = try self.stream.next(from: first)
      var random = self.ranks.random(self.recipe.data.seed, .decoderBatch(first + i))
      return Activations.madeAgain(self.recipe.run.checkpointActivations) {
        self.objective.loss(batch, self.loss, using: &random)
      }
    }
  }

  public var validationMinutes: Double? { recipe.run.validation(of: stream.heldOutCount) }

  public func validationLoss() throws -> Double {
    let held = HeldOutLoss(count: stream.heldOutCount, batch: recipe.data.batch, ranks)
    return try trainer.evaluated {
      try objective.alone {
        try held.mean { try objective.loss(stream.heldOut($1), loss, using: &$2) }
      }
    }
  }

  public func stop() { stream.stop() }

  /// The averaged reducer, its statistics measured anew, and the averaged decoder.
  private func averaged() throws -> DecodingParts {
    var random = Philox(seed: 0)
    let tensors = trainer.averagedTensors
    let reducer = DimensionReducer(configuration.reducer, using: &random)
    try reducer.load(tensors.part("reducer."), from: folder)
    let decoder = PixelDecoder(configuration.decoder, using: &random)
    try decoder.load(tensors.part("decoder."), from: folder)
    if configuration.reducer.kind == .mlp, !recipe.model.frozenReducer, recipe.model.standardised {
      let type = recipe.run.type
      let batches = try (0..<16).map { encoder(try stream.batch($0).seen.cast(to: type)) }
      try reducer.measureStatistics(over: batches, summed: ranks.summed)
    }
    return DecodingParts(reducer: reducer, decoder: decoder, grid: configuration.grid)
  }

  public func drawSamples(to path: String, within seconds: Double) throws -> Bool {
    let parts = try averaged()
    guard ranks.isFirst else { return true }
    // Batches far behind those of training.
    let batch = try stream.batch(1 << 40 / max(1, recipe.data.batch))
    return try SampleSheet.reconstructions(
      batch, encoder, parts, type: recipe.run.type, to: path, within: seconds)
  }

  public func exporter() throws -> (_ folder: String) throws -> Void {
    let parts = try averaged()
    return { [source, configuration, recipe] folder in
      try RunFolder.make(folder, named: recipe.run.name)
      try RunFolder.copy(RunFolder.understandingFiles(of: source), from: source, to: folder)
      func write(_ module: some Module, _ name: String) throws {
        try GenerationFiles.write(module.tensorsByName, to: "\(folder)/\(name)")
      }
      try write(parts.reducer, GenerationFiles.reducer)
      try write(parts.decoder, GenerationFiles.decoder)
      try AtomicFile.write(configuration.fileContents(), to: "\(folder)/\(GenerationFiles.configuration)")
    }
  }
}
