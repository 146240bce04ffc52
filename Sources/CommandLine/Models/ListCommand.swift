import ArgumentParser
import Files
import Foundation
import ModelFiles
import VUGEN

extension Model {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List models: the built-in one, those in the hub's cache, and folders below this one.",
      discussion: "Example: vugen model list")

    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      let rows = ListedModel.all()
      if json {
        print(try jsonLine(of: ["models": rows]))
        return
      }
      let width = rows.map(\.name.oneLine.count).max() ?? 0
      for row in rows {
        let columns = [
          row.name.oneLine.padding(toLength: width, withPad: " ", startingAt: 0),
          row.source.padding(toLength: 8, withPad: " ", startingAt: 0), Self.size(row.summary.bytes),
          Self.kind(row),
        ]
        print(columns.joined(separator: "  "))
      }
    }

    private static func size(_ bytes: Int) -> String { String(format: "%9.1f MB", Double(bytes) / 1e6) }

    /// What a model is and can do; or, of a folder that is none, why.
    private static func kind(_ row: ListedModel) -> String {
      let summary = row.summary
      let kind = [summary.type, parameters(summary.parameters), summary.format].compactMap { $0 }
      let abilities = summary.can.map(\.rawValue).joined(separator: ", ")
      let use = summary.problem.map { problem in
        // The folder stands at the line's beginning.
        let own = "\(row.folder): "
        return "cannot be used: " + (problem.hasPrefix(own) ? String(problem.dropFirst(own.count)) : problem)
      }
      return [kind.joined(separator: ", "), use ?? abilities].filter { !$0.isEmpty }
        .joined(separator: "; ").oneLine
    }

    private static func parameters(_ count: Int) -> String? {
      let number = Double(count)
      return switch count {
      case 0: nil
      case ..<1_000_000: String(format: "%.1f k parameters", number / 1e3)
      case ..<1_000_000_000: String(format: "%.1f M parameters", number / 1e6)
      default: String(format: "%.2f B parameters", number / 1e9)
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a model from the hub's cache.",
      discussion: """
        With @REVISION, only files that no other revision uses are removed. To remove a model folder of your own, use rm.

        Example: vugen model remove HuggingFaceTB/SmolVLM-256M-Instruct
        """)

    @Argument(help: "Model in the cache: ORG/NAME, or ORG/NAME@REVISION.", completion: .cachedModels)
    var model: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      guard let name = HubName(model) else {
        throw CommandError(
          "'\(model)' names no model in the hub's cache; write ORG/NAME or ORG/NAME@REVISION")
      }
      let freed = try HubCache().remove(name)
      print(
        try json
          ? jsonLine(["model": .text("\(name)"), "freedBytes": .number(Double(freed))])
          : "removed \(name), \(String(format: "%.1f", Double(freed) / 1e6)) MB")
    }
  }
}
