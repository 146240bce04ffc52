import ArgumentParser
import Foundation
import ModelFiles
import Pictures
import Requests
import Tensors
import VUGEN

struct Ask: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask the model a question, with or without pictures.",
    discussion: """
      Without a picture the answer comes from the question's words alone, and a line on standard error says so; \
      with --json, "pictures" is 0. "tokensPerSecond" is how fast the answer grew once pictures and question were read.

      Example: vugen ask --image car.png 'What colour is the car?'
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var options: SamplingOptions
  @Option(
    name: .long, help: "Picture file, or - for standard input; repeat for several.",
    completion: .pictures, transform: namedPath)
  var image: [String] = []
  @Flag(help: "Print one JSON object.") var json = false
  @OptionGroup var tokens: TokensOption
  @Argument(help: "The question, or - to read it from standard input.", transform: spokenText)
  var question: String

  func validate() throws {
    if question.allSatisfy(\.isWhitespace) {
      throw ValidationError("the question is empty; say what to ask.")
    }
    if image.count(where: { $0 == "-" }) + (question == "-" ? 1 : 0) > 1 {
      throw ValidationError("only one of the question and the pictures can come from standard input.")
    }
  }

  @NumericActor
  private func asked(of model: LoadedModel) throws -> Question<Picture> {
    let text =
      question == "-"
      ? try StandardInput.text() : question
    guard !text.allSatisfy(\.isWhitespace) else { throw PromptError.empty }
    let pictures = try image.map { try self.model.picture($0, model) }
    return Question(text, pictures: pictures, temperature: options.temperature, seed: options.seed)
  }

  @NumericActor
  func run() async throws {
    Interruption.watch()
    let loaded = try model.load()
    let conversation = Conversation(loaded), asked = try asked(of: loaded)
    let turn = Turn(asked, for: loaded, model.tiling)
    let count = conversation.tokenCount(asking: turn)
    // One that is too long is not read at all.
    if count < loaded.configuration.text.context { announce(tokens: count) }
    var random = Philox(seed: asked.seed), answer: (tokens: [Int32], text: String, stop: StopReason)?
    let asJSON = json
    var lost: (any Error)?
    let seconds =
      try ContinuousClock().measure {
        answer = try conversation.ask(
          turn, sampling: options.sampling, most: options.maxTokens, using: &random,
          isCancelled: { Interruption.isRequested || lost != nil },
          onText: { text in
            guard !asJSON else { return }
            do { try Output.show(said: text) } catch { lost = error }
          })
      } / .seconds(1)
    if let lost { throw lost }
    guard let answer else { return }
    if asJSON {
      let report = AnswerReport(
        pictures: image.count, text: answer.text, tokens: tokens.chosen(answer.tokens),
        promptTokens: tokens.chosen(conversation.promptTokens),
        stopReason: answer.stop,
        seconds: seconds, tokensPerSecond: conversation.tokensPerSecond,
        model: ModelFolder.name(of: model.folder))
      if answer.stop == .cancelled { InterruptionReport.note(report) } else { print(try report.line()) }
    } else {
      print()
      // Behind the answer: a failure is one line.
      try Output.finish()
      if image.isEmpty { noteMissingPicture() }
    }
    if answer.stop == .cancelled { throw CancellationError() }
  }
}
