import Files
import Foundation
import ModelFiles
import SessionLog
import StudioUI
import VUGEN

/// Models that can be loaded: the built-in one, those of the data folder and the hub's cache, and those of runs here.
enum FoundModels {
  /// - Parameter current: the folder of the one that is loaded.
  static func choices(current: String?) -> [Choice] {
    var found: [(name: String, source: String, folder: String)] = [
      (EmbeddedModel.name, "built-in", EmbeddedModel.folder)
    ]
    let own = Paths.data() + "/models"
    found += folders(in: own, depth: 1).map { (own + "/" + $0, "data folder", own + "/" + $0) }
    found += HubCache().names().compactMap { name in
      HubCache.located(name).map { (name, "hub's cache", $0) }
    }
    found += folders(in: ".", depth: 3).map { ($0, "here", $0) }
    var seen: Set<String> = []
    return found.filter { seen.insert(whole($0.folder)).inserted }.map { model in
      let summary = ModelSummary(folder: model.folder)
      let what =
        summary.problem.map { "cannot be used: \($0)" }
        ?? "\(Format.bytes(summary.bytes)), \(summary.can.map(\.rawValue).joined(separator: ", "))"
      let title = model.source == "data folder" ? (model.name as NSString).lastPathComponent : model.name
      var choice = Choice(title: title, detail: "\(model.source) · \(what)", value: model.name)
      choice.isCurrent = current.map { whole($0) == whole(model.folder) } ?? false
      return choice
    }
  }

  private static func whole(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }

  /// Folders with a model's configuration, not too many and not too deep.
  private static func folders(in base: String, depth: Int) -> [String] {
    let manager = FileManager.default
    var found: [String] = [], level = [""], looked = 0
    for _ in 0..<depth {
      var next: [String] = []
      for folder in level {
        let names = (try? manager.contentsOfDirectory(atPath: "\(base)/\(folder)")) ?? []
        for name in names.sorted() where !name.hasPrefix(".") {
          looked += 1
          guard looked <= 2000 else { return found }
          let path = folder + name
          if manager.fileExists(atPath: "\(base)/\(path)/config.json") {
            found.append(path)
          } else {
            var isFolder: ObjCBool = false
            let isThere = manager.fileExists(atPath: "\(base)/\(path)", isDirectory: &isFolder)
            if isThere, isFolder.boolValue { next.append(path + "/") }
          }
        }
      }
      level = next
    }
    return found
  }
}
