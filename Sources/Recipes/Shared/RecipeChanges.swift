import Foundation

extension RecipeKey {
  /// Whether a run that is resumed may have another value than it had: it goes on with the same examples, losses and
  /// weights.
  var mayChange: Bool {
    switch section {
    case "run", "measure": true
    case "optimization": !["optimizer", "accumulation"].contains(name)
    default: path == "data.maxSkipped"
    }
  }

  /// A value with its paths from the folder in which the program runs.
  fileprivate func absolute(_ value: Any) -> Any {
    let folder = FileManager.default.currentDirectoryPath
    guard isPath else { return value }
    if let path = value as? String { return resolved(path, against: folder) }
    return (value as? [String])?.map { resolved($0, against: folder) } ?? value
  }
}

/// What of a run's recipe is changed where it is resumed.
public struct RecipeChanges: Sendable, Equatable {
  /// A value by its key: what it was, and what it is.
  struct Change: Sendable, Equatable {
    let key, old, new: String

    var text: String { "\(key) from \(old) to \(new)" }
  }

  private var harmless: [Change] = []
  private var others: [Change] = []

  /// Compares two recipes of a stage.
  ///
  /// - Parameters:
  ///   - oldRanks: by how many ranks the run was saved; nil where that is not known.
  ///   - ranks: by how many it is resumed. A batch may change where all ranks together have as many pictures as before.
  public init<Recipe: TrainingRecipe>(from old: Recipe, to new: Recipe, oldRanks: Int? = nil, ranks: Int = 1)
  {
    for (before, now) in zip(old.values, new.values) {
      guard let key = Recipe.keys.first(where: { $0.section == now.section && $0.name == now.name }) else {
        continue
      }
      let change = Change(
        key: key.path, old: Recipe.text(key.absolute(before.value)), new: Recipe.text(key.absolute(now.value))
      )
      guard change.old != change.new else { continue }
      let isSharedAnew =
        change.key == "data.batch"
        && Double(change.old).flatMap { batch in oldRanks.map { batch * Double($0) } }
          == Double(change.new).map { $0 * Double(ranks) }
      if key.mayChange || isSharedAnew { harmless.append(change) } else { others.append(change) }
    }
  }

  /// What is changed and may be, in a line; nil where nothing is.
  public var note: String? {
    harmless.isEmpty ? nil : "changed: " + harmless.map(\.text).joined(separator: ", ")
  }

  /// Why the run in a folder cannot go on so, in a line; nil where it can.
  public func refusal(of run: String) -> String? {
    guard !others.isEmpty else { return nil }
    let texts = others.map(\.text).joined(separator: ", ")
    return
      "\(run): \(texts) would make it another run; leave \(others.count == 1 ? "it" : "them") as the folder's recipe has it, or begin a new run from its weights: add --fork NEWFOLDER"
  }
}
