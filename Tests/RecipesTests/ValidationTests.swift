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

/// Samples that are held out, and runs that are measured by them.
@Suite(.serialized)
@NumericActor
struct ValidationTests {
  private let folder: String

  init() throws { folder = try temporaryFolder() }

  /// Shards of `count` pictures of different colours and shapes; every one of `doubled` has two captions.
  private func shards(_ count: Int, doubled: Bool = false) throws -> String {
    let place = folder + "/shards"
    try FileName.makeFolder(place)
    let samples = try (0..<count).flatMap { i -> [Sample] in
      let rgb = (0..<40 * (24 + i % 9)).flatMap { j in (0..<3).map { UInt8((($0 + 1) * (i * 41 + j)) % 256) }
      }
      let png = try Picture(width: 40, height: 24 + i % 9, rgb: rgb).pngData()
      return (doubled ? ["", " again"] : [""]).map {
        Sample(
          key: "\(i)\($0.isEmpty ? "a" : "b")", picture: png, pictureType: "png", caption: "number \(i)\($0)",
          record: [])
      }
    }
    try Shards.write(samples, to: place + "/any.tar")
    return place
  }

  private func stored(_ shards: String, _ validation: String, seed: UInt64 = 1) throws -> StoredData {
    var data = PictureData()
    (data.shards, data.validation, data.seed) = (shards, validation, seed)
    return try StoredData(data, bankIsGiven: true)
  }

  private func captions(_ index: ShardIndex?) throws -> [String] {
    try index.map { index in try (0..<index.count).map { try index.said($0).caption } } ?? []
  }

  @Test func aFixedPartIsHeldOut() throws {
    let shards = try shards(60)
    for (validation, count) in [("0.02", 6), ("0.25", 15), ("0", 0), ("0.9999", 59)] {
      let data = try stored(shards, validation), held = try captions(data.validation)
      let rest = try captions(data.training)
      #expect(held.count == count && Set(held).isDisjoint(with: rest))
      #expect(Set(held + rest) == Set((0..<60).map { "number \($0)" }) && held.count + rest.count == 60)
      // The same whatever the run's seed is.
      #expect(try captions(stored(shards, validation, seed: 77).validation) == held)
    }
    // What a run learns from in three passes is all but those.
    let data = try stored(shards, "0.02"), held = Set(try captions(data.validation))
    let source = try ExampleSource(
      shards: shards, seed: 3, wideShare: 0, framing: Framing(), side: 16, mostSkipped: 0, folder: nil,
      index: data.training
    ) { throw DataSetError("", "no cut-outs are needed") }
    let learnt = try (0..<162).map { try source.example($0, side: 16).caption }
    #expect(Set(learnt).count == 54 && held.isDisjoint(with: learnt))
    for (all, count) in [(1, 0), (9, 0), (10, 1), (79, 7), (80, 8), (400, 8), (1000, 20), (1_000_000, 1000)] {
      #expect(HeldOut("0.02").count(of: all) == count, "\(all)")
    }
  }

  /// A picture with several captions is not learnt from under another one.
  @Test func noPictureIsOnBothSides() throws {
    let data = try stored(shards(40, doubled: true), "0.1")
    func numbers(_ index: ShardIndex?) throws -> Set<String> {
      Set(try captions(index).map { String($0.split(separator: " ")[1]) })
    }
    let held = try numbers(data.validation), rest = try numbers(data.training)
    #expect(data.validation?.count == 8 && held.isDisjoint(with: rest) && held.union(rest).count == 40)
  }

  @Test func shardsOfTheirOwnAreMeasuredBy() throws {
    let shards = try shards(12), other = folder + "/other"
    try FileName.makeFolder(other)
    try FileManager.default.copyItem(atPath: shards + "/any.tar", toPath: other + "/validation-000000.tar")
    let data = try stored(shards, other)
    #expect(data.training?.count == 12 && data.validation?.count == 12)
    #expect(try stored("", other).validation?.count == 12 && stored("", "0.5").validation == nil)
    let error = #expect(throws: DataSetError.self) { try stored(shards, folder + "/gone") }
    #expect(error?.description.contains("/gone") == true)
  }

  // MARK: Runs

  private func understanding(_ shards: String, _ folder: String, minutes: Double) throws
    -> UnderstandingTraining
  {
    var recipe = UnderstandingRecipe()
    (recipe.model.imageSize, recipe.model.patchSize) = (32, 8)
    (recipe.model.visionWidth, recipe.model.visionLayers, recipe.model.visionHeads) = (16, 2, 2)
    (recipe.model.textWidth, recipe.model.textLayers, recipe.model.textHeads) = (16, 2, 2)
    (recipe.model.keyValueHeads, recipe.model.textHidden, recipe.model.vocabulary) = (1, 32, 320)
    (recipe.data.batch, recipe.data.questions, recipe.model.alignmentWidth) = (2, 1, 8)
    (recipe.data.shards, recipe.data.wordDropout, recipe.run.validationMinutes) = (shards, 0.3, minutes)
    shorten(&recipe.optimization)
    try UnderstandingTraining.learnTokenizer(recipe, folder: folder)
    return try UnderstandingTraining(recipe, folder: folder, isResuming: false)
  }

  private func shorten(_ o: inout Optimization) {
    (o.steps, o.warmUp, o.averageStart, o.averageDecay, o.beta2, o.rate) = (6, 1, 0, 0.5, 0.9, 1e-3)
  }

  private func decoder(_ shards: String, _ model: String, _ folder: String, minutes: Double) throws
    -> DecoderTraining
  {
    var recipe = DecoderRecipe()
    (recipe.data.shards, recipe.data.batch, recipe.model.ratio) = (shards, 3, 4)
    (recipe.run.validationMinutes, recipe.run.sampleMinutes, recipe.data.crop) = (minutes, 0, .random)
    shorten(&recipe.optimization)
    return try DecoderTraining(recipe, model: model, folder: folder, isResuming: false)
  }

  private func generator(_ shards: String, _ model: String, _ folder: String, minutes: Double) throws
    -> GeneratorTraining
  {
    var recipe = GeneratorRecipe()
    (recipe.data.shards, recipe.data.batch, recipe.times.pureNoise) = (shards, 4, 0.25)
    (recipe.run.validationMinutes, recipe.run.sampleMinutes, recipe.model.patch) = (minutes, 0, 2)
    shorten(&recipe.optimization)
    return try GeneratorTraining(recipe, model: model, folder: folder, isResuming: false)
  }

  private func distillation(_ shards: String, _ model: String, _ folder: String, minutes: Double) throws
    -> DistillTraining
  {
    var recipe = DistillRecipe()
    (recipe.data.shards, recipe.data.batch, recipe.teacher.steps) = (shards, 2, 2)
    (recipe.run.validationMinutes, recipe.run.sampleMinutes) = (minutes, 0)
    shorten(&recipe.optimization)
    return try DistillTraining(recipe, model: model, folder: folder, isResuming: false)
  }

  /// A run is measured behind each step, twice, by the same numbers; it learns what it would have learnt without; and the
  /// model of the lowest loss is one that the next stage begins with.
  private func check(_ name: String, _ made: (_ folder: String, _ minutes: Double) throws -> any TrainingRun)
    throws
    -> String
  {
    let measured = folder + "/\(name)", plain = folder + "/\(name)-plain"
    let run = try made(measured, 1e-9)
    #expect(
      run.dataNotes.contains("6 samples are held out for validation (data.validation), 54 are trained on"),
      "\(run.dataNotes)")
    let first = try run.validationLoss(), again = try run.validationLoss()
    #expect(first.isFinite && again == first, "\(name)")
    var found: [Validation] = []
    let end = try TrainingLoop(run, tell: { if case .validation(let one, _) = $0 { found.append(one) } })
      .run()
    // RAdam's first four steps move nothing: its second moments are not known yet.
    let moving = ["decoder", "distill"].contains(name) ? found.dropFirst(3) : found[...]
    #expect(found.map(\.step) == Array(1...6), "\(name): \(found)")
    #expect(Set(moving.map(\.loss)).count == moving.count, "\(name): \(found)")
    // Where it was measured last it is measured again: all is as it was.
    #expect(try run.validationLoss() == found.last?.loss)
    let best = try #require(found.min { $0.loss < $1.loss })
    #expect(end.best == best && Validation.best(of: measured) == best)
    let without = try made(plain, 0)
    #expect(without.validationMinutes == nil)
    _ = try TrainingLoop(without).run()
    let states = [measured, plain].map { FileManager.default.contents(atPath: Trainer.checkpoint(in: $0)) }
    #expect(states[0] != nil && states[0] == states[1], "\(name)")
    _ = try LoadedModel(folder: measured + "/best")
    return measured + "/best"
  }

  @Test func everyStageIsMeasured() throws {
    let shards = try shards(60)
    let u = try check("understanding") { try understanding(shards, $0, minutes: $1) }
    let d = try check("decoder") { try decoder(shards, u, $0, minutes: $1) }
    let g = try check("generator") { try generator(shards, d, $0, minutes: $1) }
    let o = try check("distill") { try distillation(shards, g, $0, minutes: $1) }
    #expect(FileName.exists("\(o)/\(GenerationFiles.oneStepDecoder)"))
  }

  /// Sheets of a run on a person's own pictures show their captions, those first that are held out; and what a run will take
  /// of the memory is told by parts.
  @Test func sheetsShowOwnCaptions() throws {
    let shards = try shards(60), held = try captions(stored(shards, "0.02").validation)
    let u = try understanding(shards, folder + "/u", minutes: 0)
    _ = try TrainingLoop(u).run()
    let d = try decoder(shards, folder + "/u/model", folder + "/d", minutes: 0)
    _ = try TrainingLoop(d).run()
    let run = try generator(shards, folder + "/d/model", folder + "/g", minutes: 0)
    _ = try run.step()
    let prompts = try run.sheetPrompts()
    #expect(
      prompts.count == 12 && Set(prompts).count == 12 && Set(prompts.prefix(6)) == Set(held), "\(prompts)")
    #expect(prompts.allSatisfy { $0.hasPrefix("number ") })
    let note = try #require(run.memoryNote), need = try #require(run.memoryNeed)
    let numbers = note.matches(of: #/ (\d+\.\d\d)[,)]/#).compactMap { Double($0.1) }
    #expect(numbers.count == 5 && abs(numbers.reduce(0, +) - need / 1e9) < 0.03, "\(note)")
    #expect(note.contains("moments ") && note.contains("; ") && note.hasSuffix(" GB are free"), "\(note)")
  }

  private func state(_ name: String) -> Data? {
    FileManager.default.contents(atPath: Trainer.checkpoint(in: "\(folder)/\(name)"))
  }

  /// A generator's run of six steps upon `folder/d`.
  private func run(
    _ name: String, resuming: Bool = false, _ change: (inout GeneratorRecipe) -> Void
  ) throws -> GeneratorTraining {
    var recipe = GeneratorRecipe()
    (recipe.data.shards, recipe.data.batch, recipe.run.sampleMinutes) = (folder + "/shards", 4, 0)
    recipe.model.patch = 2
    shorten(&recipe.optimization)
    change(&recipe)
    return try GeneratorTraining(
      recipe, model: folder + "/d/model", folder: "\(folder)/\(name)", isResuming: resuming)
  }

  /// A tower that predicts the data, its times shifted by the latents' size: it resumes bit for bit, and its model says so.
  @Test func aTowerMayPredictTheData() throws {
    let shards = try shards(20)
    _ = try TrainingLoop(understanding(shards, folder + "/u", minutes: 0)).run()
    _ = try TrainingLoop(decoder(shards, folder + "/u/model", folder + "/d", minutes: 0)).run()
    let data: (inout GeneratorRecipe) -> Void = { ($0.model.predicts, $0.model.timeShift) = (.data, 3) }
    _ = try TrainingLoop(run("whole", data)).run()
    var steps = 0
    _ = try TrainingLoop(run("cut", data), isCancelled: { steps >= 3 }, measure: { steps = $0 }).run()
    _ = try TrainingLoop(run("cut", resuming: true, data)).run()
    #expect(steps == 3 && state("whole") != nil && state("whole") == state("cut"))
    let model = try LoadedModel(folder: folder + "/whole/model").generation()
    #expect(model.configuration.predicts == .data && model.configuration.timeShift == 3)
    #expect(model.generator?.configuration.predicts == .data)
    try shiftsAndPredictionsDiffer(data)
  }

  /// Shifted training is another training, and so is another prediction; a shift of the steps alone is none.
  private func shiftsAndPredictionsDiffer(_ data: (inout GeneratorRecipe) -> Void) throws {
    func trained(_ name: String, _ change: (inout GeneratorRecipe) -> Void) throws -> Data? {
      _ = try TrainingLoop(
        run(name) {
          data(&$0)
          change(&$0)
        }
      ).run()
      return state(name)
    }
    let whole = state("whole"), one = try trained("one") { $0.model.timeShift = 1 }
    let even = try trained("even") { $0.model.shiftsTraining = false }
    let velocity = try trained("velocity") { $0.model.predicts = .velocity }
    #expect(one != nil && even == one && even != whole && velocity != whole)
    // Of few numbers nothing is shifted by itself.
    _ = try trained("own") { $0.model.timeShift = 0 }
    #expect(try GenerationConfiguration(folder: folder + "/own/model").timeShift == 1)
    let older = GeneratorRecipe.ofOlderRuns.model
    #expect(older.timeShift == 1 && !older.shiftsTraining)
  }

  /// A share may stand as a number in a recipe, and be set as one.
  @Test func aShareIsANumberOrAText() throws {
    let file = temporaryPath(".toml")
    try "[data]\nvalidation = 0.1\n".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try RecipeFile.merged(DecoderRecipe(), file: file).data.validation == "0.1")
    for (value, text) in [("0.3", "0.3"), ("0", "0"), ("/mine", "/mine"), ("'0.5'", "0.5")] {
      let recipe = try RecipeFile.merged(DecoderRecipe(), file: nil, settings: ["data.validation=\(value)"])
      #expect(
        Double(recipe.data.validation) == Double(text)
          && (Double(text) != nil || recipe.data.validation == text))
      try recipe.check()
    }
  }
}
