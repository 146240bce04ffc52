import DataSets
import Files
import Foundation
import Layers
import ModelFiles
import Pictures
import Recipes
import Requests
import Tensors
import TestSupport
import Testing
import Training
import VUGEN

/// The three drawing stages at a tiny size, one upon the other.
@Suite(.serialized)
@NumericActor
struct DrawingTrainingTests {
  private func model() throws -> String { try TinyModel.understanding() }

  private func run(_ training: any TrainingRun, _ steps: Int) throws {
    for _ in 0..<steps { #expect(try training.step().loss.isFinite) }
    try training.saveCheckpoint()
    training.stop()
  }

  private func sameCheckpoints(_ a: String, _ b: String) {
    let first = FileManager.default.contents(atPath: a + "/checkpoint.safetensors")
    #expect(first != nil && first == FileManager.default.contents(atPath: b + "/checkpoint.safetensors"))
  }

  private static var decoderRecipe: DecoderRecipe {
    var recipe = DecoderRecipe()
    (recipe.data.batch, recipe.data.wideShare, recipe.model.ratio) = (3, 0, 4)
    (recipe.optimization.steps, recipe.optimization.averageStart) = (7, 0.25)
    // RAdam's first steps move nothing; with this memory the fifth does.
    recipe.optimization.beta2 = 0.9
    return recipe
  }

  @Test func stagesFollowEachOtherAndResumeBitForBit() throws {
    let source = try model(), cutOuts = try curatedCutOuts.get(), recipe = Self.decoderRecipe
    let whole = temporaryPath(), parts = temporaryPath()
    let decoder = try DecoderTraining(recipe, model: source, folder: whole, isResuming: false, bank: cutOuts)
    try run(decoder, 7)
    try run(try DecoderTraining(recipe, model: source, folder: parts, isResuming: false, bank: cutOuts), 5)
    try run(try DecoderTraining(recipe, model: source, folder: parts, isResuming: true, bank: cutOuts), 2)
    sameCheckpoints(whole, parts)
    try decoder.export(to: whole + "/model")
    try principalComponentsComeFirst(source)
    try aFrozenReducerStays(source, whole + "/model")
    let g = try generatorsResume(whole + "/model", cutOuts)
    try distillationsResume(g, cutOuts)
  }

  /// Returns the folder of a model with a generation tower.
  private func generatorsResume(_ m: String, _ cutOuts: ObjectBank) throws -> String {
    var generatorRecipe = GeneratorRecipe()
    (generatorRecipe.data.batch, generatorRecipe.data.scenes, generatorRecipe.data.wideShare) = (4, 9, 0)
    (generatorRecipe.optimization.steps, generatorRecipe.model.patch) = (4, 2)
    (generatorRecipe.data.pairShare, generatorRecipe.data.firstCaptionShare) = (0.5, 0.5)
    generatorRecipe.times.pureNoise = 0.25
    let g = temporaryPath(), h = temporaryPath()
    let generator = try GeneratorTraining(
      generatorRecipe, model: m, folder: g, isResuming: false, bank: cutOuts)
    try run(generator, 4)
    try LatentTests.goOn(generatorRecipe, m)
    try viewsAreLatentsOfTheirOwn(generatorRecipe, m)
    try run(try GeneratorTraining(generatorRecipe, model: m, folder: h, isResuming: false, bank: cutOuts), 3)
    try run(try GeneratorTraining(generatorRecipe, model: m, folder: h, isResuming: true, bank: cutOuts), 1)
    sameCheckpoints(g, h)
    try generator.export(to: g + "/model")
    #expect(try GenerationConfiguration(folder: g + "/model").tower.tokens == 4)
    generatorRecipe.model.patch = 3
    #expect(throws: RecipeError.self) {
      try GeneratorTraining(
        generatorRecipe, model: m, folder: temporaryPath(), isResuming: false, bank: cutOuts)
    }
    (generatorRecipe.model.patch, generatorRecipe.data.style) = (2, .clear)
    try generatorRecipe.check()
    return g + "/model"
  }

  private func distillationsResume(_ model: String, _ cutOuts: ObjectBank) throws {
    var distillRecipe = DistillRecipe()
    (distillRecipe.data.batch, distillRecipe.data.wideShare, distillRecipe.teacher.steps) = (2, 0, 2)
    (distillRecipe.optimization.steps, distillRecipe.optimization.beta2) = (6, 0.9)
    let d = temporaryPath(), e = temporaryPath()
    func distillation(_ folder: String, isResuming: Bool = false) throws -> DistillTraining {
      try DistillTraining(
        distillRecipe, model: model, folder: folder, isResuming: isResuming, bank: cutOuts)
    }
    let distill = try distillation(d)
    try run(distill, 6)
    try run(try distillation(e), 4)
    try run(try distillation(e, isResuming: true), 2)
    sameCheckpoints(d, e)
    #expect(
      try !distill.drawSamples(to: d + "/none.png", within: 0)
        && !FileManager.default.fileExists(atPath: d + "/none.png"))
    #expect(try distill.drawSamples(to: d + "/samples.png", within: 1000))
    try distill.export(to: d + "/model")
    #expect(try Picture(path: d + "/samples.png").width > 300)
    try drawsAndStops(d + "/model")
  }

  /// Of a stored picture as many latents are kept as views of it are wanted, and no more than differ.
  private func viewsAreLatentsOfTheirOwn(_ recipe: GeneratorRecipe, _ model: String) throws {
    var recipe = recipe
    recipe.data.shards = try temporaryFolder()
    recipe.data.crop = .random
    let pictures = (0..<3).map { i in
      let rgb = (0..<60 * 40).flatMap { j in (0..<3).map { UInt8(($0 + 1) * (i * 50 + j % 60) % 256) } }
      return Picture(width: 60, height: 40, rgb: rgb)
    }
    try Shards.write(
      pictures.enumerated().map {
        Sample(
          key: "\($0)", picture: try $1.pngData(), pictureType: "png", caption: "number \($0)", record: [])
      }, to: recipe.data.shards + "/any.tar")
    for (views, scenes, count, different) in [(1, 100, 3, 3), (4, 100, 12, 12), (4, 5, 5, 5)] {
      (recipe.data.views, recipe.data.scenes) = (views, scenes)
      let folder = temporaryPath(),
        training = try GeneratorTraining(
          recipe, model: model, folder: folder, isResuming: false)
      try training.prepare { _, _ in }
      let latents = try StoredLatents(folder + "/latents")
      #expect(latents.entries.count == count && Set(latents.entries.values.map(\.numbers)).count == different)
    }
  }

  /// Principal components are worked out before the first step, by a call that can be stopped; the run then leaves them.
  private func principalComponentsComeFirst(_ source: String) throws {
    struct Stop: Error {}
    var recipe = Self.decoderRecipe
    recipe.model.reducer = .pca
    let folder = temporaryPath()
    let training = try DecoderTraining(
      recipe, model: source, folder: folder, isResuming: false, bank: try curatedCutOuts.get())
    var done: [Int] = []
    #expect(throws: Stop.self) {
      try training.prepare { now, _ in
        done.append(now)
        if done.count == 3 { throw Stop() }
      }
    }
    #expect(done == [0, 1, 2].map { $0 * recipe.data.batch })
    done = []
    try training.prepare { now, _ in done.append(now) }
    #expect(done.count == 64 && done.first == 0)
    try training.prepare { _, _ in Issue.record("they are there") }
    try training.export(to: folder + "/before")
    try run(training, 2)
    try training.export(to: folder + "/after")
    let files = ["before", "after"].map {
      FileManager.default.contents(atPath: "\(folder)/\($0)/\(GenerationFiles.reducer)")
    }
    #expect(files[0] != nil && files[0] == files[1])
  }

  /// The decoder learns on, the reducer keeps its bits; one that is not there in these sizes is an error.
  private func aFrozenReducerStays(_ source: String, _ model: String) throws {
    var recipe = Self.decoderRecipe
    recipe.model.frozenReducer = true
    let cutOuts = try curatedCutOuts.get(), folder = temporaryPath()
    let training = try DecoderTraining(
      recipe, model: source, folder: folder, isResuming: false, from: model, bank: cutOuts)
    #expect(training.startingAnew.isEmpty)
    try run(training, 6)
    try training.export(to: folder + "/model")
    func bytes(_ folder: String, _ name: String) -> Data? {
      FileManager.default.contents(atPath: "\(folder)/\(name).safetensors")
    }
    #expect(bytes(model, "reducer") != nil && bytes(folder + "/model", "reducer") == bytes(model, "reducer"))
    #expect(bytes(folder + "/model", "decoder") != bytes(model, "decoder"))
    #expect(throws: RecipeError.self) {
      try DecoderTraining(recipe, model: source, folder: temporaryPath(), isResuming: false, bank: cutOuts)
    }
    recipe.model.ratio = 2
    #expect(throws: RecipeError.self) {
      try DecoderTraining(
        recipe, model: source, folder: temporaryPath(), isResuming: false, from: model, bank: cutOuts)
    }
  }

  /// Pictures of another size than the encoder's, and a patch that divides nothing: from features to a folder that draws.
  @Test func anyPatchAndAnyOutputSize() throws {
    let cutOuts = try curatedCutOuts.get(), source = try TinyModel.ofPatch14()
    var decoder = DecoderRecipe()
    (decoder.data.batch, decoder.data.wideShare, decoder.optimization.steps) = (2, 0, 2)
    func training() throws -> DecoderTraining {
      try DecoderTraining(decoder, model: source, folder: temporaryPath(), isResuming: false, bank: cutOuts)
    }
    let refusal = #expect(throws: RecipeError.self) { _ = try training() }
    #expect(refusal?.description.contains("model.outputSize") == true)
    // Smaller and larger than what is seen, with and without standardisation.
    for (size, side, isPlain) in [(PixelDecoderConfiguration.Size.small, 48, true), (.nano, 80, false)] {
      (decoder.model.size, decoder.model.outputSize, decoder.model.standardised) = (size, side, !isPlain)
      let training = try training(), folder = temporaryPath()
      #expect(training.configuration.imageSize == side && training.configuration.grid == 5)
      #expect(try training.step().loss.isFinite)
      training.stop()
      try training.export(to: folder)
      let loaded = try LoadedModel(folder: folder), drawing = try loaded.generation()
      #expect(drawing.configuration.decoder.design == (size == .nano ? .narrow : .published))
      let deviation = try #require(drawing.reducer.tensorsByName["deviation"])
      #expect(deviation.toArray().allSatisfy { $0 == 1 } == isPlain)
      let given = Picture(width: 90, height: 60, red: 200, green: 30, blue: 40)
      let drawn = drawing.reconstruct(given, loaded.tower, steps: 1)
      #expect(drawn.width == side && drawn.height == side)
      guard size == .nano else { continue }
      var distill = DistillRecipe()
      (distill.data.batch, distill.data.wideShare, distill.teacher.steps) = (2, 0, 2)
      let second = try DistillTraining(
        distill, model: folder, folder: temporaryPath(), isResuming: false, bank: cutOuts)
      #expect(try second.step().loss.isFinite)
      second.stop()
    }
  }

  private func drawsAndStops(_ folder: String) throws {
    let imaginer = try Imaginer(LoadedModel(folder: folder))
    var settings = ImageSettings(prompt: "a red apple")
    (settings.steps, settings.seed) = (5, 3)
    let first = try #require(try imaginer.imagine(settings))
    let again = try #require(try Imaginer(LoadedModel(folder: folder)).imagine(settings))
    #expect(first.picture == again.picture && first.stepsDone == 5 && !first.isPartial)
    settings.seed = 4
    #expect(try imaginer.imagine(settings)?.picture != first.picture)
    // Cancelled behind any step, what there is comes back, with the steps really done.
    for limit in 1...4 {
      var done = 0
      let partial = try #require(
        try imaginer.imagine(settings, isCancelled: { done >= limit }, onStep: { done = $0.number }))
      #expect(partial.stepsDone == limit && partial.isPartial)
    }
    #expect(try imaginer.imagine(settings, isCancelled: { true }) == nil)
    // Settings travel in the picture.
    let png = try PictureMetadata(settings, stepsDone: 5, model: "tiny").png(of: first.picture)
    let path = temporaryPath(".png")
    try Data(png).write(to: URL(fileURLWithPath: path))
    #expect(try PictureMetadata(file: path).settings == settings)
    let text = Picture.texts(bytes: png).first { $0.key == "parameters" }?.value
    #expect(
      text?.hasPrefix("a red apple\nSteps: 5, Sampler: Euler, CFG scale: 3, Seed: 4, Size: 32x32") == true)
  }

  @Test func badSettingsAreErrorsOfOneLine() {
    func broken(_ change: (inout ImageSettings) -> Void) {
      var settings = ImageSettings(prompt: "a cat")
      change(&settings)
      do {
        try settings.check()
        Issue.record("passed: \(settings)")
      } catch {
        #expect(!"\(error)".contains("\n"))
      }
    }
    broken { $0.prompt = " \n" }
    broken { $0.prompt = String(repeating: "word ", count: 100_000) }
    broken { $0.steps = 0 }
    broken { $0.steps = 100_000 }
    broken { $0.guidanceScale = -1 }
    broken { $0.guidanceScale = .nan }
    broken { $0.guidanceScale = 1e9 }
    broken { $0.decoderSteps = 0 }
    broken { ($0.guidanceStart, $0.guidanceEnd) = (0.8, 0.2) }
  }

  @Test func frozenAnswersAreTheSameBesideTheGenerationTower() throws {
    let model = try LoadedModel(folder: model()), tower = model.tower
    for text in ["a red apple", "three dogs", "", "a cat left of a dog on a blue background"] {
      let tokens = model.template.description(text)
      let before = tower.logits(tower.core.language(try tower.embed(tokens))).toArray()
      var random = Philox(seed: 1)
      let second = GenerationTower(.init(latents: 4, grid: 4), text: tower.configuration.text, using: &random)
      try second.copyLayers(of: tower.core.language)
      let read = try tower.read(prompts: [tokens], pictureTokens: 16)
      let x = Tensor.normal([1, 16, 4], using: &random)
      _ = second(x, at: Tensor([0.5]), prompts: read, language: tower.core.language)
      #expect(tower.logits(tower.core.language(try tower.embed(tokens))).toArray() == before)
    }
  }

  @Test func principalAxesCarryTheVariance() throws {
    var random = Philox(seed: 5)
    // Two strong directions among six channels.
    let strong = Tensor.normal([400, 2], deviation: 3, using: &random),
      mix = Tensor.normal([2, 6], using: &random)
    let features = matmul(strong, mix) + Tensor.normal([400, 6], deviation: 0.01, using: &random) + 2
    var components = PrincipalComponents(channels: 6)
    components.add(features.sliced(0..<150))
    components.add(features.sliced(150..<400))
    let z = try components.reducer(latents: 2)(features.reshaped([1, 400, 6])).reshaped([400, 2])
    let values = z.toArray(), mean = z.mean(axes: [0]).toArray()
    let covariance = matmul(z, z, transposeA: true).toArray().map { $0 / 400 }
    #expect(mean.allSatisfy { abs($0) < 1e-3 } && values.allSatisfy(\.isFinite))
    #expect(abs(covariance[0] - 1) < 0.02 && abs(covariance[3] - 1) < 0.02 && abs(covariance[1]) < 0.02)
  }
}
