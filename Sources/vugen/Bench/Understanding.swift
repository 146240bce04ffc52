import ArgumentParser
import Foundation
import Layers
import ModelFiles
import Tensors
import VUGEN

extension Bench {
  struct Understanding: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The understanding tower: encoder, prefill and decoding, in bf16, 8 and 4 bits.",
      discussion: """
        Weights are random; decoding's share is of what the measured read bandwidth allows when every weight is
        read once a token. Example: vugen bench understanding --shape plm-1b
        """)
    @OptionGroup var options: Options
    @Option(help: "plm-1b or tiny.") var shape = ModelShape.plm1B
    @Option(help: "Measure loading and memory of this folder instead, such as one of `vugen model init`.")
    var model: String?

    func run() async throws {
      try await options.run { machine in
        if let model { return try folderMeasurements(model, repeats: options.repeats) }
        let first = try firstTokenMeasurement(repeats: options.repeats)
        return understandingMeasurements(shape, machine, repeats: options.repeats) + [first]
      }
    }
  }
}

/// A tower of the shape with bf16 weights: one random block, repeated, as speed does not depend on values.
@NumericActor
private func randomTower(_ shape: ModelShape) -> UnderstandingTower {
  var random = Philox(seed: 1)
  let tower = Parameter.deferringValues { UnderstandingTower(shape.configuration, using: &random) }
  let block = Tensor.normal([1 << 20], deviation: 0.02, type: .bf16, using: &random)
  for parameter in tower.parameters {
    let copies = (parameter.count + block.count - 1) / block.count
    let values = Tensor.concatenated([Tensor](repeating: block, count: copies)).sliced(0..<parameter.count)
    parameter.assign(values.reshaped(parameter.shape))
  }
  return tower
}

/// Bytes that one token's decoding reads, and the numbers in its products.
@NumericActor
private func decodingCost(_ tower: UnderstandingTower) -> (bytes: Int, weights: Int) {
  var bytes = 0, weights = 0
  tower.core.language.visitModules("") { _, module in
    guard let linear = module as? Linear else { return }
    bytes += linear.quantized?.byteCount ?? linear.weight?.value.byteCount ?? 0
    weights += linear.quantized.map { $0.rows * $0.columns } ?? linear.weight?.count ?? 0
  }
  let head = tower.head?.weight?.value ?? tower.core.language.embedding.weight.value
  return (bytes + (tower.quantizedOutput?.byteCount ?? head.byteCount), weights + head.count)
}

@NumericActor
private func understandingMeasurements(_ shape: ModelShape, _ machine: Machine, repeats: Int) -> [Measurement]
{
  StoredWeights.precision = .bf16
  let tower = randomTower(shape), c = tower.configuration
  var results: [Measurement] = [], random = Philox(seed: 2)
  let picture = Tensor.uniform(
    [1, c.vision.imageSize, c.vision.imageSize, 3], low: -1, high: 1, using: &random)
  results.append(
    Measurement(
      name: "encoder, one picture", seconds: medianSeconds(runs: repeats) { _ = tower.encode(picture) }))
  let prompt = Tensor.normal([1, 300, c.text.width], deviation: 0.02, using: &random)
  for bits in [nil, QuantizedTensor.Bits.eight, .four] {
    if let bits {
      tower.core.language.visitModules("") { _, module in requantize(module as? Linear, bits) }
      if bits == .four, tower.head == nil {
        tower.adopt(output: QuantizedTensor(tower.core.language.embedding.weight.value, bits: .eight))
      }
    }
    let name = bits.map { "int\($0.rawValue)" } ?? "bf16"
    let cost = decodingCost(tower)
    let flops = 2 * 300 * Double(cost.weights - (tower.core.language.embedding.weight.count))
    let prefill = medianSeconds(runs: min(3, repeats)) {
      _ = try? tower.prefill(prompt, into: tower.makeCache())
    }
    results.append(
      Measurement(
        name: "prefill of 300 tokens, \(name)", seconds: prefill, gflops: flops / prefill / 1e9,
        tokensPerSecond: 300 / prefill))
    let cache = tower.makeCache(), one = prompt.sliced(0..<1, axis: 1)
    _ = try? tower.prefill(prompt, into: cache)
    let token = medianSeconds(runs: max(8, repeats), warmUp: 2) { _ = try? tower.prefill(one, into: cache) }
    let rate = Double(cost.bytes) / token
    results.append(
      Measurement(
        name: "decode, \(name)", seconds: token, bytesPerSecond: rate,
        limitShare: rate / machine.readBytesPerSecond,
        tokensPerSecond: 1 / token))
  }
  return results
}

/// Loading a folder, files in the page cache, and what is resident behind a prompt of a picture and 300 tokens.
@NumericActor
private func folderMeasurements(_ folder: String, repeats: Int) throws -> [Measurement] {
  let seconds = medianSeconds(runs: min(3, repeats)) {
    _ = try? (UnderstandingTower(folder: folder), Tokenizer(folder: folder))
  }
  let tower = try UnderstandingTower(folder: folder), c = tower.configuration
  _ = try Tokenizer(folder: folder)
  StoredWeights.precision = tower.usualPrecision
  let weights = try ModelFolderReport(folder: folder).parts.reduce(0) { $0 + $1.bytes }
  var random = Philox(seed: 2)
  let side = c.vision.imageSize, cache = tower.makeCache()
  _ = tower.encode(.uniform([1, side, side, 3], low: -1, high: 1, using: &random))
  // Any tokens but a picture's.
  let tokens = [Int32](repeating: c.imageToken == 0 ? 1 : 0, count: 300)
  _ = try tower.prefill(tower.embed(tokens), into: cache)
  for _ in 0..<4 { _ = try tower.prefill(tower.embed([tokens[0]]), into: cache) }
  return [
    Measurement(name: "loading, files in the page cache", seconds: seconds),
    Measurement(
      name: "resident behind a picture and 300 tokens", bytes: residentBytes(),
      weightShare: Double(residentBytes()) / Double(max(1, weights))),
  ]
}

/// What the kernel counts as this process's memory, mapped files included.
private func residentBytes() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
}

/// From a question about a picture that the conversation knows to the first token, with the embedded model.
@NumericActor
private func firstTokenMeasurement(repeats: Int) throws -> Measurement {
  let folder = EmbeddedModel.folder, tower = try UnderstandingTower(folder: folder)
  let talk = try Conversation(tower, try Tokenizer(folder: folder), folder: folder)
  var random = Philox(seed: 3)
  let side = tower.configuration.vision.imageSize
  let picture = Tensor.uniform([1, side, side, 3], low: -1, high: 1, using: &random)
  try talk.ask(Turn(.user, "What is this?", pictures: [picture]), most: 8, using: &random)
  let seconds = medianSeconds(runs: max(8, repeats), warmUp: 2) {
    _ = try? talk.ask(Turn(.user, "How many things are there?"), most: 1, using: &random)
  }
  return Measurement(name: "first token about a known picture, embedded model", seconds: seconds)
}

/// The plain weights in fewer bits; already quantised ones by way of plain numbers.
@NumericActor
private func requantize(_ linear: Linear?, _ bits: QuantizedTensor.Bits) {
  guard let linear else { return }
  if let quantized = linear.quantized {
    linear.adopt(QuantizedTensor(quantized.dequantized(as: .bf16), bits: bits, group: quantized.group))
  } else {
    linear.quantize(bits: bits)
  }
}
