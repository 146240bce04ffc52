import Foundation

/// What ArgumentParser tells of a command as JSON: the same that `--help` is made from.
struct HelpDump: Decodable {
  let command: Command

  struct Command: Decodable {
    let commandName: String
    let abstract, discussion, defaultSubcommand: String?
    let shouldDisplay: Bool?
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// Those that a person is meant to see.
    var shown: [Command] {
      (subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
    }

    /// Options and arguments of its own: every command has --help, and the first one --version.
    var ownArguments: [Argument] {
      (arguments ?? []).filter {
        $0.shouldDisplay && !["help", "version"].contains($0.preferredName?.name ?? "")
      }
    }
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      let kind, name: String

      /// With its hyphens.
      var typed: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    let kind: String
    let shouldDisplay, isOptional, isRepeating: Bool
    let names: [Name]?
    let preferredName: Name?
    let valueName, defaultValue, abstract: String?
  }

  /// - Parameter json: of `--experimental-dump-help`. Throws what is wrong with it.
  init(json: String) throws { self = try JSONDecoder().decode(HelpDump.self, from: Data(json.utf8)) }
}
