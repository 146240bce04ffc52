import DataSets
import Files
import Foundation
import ModelFiles
import Pictures
import Recipes
import Tensors
import TestSupport
import Testing
import Training
import VUGEN

/// The first ten losses of every stage, recorded. Whatever changes a loss, a gradient, an optimiser or the order of data
/// and random numbers moves them; another instruction set only their last digits.
@Suite(.serialized)
@NumericActor
struct LossCurveTests {
  /// Shards of pictures that are worked out here: what cut-outs a system has must not matter.
  private func shards() throws -> String {
    let folder = try temporaryFolder()
    let colours: [(String, [Int])] = [
      ("red", [220, 30, 40]), ("green", [30, 180, 60]), ("blue", [40, 60, 210]), ("yellow", [240, 220, 50]),
    ]
    let samples = try (0..<12).map { i in
      let (name, colour) = colours[i % 4], size = 8 + 4 * (i % 5), left = 3 * i % 14
      var picture = Picture(width: 32, height: 32, red: 235, green: UInt8(200 + 4 * i), blue: 230)
      let block = Picture(
        width: size, height: size, red: UInt8(colour[0]), green: UInt8(colour[1]), blue: UInt8(colour[2]))
      picture.lay(block, x: left, y: 2 + i)
      return Sample(
        key: "\(i)", picture: try picture.pngData(), pictureType: "png", caption: "a \(name) block, \(size)",
        record: [])
    }
    try Shards.write(samples, to: folder + "/train-000000.tar")
    return folder
  }

  private func check(_ run: some TrainingRun, _ recorded: [Float], _ stage: String) throws {
    let found = try recorded.map { _ in try run.step().loss }
    run.stop()
    // AVX-512, AVX2 and the baseline, in the kernels as in oneDNN, are at most 1e-5 from each other.
    let farthest = zip(found, recorded).map { abs($0 - $1) / max(1e-3, abs($1)) }.max() ?? .infinity
    #expect(farthest < 5e-4, "\(stage): \(found), \(farthest) from what was recorded")
  }

  /// Gives the layers that begin at zero numbers: a teacher that draws nothing but its noise teaches rounding errors.
  private func wake(_ path: String) throws {
    var random = Philox(seed: 8)
    var tensors = try SafetensorsFile(path: path).weights().mapValues { $0.copied() }
    for name in tensors.keys.sorted() {
      guard let tensor = tensors[name], tensor.sumOfSquares() == 0 else { continue }
      tensors[name] = .normal(tensor.shape, deviation: 0.05, using: &random)
    }
    try GenerationFiles.write(tensors, to: path)
  }

  private func optimization(_ recipe: inout Optimization) {
    (recipe.steps, recipe.warmUp, recipe.rate) = (10, 3, 1e-3)
  }

  private func understandingRecipe(_ shards: String) -> UnderstandingRecipe {
    var understanding = UnderstandingRecipe()
    (understanding.model.imageSize, understanding.model.patchSize) = (32, 8)
    (understanding.model.visionWidth, understanding.model.visionLayers) = (16, 2)
    (understanding.model.visionHeads, understanding.model.textWidth) = (2, 16)
    (understanding.model.textLayers, understanding.model.textHeads) = (2, 2)
    (understanding.model.keyValueHeads, understanding.model.textHidden) = (1, 32)
    (understanding.model.vocabulary, understanding.model.alignmentWidth) = (320, 8)
    (understanding.data.shards, understanding.data.batch, understanding.data.questions) = (shards, 4, 2)
    (understanding.data.flip, understanding.data.validation) = (false, "0")
    // The heads of classes are as many as the system has cut-outs for.
    var objectives = UnderstandingRecipe.Objectives()
    (objectives.localisation, objectives.centres, objectives.colours) = (0, 0, 0)
    (objectives.outlines, objectives.shades) = (0, 0)
    (understanding.objectives, understanding.run.compute) = (objectives, .f32)
    optimization(&understanding.optimization)
    return understanding
  }

  @Test func everyStageBeginsAsItDid() throws {
    let shards = try shards(), understanding = understandingRecipe(shards)
    let first = try temporaryFolder(), model = temporaryPath()
    let words = BytePairTraining(words: [:], vocabulary: 256)
    try AtomicFile.write(
      words.json(specialTokens: BytePairTraining.specialTokens), to: first + "/tokenizer.json")
    let run = try UnderstandingTraining(
      understanding, folder: first, isResuming: false, bank: try curatedCutOuts.get())
    // As it begins: what a step does to it would hang on the instruction set.
    try run.export(to: model)
    try check(run, Self.understanding, "understanding")

    var decoder = DecoderRecipe()
    (decoder.data.shards, decoder.data.batch, decoder.model.ratio) = (shards, 3, 4)
    (decoder.run.compute, decoder.data.flip, decoder.data.validation) = (.f32, false, "0")
    optimization(&decoder.optimization)
    // So that the ten steps move something: RAdam waits for its second moments.
    decoder.optimization.beta2 = 0.9
    let second = temporaryPath()
    let decoding = try DecoderTraining(decoder, model: model, folder: second, isResuming: false)
    try decoding.export(to: second + "/model")
    try wake(second + "/model/" + GenerationFiles.decoder)
    try check(decoding, Self.decoder, "decoder")

    var distill = DistillRecipe()
    (distill.data.shards, distill.data.batch, distill.teacher.steps) = (shards, 2, 2)
    (distill.run.compute, distill.data.flip, distill.data.validation) = (.f32, false, "0")
    optimization(&distill.optimization)
    distill.optimization.beta2 = 0.9
    try check(
      try DistillTraining(distill, model: second + "/model", folder: temporaryPath(), isResuming: false),
      Self.distill, "distill")

    var generator = GeneratorRecipe()
    (generator.data.shards, generator.data.batch, generator.data.scenes) = (shards, 4, 12)
    (generator.model.patch, generator.run.compute, generator.data.validation) = (2, .f32, "0")
    optimization(&generator.optimization)
    try check(
      try GeneratorTraining(generator, model: second + "/model", folder: temporaryPath(), isResuming: false),
      Self.generator, "generator")
  }

  private static let understanding: [Float] = [
    6.1080585, 6.205384, 5.9326444, 5.9464192, 5.880518, 5.8363495, 5.8354397, 5.801276, 5.82936, 5.799326,
  ]
  private static let decoder: [Float] = [
    4.2186, 7.9106836, 4.813477, 14.008636, 3.934238, 3.2835228, 4.2625837, 4.686513, 2.7664933, 1.9876244,
  ]
  private static let distill: [Float] = [
    0.96678126, 0.8749049, 0.9680376, 0.99125546, 0.9096215, 0.992727, 0.8785259, 0.8072786, 0.724791,
    0.83903456,
  ]
  private static let generator: [Float] = [
    1.3707595, 2.5343828, 1.8407079, 3.0541801, 1.6720438, 1.4988456, 1.9741094, 1.5876136, 2.0740983,
    1.3727397,
  ]
}
