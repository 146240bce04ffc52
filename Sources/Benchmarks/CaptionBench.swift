import Foundation
import Tensors
import VUGEN

/// Captions of random pictures by either way.
@NumericActor
public struct CaptionBench {
  let model: LoadedModel
  let batch, tokens: Int
  let pictures: [Tensor]
  /// Pictures that are described one by one in a turn: their time each hardly differs.
  static let alone = 2

  /// - Parameter folder: of a model; nil for random weights of the shape.
  ///
  /// Throws what is wrong with the folder.
  public init(_ shape: ModelShape, folder: String?, batch: Int, tokens: Int, _ precision: Precision?) throws {
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
  public func measurements(repeats: Int) throws -> [Measurement] {
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
    let one = single.mean, prompt = first.mean, all = many.mean
    let decoding = parts.map { $0.tokens / Double(batch) }.mean
    func part(_ name: String, _ seconds: Double) -> Measurement {
      Measurement(name: "batch of \(batch), \(name)", seconds: seconds)
    }
    return [
      Measurement(name: "one by one, a caption", seconds: one, tokensPerSecond: Double(tokens) / one),
      Measurement(name: "one by one, picture and prompt", seconds: prompt),
      Measurement(name: "batch of \(batch), a caption", seconds: all, tokensPerSecond: Double(tokens) / all),
      part("its picture", parts.map { $0.pictures / Double(batch) }.mean),
      part("its prompt", parts.map { $0.prompts / Double(batch) }.mean),
      part("its tokens", decoding),
      Measurement(
        name: "decoding alone, batch over one by one", seconds: decoding, ratio: (one - prompt) / decoding),
      Measurement(
        name: "captions per second, batch over one by one", seconds: all, ratio: one / all,
        bar: counts.allSatisfy { $0 == tokens } ? .atLeast(5) : nil),
    ]
  }

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
    return (time / .seconds(1) / Double(count), fewest)
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
    return (time / .seconds(1) / Double(pictures.count), answers.times, fewest)
  }
}
