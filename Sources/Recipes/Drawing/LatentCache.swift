import DataSets
import Files
import Foundation
import Layers
import ModelFiles
import Tensors
import Training
import VUGEN

/// Latents of a training set in bf16, with the captions of each: what the generator is trained on.
///
/// Every scene is one placement, mirroring and background of its objects: augmentation is part of the scene, and
/// more scenes are more of it. The file is keyed by the weights and the data that made it, so that a cache of
/// another encoder is never read.
final class LatentCache {
  /// `[pictures, patches, channels]`; empty until they are there.
  private(set) var latents = Tensor.zeros([0])
  /// Several captions a picture.
  private(set) var captions: [[String]] = []
  /// What a person should know of the data that it was made of.
  private(set) var notes: [String] = []
  /// Pictures in it.
  var count: Int { captions.count }

  private let path: String
  private let model: GenerationModel
  private let encoder: VisionEncoder
  private let type: ElementType
  private let data: GeneratorRecipe.Data
  private let ranks: Ranks
  /// Where the pictures come from, until all latents are there.
  private var source: ExampleSource?

  /// Pictures that are worked out together, and those that a part of an unfinished cache holds.
  private static let chunk = 64, partSize = 8 * chunk

  /// Opens the cache in `folder`, or gets ready to make it: `fill`. Throws `DataSetError`.
  init(
    in folder: String, _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: VisionEncoder,
    type: ElementType, index: ShardIndex?, ranks: Ranks = .alone, bank: () throws -> ObjectBank
  ) throws {
    (self.model, self.encoder, self.type, self.data, self.ranks) = (model, encoder, type, data, ranks)
    path = "\(folder)/latents-\(Self.key(data, model, encoder))"
    if let old = Self.read(path + ".safetensors"), (1...data.scenes).contains(old.captions.count) {
      (latents, captions) = old
      return
    }
    source = try ExampleSource(
      shards: data.shards, seed: data.seed, wideShare: data.wideShare, pairShare: data.pairShare,
      style: data.style, framing: data.framing, side: encoder.configuration.imageSize,
      mostSkipped: data.maxSkipped,
      folder: ranks.isFirst ? folder : nil, index: index, bank: bank)
  }

  /// Works out what is missing, each rank its share. What is done lies in the folder part by part, also when `progress`, which
  /// is called with the pictures that are done and all of them, throws to stop it; the next call or run goes on there. Throws
  /// `DataSetError` or `ModelFileError`.
  func fill(_ progress: (_ done: Int, _ of: Int) throws -> Void) throws {
    let found = try ranks.any([source != nil, source == nil])
    guard found[0] else { return }
    guard let source, !found[1] else {
      throw DataSetError(
        path, "not all hosts see the same latents; let the run's folder be one that all share")
    }
    let count = data.pictures(of: source.distinct)
    var (parts, texts) = try sharedPartsSoFar(of: count)
    var kept = texts.count, waiting: [Tensor] = []
    func keep() throws {
      guard !waiting.isEmpty else { return }
      let part = Tensor.concatenated(waiting)
      if ranks.isFirst { try Self.write(part, texts[kept...], to: partPath(kept)) }
      (kept, waiting) = (texts.count, [])
      parts.append(part)
    }
    do {
      try progress(kept, count)
      for start in stride(from: kept, to: count, by: Self.chunk * ranks.count) {
        for (latents, captions) in try work(from: start, to: count, source) {
          waiting.append(latents)
          texts += captions
          if texts.count - kept >= Self.partSize { try keep() }
        }
        try progress(texts.count, count)
      }
    } catch {
      // A last part that is no whole number of chunks would be worked out in others.
      if texts.count % Self.chunk == 0 { try? keep() }
      throw error
    }
    (latents, captions) = (.concatenated(parts + waiting), texts)
    notes = source.notes
    if ranks.isFirst {
      try Self.write(latents, captions[...], to: path + ".safetensors")
      removeParts()
    }
    self.source = nil
  }

  /// The next chunks, one a rank, each worked out by one and sent to all.
  private func work(from start: Int, to end: Int, _ source: ExampleSource) throws -> [(Tensor, [[String]])] {
    func numbers(_ rank: Int) -> Range<Int> {
      let first = min(end, start + rank * Self.chunk)
      return first..<min(end, first + Self.chunk)
    }
    let mine = numbers(ranks.rank), own = mine.isEmpty ? nil : try work(on: mine, source)
    return try (0..<ranks.count).filter { !numbers($0).isEmpty }.map { root in
      let captions = try ranks.broadcast(own?.1 ?? [], from: root)
      let shape = try ranks.broadcast(own?.0.shape ?? [], from: root)
      let given = root == ranks.rank ? own?.0 : nil
      return (try ranks.broadcast(given ?? .zeros(shape, .bf16), from: root), captions)
    }
  }

  private func work(on numbers: Range<Int>, _ source: ExampleSource) throws -> (Tensor, [[String]]) {
    let side = encoder.configuration.imageSize
    let first = numbers.lowerBound
    let examples = try inParallel(numbers.count) { try source.example(first + $0, side: side) }
    let values = examples.flatMap { $0.picture.rgb().map { Float($0) / 127.5 - 1 } }
    let pictures = Tensor(values, shape: [examples.count, side, side, 3])
    return (model.reducer(encoder(pictures.cast(to: type))).cast(to: .bf16), examples.map(\.captions))
  }

  // MARK: Files

  /// Where the part lies that begins with a picture.
  private func partPath(_ start: Int) -> String { "\(path).from-\(start).partial.safetensors" }

  /// What an unfinished run has left.
  private func partsSoFar(of count: Int) -> (latents: [Tensor], captions: [[String]]) {
    var parts: [Tensor] = [], texts: [[String]] = []
    while texts.count < count, let part = Self.read(partPath(texts.count)), !part.captions.isEmpty,
      texts.count + part.captions.count <= count
    {
      parts.append(part.latents)
      texts += part.captions
    }
    return (parts, texts)
  }

  /// The same, as the first rank finds it.
  private func sharedPartsSoFar(of count: Int) throws -> (latents: [Tensor], captions: [[String]]) {
    let own = ranks.isFirst ? partsSoFar(of: count) : (latents: [], captions: [])
    let captions = try ranks.broadcast(own.captions), shapes = try ranks.broadcast(own.latents.map(\.shape))
    let parts = try shapes.enumerated().map { i, shape in
      try ranks.broadcast(ranks.isFirst ? own.latents[i] : .zeros(shape, .bf16))
    }
    return (parts, captions)
  }

  private func removeParts() {
    let folder = FileName.parent(of: path), prefix = FileName.last(of: path) + ".from-"
    for name in (try? FileName.names(in: folder)) ?? [] where name.hasPrefix(prefix) {
      FileName.remove("\(folder)/\(name)")
    }
  }

  private static func write(_ latents: Tensor, _ captions: ArraySlice<[String]>, to path: String) throws {
    let json = String(decoding: try JSONText.line(Array(captions)), as: UTF8.self)
    try SafetensorsWriter.write(["latents": latents], metadata: ["captions": json], to: path)
  }

  /// nil where there is none that can be read.
  private static func read(_ path: String) -> (latents: Tensor, captions: [[String]])? {
    guard FileName.exists(path), let file = try? SafetensorsFile(path: path) else { return nil }
    let json = Data((file.header.metadata["captions"] ?? "").utf8)
    guard let latents = try? file.tensor("latents"),
      let captions = try? JSONDecoder().decode([[String]].self, from: json),
      latents.rank == 3, latents.size(0) == captions.count
    else { return nil }
    return (latents, captions)
  }

  private static func key(
    _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: VisionEncoder
  )
    -> String
  {
    var hash = ContentHash()
    for module in [encoder, model.reducer] as [any Hashed] { module.add(to: &hash) }
    hash.add(
      Array("\(data.shards)|\(data.seed)|\(data.wideShare)|\(data.scenes)|\(data.style.rawValue)".utf8))
    if data.pairShare > 0 { hash.add(Array("|\(data.pairShare)".utf8)) }
    // Latents of scenes are the same however stored pictures are framed.
    if !data.isComposed, data.framing != Framing(crop: .squash, flip: false) || data.views > 1 {
      hash.add(Array("|\(data.crop.rawValue)|\(data.cropFrom)|\(data.framing.flip)|\(data.views)".utf8))
    }
    if !data.identity.isEmpty { hash.add(Array("|\(data.identity)".utf8)) }
    return hash.text
  }
}

private protocol Hashed { func add(to hash: inout ContentHash) }
extension VisionEncoder: Hashed {}
extension DimensionReducer: Hashed {}
extension Hashed where Self: ParameterTree {
  func add(to hash: inout ContentHash) {
    var list: [NamedParameter] = []
    collect("", into: &list)
    for item in list {
      hash.add(Array(item.name.utf8))
      item.parameter.value.withBytes { hash.add($0) }
    }
  }
}
