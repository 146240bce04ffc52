import DataSets
import Files
import Recipes
import TestSupport
import Tensors
import Training

/// Models that have learnt nothing, for what is trained upon them.
@NumericActor
enum TinyModel {
  private static var known: [Int: String] = [:]

  /// 32 pixels in patches of 8; trained for one step.
  static func understanding() throws -> String { try made(side: 32, patch: 8, pooling: 1) }

  /// 70 pixels in patches of 14.
  static func ofPatch14() throws -> String { try made(side: 70, patch: 14, pooling: 5) }

  /// The recipe of such a model.
  static func recipe(side: Int, patch: Int, pooling: Int) -> UnderstandingRecipe {
    var recipe = UnderstandingRecipe()
    (recipe.model.imageSize, recipe.model.patchSize) = (side, patch)
    (recipe.model.visionWidth, recipe.model.visionLayers, recipe.model.visionHeads) = (16, 2, 2)
    (recipe.model.textWidth, recipe.model.textLayers, recipe.model.textHeads) = (16, 2, 2)
    (recipe.model.keyValueHeads, recipe.model.textHidden, recipe.model.vocabulary) = (1, 32, 320)
    (recipe.data.batch, recipe.data.questions, recipe.model.alignmentWidth) = (2, 1, 8)
    (recipe.model.pooling, recipe.optimization.steps) = (pooling, 1)
    return recipe
  }

  /// A folder with a tokenizer, where a run of the understanding stage can begin.
  static func beginning() throws -> String {
    let place = try temporaryFolder(), words = BytePairTraining(words: [:], vocabulary: 256)
    try AtomicFile.write(
      words.json(specialTokens: BytePairTraining.specialTokens), to: place + "/tokenizer.json")
    return place
  }

  private static func made(side: Int, patch: Int, pooling: Int) throws -> String {
    if let folder = known[patch] { return folder }
    let run = try UnderstandingTraining(
      recipe(side: side, patch: patch, pooling: pooling), folder: beginning(), isResuming: false,
      bank: try curatedCutOuts.get())
    _ = try run.step()
    run.stop()
    let folder = temporaryPath()
    try run.export(to: folder)
    known[patch] = folder
    return folder
  }
}
