import Flow
import Layers
import Tensors
import Training
import VUGEN

/// Linear, SiLU, Linear, from the decoder's channels by as many to the encoder's: part of training alone.
final class AlignmentHead: Module {
  @Child("fc1") var first: Linear
  @Child("fc2") var second: Linear

  init(_ inputs: Int, _ outputs: Int, using random: inout Philox) {
    first = Linear(inputs, inputs, using: &random)
    second = Linear(inputs, outputs, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(first(x).silu()) }
}

/// The decoder's loss towards given pictures: flow matching, perceptual distance, alignment.
package struct DecoderLoss {
  let weights: DecoderRecipe.Objectives
  let teachers: DecoderTeachers

  package init(weights: DecoderRecipe.Objectives, teachers: DecoderTeachers) {
    (self.weights, self.teachers) = (weights, teachers)
  }

  /// - Parameters:
  ///   - target: the pictures, `[batch, side, side, 3]`.
  ///   - targets: what the teachers see in `target`, and what features are aligned to.
  func terms(
    _ decoder: PixelDecoder, _ head: AlignmentHead, latents: Tensor, target: Tensor,
    targets: DecoderTeachers.Targets,
    noise: Tensor, at t: Tensor
  ) -> [LossTerm] {
    let xt = StraightPath.point(target, noise, at: t)
    let (velocity, seen) = decoder.velocity(xt, at: t, latents: latents, type: teachers.type)
    var terms = [
      LossTerm("flow", weight: weights.flow, flowMatchingLoss(velocity: velocity, data: target, noise: noise))
    ]
    if weights.perceptual > 0 {
      let estimate = StraightPath.dataEstimate(xt, velocity: velocity, at: t)
      terms.append(
        LossTerm(
          teachers.perceptualName, weight: weights.perceptual, teachers.distance(estimate, targets)))
    }
    if weights.alignment > 0, let seen {
      terms.append(
        LossTerm(
          teachers.alignmentName, weight: weights.alignment, alignment(of: seen, to: targets) { head($0) }))
    }
    return terms
  }

  /// How far the decoder's features `[batch, side, side, channels]`, behind a head, are from what they are aligned to.
  package func alignment(
    of seen: Tensor, to targets: DecoderTeachers.Targets, by head: (Tensor) -> Tensor
  ) -> Tensor {
    let wanted = targets.alignment
    return cosineDistance(head(aligned(seen, wanted)), wanted, epsilon: 1e-5)
  }

  /// The decoder's features on the encoder's grid, as tokens.
  private func aligned(_ seen: Tensor, _ wanted: Tensor) -> Tensor {
    let side = Int(Double(wanted.size(1)).squareRoot().rounded())
    let same = seen.size(1) == side && seen.size(2) == side
    let grid = same ? seen : seen.resizedBilinear(height: side, width: side)
    return grid.reshaped([seen.size(0), side * side, seen.size(3)])
  }
}

/// Reducer and decoder with what only training needs.
final class DecoderObjective: Module {
  @Child("reducer") var reducer: DimensionReducer
  @Child("decoder") var decoder: PixelDecoder
  @Child("alignment") var alignment: AlignmentHead
  private let c: GenerationConfiguration
  private let times: DecoderRecipe.Times
  private let isReducerFrozen, isStandardised: Bool
  private var ranks: Ranks

  /// - Parameters:
  ///   - alignmentWidth: channels of what the features are aligned to.
  ///   - ranks: over whose pictures together latents are standardised.
  init(_ c: GenerationConfiguration, _ recipe: DecoderRecipe, alignmentWidth: Int, ranks: Ranks) {
    (self.c, times, self.ranks) = (c, recipe.times, ranks)
    (isReducerFrozen, isStandardised) = (recipe.model.frozenReducer, recipe.model.standardised)
    var random = Philox(seed: recipe.model.seed), components = Philox(seed: 0)
    // Principal components are worked out of pictures: no random numbers are spent on them.
    reducer =
      c.reducer.kind == .pca
      ? DimensionReducer(c.reducer, using: &components) : DimensionReducer(c.reducer, using: &random)
    decoder = PixelDecoder(c.decoder, using: &random)
    alignment = AlignmentHead(c.decoder.deepestChannels, alignmentWidth, using: &random)
  }

  /// What `work` comes to where each rank has a batch of its own, whatever the others have.
  func alone<Value>(_ work: () throws -> Value) rethrows -> Value {
    let all = ranks
    ranks = .alone
    defer { ranks = all }
    return try work()
  }

  func loss(_ batch: PictureStream.Batch, _ loss: DecoderLoss, using random: inout Philox) -> [LossTerm] {
    let pictures = batch.pictures
    let targets = loss.teachers.targets(
      pictures, seen: batch.seen, comparing: loss.weights.perceptual > 0)
    let z = latents(of: targets.encoded)
    let noisy = z + Tensor.normal(z.shape, deviation: loss.weights.latentNoise, using: &random)
    let latents = noisy.reshaped([z.size(0), c.grid, c.grid, z.size(2)])
    let noise = Tensor.normal(like: pictures, using: &random)
    return loss.terms(
      decoder, alignment, latents: latents, target: pictures, targets: targets, noise: noise,
      at: times.draw(pictures.size(0), using: &random, ranks))
  }

  private func latents(of features: Tensor) -> Tensor {
    // A fitted reducer stays as it is.
    guard c.reducer.kind == .mlp, !isReducerFrozen else { return withoutGradients { reducer(features) } }
    return isStandardised
      ? reducer.standardizingBatch(features, shared: ranks.mean) : reducer.raw(features).cast(to: .f32)
  }
}
