import Foundation
import Tensors

/// How training times are drawn, 0 = noise → 1 = data.
public enum TimeDistribution: Sendable, Equatable {
  case uniform
  /// sigmoid(mean + deviation · normal): mostly the middle of the path (arXiv 2403.03206).
  case logitNormal(mean: Float, deviation: Float)

  /// As recipes name them.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case uniform
    case logitNormal = "logit-normal"
  }

  /// - Parameters:
  ///   - mean: of the normal numbers, where there are any.
  ///   - deviation: the same.
  public init(_ kind: Kind, mean: Float = 0, deviation: Float = 1) {
    switch kind {
    case .uniform: self = .uniform
    case .logitNormal: self = .logitNormal(mean: mean, deviation: deviation)
    }
  }

  /// Times `[count]`, f32.
  public func draw(_ count: Int, using random: inout Philox) -> Tensor {
    switch self {
    case .uniform: .uniform([count], using: &random)
    case .logitNormal(let mean, let deviation):
      Tensor.normal([count], mean: mean, deviation: deviation, using: &random).sigmoid()
    }
  }
}

/// The times at which a solver evaluates the velocity: from 0 = noise to 1 = data, one more than steps.
public enum TimeGrid: Sendable, Equatable {
  case even
  /// 1 − (1 − k/n)^p: with p > 1 the steps grow finer towards the data (SSDD takes p = 2).
  case power(Double)
  /// Noise counted s = 1 − t is moved to σ·s / (1 + (σ − 1)·s): with σ > 1 more steps where there is more noise
  /// (arXiv 2403.03206).
  case shifted(Double)

  /// How far times are moved towards the noise for data of so many numbers: √(numbers / 4096), at least 1. The more of them, the
  /// more noise it takes to hide what they show (arXiv 2403.03206, 2510.11690).
  public static func shift(forNumbers count: Int) -> Double { max(1, (Double(count) / 4096).squareRoot()) }

  /// A time that is moved towards the noise as `shifted` moves those of a solver.
  public static func moved(_ time: Float, by shift: Double) -> Float {
    let noise = 1 - Double(time)
    return Float(1 - shift * noise / (1 + (shift - 1) * noise))
  }

  /// `steps + 1` rising times, first 0 and last 1.
  public func times(_ steps: Int) -> [Float] {
    (0...steps).map { k in
      let even = Double(k) / Double(steps)
      switch self {
      case .even: return Float(even)
      case .power(let p): return Float(1 - pow(1 - even, p))
      case .shifted(let shift): return Float(1 - shift * (1 - even) / (1 + (shift - 1) * (1 - even)))
      }
    }
  }
}
