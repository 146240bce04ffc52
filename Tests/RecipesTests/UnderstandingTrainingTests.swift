import DataSets
import Evaluation
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

/// Read once: some seconds of decoding.

@Suite(.serialized)
@NumericActor
struct UnderstandingTrainingTests {
  private static func tiny(steps: Int) -> UnderstandingRecipe {
    var recipe = UnderstandingRecipe()
    (recipe.model.imageSize, recipe.model.patchSize) = (32, 8)
    (recipe.model.visionWidth, recipe.model.visionLayers, recipe.model.visionHeads) = (16, 1, 2)
    (recipe.model.textWidth, recipe.model.textLayers, recipe.model.textHeads) = (16, 2, 2)
    (recipe.model.keyValueHeads, recipe.model.textHidden, recipe.model.vocabulary) = (1, 32, 320)
    (recipe.data.batch, recipe.data.questions, recipe.model.alignmentWidth) = (4, 2, 8)
    (recipe.optimization.steps, recipe.optimization.warmUp) = (steps, 2)
    return recipe
  }

  /// Copies the tokenizer, whose learning takes longest.
  private static func makeFolder(like other: String) throws -> String {
    let folder = temporaryPath()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: other + "/tokenizer.json", toPath: folder + "/tokenizer.json")
    return folder
  }

  /// A run without one does not begin; learning it can be stopped, and is done once.
  private func theTokenizerIsLearntFirst(_ recipe: UnderstandingRecipe, _ folder: String, _ bank: ObjectBank)
    throws
  {
    struct Stop: Error {}
    #expect(throws: RecipeError.self) {
      try UnderstandingTraining(recipe, folder: folder, isResuming: false, bank: bank)
    }
    let path = folder + "/tokenizer.json"
    #expect(throws: Stop.self) {
      try UnderstandingTraining.learnTokenizer(recipe, folder: folder, bank: bank, scenes: 1000) { done, _ in
        if done > 0 { throw Stop() }
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    var told: [Int] = []
    func learn() throws {
      try UnderstandingTraining.learnTokenizer(recipe, folder: folder, bank: bank, scenes: 1000) {
        done, all in
        told.append(done)
        #expect(all == 1000)
      }
    }
    try learn()
    #expect(told.first == 0 && told.last == 1000 && told == told.sorted())
    #expect(FileManager.default.fileExists(atPath: path))
    told = []
    try learn()
    #expect(told.isEmpty)
  }

  private func run(_ training: UnderstandingTraining, steps: Int) throws {
    for _ in 0..<steps { _ = try training.step() }
    try training.saveCheckpoint()
    training.stop()
  }

  @Test func aStoppedRunReachesTheSameBitsAndItsModelAnswers() async throws {
    let recipe = Self.tiny(steps: 6), cutOuts = try curatedCutOuts.get()
    let whole = temporaryPath()
    try theTokenizerIsLearntFirst(recipe, whole, cutOuts)
    let first = try UnderstandingTraining(recipe, folder: whole, isResuming: false, bank: cutOuts)
    try run(first, steps: 6)
    let parts = try Self.makeFolder(like: whole)
    try run(try UnderstandingTraining(recipe, folder: parts, isResuming: false, bank: cutOuts), steps: 2)
    try run(try UnderstandingTraining(recipe, folder: parts, isResuming: true, bank: cutOuts), steps: 4)
    let a = FileManager.default.contents(atPath: whole + "/checkpoint.safetensors")
    let b = FileManager.default.contents(atPath: parts + "/checkpoint.safetensors")
    #expect(a != nil && a == b)
    #expect(throws: RecipeError.self) {
      try UnderstandingTraining(recipe, folder: parts, isResuming: false, bank: cutOuts)
    }

    try first.export(to: whole + "/model")
    let next = try UnderstandingTraining(
      recipe, folder: temporaryPath(), isResuming: false, from: whole + "/model", bank: cutOuts)
    #expect(try next.step().loss < 30)
    next.stop()
    let model = try LoadedModel(folder: whole + "/model"), conversation = Conversation(model)
    let scene = SceneComposer(cutOuts, seed: 1, size: 32).scene(0, .validation)
    var random = Philox(seed: 0)
    let answer = try conversation.ask(
      Turn(.user, "What is this?", pictures: [model.configuration.vision.tiles(of: scene.picture)]), most: 4,
      using: &random)
    #expect(answer.tokens.count <= 4)
    // A model that has hardly learnt finds some captions by chance, and a share is one.
    let share = try Retrieval(model).share(
      SceneComposer(cutOuts, seed: 1, size: 32), .heldOut, scenes: 8, top: 2)
    #expect((0...0.75).contains(share), "\(share)")
  }

  @Test func storedExamplesComeOncePerPassInAnotherOrder() {
    for count in [1, 2, 7, 100, 1000] {
      let first = (0..<count).map { ExampleSource.shuffled($0, of: count, seed: 3, pass: 0) }
      #expect(first.sorted() == Array(0..<count))
      let second = (0..<count).map { ExampleSource.shuffled($0, of: count, seed: 3, pass: 1) }
      if count > 10 { #expect(first != second && first != Array(0..<count)) }
    }
  }
}

@Suite struct RecipeFileTests {
  private func file(_ text: String) throws -> String {
    let path = temporaryPath(".toml")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func fileAndFlagsOverlayTheDefaults() throws {
    let path = try file("[optimization]\nsteps = 77\nrate = 1\n")
    let recipe = try RecipeFile.merged(
      UnderstandingRecipe(), file: path,
      settings: ["data.batch=5", "run.compute=f32", "optimization.rate=2e-4"])
    #expect(recipe.optimization.steps == 77 && recipe.data.batch == 5 && recipe.run.compute == .f32)
    #expect(recipe.optimization.rate == 2e-4)
    #expect(recipe.model == UnderstandingRecipe().model)
    let again = try RecipeFile.merged(UnderstandingRecipe(), file: try file(RecipeFile.text(of: recipe)))
    #expect(again == recipe)
  }

  @Test(arguments: [
    ("[optimization]\nstepz = 1\n", "stepz"), ("[data]\nbatch = \"many\"\n", "batch"), ("[data\n", "line 1"),
    ("batch = 3\n", "batch"),
  ])
  func mistakesAreNamed(_ text: String, _ word: String) throws {
    do {
      _ = try RecipeFile.merged(UnderstandingRecipe(), file: try file(text))
      Issue.record("passed: \(text)")
    } catch {
      #expect("\(error)".contains(word) && !"\(error)".contains("\n"), "\(error)")
    }
  }

  /// A word that is no option names those that are, in a file as by a flag.
  @Test func unknownOptionsNameTheKnownOnes() throws {
    let cases: [(setting: String, known: String, merge: (String?, [String]) throws -> Void)] = [
      (
        "model.size=tiny", "S, B, M, L, XL, H, nano",
        { _ = try RecipeFile.merged(DecoderRecipe(), file: $0, settings: $1) }
      ),
      (
        "model.reducer=PCA", "mlp, pca",
        { _ = try RecipeFile.merged(DecoderRecipe(), file: $0, settings: $1) }
      ),
      (
        "times.distribution=log", "uniform, logit-normal",
        { _ = try RecipeFile.merged(DecoderRecipe(), file: $0, settings: $1) }
      ),
      (
        "data.style=tidy", "varied, clear",
        { _ = try RecipeFile.merged(GeneratorRecipe(), file: $0, settings: $1) }
      ),
      (
        "run.compute=f16", "f32, bf16",
        { _ = try RecipeFile.merged(UnderstandingRecipe(), file: $0, settings: $1) }
      ),
      ("run.compute=''", "f32, bf16", { _ = try RecipeFile.merged(DistillRecipe(), file: $0, settings: $1) }),
    ]
    for (setting, known, merge) in cases { try namesWhatIsKnown(setting, known, merge) }
    // Known ones keep their spelling in a recipe's text.
    var recipe = DecoderRecipe()
    (recipe.model.size, recipe.times.distribution, recipe.run.compute) = (.extraLarge, .uniform, .f32)
    let text = try RecipeFile.text(of: recipe)
    #expect(text.contains("size = 'XL'") && text.contains("distribution = 'uniform'"), "\(text)")
    #expect(try RecipeFile.merged(DecoderRecipe(), file: file(text)) == recipe)
  }

  private func namesWhatIsKnown(
    _ setting: String, _ known: String, _ merge: (String?, [String]) throws -> Void
  ) throws {
    func error(_ work: () throws -> Void) -> String {
      do { try work() } catch { return "\(error)" }
      return "passed"
    }
    let parts = setting.split(separator: "=").map(String.init), keys = parts[0].split(separator: ".")
    let word = parts[1].replacing("'", with: "")
    let found = error { try merge(nil, [setting]) }
    #expect(found.contains(known) && found.contains("'\(parts[0])' = '\(word)'"), "\(found)")
    let path = try file("[\(keys[0])]\n\(keys[1]) = \"\(word)\"\n"), inFile = error { try merge(path, []) }
    #expect(inFile.hasPrefix(path) && inFile.contains(known) && !inFile.contains("\n"), "\(inFile)")
  }

  @Test(arguments: ["data.batch", "batch=3", "data.batch=x", "data.nothing=1", "data.batch=0"])
  func badSettingsAreErrors(_ setting: String) {
    #expect(throws: (any Error).self) {
      try RecipeFile.merged(UnderstandingRecipe(), file: nil, settings: [setting]).check()
    }
  }
}

@Suite(.serialized)
@NumericActor
struct PackedBatchTests {
  private func tinyTower(_ image: Int32) -> UnderstandingTower {
    var vision = VisionConfiguration(), text = TextConfiguration()
    (vision.imageSize, vision.patchSize, vision.width, vision.layers, vision.heads) = (32, 8, 16, 1, 2)
    (vision.hidden, vision.hasClassToken, vision.ropeOffset, vision.referenceGrid) = (32, false, 0, 4)
    (text.vocabulary, text.width, text.layers, text.heads, text.kvHeads) = (600, 16, 2, 2, 1)
    (text.headSize, text.hidden, text.context) = (8, 32, 512)
    var random = Philox(seed: 3)
    return UnderstandingTower(
      UnderstandingConfiguration(vision: vision, text: text, poolingRatio: 2, imageToken: image),
      using: &random)
  }

  /// Every answer's hidden states are those that a conversation of that question alone would give.
  @Test func packedSegmentsReadAsIfTheyWereAlone() throws {
    let path = temporaryPath(".json")
    let learnt = BytePairTraining(words: [:], vocabulary: 256)
    try AtomicFile.write(learnt.json(specialTokens: BytePairTraining.specialTokens), to: path)
    let tokenizer = try Tokenizer(json: path)
    let tower = tinyTower(try #require(tokenizer.specialTokens["<|image|>"])), c = tower.configuration
    var data = UnderstandingRecipe.Data()
    (data.batch, data.questions) = (3, 3)
    let composer = SceneComposer(try curatedCutOuts.get(), seed: 1, size: 32)
    let template = try ChatTemplate(tokenizer, c, folder: path)
    let packer = BatchPacker(.composed(composer), template, c, classes: [], data: data)
    let batch = try packer.make(1)
    let places = packer.picturePlaces

    let pictures = Tensor(batch.pictures, shape: [3, 32, 32, 3])
    let projected = tower.encode(pictures).projected
    let embedded = tower.core.language.embedding(Tensor(indices: batch.tokens, shape: [3, batch.time]))
    let mixed = Tensor.concatenated(
      [
        embedded.sliced(0..<places.lowerBound, axis: 1), projected,
        embedded.sliced(places.upperBound..<batch.time, axis: 1),
      ], axis: 1)
    let visible = VisibleKeys(batch.visible, batch: 3, queries: batch.time, keys: batch.time)
    let packed = tower.core.language(packed: mixed, positions: batch.positions, mask: .ranges(visible))

    for row in 0..<3 { try rowIsAsAlone(row, of: batch, places, packed, tower, projected) }
    #expect(batch.answerPlaces.count == batch.answerTokens.count && !batch.answerPlaces.isEmpty)
    try labelsFollowWhatCovers(batch, of: composer)
  }

  private func rowIsAsAlone(
    _ row: Int, of batch: PackedBatch, _ places: Range<Int>, _ packed: Tensor, _ tower: UnderstandingTower,
    _ projected: Tensor
  ) throws {
    let tokens = Array(batch.tokens[row * batch.time..<(row + 1) * batch.time])
    let positions = Array(batch.positions[row * batch.time..<(row + 1) * batch.time])
    let last = Int(batch.captionPlaces[row]) - row * batch.time
    var first = last
    while positions[first] > 1 { first -= 1 }
    let starts = positions.indices.filter { $0 < first && positions[$0] == Int32(places.upperBound) }
    #expect(starts.count == 3)
    for start in starts {
      var end = start + 1
      while positions[end] == positions[end - 1] + 1 { end += 1 }
      let alone = Array(tokens[0..<places.upperBound]) + tokens[start..<end]
      let hidden = tower.core.language(
        try tower.embed(alone, projected: projected.sliced(row..<row + 1)))
      let ours = packed.sliced(row..<row + 1).sliced(start..<end, axis: 1)
      let theirs = hidden.sliced(places.upperBound..<alone.count, axis: 1)
      #expect(relativeError(ours, theirs) < 1e-5)
    }
    // The caption reads the begin token and itself, not the picture.
    let caption = tower.core.language(try tower.embed([tokens[0]] + tokens[first...last]))
    let ours = packed.sliced(row..<row + 1).sliced(last..<last + 1, axis: 1)
    let theirs = caption.sliced(caption.size(1) - 1..<caption.size(1), axis: 1)
    #expect(relativeError(ours, theirs) < 1e-5)
  }

  /// Patch labels say what the scene's pixels do.
  private func labelsFollowWhatCovers(_ batch: PackedBatch, of composer: SceneComposer) throws {
    let labels = batch.patches, cells = PatchLabels.cells * PatchLabels.cells
    #expect(
      labels.classes.count == 3 * 16 && labels.centres.count == 3 * 16 && labels.colours.count == 3 * 16)
    #expect(labels.outlines.count == 3 * 16 * cells && labels.colours.contains { $0 >= 0 })
    for i in 0..<3 {
      let scene = composer.scene(UInt64(3 + i), .train), covered = scene.owners.count { $0 > 0 }
      let marked =
        labels.outlines[i * 16 * cells..<(i + 1) * 16 * cells].count { $0 == 1 } * 32 * 32 / 16 / cells
      #expect(covered > 0 && abs(marked - covered) < covered / 4 + 8, "\(marked) of \(covered)")
      try shadesAreNames(labels, ofScene: i, scene.picture)
      let patches = i * 16..<(i + 1) * 16
      #expect(labels.centres[patches].count { $0 == 1 } >= 1)
      let colours = Set(scene.record.objects.compactMap(\.colour))
      for patch in patches where labels.colours[patch] >= 0 {
        #expect(colours.contains(ColourName.allCases[Int(labels.colours[patch])]))
        // No class is known to this packer: what is covered is unknown, not background.
        #expect(labels.classes[patch] == -1)
      }
    }
  }

  /// Each quarter's name is that of its mean colour; a plain one's is that of its pixels.
  private func shadesAreNames(_ labels: PatchLabels, ofScene i: Int, _ picture: Picture) throws {
    // 4 × 4 patches of 8 pixels, quarters of 4.
    #expect(labels.shades.count == 3 * 16 * 4)
    var plain = 0
    for y in 0..<8 {
      for x in 0..<8 {
        let pixels = (0..<16).map { p -> [UInt8] in
          let at = 4 * ((4 * y + p / 4) * 32 + 4 * x + p % 4)
          return Array(picture.pixels[at..<at + 3])
        }
        guard Set(pixels).count == 1 else { continue }
        plain += 1
        let place = y / 2 * 4 + x / 2, quarter = y % 2 * 2 + x % 2
        let shade = Int(labels.shades[(16 * i + place) * 4 + quarter])
        let name = ColourName(red: pixels[0][0], green: pixels[0][1], blue: pixels[0][2])
        #expect(ColourName.allCases[shade / PatchLabels.tones] == name)
        let luma = pixels[0].map(Double.init)
        let tone = (0.299 * luma[0] + 0.587 * luma[1] + 0.114 * luma[2]) / 255 * 4
        #expect(shade % PatchLabels.tones == min(3, Int(tone + 1e-9)))
      }
    }
    #expect(plain > 0)
  }

  @Test func smallerPatchesSeeAsTheLargerOnesSawAnEnlargedPicture() throws {
    var old = VisionConfiguration(), random = Philox(seed: 4)
    (old.imageSize, old.patchSize, old.width, old.hasClassToken) = (32, 16, 8, false)
    var new = old
    new.patchSize = 8
    let kernel = Tensor.normal([8, 3, 16, 16], using: &random),
      grid = Tensor.normal([1, 4, 8], using: &random)
    let weights = ["e.patch_embed.proj.weight": kernel, "e.pos_embed": grid, "e.other": grid]
    let resized = try #require(SmallerPatches.resize(weights, prefix: "e.", from: old, to: new))
    let small = try #require(resized["e.patch_embed.proj.weight"])
    let picture = Tensor.normal([2, 32, 32, 3], using: &random)
    let before = convolution2D(
      picture.upsampledNearest(by: 2), weight: kernel, bias: nil, stride: 16, padding: 0)
    let after = convolution2D(picture, weight: small, bias: nil, stride: 8, padding: 0)
    #expect(relativeError(after, before) < 1e-5)
    #expect(resized["e.pos_embed"]?.shape == [1, 16, 8] && resized["e.other"]?.toArray() == grid.toArray())
    // Corners keep their place, the middle of the sides lies between.
    #expect(resized["e.pos_embed"]?.toArray().prefix(8).elementsEqual(grid.toArray().prefix(8)) == true)
    #expect(SmallerPatches.resize(weights, prefix: "e.", from: new, to: old) == nil)
    old.hasClassToken = true
    #expect(SmallerPatches.resize(weights, prefix: "e.", from: old, to: new) == nil)
  }
}
