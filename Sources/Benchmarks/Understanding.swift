import Foundation
import Layers
import Tensors
import VUGEN

/// What of the understanding tower is measured.
public enum UnderstandingPart: String, CaseIterable, Sendable {
  case encoder, prefill, decode
  case firstToken = "first-token"
}

/// Weights of the language model, in the order in which one can be made of another.
public enum UnderstandingFormat: String, CaseIterable, Sendable {
  case bf16, int8, int4

  var bits: QuantizedTensor.Bits? {
    switch self {
    case .bf16: nil
    case .int8: .eight
    case .int4: .four
    }
  }
}

/// A tower of the shape with bf16 weights: one random block, repeated, as speed does not depend on values.
@NumericActor
func randomTower(_ shape: ModelShape) -> UnderstandingTower {
  var random = Philox(seed: 1)
  let tower = Parameter.deferringValues { UnderstandingTower(shape.configuration, using: &random) }
  fillRandomly(tower.parameters)
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

/// Encoder, prefill and decoding of a tower with random weights of a shape.
@NumericActor
public func understandingMeasurements(
  _ shape: ModelShape, _ parts: Set<UnderstandingPart>, _ formats: [UnderstandingFormat], repeats: Int
) -> [Measurement] {
  let tower = randomTower(shape), c = tower.configuration
  tower.precision = .bf16
  var results: [Measurement] = [], random = Philox(seed: 2)
  if parts.contains(.encoder) {
    let side = c.vision.imageSize
    let picture = Tensor.uniform([1, side, side, 3], low: -1, high: 1, using: &random)
    let seconds = medianSeconds(runs: repeats) { _ = tower.encode(picture) }
    results.append(Measurement(name: "encoder, one picture", seconds: seconds))
  }
  guard parts.contains(.prefill) || parts.contains(.decode) else { return results }
  let prompt = Tensor.normal([1, 300, c.text.width], deviation: 0.02, using: &random)
  for format in UnderstandingFormat.allCases where formats.contains(format) {
    if let bits = format.bits {
      tower.core.language.visitModules("") { _, module in requantize(module as? Linear, bits) }
      if QuantizedFolder.hasOwnOutput(tower, bits), tower.quantizedOutput == nil {
        tower.adopt(output: QuantizedTensor(tower.core.language.embedding.weight.value, bits: .eight))
      }
    }
    if parts.contains(.prefill) { results.append(prefillMeasurement(tower, prompt, format, repeats)) }
    if parts.contains(.decode) { results.append(decodeMeasurement(tower, prompt, format, repeats)) }
  }
  return results
}

/// Reading a prompt `[1, tokens, width]`.
@NumericActor
private func prefillMeasurement(
  _ tower: UnderstandingTower, _ prompt: Tensor, _ format: UnderstandingFormat, _ repeats: Int
) -> Measurement {
  let weights = decodingCost(tower).weights - tower.core.language.embedding.weight.count
  let tokens = Double(prompt.size(1)), flops = 2 * tokens * Double(weights)
  let seconds = medianSeconds(runs: min(3, repeats)) {
    _ = try? tower.prefill(prompt, into: tower.makeCache())
  }
  return Measurement(
    name: "prefill of 300 tokens, \(format)", seconds: seconds, gflops: flops / seconds / 1e9,
    tokensPerSecond: tokens / seconds)
}

/// One token behind a prompt. The speed of memory, which others share, changes within seconds: a pass over memory is
/// timed beside each token, and the median token stands beside the median pass.
@NumericActor
private func decodeMeasurement(
  _ tower: UnderstandingTower, _ prompt: Tensor, _ format: UnderstandingFormat, _ repeats: Int
) -> Measurement {
  let cache = tower.makeCache(), one = prompt.sliced(0..<1, axis: 1)
  _ = try? tower.prefill(prompt, into: cache)
  let memory = ReadPass()
  var tokens: [Double] = [], passes: [Double] = []
  for turn in 0..<max(12, repeats) + 2 {
    let token = medianSeconds(runs: 1, warmUp: 0) { _ = try? tower.prefill(one, into: cache) }
    let pass = memory.seconds()
    if turn >= 2 { (tokens, passes) = (tokens + [token], passes + [pass]) }
  }
  let seconds = tokens.median, pass = passes.median
  let rate = Double(decodingCost(tower).bytes) / seconds, limit = Double(memory.byteCount) / pass
  return Measurement(
    name: "decode, \(format)", seconds: seconds, bytesPerSecond: rate, limitShare: rate / limit,
    tokensPerSecond: 1 / seconds)
}

/// Loading a folder, files in the page cache, and what is resident after a prompt of a picture and 300 tokens.
@NumericActor
public func folderMeasurements(_ folder: String, repeats: Int) throws -> [Measurement] {
  let seconds = medianSeconds(runs: min(3, repeats)) {
    _ = try? LoadedModel(folder: folder)
  }
  let tower = try LoadedModel(folder: folder).tower, c = tower.configuration
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
      name: "resident after a picture and 300 tokens", bytes: residentBytes(),
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
public func firstTokenMeasurement(repeats: Int) throws -> Measurement {
  let model = try LoadedModel(folder: EmbeddedModel.folder), talk = Conversation(model)
  var random = Philox(seed: 3)
  let side = model.configuration.vision.imageSize
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
