import DataSets
import Foundation
import Pictures
import Tensors

/// One picture with what may be said and asked about it.
package struct Example: Sendable {
  package var picture: Picture
  /// Of a composed scene; nil for pictures that came with a caption alone.
  var scene: SceneRecord?
  /// What covers each pixel of a scene composed here: 0 the background, `n` its object `n` − 1. Empty for
  /// stored pictures, of which boxes alone are known.
  var owners: [UInt8] = []
  package var caption: String
  var captions: [String]
  var questions: [QuestionAnswer]
  /// Of a stored sample, in its set.
  var place: Int?

  init(_ record: SceneRecord, _ picture: Picture, owners: [UInt8] = []) {
    self.owners = owners
    (self.picture, scene, caption) = (picture, record, record.caption)
    (captions, questions) = ([record.caption] + record.captions, record.questions)
  }

  init(picture: Picture, caption: String) {
    (self.picture, self.caption, captions) = (picture, caption, [caption])
    questions = [.init(task: .describe, question: "Describe this picture.", answer: caption)]
  }
}

/// Where training examples come from. Example `n` is the same in every run.
package enum ExampleSource: Sendable {
  /// Composed when they are needed.
  case composed(SceneComposer)
  /// Read from shards, in an order that is drawn anew for each pass.
  case stored(ShardIndex, Framing, SampleAccount)

  /// - Parameters:
  ///   - shards: a folder of shards; empty for scenes of `bank`.
  ///   - wideShare: share of the pictures of the wider set among scenes.
  ///   - pairShare: share of the scenes that show two things whatever else is drawn.
  ///   - style: of the scenes.
  ///   - framing: of stored pictures.
  ///   - side: of the pictures in pixels.
  ///   - mostSkipped: share of the samples in shards that may be damaged or lack something.
  ///   - folder: of the run, where what is skipped is named; nil where it is not.
  ///   - index: of the shards, where they were `opened` before.
  package init(
    shards: String, seed: UInt64, wideShare: Double, pairShare: Double = 0,
    style: SceneStyle = .varied, framing: Framing, side: Int, mostSkipped: Double, folder: String?,
    index: ShardIndex? = nil, bank: () throws -> ObjectBank
  ) throws {
    guard shards.isEmpty, index == nil else {
      let index = try index ?? ShardIndex(files: Shards.trainingFiles(at: shards))
      let account = try SampleAccount(
        index, mostSkipped: mostSkipped, folder: folder,
        others: shards.isEmpty ? nil : Shards.others(at: shards).line.map { "\(shards): \($0)" })
      var framing = framing
      framing.seed = seed
      self = .stored(index, framing, account)
      return
    }
    var composer = SceneComposer(try bank(), seed: seed, size: side)
    (composer.wideShare, composer.pairShare, composer.style) = (wideShare, pairShare, style)
    self = .composed(composer)
  }

  /// Samples that a run is measured by: the same part of each picture every time, and none mirrored. Example `n` below their
  /// number is another one for each `n`.
  init(heldOut index: ShardIndex, _ framing: Framing) throws {
    var framing = framing
    (framing.crop, framing.flip) = (framing.crop == .random ? .center : framing.crop, false)
    self = .stored(index, framing, try SampleAccount(index, mostSkipped: 1, folder: nil))
  }

  /// How many different examples there are; nil for scenes, of which there is no end.
  var distinct: Int? {
    if case .stored(let index, _, _) = self { index.count } else { nil }
  }

  package func example(_ number: Int, side: Int) throws -> Example {
    switch self {
    case .composed(let composer):
      let scene = composer.scene(UInt64(number), .train)
      return Example(scene.record, scene.picture, owners: scene.owners)
    case .stored(let index, let framing, let account):
      let first = Self.place(of: number, in: index, seed: framing.seed)
      return try Self.stored(index, from: first, account) { raw, caption in
        guard let caption else { return raw.resizedBicubic(width: side, height: side) }
        return framing.framed(raw, side: side, number: number, caption: caption)
      }
    }
  }

  /// The place of the sample that an example of a number is.
  static func place(of number: Int, in index: ShardIndex, seed: UInt64) -> Int {
    guard !index.weights.isEmpty else {
      return shuffled(number % index.count, of: index.count, seed: seed, pass: number / index.count)
    }
    let drawn = Mixture(counts: index.ranges.map(\.count), weights: index.weights).draw(number, seed: seed)
    return index.ranges[drawn.source].lowerBound + drawn.place
  }

  /// What `read` makes of the sample at a place, or, where that is damaged, of the next one of its source that is not. Throws
  /// `DataSetError` where there is none.
  static func sound<Value>(
    _ index: ShardIndex, from first: Int, _ account: SampleAccount, _ read: (_ place: Int) throws -> Value
  ) throws -> Value {
    let all = 0..<index.count
    let range = index.weights.isEmpty ? all : index.ranges.first { $0.contains(first) } ?? all
    for step in 0..<range.count {
      let place = range.lowerBound + (first - range.lowerBound + step) % range.count
      if account.isDamaged(place) { continue }
      do { return try read(place) } catch let skipped as SkippedSample { try account.skip(place, skipped) }
    }
    throw DataSetError(index.files[0], "no sample can be used; vugen data inspect says why")
  }

  /// The sample at a place, or the next sound one.
  ///
  /// - Parameter fitted: makes a picture square by its caption; nil for a scene, whose record says where things are.
  private static func stored(
    _ index: ShardIndex, from first: Int, _ account: SampleAccount,
    fitted: (_ raw: Picture, _ caption: String?) -> Picture
  ) throws -> Example {
    try sound(index, from: first, account) { place in
      let (sample, raw) = try index.decoded(place)
      let scene = sample.scene
      let picture = fitted(raw, scene == nil ? sample.caption : nil)
      if scene == nil, sample.isRecordOfScene {
        account.damagedRecord(of: place, index.files[index.file(of: place)], sample.key)
      }
      var example = scene.map { Example($0, picture) } ?? Example(picture: picture, caption: sample.caption)
      example.place = place
      return example
    }
  }

  /// What a person should know of stored data, a line each.
  package var notes: [String] {
    guard case .stored(_, _, let account) = self else { return [] }
    return account.notes
  }

  /// Takes note of an example whose caption is longer than the model's context.
  func noteCutCaption(of example: Example) {
    guard case .stored(_, _, let account) = self, let place = example.place else { return }
    account.cutCaption(of: place)
  }

  /// Place `i` of a random order of `count`, worked out without the whole order: a Feistel network over the
  /// next square, walked until it falls inside (Black and Rogaway, CT-RSA 2002).
  package static func shuffled(_ i: Int, of count: Int, seed: UInt64, pass: Int) -> Int {
    var side = 1
    while side * side < count { side += 1 }
    var x = i
    repeat {
      var (left, right) = (x / side, x % side)
      for round in 0..<4 {
        let counter = [UInt32(truncatingIfNeeded: right), UInt32(round), UInt32(truncatingIfNeeded: pass), 0]
        let key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
        let mixed = Int(Philox.rounds(counter: counter, key: key)[0]) % side
        (left, right) = (right, (left + mixed) % side)
      }
      x = left * side + right
    } while x >= count
    return x
  }
}
