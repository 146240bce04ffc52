import Files
import Foundation
import StudioUI
import VUGEN

/// Models that can be loaded, as a list shows them.
enum FoundModels {
  /// - Parameter current: the folder of the one that is loaded.
  static func choices(current: String?) -> [Choice] {
    var seen: Set<String> = []
    let own = Paths.data() + "/models/"
    return ListedModel.all().filter { seen.insert(whole($0.folder) + ($0.commit ?? "")).inserted }.map {
      model in
      let summary = model.summary
      let what =
        summary.problem.map { "cannot be used: \($0)" }
        ?? "\(Format.bytes(summary.bytes)), \(summary.can.map(\.rawValue).joined(separator: ", "))"
      // What tells models apart stands at the end of a path, which a list cuts.
      let isOwn = model.name.hasPrefix(own)
      let title = isOwn ? String(model.name.dropFirst(own.count)) : model.name
      let source = isOwn ? "data folder" : model.source
      var choice = Choice(title: title, detail: "\(source) · \(what)", value: model.name)
      choice.isCurrent = current.map { whole($0) == whole(model.folder) } ?? false
      return choice
    }
  }

  private static func whole(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
