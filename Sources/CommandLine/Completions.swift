import ArgumentParser
import Foundation
import ModelFiles
import Pictures
import SessionLog
import Studio
import VUGEN

/// What a shell offers for an argument. The closures run in `vugen ---completion …` at each press of Tab: they look
/// at folders and load nothing.
extension CompletionKind {
  static let pictures = CompletionKind.file(extensions: PictureFormat.extensions.sorted())

  /// Ids of recorded sessions, newest first, and `last`.
  static let sessions = CompletionKind.custom { _, _, _ in Candidates.sessions }

  static let deletedSessions = CompletionKind.custom { _, _, _ in SessionStore.standard().deletedIDs() }

  /// Sessions, and folders that hold a session's log.
  static let recordings = CompletionKind.custom { _, _, typed in
    Candidates.sessions + Candidates.folders(with: "log.jsonl", typed)
  }

  static let themes = CompletionKind.custom { _, _, _ in ThemeFile.all().themes.map(\.name) }

  /// The built-in model's name, those of models in the hub's cache, and folders with a `config.json`.
  static let models = CompletionKind.custom { _, _, typed in
    [EmbeddedModel.name] + Candidates.cachedModels + LocalModels.folders(typed)
  }

  static let cachedModels = CompletionKind.custom { _, _, _ in Candidates.cachedModels }
}

/// Model folders of a person's own.
enum LocalModels {
  /// Those below the folder that has been typed so far.
  static func folders(_ typed: String) -> [String] { Candidates.folders(with: "config.json", typed) }
}

private enum Candidates {
  static var sessions: [String] {
    let ids = SessionStore.standard().ids()
    return ids.isEmpty ? [] : ["last"] + ids
  }

  static var cachedModels: [String] { HubCache().names() }

  /// Folders that hold a file of that name, below the folder that has been typed so far: at most three levels deep,
  /// and not many, so that a key is answered at once in the largest of trees.
  static func folders(with file: String, _ typed: String, most: Int = 2000) -> [String] {
    let cut = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let base = String(typed[..<cut]), manager = FileManager.default
    var found: [String] = [], level = [base], looked = 0
    for _ in 0..<3 {
      var next: [String] = []
      for folder in level {
        let names = (try? manager.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        for name in names.sorted() where !name.hasPrefix(".") {
          let path = folder + name
          guard path.hasPrefix(typed) || typed.hasPrefix(path) else { continue }
          looked += 1
          guard looked <= most else { return found }
          var isFolder: ObjCBool = false
          guard manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { continue }
          if manager.fileExists(atPath: "\(path)/\(file)") {
            found.append(path)
          } else {
            next.append(path + "/")
          }
        }
      }
      level = next
    }
    return found
  }
}
