import ArgumentParser
import Files
import Foundation
import ModelFiles
import Pictures
import Requests
import Tensors
import VUGEN

struct Encode: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a picture's understanding features, before and after the projector.",
    discussion: "Example: vugen encode car.png --output car.safetensors")

  @OptionGroup var model: ModelOptions
  @Option(
    name: .shortAndLong,
    help: "File to write (.safetensors): features [patches, channels], projected [tokens, hidden].",
    completion: .file(extensions: ["safetensors"]), transform: writtenPath)
  var output: String
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print one JSON object.") var json = false
  @Argument(help: "Picture file, or - for standard input.", completion: .pictures, transform: namedPath)
  var file: String

  func validate() throws {
    try checkOutput(output, isNoneOf: [file, model.folder])
    try checkEnding(of: output, ["safetensors"])
    try BinaryOutput.check([output], isJSON: json)
  }

  @NumericActor
  func run() async throws {
    Interruption.leave()
    BinaryOutput.take([output])
    try existing.check(output)
    let loaded = try model.load()
    let (features, projected) = loaded.tower.encode(
      loaded.configuration.vision.tiles(of: try model.picture(file, loaded), model.tiling))
    let flat = [
      "features": features.reshaped([-1, features.size(-1)]),
      "projected": projected.reshaped([-1, projected.size(-1)]),
    ]
    try existing.write(output) { try SafetensorsWriter.write(flat, to: $0) }
    let shapes = flat.mapValues(\.shape)
    if json {
      print(try jsonLine(of: shapes))
    } else {
      for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) { print("\(name) \(shape)") }
    }
  }
}

struct Score: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the log-probability of each token of an answer about a picture.",
    discussion: "Example: vugen score --image car.png --text 'a red car'")

  @OptionGroup var model: ModelOptions
  @Option(help: "Picture file, or - for standard input.", completion: .pictures, transform: namedPath)
  var image: String?
  @Option(help: "Text to score.", transform: spokenText) var text: String
  @Option(help: "Question that the text answers.") var question = "Describe this picture."
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if text.allSatisfy(\.isWhitespace) {
      throw ValidationError("--text is empty; give the words whose probability is wanted.")
    }
    if question.allSatisfy(\.isWhitespace) {
      throw ValidationError("--question is empty; say what the text answers, or leave it out.")
    }
  }

  private struct Report: Codable {
    var tokens: [Int32]
    /// What each token reads like.
    var texts: [String]
    var logProbabilities: [Float]
    var sum: Float
    var pictures: Int
  }

  @NumericActor
  func run() async throws {
    Interruption.leave()
    let loaded = try model.load()
    let conversation = Conversation(loaded)
    let asked = Question(question, pictures: try image.map { [try model.picture($0, loaded)] } ?? [])
    let turn = Turn(asked, for: loaded, model.tiling)
    let (tokens, values) = try conversation.score(text, after: turn)
    let sum = values.reduce(0, +)
    if json {
      print(
        try jsonLine(
          of: Report(
            tokens: tokens, texts: tokens.map { loaded.tokenizer.decode([$0]) }, logProbabilities: values,
            sum: sum, pictures: image == nil ? 0 : 1)))
      return
    }
    for (token, value) in zip(tokens, values) {
      print(String(format: "%10.4f  ", value) + loaded.tokenizer.decode([token]).debugDescription)
    }
    print(String(format: "%10.4f  all", sum))
    try Output.finish()
    if image == nil { noteMissingPicture() }
  }
}
