import ArgumentParser
import Files
import Recipes
import SessionLog

/// A command that a mistyped word may have meant.
enum Suggestion {
  /// Throws a `ValidationError` where the first words name no command: `vugen imagin` is not the studio with a session of
  /// that name, unless there is one.
  static func check(_ arguments: [String], sessions: () -> [String]) throws {
    var command: any ParsableCommand.Type = Vugen.self
    for word in arguments {
      let children = command.configuration.subcommands
      guard !children.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      if let child = children.first(where: { self.name(of: $0) == word }) {
        command = child
        continue
      }
      // A session's name, or its beginning or end, is what the studio opens.
      let isRoot = ObjectIdentifier(command) == ObjectIdentifier(Vugen.self), all = isRoot ? sessions() : []
      if isRoot,
        word == "last" || !word.isEmpty && all.contains(where: { $0.hasPrefix(word) || $0.hasSuffix(word) })
      {
        return
      }
      let meant = NearestName.of(word, among: children.map { self.name(of: $0) })
      guard isRoot || meant != nil else { return }
      throw ValidationError(
        "there is no command '\(word.message)'; "
          + (meant.map { "did you mean \($0)?" } ?? "vugen --help lists them."))
    }
  }

  private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }
}
