import DataSets
import Foundation
import Pictures
import Tensors

/// One picture with what may be said and asked about it.
struct Example: Sendable {
  var picture: Picture
  /// Of a composed scene; nil for pictures that came with a caption alone.
  var scene: SceneRecord?
  /// What covers each pixel of a scene composed here: 0 the background, `n` its object `n` − 1. Empty for
  /// stored pictures, of which boxes alone are known.
  var owners: [UInt8] = []
  var caption: String
  var captions: [String]
  var questions: [QuestionAnswer]

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
  case stored([Sample], seed: UInt64)

  /// - Parameters:
  ///   - shards: a folder of shards; empty for scenes of `bank`.
  ///   - wideShare: share of the pictures of the wider set among scenes.
  ///   - style: of the scenes.
  ///   - side: of the pictures in pixels.
  init(
    shards: String, seed: UInt64, wideShare: Double,
    style: SceneStyle = .varied, side: Int, bank: () throws -> ObjectBank
  ) throws {
    guard shards.isEmpty else {
      let samples = try Shards.files(at: shards, split: "train").flatMap { try Shards.read($0) }
      self = .stored(samples, seed: seed)
      return
    }
    var composer = SceneComposer(try bank(), seed: seed, size: side)
    (composer.wideShare, composer.style) = (wideShare, style)
    self = .composed(composer)
  }

  func example(_ number: Int, side: Int) throws -> Example {
    switch self {
    case .composed(let composer):
      let scene = composer.scene(UInt64(number), .train)
      return Example(scene.record, scene.picture, owners: scene.owners)
    case .stored(let samples, let seed):
      let pass = number / samples.count, place = number % samples.count
      let sample = samples[Self.shuffled(place, of: samples.count, seed: seed, pass: pass)]
      let raw = try Picture(bytes: sample.picture, name: sample.key)
      let fits = raw.width == side && raw.height == side
      let picture = fits ? raw : raw.resizedBicubic(width: side, height: side)
      if let scene = sample.scene { return Example(scene, picture) }
      return Example(picture: picture, caption: sample.caption)
    }
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
