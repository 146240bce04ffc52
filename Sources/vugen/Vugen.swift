import ArgumentParser
import Foundation
import SessionLog

@main
struct Vugen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vugen",
    abstract: "A terminal studio around a unified vision-language model: ask about pictures, and draw them.",
    version: Version.text,
    subcommands: [
      Studio.self, Ask.self, Caption.self, Imagine.self, Reconstruct.self, Encode.self, Score.self,
      DataCommand.self, Train.self, Evaluate.self,
      Model.self, Bench.self, Sessions.self, ReplayCommand.self, Doctor.self, PathsCommand.self,
      ManualCommand.self,
    ], defaultSubcommand: Studio.self)

  /// Exit status 0 done, 1 failed, 2 wrong usage. With `--json`, an error is one JSON object.
  static func main() async {
    Output.prepare()
    do {
      try Suggestion.check(Array(CommandLine.arguments.dropFirst())) { SessionStore.standard().ids() }
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try Output.finish()
    } catch {
      fail(error)
    }
  }

  /// One line. Foundation's errors are long, and none of them says what the system said.
  private static func plainReason(_ error: any Error) -> String {
    guard type(of: error) is NSError.Type || error is CocoaError || error is POSIXError else {
      return "\(error)".terminalSafe
    }
    let whole = error as NSError
    let inner = whole.userInfo[NSUnderlyingErrorKey] as? NSError ?? whole
    let reason =
      inner.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(inner.code))) : whole.localizedDescription
    let path = whole.userInfo[NSFilePathErrorKey] as? String
    return ((path.map { "\($0): " } ?? "") + reason).oneLine
  }

  private static func fail(_ error: any Error) -> Never {
    // A command's own status, such as 128 and a signal's number; what it had to say is said.
    if let code = error as? ExitCode {
      do { try Output.finish() } catch  where code != .success { writeError("vugen: \(error)\n") } catch {
        fail(error)
      }
      Foundation.exit(code.rawValue)
    }
    let code = exitCode(for: error)
    if code == .success {  // --help and --version
      print(fullMessage(for: error))
      do { try Output.finish() } catch { fail(error) }
      Foundation.exit(0)
    }
    let isUsage = code == .validationFailure
    if CommandLine.arguments.contains("--json") {
      let text = isUsage ? message(for: error) : plainReason(error)
      let encoder = JSONEncoder()
      encoder.outputFormatting = .withoutEscapingSlashes
      let object = try? encoder.encode(["error": text])
      print(object.map { String(decoding: $0, as: UTF8.self) } ?? "{\"error\":\"unknown\"}")
      // Where this cannot be printed either, it is said elsewhere.
      if (try? Output.finish()) == nil { writeError("vugen: \(text)\n") }
    } else {
      _ = try? Output.finish()
      writeError((isUsage ? fullMessage(for: error) : "vugen: \(plainReason(error))") + "\n")
    }
    Foundation.exit(isUsage ? 2 : 1)
  }
}
