import Layers
import Tensors

/// What moves weights along their gradients.
public protocol Optimizer: AnyObject {
  /// Steps taken so far.
  var stepCount: Int { get }
  /// One step. Parameters without a gradient stay as they are.
  ///
  /// - Parameters:
  ///   - rateFactor: multiplies every rate; the schedule's value of this step.
  ///   - scale: multiplies a parameter's gradient, from clipping.
  func step(_ gradients: Gradients, rateFactor: Float, scaledBy scale: (NamedParameter) -> Float)
  /// What a parameter is evaluated at: the weights that are trained, unless these only lead there.
  func evaluated(_ item: NamedParameter) -> Tensor
  /// Everything that a later run needs to go on bit for bit: tensors as `KIND.NAME`.
  var state: [String: Tensor] { get }
  /// What of that is single numbers.
  var numbers: [String: Double] { get }
  /// Takes up a saved state after `stepCount` steps.
  func restore(_ state: [String: Tensor], numbers: [String: Double], stepCount: Int)
}

extension Optimizer {
  public func evaluated(_ item: NamedParameter) -> Tensor { item.parameter.value }
  public var numbers: [String: Double] { [:] }
}

/// The optimisers that a recipe can name.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
  /// `AdamW`: matrices and kernels decay.
  case adamW = "adamw"
  /// `ScheduleFreeRAdam`: the weights of products, convolutions and norms decay.
  case scheduleFreeRAdam = "schedule-free-radam"

  /// Made for a network's parameters.
  public func made(for network: some Module, _ s: Optimization) -> any Optimizer {
    switch self {
    case .adamW:
      return AdamW.decayingMatricesOnly(
        network, .init(rate: s.rate, beta1: s.beta1, beta2: s.beta2, decay: s.decay))
    case .scheduleFreeRAdam:
      let settings = ScheduleFreeRAdam.Settings(
        rate: s.rate, beta1: s.beta1, beta2: s.beta2, decay: s.decay)
      return ScheduleFreeRAdam(network.namedParameters, settings) { name in
        name.split(separator: ".").last == "weight"
      }
    }
  }
}
