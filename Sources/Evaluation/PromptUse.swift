import DataSets
import Tensors
import Training
import VUGEN

/// What of a prompt the generation tower uses, measured without a judge.
///
/// A scene's latents and one noise give one point on the path; the tower predicts the velocity there behind the scene's
/// own caption and behind one in which one thing is wrong. Where the tower uses what was changed, the wrong caption gives
/// the higher error; where it does not, in half of the scenes.
public struct PromptUse {
  /// Over the scenes of one change at one time.
  public struct Score: Sendable, Equatable {
    /// Scenes in which the wrong caption gave the higher error.
    public var higher = 0
    /// How many were tried.
    public var scenes = 0
    /// Sum of (wrong − right) / right.
    var excess = 0.0

    mutating func count(right: Float, wrong: Float) {
      scenes += 1
      higher += wrong > right ? 1 : 0
      excess += Double((wrong - right) / right)
    }

    /// Mean of (wrong − right) / right.
    public var meanExcess: Double { scenes == 0 ? .nan : excess / Double(scenes) }
  }

  /// Times that are measured unless others are asked for, 0 = noise → 1 = data.
  public static let usualTimes: [Float] = [0.01, 0.1, 0.3, 0.6]

  private let imaginer: Imaginer

  /// The model that is measured.
  public init(_ imaginer: Imaginer) { self.imaginer = imaginer }

  /// On all ranks but the first, nothing comes of it.
  ///
  /// - Parameters:
  ///   - scenes: for each change.
  ///   - times: on the path, 0 = noise → 1 = data.
  ///   - ranks: who shares the scenes.
  ///   - progress: called with the scenes done and their number; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, times: [Float] = PromptUse.usualTimes,
    ranks: Ranks = .alone, progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> [PromptChange: [Score]] {
    var found: [PromptChange: [Score]] = [:], done = 0
    let all = scenes * PromptChange.allCases.count
    for change in PromptChange.allCases {
      var scores = times.map { _ in Score() }
      try ranks.inOrder { (_, errors: [[Float]]) in
        for (i, pair) in errors.enumerated() { scores[i].count(right: pair[0], wrong: pair[1]) }
        done += 1
        try progress(done, all)
      } work: { row in
        var index: UInt64 = 0, place = 0
        while place < (times.isEmpty ? 0 : scenes), index < 1000 * UInt64(scenes) {
          let scene = composer.scene(index, split)
          defer { index += 1 }
          // A change that says the same is none.
          guard let wrong = composer.caption(of: scene.record, changed: change), wrong != scene.record.caption
          else {
            continue
          }
          defer { place += 1 }
          guard row.isOwn(place) else { continue }
          try row.put(
            place, errors(scene, wrong, times, Philox(seed: composer.seed, .promptUse(scene: index))))
          if !ranks.isFirst { try progress(place + 1, all) }
        }
      }
      found[change] = scores
    }
    return found
  }

  /// The errors behind the scene's caption and behind the wrong one, at each time.
  private func errors(_ scene: Scene, _ wrong: String, _ times: [Float], _ random: Philox) throws -> [[Float]]
  {
    var random = random
    let data = imaginer.latents(of: scene.picture)
    let noise = Tensor.normal(like: data, using: &random)
    return try times.map {
      try imaginer.velocityErrors([scene.record.caption, wrong], data: data, noise: noise, at: $0)
    }
  }
}
