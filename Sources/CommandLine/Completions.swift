import ArgumentParser
import Files
import ModelFiles
import Pictures
import SessionLog
import Studio
import VUGEN

/// What a shell offers for an argument. The closures run in `vugen ---completion …` at each press of Tab: they look
/// at folders and load nothing.
extension CompletionKind {
  static let pictures = CompletionKind.file(extensions: PictureFormat.extensions.sorted())

  /// Ids of recorded sessions, the one used last first, and `last`.
  static let sessions = CompletionKind.custom { _, _, _ in Candidates.sessions }

  static let deletedSessions = CompletionKind.custom { _, _, _ in SessionStore.standard().deletedIDs() }

  /// Sessions, and folders that hold a session's log.
  static let recordings = CompletionKind.custom { _, _, typed in
    Candidates.sessions + FileName.folders(holding: "log.jsonl", below: typed)
  }

  static let themes = CompletionKind.custom { _, _, _ in ThemeFile.all().themes.map(\.name) }

  /// The built-in model's name, those of models in the hub's cache, and folders with a `config.json`.
  static let models = CompletionKind.custom { _, _, typed in
    [EmbeddedModel.name] + Candidates.cachedModels + FileName.folders(holding: "config.json", below: typed)
  }

  static let cachedModels = CompletionKind.custom { _, _, _ in Candidates.cachedModels }
}

private enum Candidates {
  static var sessions: [String] {
    let ids = SessionStore.standard().ids()
    return ids.isEmpty ? [] : ["last"] + ids
  }

  static var cachedModels: [String] { HubCache().names() }
}
