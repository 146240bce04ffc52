import DataSets
import Foundation
import Layers
import ModelFiles
import Tensors
import VUGEN

/// Latents of a training set in bf16, with the captions of each: what the generator is trained on.
///
/// Every scene is one placement, mirroring and background of its objects: augmentation is part of the scene, and
/// more scenes are more of it. The file is keyed by the weights and the data that made it, so that a cache of
/// another encoder is never read.
final class LatentCache {
  let latents: Tensor
  /// Several captions a picture.
  let captions: [[String]]
  /// What a person should know of the data that it was made of.
  private(set) var notes: [String] = []
  /// Pictures in it.
  var count: Int { captions.count }

  /// Opens the cache in `folder`, or makes it. Throws `DataSetError` or `ModelFileError`.
  ///
  /// - Parameter progress: called with the pictures done, and all of them.
  init(
    in folder: String, _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: PerceptionEncoder,
    type: ElementType, index: ShardIndex?, bank: () throws -> ObjectBank,
    progress: (_ done: Int, _ of: Int) throws -> Void
  ) throws {
    let key = Self.key(data, model, encoder), path = "\(folder)/latents-\(key).safetensors"
    if FileManager.default.fileExists(atPath: path), let old = try? Self.read(path),
      (1...data.scenes).contains(old.1.count)
    {
      (latents, captions) = old
      return
    }
    let side = model.configuration.imageSize
    let source = try ExampleSource(
      shards: data.shards, seed: data.seed, wideShare: data.wideShare, style: try data.sceneStyle(),
      side: side, mostSkipped: data.maxSkipped, folder: folder, index: index, bank: bank)
    var parts: [Tensor] = [], texts: [[String]] = []
    let chunk = 64
    // Of stored samples no more than there are: a second pass over them would be the same pictures.
    let count = min(data.scenes, source.distinct ?? data.scenes)
    try progress(0, count)
    for start in stride(from: 0, to: count, by: chunk) {
      let numbers = Array(start..<min(count, start + chunk))
      let examples = try Self.inParallel(numbers) { try source.example($0, side: side) }
      let values = examples.flatMap { $0.picture.rgb().map { Float($0) / 127.5 - 1 } }
      let pictures = Tensor(values, shape: [examples.count, side, side, 3])
      parts.append(model.reducer(encoder(pictures.cast(to: type))).cast(to: .bf16))
      texts += examples.map { Self.captions(of: $0) }
      try progress(start + numbers.count, count)
    }
    (latents, captions) = (.concatenated(parts), texts)
    notes = source.notes
    let json = String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
    try SafetensorsWriter.write(["latents": latents], metadata: ["captions": json], to: path)
  }

  private static func read(_ path: String) throws -> (Tensor, [[String]]) {
    let file = try SafetensorsFile(path: path)
    let json = Data((file.header.metadata["captions"] ?? "").utf8)
    return (try file.tensor("latents"), try JSONDecoder().decode([[String]].self, from: json))
  }

  /// Short captions; the long one only where there is no other.
  private static func captions(of example: Example) -> [String] { example.captions }

  private static func key(
    _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: PerceptionEncoder
  )
    -> String
  {
    var hash = ContentHash()
    for module in [encoder, model.reducer] as [any Hashed] { module.add(to: &hash) }
    hash.add(Array("\(data.shards)|\(data.seed)|\(data.wideShare)|\(data.scenes)|\(data.style)".utf8))
    return hash.text
  }

  static func inParallel<T: Sendable>(_ numbers: [Int], _ make: @Sendable (Int) throws -> T) throws -> [T] {
    var results = [Result<T, any Error>?](repeating: nil, count: numbers.count)
    results.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let slots = buffer
      DispatchQueue.concurrentPerform(iterations: numbers.count) { i in
        slots[i] = Result { try make(numbers[i]) }
      }
    }
    return try results.compactMap { try $0?.get() }
  }
}

/// FNV-1a in 64 bits: tells files of different weights apart; not cryptographic.
struct ContentHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    // Eight bytes at a time: megabytes of weights must cost milliseconds.
    let words = bytes.count / 8
    for i in 0..<words {
      let word = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
      state = (state ^ word) &* 0x0000_0100_0000_01b3
      state ^= state >> 29
    }
    for byte in bytes.dropFirst(8 * words) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }

  var text: String { String(state, radix: 16) }
}

private protocol Hashed { func add(to hash: inout ContentHash) }
extension PerceptionEncoder: Hashed {}
extension DimensionReducer: Hashed {}
extension Hashed where Self: Module {
  func add(to hash: inout ContentHash) {
    for item in namedParameters {
      hash.add(Array(item.name.utf8))
      item.parameter.value.withBytes { hash.add($0) }
    }
  }
}
