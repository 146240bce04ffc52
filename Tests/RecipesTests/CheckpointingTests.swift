import DataSets
import Files
import Foundation
import Layers
import Recipes
import TestSupport
import Tensors
import Testing
import Training
import VUGEN

/// `run.checkpointActivations`: less memory, and not one bit that is another.
@Suite(.serialized)
@NumericActor
struct CheckpointingTests {
  /// The checkpoint's bytes behind some steps.
  private func state(_ training: any TrainingRun, steps: Int = 2) throws -> Data {
    try training.prepare { _, _ in }
    for _ in 0..<steps { #expect(try training.step().loss.isFinite) }
    try training.saveCheckpoint()
    training.stop()
    return try Data(contentsOf: URL(fileURLWithPath: training.folder + "/checkpoint.safetensors"))
  }

  private func isSame(_ make: (Bool) throws -> any TrainingRun) throws {
    let plain = try state(make(false)), again = try state(make(true))
    #expect(plain == again && plain.count > 1000)
  }

  @Test func stagesComeToTheSameBits() throws {
    let cutOuts = try curatedCutOuts.get(), source = try TinyModel.understanding()
    var understanding = TinyModel.recipe(side: 32, patch: 8, pooling: 1)
    try isSame {
      understanding.run.checkpointActivations = $0
      return try UnderstandingTraining(
        understanding, folder: TinyModel.beginning(), isResuming: false, bank: cutOuts)
    }
    var decoder = DecoderRecipe(), folder = ""
    (decoder.data.batch, decoder.data.wideShare, decoder.model.ratio) = (2, 0, 4)
    decoder.optimization.optimizer = .adamW
    try isSame {
      decoder.run.checkpointActivations = $0
      folder = temporaryPath()
      return try DecoderTraining(decoder, model: source, folder: folder, isResuming: false, bank: cutOuts)
    }
    let trained = try DecoderTraining(decoder, model: source, folder: folder, isResuming: true, bank: cutOuts)
    let drawing = temporaryPath()
    try trained.export(to: drawing)
    var generator = GeneratorRecipe()
    (generator.data.batch, generator.data.scenes, generator.data.wideShare) = (3, 6, 0)
    try isSame {
      generator.run.checkpointActivations = $0
      return try GeneratorTraining(
        generator, model: drawing, folder: temporaryPath(), isResuming: false, bank: cutOuts)
    }
    var distill = DistillRecipe()
    (distill.data.batch, distill.data.wideShare, distill.teacher.steps) = (2, 0, 2)
    distill.optimization.optimizer = .adamW
    try isSame {
      distill.run.checkpointActivations = $0
      return try DistillTraining(
        distill, model: drawing, folder: temporaryPath(), isResuming: false, bank: cutOuts)
    }
  }

  /// The decoder as published, of which no block begins at zero here; and less is held.
  @Test(arguments: [PixelDecoderConfiguration.Design.published, .narrow])
  func decodersKeepLess(_ design: PixelDecoderConfiguration.Design) throws {
    var c = PixelDecoderConfiguration(latents: 4, channels: 32, widths: [32, 64, 64], layers: 4)
    (c.design, c.heads) = (design, 4)
    if design == .narrow { c.window = 17 }
    var random = Philox(seed: 9)
    let decoder = PixelDecoder(c, using: &random)
    for parameter in decoder.parameters where parameter.shape.count > 1 {
      parameter.assign(.normal(parameter.shape, deviation: 0.05, using: &random))
    }
    let x = Tensor.normal([2, 48, 48, 3], using: &random), t = Tensor([0.3, 0.8])
    let z = Parameter(.normal([2, 5, 5, 4], using: &random)), parameters = decoder.parameters + [z]
    func measured(_ isWanted: Bool) -> (loss: Float, gradients: [[Float]], held: Int) {
      var held = 0
      let (loss, found) = grad(of: parameters) {
        let before = MemoryPool.shared.counters.bytesInUse
        let (velocity, features) = Activations.madeAgain(isWanted) {
          decoder.velocity(x, at: t, latents: z.tensor)
        }
        held = MemoryPool.shared.counters.bytesInUse - before
        return velocity.squared().mean() + (features?.squared().mean() ?? Tensor(scalar: 0))
      }
      return (loss.item(), parameters.map { found[$0]?.toArray() ?? [] }, held)
    }
    _ = measured(false)
    let plain = measured(false), again = measured(true)
    #expect(plain.loss == again.loss && again.held < plain.held / 2, "\(plain.held) and \(again.held)")
    for (a, b) in zip(plain.gradients, again.gradients) { #expect(a == b && !a.isEmpty) }
  }

  /// A run that does not fit says what helps; memory that is needed is less.
  @Test func aRefusalNamesIt() throws {
    let c = try UnderstandingConfiguration(folder: EmbeddedModel.folder)
    let drawing = try GenerationConfiguration(folder: EmbeddedModel.folder)
    var generator = GeneratorRecipe(), decoder = DecoderRecipe()
    (generator.data.batch, decoder.data.batch) = (512, 512)
    let before = (generator.memoryNeed(of: drawing, beside: c), try decoder.memoryNeed(upon: c))
    (generator.run.checkpointActivations, decoder.run.checkpointActivations) = (true, true)
    let after = (generator.memoryNeed(of: drawing, beside: c), try decoder.memoryNeed(upon: c))
    #expect(after.0 < 0.7 * before.0 && after.1 < 0.5 * before.1, "\(before) and \(after)")
    (decoder.data.batch, decoder.run.checkpointActivations) = (65_536, false)
    let refusal = #expect(throws: RecipeError.self) {
      _ = try DecoderTraining(
        decoder, model: EmbeddedModel.folder, folder: temporaryPath(), isResuming: false,
        bank: try curatedCutOuts.get())
    }
    #expect(refusal?.description.contains("or set run.checkpointActivations = true (about ") == true)
    decoder.run.checkpointActivations = true
    let second = #expect(throws: RecipeError.self) {
      _ = try DecoderTraining(
        decoder, model: EmbeddedModel.folder, folder: temporaryPath(), isResuming: false,
        bank: try curatedCutOuts.get())
    }
    #expect(second?.description.contains("checkpointActivations") == false)
  }

  /// An average with a decay of 0 is the weights, and takes nothing.
  @Test func anAverageOfDecay0IsTheWeights() {
    var random = Philox(seed: 2)
    let layer = Linear(4, 3, using: &random), average = MovingAverage(layer, decay: 0)
    average.update()
    #expect(!average.hasStarted && average.updateCount == 1)
    layer.parameters[0].move(towards: .zeros([3, 4]), weight: 0.5)
    #expect(average.tensors["weight"]?.toArray() == layer.parameters[0].value.toArray())
    average.restore(["weight": .zeros([3, 4])], updateCount: 5)
    #expect(average.tensors["weight"]?.toArray() == layer.parameters[0].value.toArray())
  }
}
