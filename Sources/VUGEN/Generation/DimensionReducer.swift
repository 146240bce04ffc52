import Layers
import Tensors

/// How understanding features become latents.
public struct ReducerConfiguration: Codable, Sendable, Equatable {
  /// The map from features to latents.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Linear, SiLU, Linear: the paper's choice, trained with the pixel decoder.
    case mlp
    /// A fitted linear map: the ablated alternative.
    case pca
  }

  /// The map from features to latents.
  public var kind = Kind.mlp
  /// Channels of a feature.
  public var features: Int
  /// Channels of a latent: features / r.
  public var latents: Int

  /// Each argument is the property of its name.
  public init(kind: Kind = .mlp, features: Int, latents: Int) {
    (self.kind, self.features, self.latents) = (kind, features, latents)
  }
}

/// Reduces each patch's understanding feature z to a latent z̃ of D / r channels, standardised.
///
///     g(z) = W₂ · SiLU(W₁ z + b₁) + b₂          z̃ = (g(z) − mean) / deviation
///
/// For `pca` g is the projection on the first principal axes. Shapes: `[batch, patches, D]` →
/// `[batch, patches, D / r]`. Source: VUGEN §3.2, arXiv 2510.06529.
public final class DimensionReducer: Module {
  @Child("fc1") var hidden: Linear?
  @Child("fc2") var output: Linear
  /// Statistics of g's outputs, `[D / r]`: stored, never trained.
  @Weight("mean") var mean: Parameter
  @Weight("deviation") var deviation: Parameter
  /// Its sizes.
  public let configuration: ReducerConfiguration

  /// Random weights; mean 0 and deviation 1 until `measureStatistics`.
  public init(_ c: ReducerConfiguration, using random: inout Philox) {
    configuration = c
    hidden = c.kind == .mlp ? Linear(c.features, c.features, using: &random) : nil
    output = Linear(c.features, c.latents, using: &random)
    mean = Parameter(.zeros([c.latents]))
    deviation = Parameter(.full([c.latents], 1))
  }

  /// g(z), not standardised.
  public func raw(_ features: Tensor) -> Tensor {
    output(hidden.map { $0(features).silu() } ?? features)
  }

  /// z̃ by the stored statistics, f32.
  public func callAsFunction(_ features: Tensor) -> Tensor {
    (raw(features).cast(to: .f32) - mean.value) / deviation.value
  }

  /// z̃ by the batch's own statistics, which flow into the stored ones: what training uses, so that the
  /// latents keep their scale whatever the weights do.
  ///
  /// - Parameters:
  ///   - momentum: how much of the stored statistics stays.
  ///   - shared: the mean of a tensor over all processes that have a part of the batch, known to the tape.
  public func standardizingBatch(
    _ features: Tensor, momentum: Float = 0.99, shared: (Tensor) -> Tensor = { $0 }
  ) -> Tensor {
    let y = raw(features).cast(to: .f32)
    let center = shared(y.mean(axes: [0, 1])), shifted = y - center
    let variance = shared(shifted.squared().mean(axes: [0, 1]))
    withoutGradients {
      let spread = variance.detached().affine(scale: 1, shift: Self.epsilon).squareRoot()
      mean.assign(mean.value * momentum + center.detached() * (1 - momentum))
      deviation.assign(deviation.value * momentum + spread * (1 - momentum))
    }
    return shifted / variance.affine(scale: 1, shift: Self.epsilon).squareRoot()
  }

  private static let epsilon: Float = 1e-5

  /// Sets the statistics to those of `batches` of features.
  ///
  /// - Parameter summed: the sums over all processes that have a part of the batches.
  public func measureStatistics(
    over batches: [Tensor], summed: ([Double]) throws -> [Double] = { $0 }
  ) rethrows {
    var moments = ChannelMoments(channels: configuration.latents)
    for batch in batches { moments.add(raw(batch)) }
    try moments.share(summed)
    mean.assign(Tensor(moments.mean.map(Float.init)))
    deviation.assign(Tensor(moments.variance.map { Float(($0 + Double(Self.epsilon)).squareRoot()) }))
  }
}

/// Mean and variance of channels over a stream, in f64.
struct ChannelMoments {
  private var count = 0.0
  private var sums, squares: [Double]

  init(channels: Int) {
    sums = [Double](repeating: 0, count: channels)
    squares = sums
  }

  mutating func add(_ batch: Tensor) {
    let rows = batch.cast(to: .f32).reshaped([-1, batch.size(-1)])
    // Sums of squares about zero are exact enough for the few digits that statistics need.
    for (i, value) in rows.sum(axes: [0]).toArray().enumerated() { sums[i] += Double(value) }
    for (i, value) in rows.squared().sum(axes: [0]).toArray().enumerated() { squares[i] += Double(value) }
    count += Double(rows.size(0))
  }

  mutating func share(_ summed: ([Double]) throws -> [Double]) rethrows {
    let all = try summed([count] + sums + squares)
    count = all[0]
    sums = Array(all[1...sums.count])
    squares = Array(all[(1 + sums.count)...])
  }

  var mean: [Double] { sums.map { $0 / max(1, count) } }
  var variance: [Double] { zip(squares, mean).map { max(0, $0 / max(1, count) - $1 * $1) } }
}

/// Fits principal axes to a stream of features.
public struct PrincipalComponents {
  private let channels: Int
  private var count = 0.0
  private var sums: [Double]
  private var products: [Double]

  /// Of no feature yet.
  public init(channels: Int) {
    self.channels = channels
    sums = [Double](repeating: 0, count: channels)
    products = [Double](repeating: 0, count: channels * channels)
  }

  /// Features `[…, channels]`.
  public mutating func add(_ features: Tensor) {
    let rows = features.cast(to: .f32).reshaped([-1, channels])
    for (i, value) in rows.sum(axes: [0]).toArray().enumerated() { sums[i] += Double(value) }
    for (i, value) in matmul(rows, rows, transposeA: true).toArray().enumerated() {
      products[i] += Double(value)
    }
    count += Double(rows.size(0))
  }

  /// Adds what others have seen: `summed` gives the sums over all of them.
  public mutating func share(_ summed: ([Double]) throws -> [Double]) rethrows {
    let all = try summed([count] + sums + products)
    count = all[0]
    sums = Array(all[1...channels])
    products = Array(all[(1 + channels)...])
  }

  /// The reducer that projects on the axes of largest variance, standardised. Throws
  /// `LinearAlgebra.Failure`.
  public func reducer(latents: Int) throws -> DimensionReducer {
    precondition(
      latents <= channels && count > 0, "\(latents) axes of \(channels) channels, \(count) features")
    let mean = sums.map { $0 / count }
    var covariance = products
    for i in 0..<channels {
      for j in 0..<channels {
        covariance[i * channels + j] = products[i * channels + j] / count - mean[i] * mean[j]
      }
    }
    let (values, vectors) = try LinearAlgebra.symmetricEigen(covariance, size: channels)
    // Rising order: the largest are last.
    let axes = (0..<latents).map { vectors[channels - 1 - $0] }
    var random = Philox(seed: 0)
    let reducer = DimensionReducer(
      .init(kind: .pca, features: channels, latents: latents), using: &random)
    reducer.output.weight?.assign(Tensor(axes.joined().map(Float.init), shape: [latents, channels]))
    let offsets = axes.map { axis in -Float(zip(axis, mean).reduce(0.0) { $0 + $1.0 * $1.1 }) }
    reducer.output.bias?.assign(Tensor(offsets))
    let spread = (0..<latents).map { Float(max(values[channels - 1 - $0], 1e-10).squareRoot()) }
    reducer.deviation.assign(Tensor(spread))
    return reducer
  }
}
