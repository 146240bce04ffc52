import ArgumentParser
import Files
import Foundation
import Training

/// What the program was started with.
enum ProgramArguments {
  /// The words behind the program's name. One that is not UTF-8 is text of `FileName`, so that the file it names is found.
  static let words: [String] = Swift.CommandLine.unsafeArgv.words(Int(Swift.CommandLine.argc)).map(
    FileName.text)

  /// Whether a failure is told as an object, also where the words make no sense.
  static var wantsJSON: Bool { words.prefix { $0 != "--" }.contains("--json") }
}

extension UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
  /// The bytes of each of `count` words but the first.
  fileprivate func words(_ count: Int) -> [[UInt8]] {
    (0..<count).dropFirst().compactMap { i in
      self[i].map { word in (0..<strlen(word)).map { UInt8(bitPattern: word[$0]) } }
    }
  }
}

/// How a command ends that does not end well: one line on standard error, or one object on standard output.
struct Failure {
  /// The command that was at work; the program itself before one was found.
  private let command: any ParsableCommand.Type
  private let isJSON: Bool

  init(_ command: any ParsableCommand.Type, isJSON: Bool) { (self.command, self.isJSON) = (command, isJSON) }

  /// - Parameter speaks: whether this process says it, where there are several.
  func end(with error: any Error, speaks: Bool = !Company.isSilent) -> Never {
    // What went wrong for one of several processes ends all, and one of them says it.
    if let shared = error as? SharedFailure {
      end(with: shared.reason ?? ExitCode(1), speaks: shared.isTold)
    }
    // A command's own status, such as 128 and a signal's number; what it had to say is said.
    if let code = error as? ExitCode {
      do { try Output.finish() } catch  where code != .success { writeError("vugen: \(error)\n") } catch {
        end(with: error)
      }
      // A library's thread that is still at work must not see its library taken down.
      if Patience.leavesWork {
        PartialOutput.removeAll()
        _exit(code.rawValue)
      }
      exit(code.rawValue)
    }
    // What a signal has ended between two steps, or while it waited for others, or decoded.
    if error is CancellationError || error is Patience.Ended && Interruption.isRequested {
      if speaks { InterruptionReport.tell(status: Interruption.status) }
      end(with: ExitCode(Interruption.status))
    }
    let code = Vugen.exitCode(for: error)
    if code == .success {  // --help and --version
      print(Vugen.fullMessage(for: error))
      do { try Output.finish() } catch { end(with: error) }
      exit(0)
    }
    let isUsage = code == .validationFailure
    if speaks { tell(error, isUsage: isUsage) }
    exit(isUsage ? 2 : 1)
  }

  /// Says what went wrong.
  func tell(_ error: any Error, isUsage: Bool = false) {
    if isJSON {
      let text = (isUsage ? Self.usageMessage(of: error) : Company.place + Self.reason(of: error)).message
      print((try? jsonLine(["error": .text(text)])) ?? "{\"error\":\"unknown\"}")
      // Where this cannot be printed either, it is said elsewhere.
      if (try? Output.finish()) == nil { writeError("vugen: \(text)\n") }
    } else {
      _ = try? Output.finish()
      writeError(
        (isUsage ? usage(error) : "vugen: \((Company.place + Self.reason(of: error)).message)") + "\n")
    }
  }

  /// What is wrong in one line, and how the command is used.
  private func usage(_ error: any Error) -> String {
    let message = Self.usageMessage(of: error)
    guard error is ValidationError else {
      // ArgumentParser knows the command, and says more of the option. The line of the error is the first.
      let rest = Vugen.fullMessage(for: error).terminalSafe.components(separatedBy: "\n")
      let help = rest.drop { !$0.hasPrefix("Help:") && !$0.hasPrefix("Usage:") }
      return "vugen: \(message.message)\(Self.quoting(message))\n"
        + help.map { "\n" + $0 }.joined().dropFirst()
    }
    let words = Self.words(to: command)
    return """
      vugen: \(message.message)
      Usage: \(Vugen.usageString(for: command))
        See '\(words.joined(separator: " ")) --help' for more information.
      """
  }

  /// What ArgumentParser says over several lines is one.
  private static func usageMessage(of error: any Error) -> String {
    let message = Vugen.message(for: error)
    return error is ValidationError ? message : message.replacing("\n", with: " ")
  }

  /// `vugen imagine a red apple` is a prompt without its quotes.
  private static func quoting(_ message: String) -> String {
    let names = ["imagine", "ask", "score"], words = ProgramArguments.words
    guard let first = words.first, names.contains(first), message.lowercased().contains("unexpected argument")
    else {
      return ""
    }
    // `vugen ask "what is it?" cat.png`, as other programs take it.
    let option = ["ask": "--image", "imagine": "--from"][first]
    if let option, let file = words.dropFirst(2).first(where: FileName.exists) {
      return "; a picture goes with \(option): vugen \(first) … \(option) \(file.message)"
    }
    let spoken = words.dropFirst().prefix { !$0.hasPrefix("-") }.joined(separator: " ")
    return spoken.isEmpty || first == "score"
      ? "; put words that belong together in quotes"
      : "; put the \(first == "ask" ? "question" : "prompt") in quotes: vugen \(first) '\(spoken.message)'"
  }

  /// The words that a command is called by.
  static func words(to command: any ParsableCommand.Type) -> [String] {
    func search(_ from: any ParsableCommand.Type) -> [String]? {
      if from == command { return [from._commandName] }
      return from.configuration.subcommands.lazy.compactMap(search).first.map { [from._commandName] + $0 }
    }
    return search(Vugen.self) ?? [Vugen._commandName]
  }

  /// In words. Foundation's errors are long, and none of them says what the system said.
  static func reason(of error: any Error) -> String {
    switch error {
    case let error as DecodingError: return decoding(error)
    case EncodingError.invalidValue(_, let context): return context.debugDescription
    default: break
    }
    guard type(of: error) is NSError.Type || error is CocoaError || error is POSIXError else {
      return "\(error)"
    }
    let path = (error as NSError).userInfo[NSFilePathErrorKey] as? String
    return (path.map { "\($0): " } ?? "") + FileName.reason(of: error)
  }

  private static func decoding(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return path.isEmpty ? "" : path.joined(separator: ".") + ": "
    }
    switch error {
    case .keyNotFound(let key, let context): return place(context) + "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return place(context) + context.debugDescription
    @unknown default: return "a value cannot be read"
    }
  }
}

/// An error of a command, in one line.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
