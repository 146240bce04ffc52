import ArgumentParser
import Files
import Recipes
import SessionLog

/// Words that are no command, and what they may have meant.
struct WrongCommand: Error {
  /// Of which it would be a command.
  let parent: any ParsableCommand.Type
  let error: ValidationError
}

/// A command that a mistyped word may have meant.
enum Suggestion {
  /// Throws a `WrongCommand` where the first words name no command: `vugen imagin` is not the studio with a session of that
  /// name, unless there is one.
  static func check(_ arguments: [String], sessions: () -> [String]) throws {
    var command: any ParsableCommand.Type = Vugen.self
    // Behind `help` stand the same commands, and no session.
    var isHelp = false
    for word in arguments {
      let children = command.configuration.subcommands, path = Failure.words(to: command)
      func wrong(_ text: String) -> WrongCommand {
        WrongCommand(parent: command, error: ValidationError(text))
      }
      if let told = option(word, before: children.map { name(of: $0) }, of: command, path) {
        throw wrong(told)
      }
      guard !children.isEmpty, !word.hasPrefix("-"), word != "help" || path.count == 1 && !isHelp else {
        return
      }
      if word == "help" {
        isHelp = true
        continue
      }
      if let child = children.first(where: { self.name(of: $0) == word }) {
        command = child
        continue
      }
      // A session's name, or its beginning or end, is what the studio opens.
      let isRoot = path.count == 1 && !isHelp, all = isRoot ? sessions() : []
      if isRoot,
        word == "last" || !word.isEmpty && all.contains(where: { $0.hasPrefix(word) || $0.hasSuffix(word) })
      {
        return
      }
      let meant = NearestName.of(word, among: children.map { self.name(of: $0) })
      let called = (path.dropFirst() + [word.message]).joined(separator: " ")
      throw wrong(
        "there is no command '\(called)'; "
          + (meant.map { "did you mean \($0)?" } ?? "\(path.joined(separator: " ")) --help lists them."))
    }
  }

  /// Throws where a word that begins with a dash is a file that is there: read as options, its letters would mean anything,
  /// the help among them.
  static func checkFiles(_ arguments: [String]) throws {
    for word in arguments.prefix(while: { $0 != "--" })
    where word.hasPrefix("-") && !word.hasPrefix("--") && word.count > 2 && FileName.exists(word) {
      throw ValidationError("unknown option '\(word.message)'; the file of that name is ./\(word.message).")
    }
  }

  /// What belongs to the commands below is no option of the one above: `vugen train --help-recipe` does not say of what.
  private static func option(
    _ word: String, before names: [String], of command: any ParsableCommand.Type, _ path: [String]
  ) -> String? {
    guard word.hasPrefix("-"), let first = names.first,
      command.configuration.defaultSubcommand == nil, !generalOptions.contains(word)
    else { return nil }
    return
      "name one of \(names.joined(separator: ", ")) before \(word.message): \((path + [first]).joined(separator: " ")) \(word.message)"
  }

  private static let generalOptions: Set = [
    "-h", "--help", "-help", "--help-hidden", "--version", "--experimental-dump-help", "--json",
  ]

  private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }
}
