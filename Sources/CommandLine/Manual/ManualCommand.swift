import ArgumentParser

struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Print the manual page, which `make man` keeps in Documentation/vugen.1.",
    shouldDisplay: false)

  func run() throws { print(try ManualPage.text(), terminator: "") }
}
