import Files
import Foundation
import ModelFiles
import Training

/// The folder of a run: recipe, checkpoint, metrics, exported model.
package enum RunFolder {
  /// Makes the folder, in which no other process may write from then on: the first rank does. Throws as `check` does.
  static func prepare(_ folder: String, isResuming: Bool, _ ranks: Ranks) throws {
    guard ranks.isFirst else { return }
    try check(folder, isResuming: isResuming, ranks)
    try make(folder)
    try OutputFolder.begin(in: folder)
  }

  /// Throws `FileAccessError` where another process writes there, and `RecipeError` where a run is there and is not to be
  /// resumed, or the other way round, and where something else lies there that took somebody's time.
  ///
  /// The first rank does so for all.
  static func check(_ folder: String, isResuming: Bool, _ ranks: Ranks) throws {
    guard ranks.isFirst else { return }
    try FolderClaim.check(folder)
    let exists = FileName.isTaken(Trainer.checkpoint(in: folder))
    guard isResuming || !exists else {
      throw RecipeError("\(folder): holds a run; add --resume to continue it, or name another folder")
    }
    if !isResuming, !isOfRun(folder), let held = OutputFolder.contents(of: folder) {
      throw RecipeError(
        "\(folder): holds \(held); name another folder, or add --overwrite to replace all of it")
    }
    if isResuming { try checkCheckpoint(of: folder) }
    if isResuming, !exists {
      let advice =
        isOfRun(folder)
        ? "the run ended before its first step; the same command without --resume goes on with what it has made"
        : "leave out --resume to begin"
      throw RecipeError("\(folder): there is no checkpoint here to go on from; \(advice)")
    }
  }

  /// Throws `RecipeError` where a run's checkpoint is there and cannot be reached, and says what keeps it.
  package static func checkCheckpoint(of folder: String) throws {
    let path = Trainer.checkpoint(in: folder)
    guard let obstacle = FileName.obstacle(toFile: path) else { return }
    throw RecipeError("\(path): \(obstacle); put the run's checkpoint there again, or begin a new run")
  }

  /// Whether a folder has what a run leaves before its first checkpoint: it may begin again.
  private static func isOfRun(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { $0 == "recipe.toml" || $0 == "latents" || $0.hasPrefix("latents-") }
  }

  /// Throws `ModelFileError` where a model that a run shall begin with lacks what an earlier run of the stage exports.
  static func check(_ folder: String, has names: [String], of stage: String) throws {
    try ModelFolder.checkConfiguration(folder)
    guard let missing = names.first(where: { !FileName.isTaken("\(folder)/\($0)") }) else { return }
    throw ModelFileError(
      folder,
      "\(missing) is missing, which a run begins with; name a model that vugen train \(stage) has exported, or leave out --from"
    )
  }

  static func make(_ folder: String) throws {
    try FileName.makeFolder(folder)
  }

  /// Makes the folder of a model, which has a name of its own where one is given.
  static func make(_ folder: String, named name: String) throws {
    try make(folder)
    if name.isEmpty {
      FileName.remove("\(folder)/vugen.json")
    } else {
      try ModelFolder.write(name: name, to: folder)
    }
  }

  /// Makes the folder of a run before its long work, which shows whether it can be made; it goes with the program where
  /// nothing has come into it, and is known as this run's where a signal brings back what was there before.
  static func makeEarly(_ folder: String) throws {
    try PartialOutput.makeFolder(folder)
    try OutputFolder.begin(in: folder)
  }

  /// Keeps the merged recipe: the first rank does.
  static func save(_ recipe: some Encodable, in folder: String, _ ranks: Ranks) throws {
    guard ranks.isFirst else { return }
    try AtomicFile.write(
      Data(try RecipeFile.text(of: recipe, isStored: true).utf8), to: folder + "/recipe.toml")
  }

  /// Copies a model folder's files of these names that are there.
  static func copy(_ names: [String], from source: String, to folder: String) throws {
    guard URL(fileURLWithPath: source).standardizedFileURL != URL(fileURLWithPath: folder).standardizedFileURL
    else { return }
    for name in names where FileName.isTaken("\(source)/\(name)") {
      try ModelFolder.copy("\(source)/\(name)", to: "\(folder)/\(name)")
    }
  }

  /// What of a model's understanding half is neither sizes nor weights.
  static let companions = [
    "generation_config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json",
    "tokenizer.model", "tokenizer_config.json", "chat_template.jinja", "chat_template.json",
  ]

  /// The files of a model's understanding half: its weights in as many parts as they have, and all that is needed to load
  /// them. Throws `ModelFileError`.
  static func understandingFiles(of folder: String) throws -> [String] {
    let weights = Set(try ModelWeights(folder: folder).files.values.map { FileName.last(of: $0.path) })
    return ["config.json", "alignment.safetensors"] + companions + weights.sorted()
      + (weights == ["model.safetensors"] ? [] : ["model.safetensors.index.json"])
  }
}
