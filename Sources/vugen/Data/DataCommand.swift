import ArgumentParser

struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make data sets, and look at them.",
    subcommands: [DataBuild.self, DataInspect.self, DataTokenizer.self])
}

struct DataBuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Make WebDataset shards.",
    subcommands: [DataBuildScenes.self, DataBuildFolder.self])
}
