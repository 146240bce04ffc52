import ArgumentParser
import Files
import Recipes

/// The option that a command does not have, where one is the cause of what went wrong: `caption --jsn` lacks no picture, but
/// an a. ArgumentParser looks at what is missing first.
enum UnknownOption {
  /// What is wrong with the first word that is no option of its command, and that command; nil where all are.
  static func found(in arguments: [String]) -> (error: ValidationError, command: any ParsableCommand.Type)? {
    var words = arguments.prefix { $0 != "--" }[...], command: any ParsableCommand.Type = Vugen.self
    while let word = words.first,
      let child = command.configuration.subcommands.first(where: { $0._commandName == word })
    {
      (command, words) = (child, words.dropFirst())
    }
    if let first = command.configuration.defaultSubcommand { command = first }
    guard let options = Options(of: command), let word = options.firstUnknown(in: Array(words)) else {
      return nil
    }
    let name = String(word.prefix { $0 != "=" })
    let nearest = name.hasPrefix("--") ? NearestName.of(name, among: options.names.sorted()) : nil
    let called = Failure.words(to: command).joined(separator: " ")
    let help = nearest.map { "did you mean \($0)?" } ?? "\(called) --help lists those that there are."
    return (ValidationError("unknown option '\(name.message)'; \(help)"), command)
  }

  /// The options of one command, as its help has them.
  private struct Options {
    /// With their hyphens.
    private(set) var names: Set<String> = [
      "-h", "--help", "-help", "--help-hidden", "--version", "--experimental-dump-help",
      "--generate-completion-script",
    ]
    private var valued: Set<String> = ["--generate-completion-script"]

    /// nil where ArgumentParser's description cannot be read.
    init?(of command: any ParsableCommand.Type) {
      guard let dump = try? HelpDump(json: command._dumpHelp()) else { return nil }
      for argument in dump.command.arguments ?? [] {
        let typed = (argument.names ?? []).map(\.typed)
        names.formUnion(typed)
        if argument.kind == "option" { valued.formUnion(typed) }
      }
    }

    func firstUnknown(in words: [String]) -> String? {
      var isValue = false
      return words.first { word in
        // What stands behind an option may be its value, whatever it begins with.
        if isValue {
          isValue = false
          return false
        }
        guard word.hasPrefix("-"), word != "-" else { return false }
        isValue = valued.contains(word)
        return !isKnown(word)
      }
    }

    private func isKnown(_ word: String) -> Bool {
      let name = String(word.prefix { $0 != "=" })
      if names.contains(name) { return true }
      // Letters of several options, one after the other.
      return !word.hasPrefix("--") && name.dropFirst().allSatisfy { names.contains("-\($0)") }
    }
  }
}
