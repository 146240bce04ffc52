import ArgumentParser
import Files
import ModelFiles
import SessionLog
import VUGEN

struct PathsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paths", abstract: "Show file locations.", discussion: "Example: vugen paths")
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let cache = HubCache().folder
    if json {
      print(
        try jsonLine([
          "configuration": .text("\(Paths.configuration())/config.toml"),
          "themes": .text("\(Paths.configuration())/themes"),
          "sessions": .text(SessionStore.standard().folder), "history": .text("\(Paths.state())/history"),
          "model": .text(EmbeddedModel.folder), "fetchedModels": .text(cache),
          "programThemes": .list(ProgramFiles.themeFolders.map { .text($0) }),
        ]))
      return
    }
    print("configuration  \(Paths.configuration())/config.toml")
    print("themes         \(Paths.configuration())/themes")
    print("sessions       \(SessionStore.standard().folder)")
    print("history        \(Paths.state())/history")
    print("model          \(EmbeddedModel.folder)")
    print("fetched models \(cache)")
    for folder in ProgramFiles.themeFolders { print("more themes    \(folder)") }
  }
}
