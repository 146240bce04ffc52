import ArgumentParser

struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Build and inspect data sets.",
    subcommands: [DataBuild.self, DataInspect.self, DataTokenizer.self])
}

struct DataBuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build WebDataset shards.",
    subcommands: [DataBuildScenes.self, DataBuildFolder.self])
}
