import ArgumentParser
import Foundation
import SessionLog
import Tensors

@main
struct Vugen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vugen",
    abstract: "A terminal studio around a unified vision-language model: ask about pictures, and draw them.",
    version: Version.text,
    subcommands: [
      StudioCommand.self, Ask.self, Caption.self, Imagine.self, Reconstruct.self, Encode.self, Score.self,
      DataCommand.self, Train.self, Evaluate.self,
      Model.self, Bench.self, Sessions.self, ReplayCommand.self, Doctor.self, PathsCommand.self,
      ManualCommand.self,
    ], defaultSubcommand: StudioCommand.self)

  /// Exit status 0 done, 1 failed, 2 wrong usage. With `--json`, an error is one JSON object.
  static func main() async {
    Output.prepare()
    InterruptionReport.watch()
    MemoryPool.shared.whenExhausted { Failure(Vugen.self, isJSON: ProgramArguments.wantsJSON).end(with: $0) }
    let words = ProgramArguments.words
    Threads.refusedWish = EnvironmentComplaints.refusedThreads
    var type: any ParsableCommand.Type = Vugen.self
    do {
      do { try Suggestion.check(words) { SessionStore.standard().ids() } } catch let wrong as WrongCommand {
        type = wrong.parent
        throw wrong.error
      }
      try Suggestion.checkFiles(words)
      var command: any ParsableCommand
      do { command = try parseAsRoot(words) } catch  where exitCode(for: error) == .validationFailure {
        guard let found = UnknownOption.found(in: words) else { throw error }
        type = found.command
        throw found.error
      }
      type = Swift.type(of: command)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try Output.finish()
      // Behind the work: beside a failure there is one line.
      EnvironmentComplaints.tell(behind: type)
    } catch {
      Failure(type, isJSON: ProgramArguments.wantsJSON).end(with: error)
    }
  }
}
