import Layers
import Tensors

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101): decoupled weight decay, settings by group.
///
/// The bias corrections, the decay and both moments are done in one pass over each parameter.
public final class AdamW: Optimizer {
  /// Rates and decays of one group.
  public struct Settings: Sendable, Codable, Equatable {
    /// η: the learning rate, before the schedule's factor.
    public var rate: Float
    /// β₁: memory of gradients.
    public var beta1: Float
    /// β₂: memory of their squares.
    public var beta2: Float
    /// ε: added to the root of the squares.
    public var epsilon: Float
    /// λ: decay of the weights, times the rate.
    public var decay: Float

    /// PyTorch's defaults.
    public init(
      rate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, decay: Float = 0.01
    ) {
      (self.rate, self.beta1, self.beta2, self.epsilon, self.decay) = (rate, beta1, beta2, epsilon, decay)
    }
  }

  /// Parameters that share settings, such as those without decay.
  public struct Group {
    /// With their names, for checkpoints.
    public var parameters: [NamedParameter]
    /// Of all of them.
    public var settings: Settings

    /// Each argument is the property of its name.
    public init(_ parameters: [NamedParameter], _ settings: Settings) {
      (self.parameters, self.settings) = (parameters, settings)
    }
  }

  /// As they were given.
  public private(set) var groups: [Group]
  /// Steps taken so far.
  public private(set) var stepCount = 0
  private var moments: [ObjectIdentifier: Moments] = [:]

  /// Before the first step: the moments are zero.
  public init(_ groups: [Group]) { self.groups = groups }

  /// All parameters of a module in one group.
  public convenience init(_ module: some Module, _ settings: Settings) {
    self.init([Group(module.namedParameters, settings)])
  }

  /// Matrices and kernels decay; norms' weights and biases (one axis or none) do not.
  public static func decayingMatricesOnly(_ module: some Module, _ settings: Settings) -> AdamW {
    let all = module.namedParameters
    var still = settings
    still.decay = 0
    return AdamW([
      Group(all.filter { $0.parameter.shape.count > 1 }, settings),
      Group(all.filter { $0.parameter.shape.count <= 1 }, still),
    ])
  }

  /// Of all groups, in their order.
  public var parameters: [Parameter] { groups.flatMap { $0.parameters.map(\.parameter) } }

  /// One step. Parameters without a gradient stay as they are.
  ///
  /// - Parameters:
  ///   - rateFactor: multiplies every group's rate; the schedule's value of this step.
  ///   - gradientScale: multiplies the gradients, from `clippingScale`.
  public func step(_ gradients: Gradients, rateFactor: Float = 1, gradientScale: Float = 1) {
    step(gradients, rateFactor: rateFactor) { _ in gradientScale }
  }

  public func step(_ gradients: Gradients, rateFactor: Float, scaledBy scale: (NamedParameter) -> Float) {
    stepCount += 1
    for group in groups {
      let s = group.settings
      let step = AdamWStep(
        rate: s.rate * rateFactor, beta1: s.beta1, beta2: s.beta2, epsilon: s.epsilon, decay: s.decay,
        step: stepCount)
      for item in group.parameters {
        guard let gradient = gradients[item.parameter] else { continue }
        let key = ObjectIdentifier(item.parameter)
        let state = moments[key] ?? Moments(like: item.parameter)
        moments[key] = state
        item.parameter.apply(
          step, gradient: gradient, moments: state, gradientScale: Tensor(scalar: scale(item)))
      }
    }
  }

  /// Everything that a later run needs to go on bit for bit: `first.NAME` and `second.NAME`.
  public var state: [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for item in groups.flatMap(\.parameters) {
      guard let state = moments[ObjectIdentifier(item.parameter)] else { continue }
      tensors["first." + item.name] = state.first
      tensors["second." + item.name] = state.second
    }
    return tensors
  }

  public func restore(_ state: [String: Tensor], numbers: [String: Double] = [:], stepCount: Int) {
    self.stepCount = stepCount
    for item in groups.flatMap(\.parameters) {
      guard let first = state["first." + item.name], let second = state["second." + item.name] else {
        continue
      }
      moments[ObjectIdentifier(item.parameter)] = Moments(first: first, second: second)
    }
  }
}

extension Gradients {
  /// √Σ g² over the given parameters.
  public func globalNorm(of parameters: [Parameter]) -> Float {
    Float(parameters.reduce(0.0) { $0 + (self[$1]?.sumOfSquares() ?? 0) }.squareRoot())
  }

  /// The factor that brings the global norm down to `limit`, 1 where it is smaller already; and the norm.
  public func clippingScale(of parameters: [Parameter], limit: Float) -> (scale: Float, norm: Float) {
    let norm = globalNorm(of: parameters)
    return (norm > limit ? limit / (norm + 1e-6) : 1, norm)
  }
}
