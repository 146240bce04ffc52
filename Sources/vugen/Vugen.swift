import ArgumentParser

@main
struct Vugen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vugen",
    abstract: "A studio around a unified vision-language model, in your terminal.",
    version: "0.1.0",
    subcommands: [Model.self, Bench.self])
}
