import DataSets
import Digests
import Files
import Foundation
import Layers
import Pictures
import Tensors
import Training
import VUGEN

/// The latents that a run of the generator is trained on, with the captions of each, in the order of its examples.
///
/// They lie in a set (`LatentSet`), which may be that of several runs, under keys of what they were made of: none is made
/// twice, and none of another encoder or picture is ever read. Every scene is one placement, mirroring and background of
/// its objects: augmentation is part of the scene, and more scenes are more of it.
final class LatentCache {
  /// Pictures in it.
  private(set) var count = 0
  /// What a person should know of the data that it was made of.
  private(set) var notes: [String] = []
  /// What a person should know of the set itself, once it is full.
  private(set) var problems: [String] = []
  /// The cut-outs, where they were needed.
  private(set) var cutOuts: ObjectBank?

  private let model: GenerationModel
  private let encoder: VisionEncoder
  private let type: ElementType
  private let data: GeneratorRecipe.Data
  private let ranks: Ranks
  private let bank: () throws -> ObjectBank
  private let older: OlderLatents?
  private let folder: String
  /// Of stored pictures.
  private var source: ExampleSource?
  private var set: LatentSet?
  /// By example, once all are there.
  private var keys: [LatentKey] = []
  private var isFull = false

  /// Gets ready to make them: `fill`. Throws `DataSetError`.
  ///
  /// - Parameters:
  ///   - run: the run's folder.
  ///   - folder: of the set; the run's own unless given.
  init(
    in run: String, at folder: String?, _ data: GeneratorRecipe.Data, _ model: GenerationModel,
    _ encoder: VisionEncoder, type: ElementType, index: ShardIndex?, ranks: Ranks = .alone,
    bank: @escaping () throws -> ObjectBank
  ) throws {
    (self.model, self.encoder, self.type, self.data) = (model, encoder, type, data)
    (self.ranks, self.bank) = (ranks, bank)
    self.folder = folder ?? LatentPlace.own(of: run)
    older = OlderLatents(in: run, data, model, encoder)
    if let older { (count, isFull) = (older.captions.count, true) }
    guard older == nil, !data.isComposed else { return }
    source = try ExampleSource(
      shards: data.shards, seed: data.seed, wideShare: data.wideShare, pairShare: data.pairShare,
      style: data.style, framing: data.framing, side: encoder.configuration.imageSize,
      mostSkipped: data.maxSkipped, folder: ranks.isFirst ? run : nil, index: index, bank: bank)
  }

  /// Where they come from; cut-outs are read when the first scene is composed.
  private func examples() throws -> ExampleSource {
    if let source { return source }
    let made = try ExampleSource(
      shards: "", seed: data.seed, wideShare: data.wideShare, pairShare: data.pairShare, style: data.style,
      framing: data.framing, side: encoder.configuration.imageSize, mostSkipped: data.maxSkipped, folder: nil
    ) {
      let read = try bank()
      cutOuts = read
      return read
    }
    source = made
    return made
  }

  // MARK: Making

  /// Works out what the set lacks, beside others that do the same: each entry is made by one of them. What is done lies in
  /// the set at once, whatever ends the work; the next call or run goes on there. `progress` is called with the pictures
  /// that are done and all of them, and may throw. Throws `DataSetError`, `DigestError` or `FileAccessError`.
  func fill(_ progress: (_ done: Int, _ of: Int) throws -> Void) throws {
    guard !isFull else { return }
    let set = try self.set ?? LatentSet(folder, head())
    self.set = set
    count = data.pictures(of: source?.distinct)
    var missing = try lacking(in: set)
    if !missing.isEmpty { try progress(count - missing.count, count) }
    // Ranks begin apart, so that they seldom meet.
    let start = missing.count * ranks.rank / ranks.count
    missing = Array(missing[start...] + missing[..<start])
    while !missing.isEmpty { missing = try pass(over: missing, in: set, progress) }
    set.finish()
    try ranks.barrier()
    set.refresh()
    notes = source?.notes ?? []
    problems = set.problems
    isFull = true
  }

  /// What the chunks have in common.
  private func head() throws -> LatentHead {
    let digest = RunningDigest(.sha256)
    func add(_ text: String) { Array(text.utf8).withUnsafeBytes { digest.add($0) } }
    for (part, list) in [("encoder", encoder.namedParameters), ("reducer", model.reducer.namedParameters)] {
      for item in list {
        add("\(part).\(item.name) \(item.parameter.shape) \(item.parameter.value.type)\n")
        item.parameter.value.withBytes { digest.add($0) }
      }
    }
    let c = encoder.configuration
    add("\(c.imageSize) \(type)")
    return LatentHead(
      model: try digest.finish(), patches: c.grid * c.grid, channels: model.configuration.reducer.latents)
  }

  /// The examples whose latents are not there, each key once; sets `keys`.
  private func lacking(in set: LatentSet) throws -> [KeyedExample] {
    var missing: [KeyedExample] = [], waiting: Set<LatentKey> = []
    keys = []
    keys.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: 256) {
      for example in try keyed(start..<min(count, start + 256)) {
        keys.append(example.key)
        guard !waiting.contains(example.key), !set.isSound(example.key) else { continue }
        waiting.insert(example.key)
        missing.append(example)
      }
    }
    return missing
  }

  private func keyed(_ numbers: Range<Int>) throws -> [KeyedExample] {
    guard let source, source.distinct != nil else {
      return try numbers.map {
        KeyedExample(number: $0, key: try ExampleSource.key(ofScene: $0, data), place: nil)
      }
    }
    return try inParallel(numbers.count) { try source.stored(numbers.lowerBound + $0) }.compactMap { $0 }
  }

  /// Pictures that are worked out together. They are always as many, so that the same picture becomes the same bits whatever
  /// is beside it.
  private var together: Int {
    max(1, min(64, 4096 / (encoder.configuration.grid * encoder.configuration.grid)))
  }

  /// Makes what nobody else is at, and returns what is left then.
  private func pass(
    over missing: [KeyedExample], in set: LatentSet, _ progress: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [KeyedExample] {
    var left: [KeyedExample] = [], batch: [KeyedExample] = [], done = count - missing.count
    defer { set.releaseClaims() }
    func make() throws {
      guard !batch.isEmpty else { return }
      left += try self.make(batch, into: set)
      set.releaseClaims()
      done += batch.count
      batch = []
      try progress(done, count)
    }
    for example in missing {
      if batch.isEmpty { set.refresh() }
      if set.has(example.key) {
        done += 1
      } else if !set.claim(example.key) {
        left.append(example)
      } else {
        batch.append(example)
        if batch.count == together { try make() }
      }
    }
    try make()
    guard left.count == missing.count else { return left }
    // Others are at all of it.
    usleep(100_000)
    set.refresh()
    left.removeAll { set.has($0.key) }
    try progress(count - left.count, count)
    return left
  }

  /// Works a batch out. Returns the examples whose sample is damaged, with the keys of those that take their place.
  private func make(_ batch: [KeyedExample], into set: LatentSet) throws -> [KeyedExample] {
    // Whoever had claimed one of them before may have finished it since.
    set.refresh()
    let batch = batch.filter { !set.has($0.key) }
    guard !batch.isEmpty else { return [] }
    let source = try examples(), side = encoder.configuration.imageSize
    let read = try inParallel(batch.count) { try source.example(batch[$0].number, side: side) }
    var given: [(key: LatentKey, example: Example)] = [], others: [KeyedExample] = []
    for (item, example) in zip(batch, read) {
      if item.place == example.place {
        given.append((item.key, example))
      } else if let other = try source.stored(item.number) {
        keys[item.number] = other.key
        others.append(other)
      }
    }
    let latents = encoded(given.map(\.example.picture))
    try set.add(
      try given.enumerated().map { i, item in
        NewLatents(
          key: item.key, captions: try JSONText.line(item.example.captions),
          numbers: latents.sliced(i..<i + 1).withBytes { Array($0) })
      })
    return others
  }

  /// `[together, patches, channels]` in bf16, of which the first are those of the pictures.
  private func encoded(_ pictures: [Picture]) -> Tensor {
    let side = encoder.configuration.imageSize
    guard let last = pictures.last else { return .zeros([0], .bf16) }
    let all = pictures + [Picture](repeating: last, count: together - pictures.count)
    let values = all.flatMap { $0.rgb().map { Float($0) / 127.5 - 1 } }
    let seen = Tensor(values, shape: [together, side, side, 3]).cast(to: type)
    return model.reducer(encoder(seen)).cast(to: .bf16)
  }

  // MARK: Reading

  /// bf16 `[places, patches, channels]` of examples. Throws `DataSetError`.
  func latents(_ places: [Int]) throws -> Tensor {
    if let older { return older.latents.gathered(Tensor(indices: places.map(Int32.init))) }
    guard let set else { return .zeros([0], .bf16) }
    return try set.latents(places.map { keys[$0] })
  }

  /// What may be said of an example, at least one caption. Throws `DataSetError`.
  func captions(_ place: Int) throws -> [String] {
    if let older { return older.captions[place] }
    return try set?.captions(keys[place]) ?? []
  }
}
