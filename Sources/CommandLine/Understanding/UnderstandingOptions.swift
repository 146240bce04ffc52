import ArgumentParser
import Files
import Foundation
import Pictures
import Tensors
import VUGEN

extension Precision: ExpressibleByArgument {}

/// Which model answers, and on how many threads.
struct ModelOptions: ParsableArguments {
  @Option(
    help: """
      Model folder in the Hugging Face layout, or ORG/NAME[@REVISION] of a model that was pulled (default: nano, the \
      built-in model).
      """,
    completion: .models, transform: folderPath)
  var model: String?
  @Option(parsing: .unconditional, help: "Number of threads (default: one per physical core).")
  var threads: Int32?
  @Option(
    parsing: .unconditional,
    help: "Maximum tiles per picture, besides its thumbnail; 0 reads the whole picture as one tile.")
  var tiles = 0

  @Option(
    help: """
      Precision of products with stored weights: f32, or bf16, which is faster on processors that multiply it \
      (default: bf16 for large models, f32 for small ones).
      """)
  var precision: Precision?

  @Option(parsing: .unconditional, help: "Refuse pictures with more pixels than this.")
  var maxPixels = Picture.Limits().pixels
  @Option(
    help: """
      srgb converts pictures with a colour profile to sRGB; stored uses the stored values unchanged and decodes large \
      JPEGs at full size, as the models' reference code does.
      """)
  var colours = Picture.Colours.srgb

  func validate() throws {
    if maxPixels < 1 { throw ValidationError("--max-pixels must be at least 1.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
    if !(0...36).contains(tiles) { throw ValidationError("--tiles must be 0 to 36.") }
  }

  var folder: String { EmbeddedModel.folder(for: model) }

  var tiling: Tiling { tiles == 0 ? .single : .thumbnailAndTiles(most: tiles) }

  @NumericActor
  func load() throws -> LoadedModel {
    if let threads { Threads.count = threads }
    return try LoadedModel(folder: folder, precision: precision)
  }

  /// A picture as large as the model looks at it.
  @NumericActor
  func picture(_ path: String, _ model: LoadedModel) throws -> Picture {
    // How many tiles there are depends on the picture's own size.
    let side = model.configuration.vision.neededSide(tiling)
    return try readPicture(path, pictureLimits(side.map { .square($0) }))
  }

  /// What a picture may cost, and what of it is needed.
  func pictureLimits(_ wanted: Picture.Wanted? = nil) -> Picture.Limits {
    var limits = Picture.Limits(pixels: maxPixels)
    limits.colours = colours
    limits.wanted = wanted
    return limits
  }
}

extension Picture.Colours: ExpressibleByArgument {}

/// A picture file, or standard input for `-`.
func readPicture(_ path: String, _ limits: Picture.Limits = Picture.Limits()) throws -> Picture {
  guard path == "-" else { return try Picture(path: path, limits: limits) }
  return try Picture(descriptor: STDIN_FILENO, name: "standard input", limits: limits)
}

/// How tokens are chosen.
struct SamplingOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Sampling temperature; 0 always takes the most likely token.")
  var temperature: Float = 0
  @Option(parsing: .unconditional, help: "Sample from the K most likely tokens only; 0 for all.") var topK = 0
  @Option(parsing: .unconditional, help: "Sample from the most likely tokens that together reach P.")
  var topP: Float = 1
  @Option(parsing: .unconditional, help: "Drop tokens less than P times as likely as the most likely one.")
  var minP: Float = 0
  @Option(parsing: .unconditional, help: "Repetition penalty; 1 for none.") var repetitionPenalty: Float = 1
  @Option(parsing: .unconditional, help: "Random seed.") var seed: UInt64 = 0
  @Option(parsing: .unconditional, help: "Maximum answer length, in tokens.") var maxTokens = 256

  func validate() throws {
    if !(0...100).contains(temperature) { throw ValidationError("--temperature must be 0 to 100.") }
    if topK < 0 { throw ValidationError("--top-k must be 0 or more.") }
    if !(0...1).contains(topP) || topP == 0 {
      throw ValidationError("--top-p must be above 0 and at most 1.")
    }
    if !(0...1).contains(minP) { throw ValidationError("--min-p must be 0 to 1.") }
    if !(repetitionPenalty > 0 && repetitionPenalty <= 100) {
      throw ValidationError("--repetition-penalty must be above 0 and at most 100.")
    }
    if maxTokens < 1 { throw ValidationError("--max-tokens must be at least 1.") }
  }

  var sampling: Sampling {
    Sampling(
      temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: repetitionPenalty)
  }
}

/// How many questions are answered at once.
struct BatchOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: """
      Questions answered at once, 1 to 32 (default: as many as fit into half of the free memory, at most 16).
      """)
  var batch: Int?

  func validate() throws {
    if let batch, !(1...AnswerBatch.mostSlots).contains(batch) {
      throw ValidationError("--batch must be 1 to \(AnswerBatch.mostSlots).")
    }
  }

  /// For `count` questions like `question`, each about one picture.
  @NumericActor
  func slots(
    _ model: LoadedModel, _ options: ModelOptions, asking question: String, most: Int, of count: Int
  ) -> Int {
    if let batch { return batch }
    let text = Conversation(model).tokenCount(asking: Turn(.user, question))
    // A thumbnail, and tiles beside it.
    let picture = (1 + options.tiles) * model.configuration.tokensPerTile
    let memory = BatchMemory(model.configuration, promptTokens: text + picture, most: most)
    return min(max(1, count), memory.slots(free: SystemMemory.roomBytes))
  }
}

/// What `ask` and `caption` print with `--json`.
struct AnswerReport: Codable {
  var file: String?
  /// How many pictures the question was asked about.
  var pictures: Int
  var text: String
  /// The same, as lists and shards call it: of `caption` alone.
  var caption: String?
  /// Only where they are asked for.
  var tokens, promptTokens: [Int32]?
  var stopReason: StopReason
  var seconds: Double
  /// How fast the answer grew once its prompt was read; nil for one that ended at its first token.
  var tokensPerSecond: Double?
  var model: String

  func line() throws -> String {
    try jsonLine(of: self)
  }
}

/// Numbers that only few who read JSON want.
struct TokensOption: ParsableArguments {
  @Flag(name: .customLong("tokens"), help: "With JSON: also print the token numbers of prompt and answer.")
  var isGiven = false

  func chosen(_ tokens: [Int32]) -> [Int32]? { isGiven ? tokens : nil }
}

/// Says that a question was about nothing but its words: `What is this?` without a picture is answered, too.
func noteMissingPicture() {
  note("no picture was given, so the answer comes from the words alone; --image FILE shows one")
}

/// Says how much is to be read when it is a lot.
func announce(tokens: Int) {
  guard tokens > 1000 else { return }
  note("reading a prompt of \(tokens) tokens")
}
