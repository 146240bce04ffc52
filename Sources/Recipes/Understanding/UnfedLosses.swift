import DataSets

/// Losses that stored data cannot feed: where a thing lies, and its colour, only a scene's record says, and its outline only
/// a scene that is composed during training.
struct UnfedLosses {
  /// Weights without theirs.
  let rest: UnderstandingRecipe.Objectives
  /// What a person should know of it; nil where nothing is off that was on.
  let note: String?

  /// Samples that are looked at, from all over the shards.
  private static let most = 1000

  /// Throws `RecipeError` where no loss is left.
  init(_ index: ShardIndex, _ objectives: UnderstandingRecipe.Objectives) throws {
    let count = min(index.count, Self.most)
    let hasScenes = (0..<count).contains { i in
      (try? index.said(i * index.count / count))?.scene != nil
    }
    var rest = objectives, off: [String] = []
    func turnOff(_ name: String, _ weight: WritableKeyPath<UnderstandingRecipe.Objectives, Float>) {
      guard rest[keyPath: weight] > 0 else { return }
      rest[keyPath: weight] = 0
      off.append(name)
    }
    if !hasScenes {
      turnOff("localisation", \.localisation)
      turnOff("centres", \.centres)
      turnOff("colours", \.colours)
    }
    turnOff("outlines", \.outlines)
    self.rest = rest
    guard
      rest.text > 0 || rest.contrastive > 0
        || rest.localisation + rest.centres + rest.colours + rest.shades > 0
    else {
      throw RecipeError(
        "nothing under objectives can be learnt from these data (\(off.joined(separator: ", ")) cannot); set objectives.text above 0"
      )
    }
    note =
      off.isEmpty
      ? nil
      : "\(off.joined(separator: ", ")): off, as \(hasScenes ? "shards hold no outlines" : "captions alone do not say where things lie")"
  }
}
