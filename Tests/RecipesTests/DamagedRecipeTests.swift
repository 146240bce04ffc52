import Foundation
import Recipes
import Tensors
import TestSupport
import Testing

/// Recipes that were cut, overwritten, or edited by hand.
@Suite struct DamagedRecipeTests {
  /// A recipe whose values are checked, or an error in one line.
  private func reads<Recipe: TrainingRecipe>(
    _ type: Recipe.Type, _ file: String?, _ settings: [String] = []
  ) throws -> Bool {
    do {
      let recipe = try RecipeFile.merged(Recipe(), file: file, settings: settings)
      try recipe.check()
      // What is accepted can be written, paths in full, and is read as the same.
      let path = temporaryPath(".toml"), text = try RecipeFile.text(of: recipe, isStored: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(try RecipeFile.text(of: RecipeFile.merged(Recipe(), file: path)) == text)
      return true
    } catch {
      #expect(error is RecipeError && !"\(error)".contains("\n"), "\(error)")
      return false
    }
  }

  private func survives<Recipe: TrainingRecipe>(_ type: Recipe.Type, seed: UInt64) throws {
    let whole = Array(try RecipeFile.text(of: Recipe()).utf8), path = temporaryPath(".toml")
    var random = Philox(seed: seed), failures = 0
    let rounds = damageRounds(60, share: 200)
    for _ in 0..<rounds {
      try Data(damagedText(whole, &random)).write(to: URL(fileURLWithPath: path))
      if !(try reads(type, path)) { failures += 1 }
    }
    #expect(0 < failures && failures < rounds, "\(failures)")
    // The same from the command line, where a value is a word that anybody can type.
    let values = OddInput.numbers + OddInput.values
    for i in 0..<rounds {
      let key = Recipe.keys[i % Recipe.keys.count].path
      _ = try reads(type, nil, ["\(key)=\(values[i * 7 % values.count])"])
      _ = try reads(type, nil, ["\(values[i % values.count])=\(values[i * 7 % values.count])"])
    }
  }

  /// VUGEN_FUZZ sets the number of files.
  @Test func survivesDamage() throws {
    try survives(UnderstandingRecipe.self, seed: 51)
    try survives(DecoderRecipe.self, seed: 52)
    try survives(GeneratorRecipe.self, seed: 53)
    try survives(DistillRecipe.self, seed: 54)
  }
}
