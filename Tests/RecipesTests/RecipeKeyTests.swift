import Foundation
import Recipes
import TestSupport
import Testing

/// What recipes say of themselves is what they read.
@Suite struct RecipeKeyTests {
  /// Section and key of all that a recipe prints.
  private func keys(_ recipe: some TrainingRecipe) throws -> Set<String> {
    let object =
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe)) as? [String: [String: Any]]
    return Set((object ?? [:]).flatMap { section, values in values.keys.map { "\(section).\($0)" } })
  }

  private func check<Recipe: TrainingRecipe>(_ type: Recipe.Type) throws {
    let help = Recipe.help
    #expect(Set(help.map(\.key)) == (try keys(Recipe())) && help.count == Recipe.keys.count)
    try Recipe().check()
    let text = RecipeHelp.text(of: help)
    #expect(help.allSatisfy { text.contains("\n\($0.key) = \($0.standard)    (\($0.values))\n  \($0.help)") })
    for line in help {
      #expect(!line.help.isEmpty && line.help.hasSuffix(".") && !line.help.contains("\n"), "\(line)")
      #expect(!line.values.isEmpty && !line.standard.isEmpty, "\(line)")
    }
    // A value outside of what is told is refused by its name, and so is one of each end.
    for key in Recipe.keys {
      var bad: [String] = []
      switch key.kind {
      case .whole(let range): bad = ["\(range.lowerBound - 1)", "\(range.upperBound + 1)"]
      case .number(let least, _, let withLeast, _) where least > -.infinity:
        bad = [withLeast ? "\(least - 1)" : "\(least)", "nan"]
      case .number: bad = ["nan", "inf"]
      case .word: bad = ["nothing"]
      case .seed: bad = ["-1"]
      case .flag, .folder: break
      }
      for value in bad {
        let error = #expect(throws: RecipeError.self) {
          try RecipeFile.merged(Recipe(), file: nil, settings: ["\(key.path)=\(value)"]).check()
        }
        #expect(
          error?.description.contains(key.path) == true,
          "\(key.path) = \(value): \(String(describing: error))")
      }
    }
  }

  @Test func everyKeyIsDescribedAndChecked() throws {
    try check(UnderstandingRecipe.self)
    try check(DecoderRecipe.self)
    try check(GeneratorRecipe.self)
    try check(DistillRecipe.self)
  }

  @Test(arguments: [
    ("data.bacth", "data.batch"), ("data.steps", "optimization.steps"), ("optimisation.rate", "optimization"),
    ("model.VisionWidht", "model.visionWidth"),
  ])
  func anUnknownKeyNamesTheNearest(_ key: String, _ meant: String) {
    let error = #expect(throws: RecipeError.self) {
      try RecipeFile.merged(UnderstandingRecipe(), file: nil, settings: ["\(key)=1"])
    }
    #expect(error?.description.contains("did you mean \(meant)") == true, "\(String(describing: error))")
  }
}
