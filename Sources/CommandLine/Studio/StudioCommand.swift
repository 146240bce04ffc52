import ArgumentParser
import Files
import Foundation
import SessionLog
import Studio
import Tensors
import Terminal
import VUGEN

struct StudioCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "studio",
    abstract: "Open the studio: ask, draw, compare, replay (the default command).",
    discussion: """
      Settings are read from $XDG_CONFIG_HOME/vugen/config.toml: \
      \(StudioConfiguration.keys.map { "\($0.0) (\($0.1))" }.joined(separator: "; ")). \
      Your own themes go into $XDG_CONFIG_HOME/vugen/themes.

      Example: vugen studio --theme nord
      """)

  @Option(
    help: "Model folder (default: nano, the built-in model).", completion: .models, transform: folderPath)
  var model: String?
  @Option(help: "Theme name.", completion: .themes) var theme: String?
  @Option(help: "Folder with additional themes.", completion: .directory, transform: namedPath)
  var themes: String?
  @Option(
    help: "How pictures are shown: auto, sixel, kitty, blocks or none.",
    completion: .list(["auto"] + Graphics.allCases.map(\.rawValue)))
  var graphics: String?
  @Option(parsing: .unconditional, help: "Number of threads (default: one per physical core).") var threads:
    Int32?
  @Flag(help: "Open the session without writing to it.") var readOnly = false
  @Argument(
    help: """
      Session to resume: its id, the start or the end of one, its title, or last, the one used last (default: a new one).
      """,
    completion: .sessions)
  var session: String?

  func validate() throws {
    if let graphics, graphics != "auto", Graphics(rawValue: graphics) == nil {
      throw ValidationError("--graphics must be auto, sixel, kitty, blocks or none.")
    }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  func run() async throws {
    if let threads { Threads.count = threads }
    var studio = StudioProgram(modelFolder: EmbeddedModel.folder(for: model), store: .standard())
    if let session { studio.beginning = .session(session, isReadOnly: readOnly) }
    (studio.theme, studio.themeFolder) = (theme, themes)
    studio.graphics = graphics.map { Graphics(rawValue: $0).map { .fixed($0) } ?? .asked }
    try studio.runAndLeave()
  }
}

extension StudioProgram {
  /// Runs the studio and ends the process at once: the model may be at work on its thread, and the libraries'
  /// destructors must not pull its memory from under it. Sessions are flushed at each entry.
  func runAndLeave() throws -> Never {
    MemoryPool.shared.whenExhausted {
      Screen.giveBack(saying: "ran \($0)")
      PartialOutput.removeAll()
      leave(with: 1)
    }
    let ended = try run()
    ended.farewell.forEach { note($0) }
    ended.unwritten?.split(separator: "\n").forEach { note(String($0)) }
    leave(with: ended.unwritten != nil && ended.status == 0 ? 1 : ended.status)
  }
}

private func leave(with status: Int32) -> Never {
  fflush(nil)
  _exit(status)
}
