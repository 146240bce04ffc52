import Files
import ModelFiles

/// A model that there is, by the name that `--model` takes.
public struct ListedModel: Encodable, Sendable {
  /// What `--model` takes.
  public var name: String
  /// "built-in", "cache" or "folder".
  public var source: String
  public var folder: String
  /// Of one in the hub's cache.
  public var commit: String?
  /// What it is and can do.
  public var summary: ModelSummary

  private enum Keys: String, CodingKey { case name, source, folder, commit }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Keys.self)
    try box.encode(name, forKey: .name)
    try box.encode(source, forKey: .source)
    try box.encode(folder, forKey: .folder)
    try box.encodeIfPresent(commit, forKey: .commit)
    try summary.encode(to: encoder)
  }

  private init(_ name: String, _ source: String, _ folder: String, _ commit: String? = nil) {
    (self.name, self.source, self.folder, self.commit) = (name, source, folder, commit)
    summary = ModelSummary(folder: folder)
  }

  /// The built-in model, those in the hub's cache, and folders below `models` in the data folder and below the working
  /// one.
  public static func all() -> [ListedModel] {
    let cache = HubCache()
    let cached = cache.models().flatMap { state -> [ListedModel] in
      // A commit without a name is still there to be used or removed.
      let revisions =
        state.revisions.isEmpty
        ? [cache.located(state.name) == state.folder ? "main" : state.commit] : state.revisions
      return revisions.map { revision in
        let name = state.name.repository + (revision == "main" ? "" : "@\(revision)")
        return ListedModel(name, "cache", state.folder, state.commit)
      }
    }
    let folders = [Paths.data() + "/models/", ""].flatMap {
      FileName.folders(holding: "config.json", below: $0)
    }
    return [ListedModel(EmbeddedModel.name, "built-in", EmbeddedModel.folder)] + cached
      + folders.map { ListedModel($0, "folder", $0) }
  }
}
