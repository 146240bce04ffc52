import Tensors

/// How a network is trained: everything about the steps but the loss and the data.
public struct Optimization: Codable, Sendable, Equatable {
  /// Steps of the optimiser in the whole run.
  public var steps = 10_000
  /// What moves the weights.
  public var optimizer = OptimizerKind.adamW
  /// Highest learning rate.
  public var rate: Float = 1e-3
  /// Steps of the straight rise to it.
  public var warmUp = 200
  /// Last learning rate as a share of the highest.
  public var floor: Float = 0.02
  /// Decay of the weights that decay: see `OptimizerKind`.
  public var decay: Float = 0.1
  /// Memory of gradients.
  public var beta1: Float = 0.9
  /// Memory of their squares.
  public var beta2: Float = 0.98
  /// Largest norm of the gradient; larger ones are scaled down to it.
  public var clip: Float = 1
  /// Batches whose gradients make one step.
  public var accumulation = 1
  /// Decay of the moving average of the weights.
  public var averageDecay: Float = 0.999
  /// Share of the run after which the average begins.
  public var averageStart = 0.25
  /// Whether the average begins with smaller decays: see `MovingAverage`.
  public var averageRises = false

  /// The defaults.
  public init() {}

  /// Whether an average is kept beside the weights.
  public var keepsAverage: Bool { averageDecay > 0 || averageRises }

  var schedule: Schedule { .cosine(warmUp: warmUp, total: steps, floor: floor) }
}

/// One part of a loss, logged by itself.
public struct LossTerm {
  /// As metrics call it.
  public let name: String
  /// By which the value is multiplied in the sum.
  public let weight: Float
  /// Shape `[]`, f32, not yet weighted.
  public let value: Tensor

  /// - Parameter share: by which the value is multiplied where ranks have unlike many things to take the mean of:
  ///   `Ranks.shares`.
  public init(_ name: String, weight: Float = 1, _ value: Tensor, share: Float = 1) {
    (self.name, self.weight, self.value) = (name, weight, share == 1 ? value : value * share)
  }
}

/// What stops a run.
public enum TrainingError: Error, CustomStringConvertible, Equatable {
  /// - Parameter saved: the step of the checkpoint that is there; nil for none.
  case nonFinite(step: Int, culprit: String, saved: Int? = nil)
  case checkpoint(path: String, reason: String)

  public var description: String {
    switch self {
    case .nonFinite(let step, let culprit, let saved?):
      "step \(step): \(culprit) is not finite; the checkpoint of step \(saved) is as it was: resume from it with a lower "
        + "optimization.rate"
    case .nonFinite(let step, let culprit, nil):
      "step \(step): \(culprit) is not finite, and there is no checkpoint: begin again with a lower optimization.rate"
    case .checkpoint(let path, let reason): "\(path): \(reason)"
    }
  }
}
