import Foundation
import Recipes
import TestSupport
import Testing
import VUGEN

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
      case .shareOrFolder: bad = ["1", "-0.1", "''"]
      case .seed: bad = ["-1"]
      case .places: bad = ["['']"]
      case .weights: bad = ["[-1.0]", "[nan]"]
      case .flag, .folder, .file, .text: break
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

  /// What is empty is a text: no folder, as the help has it.
  @Test func aValueMayBeEmpty() throws {
    var recipe = UnderstandingRecipe()
    recipe.data.shards = "s"
    #expect(try RecipeFile.merged(recipe, file: nil, settings: ["data.shards="]).data.shards == "")
    #expect(throws: RecipeError.self) {
      try RecipeFile.merged(recipe, file: nil, settings: ["data.batch="])
    }
  }

  @Test func everyKeyIsDescribedAndChecked() throws {
    try check(UnderstandingRecipe.self)
    try check(DecoderRecipe.self)
    try check(GeneratorRecipe.self)
    try check(DistillRecipe.self)
  }

  /// A run that begins with a model's weights has its sizes, and its data's defaults.
  @Test func sizesComeFromTheBase() throws {
    let recipe = try UnderstandingRecipe.sized(as: EmbeddedModel.folder), model = recipe.model
    try recipe.check()
    #expect(model.imageSize == 128 && model.patchSize == 8 && model.pooling == 4 && model.positionSpan == 8)
    #expect(model.visionWidth == 192 && model.visionLayers == 6 && model.visionHeads == 4)
    #expect(
      model.textWidth == 256 && model.textLayers == 6 && model.textHeads == 4 && model.keyValueHeads == 2)
    #expect(model.textHidden == 640 && model.vocabulary == 2048 && model.context == 1024)
    #expect(recipe.data == UnderstandingRecipe().data && model.alignmentWidth == 128)
    let set = try RecipeFile.merged(recipe, file: nil, settings: ["model.textLayers=2"])
    #expect(set.model.textLayers == 2 && set.model.patchSize == 8)
  }

  /// Whole numbers that no memory is needed for, and why.
  private static let notCounted = [
    "optimization.steps": "they follow each other", "optimization.warmUp": "a part of the steps",
    "run.nice": "no size", "teacher.steps": "they follow each other, without gradients",
    "model.patchSize": "larger patches are fewer", "model.pooling": "larger squares are fewer",
    "model.patch": "larger squares are fewer", "model.ratio": "a larger one leaves fewer latents",
    "model.positionSpan": "where patches stand, not how many there are",
    "model.visionHeads": "they share the width", "model.textHeads": "they share the width",
    "model.context": "a limit of what questions make", "data.maxTokens": "a limit of what captions make",
    "measure.scenes": "they are measured one by one",
    "data.views": "they make no more latents than data.scenes",
  ]

  /// A whole number of a recipe that may be large is a part of what a run is said to need, or it says here why it is none.
  @Test func sizesAreCounted() throws {
    func check<Recipe: TrainingRecipe>(
      _ base: Recipe, _ values: [String: Int], _ need: (Recipe) throws -> Double
    ) throws {
      for key in Recipe.keys {
        guard case .whole = key.kind, Self.notCounted[key.path] == nil else { continue }
        let value = try #require(values[key.path], "\(key.path) is a size: count it, or say why not")
        func with(_ value: Int) throws -> Double {
          try need(RecipeFile.merged(base, file: nil, settings: ["\(key.path)=\(value)"]))
        }
        #expect(try with(2 * value) > with(value), "\(key.path)")
      }
    }
    let c = try UnderstandingConfiguration(folder: EmbeddedModel.folder)
    let drawing = try GenerationConfiguration(folder: EmbeddedModel.folder)
    let u = UnderstandingRecipe().model
    let shared = ["data.batch": 8, "optimization.accumulation": 1]
    try check(
      UnderstandingRecipe(),
      shared.merging([
        "model.imageSize": u.imageSize, "model.visionWidth": u.visionWidth,
        "model.visionLayers": u.visionLayers, "model.textWidth": u.textWidth,
        "model.textLayers": u.textLayers, "model.keyValueHeads": u.keyValueHeads,
        "model.textHidden": u.textHidden, "model.vocabulary": u.vocabulary,
        "model.alignmentWidth": u.alignmentWidth, "data.questions": 4,
      ]) { $1 }
    ) { $0.memoryNeed }
    try check(DecoderRecipe(), shared.merging(["model.outputSize": 128]) { $1 }) {
      try $0.memoryNeed(upon: c)
    }
    try check(DistillRecipe(), shared) { $0.memoryNeed(of: drawing, upon: c) }
    try check(GeneratorRecipe(), shared.merging(["data.scenes": 4000]) { $1 }) {
      $0.memoryNeed(of: drawing, beside: c)
    }
  }

  /// One size alone can be more than a machine has.
  @Test func largeSizesAreSeen() {
    var wide = UnderstandingRecipe()
    wide.model.alignmentWidth = 1 << 20
    #expect(wide.memoryNeed > 1e10)
    var large = UnderstandingRecipe()
    (large.model.imageSize, large.model.patchSize) = (1 << 12, 1 << 12)
    #expect(large.memoryNeed > 1e11)
  }

  /// What the paper and SSDD's code say, and nano's own.
  @Test func presetsHoldThePublishedValues() throws {
    for preset in RecipePreset.allCases {
      try DecoderRecipe.preset(preset)?.check()
      try DistillRecipe.preset(preset)?.check()
      try GeneratorRecipe.preset(preset)?.check()
      #expect((UnderstandingRecipe.preset(preset) == nil) == (preset != .nano))
    }
    let generator = try #require(GeneratorRecipe.preset(.stockmix)).optimization
    #expect(generator.steps == 200_000 && generator.averageStart == 0.25 && generator.averageDecay == 0.9999)
    #expect(generator.optimizer == .adamW && generator.decay == 0.1)
    #expect(GeneratorRecipe.preset(.imagenet)?.optimization.steps == 50_000)
    #expect(GeneratorRecipe.preset(.imagenet)?.optimization.averageStart == 0.2)
    for preset in [RecipePreset.imagenet, .stockmix, .nano] {
      let model = try #require(GeneratorRecipe.preset(preset)).model
      #expect(model.timeShift == 1 && model.predicts == .velocity)
    }
    let decoder = try #require(DecoderRecipe.preset(.imagenet)), o = decoder.optimization
    #expect(decoder.model.size == .medium && decoder.model.outputSize == 256 && decoder.model.ratio == 16)
    #expect(!decoder.model.standardised && decoder.objectives.latentNoise == 0)
    #expect(o.optimizer == .scheduleFreeRAdam && o.rate == 8e-4 && o.decay == 1e-2 && o.clip == 0.1)
    #expect(Int((o.averageStart * Double(o.steps)).rounded()) == 50_000 && o.averageRises)
    #expect(DistillRecipe.preset(.imagenet)?.optimization.rate == 1e-4)
    #expect(DecoderRecipe.preset(.nano)?.optimization.optimizer == .adamW)
    #expect(DecoderRecipe().model.ratio == 16)
  }

  /// Numbers that have no room, and quotes, by their key, with the range; in a file, with the line.
  @Test(arguments: [
    ("data.seed", "9223372036854775808", "is out of range; give 0 to 9223372036854775807"),
    ("data.seed", "-1", "is out of range; give 0 to 9223372036854775807"),
    ("optimization.rate", "1e999", "is out of range; give a finite number, above 0"),
    ("optimization.rate", "-1e999", "is out of range; give a finite number, above 0"),
    ("data.batch", "99999999999999999999", "is out of range; give 1 to 65536"),
    ("data.wideShare", "1e400", "is out of range; give 0 to 1"),
    ("data.seed", "1.5", "must be a whole number, not 1.5"),
    ("data.shards", "\"abc", "the quote that is opened here is never closed"),
    ("data.shards", "'abc", "the quote that is opened here is never closed"),
  ])
  func valuesWithoutRoomAreNamed(_ key: String, _ value: String, _ words: String) throws {
    func reason(_ file: String?, _ settings: [String]) -> String {
      do {
        try RecipeFile.merged(UnderstandingRecipe(), file: file, settings: settings).check()
        return ""
      } catch { return "\(error)" }
    }
    let option = reason(nil, ["\(key)=\(value)"])
    #expect(option.contains(key) && option.contains(words) && !option.contains("text"), "\(option)")
    let path = temporaryPath(".toml"), parts = key.split(separator: ".")
    try "[run]\nnice = 1\n[\(parts[0])]\n\(parts[1]) = \(value)\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    let line = reason(path, [])
    #expect(line.contains(words) && line.hasPrefix(path) || line.hasPrefix(key), "\(line)")
    #expect(!line.contains("\n") && !line.contains("arsing"), "\(line)")
  }

  /// A bare word is a text, whatever is in it.
  @Test func bareWordsAreTexts() throws {
    for word in [#"a\b"#, #"say "hi""#, "it's", "x # y", "tab\there", "two\nlines = 3"] {
      let recipe = try RecipeFile.merged(UnderstandingRecipe(), file: nil, settings: ["data.shards=\(word)"])
      #expect(recipe.data.shards == word)
    }
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
