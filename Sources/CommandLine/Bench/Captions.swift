import ArgumentParser
import Foundation
import Tensors
import VUGEN

extension Bench {
  struct Captions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Captions of pictures one by one and in batches, in turn.",
      discussion: """
        Pictures are random, and so are weights unless a model folder is given. One by one, each picture has a \
        conversation of its own. Example: vugen bench captions --batch 16
        """)
    @OptionGroup var options: Options
    @Option(help: "Shape of the model: plm-1b or tiny.") var shape = ModelShape.plm1B
    @Option(
      help: "Model folder to use instead of random weights.", completion: .models, transform: folderPath)
    var model: String?
    @Option(help: "Pictures per batch, 2 to 32.") var batch = 16
    @Option(help: "Tokens per answer.") var tokens = 64
    @Option(help: "Precision: f32 or bf16 (default: the model's usual one).") var precision: Precision?

    func validate() throws {
      if !(2...AnswerBatch.mostSlots).contains(batch) {
        throw ValidationError("--batch must be 2 to \(AnswerBatch.mostSlots).")
      }
      if !(2...4096).contains(tokens) { throw ValidationError("--tokens must be 2 to 4096.") }
    }

    func run() async throws {
      try await options.run { _ in
        let bench = try CaptionBench(
          shape, folder: model.map { EmbeddedModel.folder(for: $0) }, batch: batch, tokens: tokens, precision)
        return try bench.measurements(repeats: options.repeats)
      }
    }
  }
}

/// Captions of random pictures by either way.
@NumericActor
private struct CaptionBench {
  let model: LoadedModel
  let batch, tokens: Int
  let pictures: [Tensor]
  /// Pictures that are described one by one in a turn: their time each hardly differs.
  static let alone = 2

  init(_ shape: ModelShape, folder: String?, batch: Int, tokens: Int, _ precision: Precision?) throws {
    (self.batch, self.tokens) = (batch, tokens)
    if let folder {
      model = try LoadedModel(folder: folder, precision: precision)
    } else {
      model = try LoadedModel(randomTower(shape), shape.byteTokenizer(), folder: shape.rawValue)
      model.tower.precision = precision ?? model.tower.usualPrecision
    }
    var random = Philox(seed: 4)
    let side = model.configuration.vision.imageSize
    pictures = (0..<batch).map { _ in .uniform([1, side, side, 3], low: -1, high: 1, using: &random) }
  }

  /// Alternates between both, so that a machine that becomes slower does so for both.
  func measurements(repeats: Int) throws -> [Measurement] {
    var first: [Double] = [], single: [Double] = [], many: [Double] = [], parts: [AnswerBatch.Times] = []
    var counts: [Int] = []
    // What is slow shows no difference between its first time and its second, and what is fast costs nothing.
    let isFast = try oneByOne(1, most: 2).seconds < 0.5
    if isFast { _ = try together() }
    for _ in 0..<(isFast ? repeats : 1) {
      first.append(try oneByOne(1, most: 1).seconds)
      let alone = try oneByOne(Self.alone, most: tokens)
      single.append(alone.seconds)
      let (seconds, times, count) = try together()
      many.append(seconds)
      parts.append(times)
      counts += [alone.tokens, count]
    }
    let one = mean(single), prompt = mean(first), all = mean(many)
    let decoding = mean(parts.map { $0.tokens / Double(batch) })
    func part(_ name: String, _ seconds: Double) -> Measurement {
      Measurement(name: "batch of \(batch), \(name)", seconds: seconds)
    }
    return [
      Measurement(name: "one by one, a caption", seconds: one, tokensPerSecond: Double(tokens) / one),
      Measurement(name: "one by one, picture and prompt", seconds: prompt),
      Measurement(name: "batch of \(batch), a caption", seconds: all, tokensPerSecond: Double(tokens) / all),
      part("its picture", mean(parts.map { $0.pictures / Double(batch) })),
      part("its prompt", mean(parts.map { $0.prompts / Double(batch) })),
      part("its tokens", decoding),
      Measurement(
        name: "decoding alone, batch over one by one", seconds: decoding, ratio: (one - prompt) / decoding),
      Measurement(
        name: "captions per second, batch over one by one", seconds: all, ratio: one / all,
        bar: counts.allSatisfy { $0 == tokens } ? .atLeast(5) : nil),
    ]
  }

  private func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(max(1, x.count)) }

  private func turn(_ picture: Tensor) -> Turn { Turn(.user, "Describe this picture.", pictures: [picture]) }

  /// Seconds a picture, and the fewest tokens of an answer.
  private func oneByOne(_ count: Int, most: Int) throws -> (seconds: Double, tokens: Int) {
    var fewest = Int.max
    let time = try ContinuousClock().measure {
      for picture in pictures.prefix(count) {
        var random = Philox(seed: 0)
        let talk = Conversation(model)
        fewest = min(fewest, try talk.ask(turn(picture), most: most, using: &random).tokens.count)
      }
    }
    return (seconds(time) / Double(count), fewest)
  }

  private func together() throws -> (seconds: Double, parts: AnswerBatch.Times, tokens: Int) {
    let answers = AnswerBatch(model, slots: batch)
    var rest = pictures[...], fewest = Int.max
    let time = try ContinuousClock().measure {
      try answers.run {
        rest.popFirst().map { .success(BatchQuestion(turn($0), most: tokens)) }
      } onAnswer: { _, answer in
        fewest = min(fewest, try answer.get().tokens.count)
      }
    }
    return (seconds(time) / Double(pictures.count), answers.times, fewest)
  }
}
