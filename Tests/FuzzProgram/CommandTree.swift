import Foundation

/// What the program says of its commands: `--experimental-dump-help`. A new command is found without a list.
struct CommandTree: Decodable {
  let command: Command

  struct Command: Decodable {
    let commandName: String
    let subcommands: [Command]?
    let arguments: [Argument]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      let kind, name: String

      var typed: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    struct Completion: Decodable {
      struct List: Decodable { let values: [String] }
      struct File: Decodable { let extensions: [String] }
      struct Nothing: Decodable {}

      let list: List?
      let file: File?
      let directory, custom: Nothing?
    }

    let kind: String
    let isOptional, isRepeating: Bool
    let names: [Name]?
    let preferredName: Name?
    let valueName, defaultValue, abstract: String?
    let allValues: [String]?
    let completionKind: Completion?

    /// Without hyphens.
    var name: String { preferredName?.name ?? valueName ?? "" }
  }

  /// A command that does something, and the words that lead to it.
  struct Leaf {
    let words: [String]
    let arguments: [Argument]

    var title: String { words.joined(separator: " ") }

    func option(_ name: String) -> Argument? {
      arguments.first { $0.kind != "positional" && $0.name == name }
    }
  }

  /// The root stands for a command line without a command. What a shell asks for at a press of Tab is among them, once
  /// for each name of an option.
  var leaves: [Leaf] {
    let all = Self.leaves(of: command, [])
    var known: Set<String> = []
    let completions = all.flatMap { leaf in
      leaf.arguments.filter { $0.kind == "option" && $0.completionKind?.custom != nil }.compactMap {
        let option = $0.preferredName?.typed ?? ""
        guard known.insert(option).inserted else { return nil as Leaf? }
        return Leaf(
          words: ["---completion"] + leaf.words + ["--", option, "1", "0", "vugen", "i"], arguments: [])
      }
    }
    return all + completions
  }

  private static func leaves(of command: Command, _ words: [String]) -> [Leaf] {
    let own = Leaf(words: words, arguments: command.arguments ?? [])
    let children = (command.subcommands ?? []).filter { $0.commandName != "help" }
    return [own] + children.flatMap { leaves(of: $0, words + [$0.commandName]) }
  }
}
