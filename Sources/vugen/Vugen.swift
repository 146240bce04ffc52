import ArgumentParser
import Foundation
import SessionLog

@main
struct Vugen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vugen",
    abstract: "A studio around a unified vision-language model, in your terminal.",
    version: Version.text,
    subcommands: [
      Studio.self, Ask.self, Caption.self, Imagine.self, Reconstruct.self, Encode.self, Score.self,
      DataCommand.self, Train.self, Evaluate.self,
      Model.self, Bench.self, Sessions.self, ReplayCommand.self, Doctor.self, PathsCommand.self,
    ], defaultSubcommand: Studio.self)

  /// Exit status 0 done, 1 failed, 2 wrong usage. With `--json`, an error is one JSON object.
  static func main() async {
    do {
      try Suggestion.check(Array(CommandLine.arguments.dropFirst())) { SessionStore.standard().ids() }
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      fail(error)
    }
  }

  private static func fail(_ error: any Error) -> Never {
    // A command's own status, such as 128 and a signal's number; what it had to say is said.
    if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
    let code = exitCode(for: error)
    if code == .success { exit(withError: error) }  // --help and --version
    let isUsage = code == .validationFailure
    if CommandLine.arguments.contains("--json") {
      let text = isUsage ? message(for: error) : String(describing: error)
      let encoder = JSONEncoder()
      encoder.outputFormatting = .withoutEscapingSlashes
      let object = try? encoder.encode(["error": text])
      print(object.map { String(decoding: $0, as: UTF8.self) } ?? "{\"error\":\"unknown\"}")
    } else {
      let text = isUsage ? fullMessage(for: error) : "vugen: \(error)"
      FileHandle.standardError.write(Data((text + "\n").utf8))
    }
    Foundation.exit(isUsage ? 2 : 1)
  }
}
