import DataSets
import Evaluation
import Foundation
import ModelFiles
import Pictures
import Recipes
import TestSupport
import Tensors
import Testing
import Training
import VUGEN

/// Read once: some seconds of decoding.
private let bank = Result { try ObjectBank(includingSingles: false) }

private func temporaryFolder() -> String { NSTemporaryDirectory() + "vugen-run-\(UUID().uuidString)" }

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
    let folder = temporaryFolder()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: other + "/tokenizer.json", toPath: folder + "/tokenizer.json")
    return folder
  }

  private func run(_ training: UnderstandingTraining, steps: Int) throws {
    for _ in 0..<steps { _ = try training.step() }
    try training.saveCheckpoint()
    training.stop()
  }

  @Test func aStoppedRunReachesTheSameBitsAndItsModelAnswers() async throws {
    let recipe = Self.tiny(steps: 6), cutOuts = try bank.get()
    let whole = temporaryFolder()
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
    let tower = try UnderstandingTower(folder: whole + "/model")
    let tokenizer = try Tokenizer(folder: whole + "/model")
    let conversation = try Conversation(tower, tokenizer, folder: whole + "/model")
    let scene = SceneComposer(cutOuts, seed: 1, size: 32).scene(0, .validation)
    var random = Philox(seed: 0)
    let answer = try conversation.ask(
      Turn(.user, "What is this?", pictures: [tower.configuration.vision.tiles(of: scene.picture)]), most: 4,
      using: &random)
    #expect(answer.tokens.count <= 4)
    let retrieval = try Retrieval(tower, tokenizer, folder: whole + "/model")
    let all = try retrieval.share(SceneComposer(cutOuts, seed: 1, size: 32), .heldOut, scenes: 5, top: 5)
    #expect(all == 1)
  }

  @Test func evaluationCountsRightAndWrongAnswers() throws {
    let record = SceneComposer(try bank.get(), seed: 1, size: 32).scene(2, .validation).record
    let questions = UnderstandingEvaluation.questions(of: record)
    #expect(questions.contains { $0.measure == "caption" } && questions.contains { $0.measure == "yes/no" })
    for (measure, question) in questions {
      #expect(UnderstandingEvaluation.isRight(question.answer, question, measure, record), "\(question)")
      #expect(!UnderstandingEvaluation.isRight("nonsense", question, measure, record))
    }
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
    let path = NSTemporaryDirectory() + "vugen-\(UUID().uuidString).toml"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func fileAndFlagsOverlayTheDefaults() throws {
    let path = try file("[optimization]\nsteps = 77\nrate = 1\n")
    let recipe = try RecipeFile.merged(
      UnderstandingRecipe(), file: path,
      settings: ["data.batch=5", "run.compute=f32", "optimization.rate=2e-4"])
    #expect(recipe.optimization.steps == 77 && recipe.data.batch == 5 && recipe.run.compute == "f32")
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

  @Test(arguments: ["data.batch", "batch=3", "data.batch=x", "data.nothing=1", "data.batch=0"])
  func badSettingsAreErrors(_ setting: String) {
    #expect(throws: (any Error).self) {
      try RecipeFile.merged(UnderstandingRecipe(), file: nil, settings: [setting]).check()
    }
  }
}
