import DataSets
import Flow
import Foundation
import Layers
import Tensors
import Training
import VUGEN

/// Everything that decides the distillation of the decoder to one step.
public struct DistillRecipe: TrainingRecipe, Equatable {
  /// The decoder that the student learns from.
  public struct Teacher: Codable, Sendable, Equatable {
    /// Euler steps of the teacher.
    public var steps = 8

    /// The defaults.
    public init() {}
  }

  /// The decoder that the student learns from.
  public var teacher = Teacher()
  /// Pictures and batches.
  public var data = PictureData()
  /// Weights of the parts of the loss.
  public var objectives = DecoderRecipe.Objectives()
  /// Steps, rates, averages.
  public var optimization = Optimization()
  /// Checkpoints, samples, precision.
  public var run = DrawingRun()

  /// The defaults.
  public init() {
    optimization = .published(rate: 1e-4)
    optimization.steps = 2000
  }

  public func check() throws {
    try checkValues()
  }
}

/// The student and the head that aligns its features.
private final class DistillObjective: Module {
  @Child("decoder") var student: PixelDecoder
  @Child("alignment") var alignment: AlignmentHead

  init(_ c: GenerationConfiguration, teacher: PixelDecoder, alignmentWidth: Int) throws {
    var random = Philox(seed: 1)
    student = PixelDecoder(c.decoder, using: &random)
    alignment = AlignmentHead(c.decoder.deepestChannels, alignmentWidth, using: &random)
    try student.load(teacher.tensorsByName.mapValues { $0.copied() }, from: "the teacher")
  }
}

/// A run of `vugen train distill`: a copy of the decoder learns to reach in one step what its teacher reaches in
/// several from the same noise; the whole loss of the decoder's training stays, and features are aligned to the real
/// picture's (SSDD §3.4, arXiv 2510.04961).
public final class DistillTraining: TrainingRun {
  /// The merged recipe, as the folder keeps it.
  public let recipe: DistillRecipe
  public let folder: String
  public let ranks: Ranks
  /// Over the student and the heads that align features.
  public let trainer: Trainer
  public let memoryNeed: Double?
  /// Weights that `fork` did not have in these sizes.
  public let startingAnew: [String]
  private let source: String
  private let model: GenerationModel
  private let encoder: VisionEncoder
  private let objective: DistillObjective
  private let loss: DecoderLoss
  private let stream: PictureStream

  /// - Parameters:
  ///   - model: folder of a model with reducer and decoder.
  ///   - fork: folder of a run whose weights and moments it begins with, as far as their sizes agree.
  ///   - ranks: who trains together.
  ///
  /// Throws `RecipeError`, `DataSetError`, `ModelFileError` or `TrainingError`, each in one line.
  public init(
    _ recipe: DistillRecipe, model folderOfModel: String, folder: String, isResuming: Bool,
    fork: String? = nil, bank: ObjectBank? = nil, ranks: Ranks = .alone
  ) throws {
    try recipe.check()
    try RunFolder.check(folder, isResuming: isResuming, ranks)
    let stored = try StoredData(recipe.data, bankIsGiven: bank != nil)
    let loaded = try LoadedModel(folder: folderOfModel, precision: .f32)
    model = try loaded.generation()
    memoryNeed = try MemoryNeed.check(recipe, "data.batch = \(recipe.data.batch)") { [model] in
      $0.memoryNeed(of: model.configuration, upon: loaded.configuration)
    }
    try RunFolder.prepare(folder, isResuming: isResuming, ranks)
    (self.recipe, self.folder, source, self.ranks) = (recipe, folder, folderOfModel, ranks)
    encoder = loaded.tower.core.encoder
    stream = try PictureStream(
      recipe.data, side: model.configuration.imageSize, seenSide: encoder.configuration.imageSize,
      folder: folder, stored: stored, ranks: ranks
    ) {
      try bank ?? ObjectBank()
    }
    let c = model.configuration
    let teachers = try DecoderTeachers(
      encoder, recipe.objectives, grid: c.imageSize / c.decoder.multiple, type: recipe.run.type)
    loss = DecoderLoss(weights: recipe.objectives, teachers: teachers)
    objective = try DistillObjective(
      model.configuration, teacher: model.decoder, alignmentWidth: teachers.alignmentWidth)
    let trainer = Trainer(objective, recipe.optimization, clippingApart: "alignment.", ranks: ranks)
    self.trainer = trainer
    startingAnew = try fork.map { try trainer.begin(from: Trainer.checkpoint(in: $0)) } ?? []
    if isResuming { try trainer.restore(from: Trainer.checkpoint(in: folder)) }
    try RunFolder.save(recipe, in: folder, ranks)
  }

  public var picturesPerStep: Int { recipe.data.batch * recipe.optimization.accumulation * ranks.count }
  public var checkpointMinutes: Double { recipe.run.checkpointMinutes }
  public var writesEvents: Bool { recipe.run.tensorboard }
  public var sampleMinutes: Double? { recipe.run.sheetMinutes }
  public var dataNotes: [String] { stream.notes }

  public func step() throws -> Trainer.Report {
    let first = trainer.stepCount * recipe.optimization.accumulation
    return try trainer.step { i in
      let batch = try self.stream.next(from: first)
      var random = self.ranks.random(self.recipe.data.seed, .distillationBatch(first + i))
      return Activations.madeAgain(self.recipe.run.checkpointActivations) { self.terms(batch, &random) }
    }
  }

  /// The teacher's picture is reached from pure noise; features follow those of the real one.
  private func terms(_ batch: PictureStream.Batch, _ random: inout Philox) -> [LossTerm] {
    let pictures = batch.pictures, type = recipe.run.type
    let noise = Tensor.normal(like: pictures, using: &random)
    var targets = loss.teachers.targets(pictures, seen: batch.seen, comparing: false)
    let z = withoutGradients { model.reducer(targets.encoded) }
    let noisy = z + Tensor.normal(z.shape, deviation: recipe.objectives.latentNoise, using: &random)
    let latents = noisy.reshaped([z.size(0), model.configuration.grid, model.configuration.grid, z.size(2)])
    let target = withoutGradients {
      model.decoder.decode(latents, from: noise, steps: recipe.teacher.steps, type: type) { _ in }
    }
    if loss.weights.perceptual > 0 { targets.perceptual = loss.teachers.perceptual(target) }
    return loss.terms(
      objective.student, objective.alignment, latents: latents, target: target, targets: targets,
      noise: noise, at: .zeros([pictures.size(0)]))
  }

  public var validationMinutes: Double? { recipe.run.validation(of: stream.heldOutCount) }

  public func validationLoss() throws -> Double {
    let held = HeldOutLoss(count: stream.heldOutCount, batch: recipe.data.batch, ranks)
    return try trainer.evaluated { try held.mean { try terms(stream.heldOut($1), &$2) } }
  }

  public func stop() { stream.stop() }

  private func averagedStudent() throws -> PixelDecoder {
    var random = Philox(seed: 0)
    let student = PixelDecoder(model.configuration.decoder, using: &random)
    try student.load(trainer.averagedTensors.part("decoder."), from: folder)
    return student
  }

  public func drawSamples(to path: String, within seconds: Double) throws -> Bool {
    guard ranks.isFirst else { return true }
    let batch = try stream.batch(1 << 40 / max(1, recipe.data.batch))
    let parts = DecodingParts(
      reducer: model.reducer, decoder: try averagedStudent(), grid: model.configuration.grid)
    return try SampleSheet.reconstructions(
      batch, encoder, parts, type: recipe.run.type, to: path, within: seconds)
  }

  /// The whole model folder, with the student as its one-step decoder.
  public func exporter() throws -> (_ folder: String) throws -> Void {
    let student = try averagedStudent()
    return { [source, recipe] folder in
      try RunFolder.make(folder, named: recipe.run.name)
      let rest = [
        GenerationFiles.configuration, GenerationFiles.reducer, GenerationFiles.decoder,
        GenerationFiles.generator,
      ]
      try RunFolder.copy(RunFolder.understandingFiles(of: source) + rest, from: source, to: folder)
      try GenerationFiles.write(student.tensorsByName, to: "\(folder)/\(GenerationFiles.oneStepDecoder)")
    }
  }
}
