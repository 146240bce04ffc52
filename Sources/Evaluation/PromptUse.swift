import DataSets
import Tensors
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

    /// Mean of (wrong − right) / right.
    public var meanExcess: Double { scenes == 0 ? .nan : excess / Double(scenes) }
  }

  /// Times that are measured unless others are asked for, 0 = noise → 1 = data.
  public static let usualTimes: [Float] = [0.01, 0.1, 0.3, 0.6]

  private let imaginer: Imaginer

  /// The model that is measured.
  public init(_ imaginer: Imaginer) { self.imaginer = imaginer }

  /// - Parameters:
  ///   - scenes: for each change.
  ///   - times: on the path, 0 = noise → 1 = data.
  ///   - progress: called with the scenes done and their number; throws to stop.
  public func run(
    _ composer: SceneComposer, _ split: Split, scenes: Int, times: [Float] = PromptUse.usualTimes,
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> [PromptChange: [Score]] {
    var found: [PromptChange: [Score]] = [:], done = 0
    for change in PromptChange.allCases {
      var scores = times.map { _ in Score() }, index: UInt64 = 0
      while scores.first?.scenes ?? scenes < scenes, index < 1000 * UInt64(scenes) {
        let scene = composer.scene(index, split)
        defer { index += 1 }
        // A change that says the same is none.
        guard let wrong = composer.caption(of: scene.record, changed: change), wrong != scene.record.caption
        else {
          continue
        }
        let data = imaginer.latents(of: scene.picture)
        var random = Philox(seed: composer.seed, .promptUse(scene: index))
        let noise = Tensor.normal(like: data, using: &random)
        for (i, t) in times.enumerated() {
          let errors = try imaginer.velocityErrors(
            [scene.record.caption, wrong], data: data, noise: noise, at: t)
          scores[i].scenes += 1
          scores[i].higher += errors[1] > errors[0] ? 1 : 0
          scores[i].excess += Double((errors[1] - errors[0]) / errors[0])
        }
        done += 1
        try progress(done, scenes * PromptChange.allCases.count)
      }
      found[change] = scores
    }
    return found
  }
}
