import ArgumentParser

struct Model: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Look into model files.", subcommands: [])
}
