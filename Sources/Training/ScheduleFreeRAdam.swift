import Layers
import Tensors

/// RAdam without a schedule (Defazio et al., arXiv 2405.15682; Liu et al., arXiv 1908.03265).
///
/// Three sequences: z takes the steps, x is their average, and the weights that gradients are taken at, y, lie between:
///
///     y = β₁ x + (1 − β₁) z          z ← z − γ d          x ← (1 − c) x + c z
///     d = g / (√v̂ + ε) + λ y         c = γ̂² / Σ γ̂²,  γ̂ the largest γ so far
///
/// γ is the rate times RAdam's rectification: nothing moves in the first steps, in which v says too little. A module holds y;
/// x, which is y + (1 − 1/β₁)(z − y), is what to evaluate, average and export.
public final class ScheduleFreeRAdam: Optimizer {
  /// The same for all parameters.
  public struct Settings: Sendable, Equatable {
    /// Learning rate, before the schedule's factor.
    public var rate: Float
    /// β₁: how near to the average gradients are taken.
    public var beta1: Float
    /// β₂: memory of the gradients' squares.
    public var beta2: Float
    /// ε: added to the root of the squares.
    public var epsilon: Float
    /// λ: decay of the weights that decay.
    public var decay: Float

    /// The package's defaults.
    public init(
      rate: Float = 2.5e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, decay: Float = 0
    ) {
      (self.rate, self.beta1, self.beta2, self.epsilon, self.decay) = (rate, beta1, beta2, epsilon, decay)
    }
  }

  /// As they were given.
  public let settings: Settings
  /// Steps taken so far.
  public private(set) var stepCount = 0
  private let parameters: [NamedParameter]
  private let decays: [Bool]
  private var states: [ObjectIdentifier: ScheduleFreeState] = [:]
  private var weightSum = 0.0, largestRate = 0.0

  /// - Parameter decays: tells by their names which parameters decay.
  public init(
    _ parameters: [NamedParameter], _ settings: Settings, decaying decays: (_ name: String) -> Bool
  ) {
    (self.parameters, self.settings) = (parameters, settings)
    self.decays = parameters.map { decays($0.name) }
  }

  /// RAdam's factor of the rate; 0 where too few gradients were seen.
  private func rectification(_ step: Int) -> Double {
    let beta = Double(settings.beta2), power = beta.raised(to: step), most = 2 / (1 - beta) - 1
    let length = most - 2 * Double(step) * power / (1 - power)
    guard length > 4 else { return 0 }
    return ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)).squareRoot()
  }

  public func step(_ gradients: Gradients, rateFactor: Float, scaledBy scale: (NamedParameter) -> Float) {
    stepCount += 1
    let rectification = rectification(stepCount)
    let rate = Double(settings.rate) * Double(rateFactor) * rectification
    largestRate = max(largestRate, rate)
    weightSum += largestRate * largestRate
    let share = weightSum > 0 ? largestRate * largestRate / weightSum : 0
    let step = ScheduleFreeStep(
      rate: Float(rate), share: Float(share), push: Float(rate * (Double(settings.beta1) * (1 - share) - 1)),
      beta2: settings.beta2, epsilon: settings.epsilon,
      correction2: Float(1 - Double(settings.beta2).raised(to: stepCount)), isAdaptive: rectification > 0)
    for (item, decays) in zip(parameters, decays) {
      guard let gradient = gradients[item.parameter] else { continue }
      let key = ObjectIdentifier(item.parameter)
      let state = states[key] ?? ScheduleFreeState(like: item.parameter)
      states[key] = state
      item.parameter.apply(
        step, decay: decays ? settings.decay : 0, gradient: gradient, state: state,
        gradientScale: Tensor(scalar: scale(item)))
    }
  }

  /// x.
  public func evaluated(_ item: NamedParameter) -> Tensor {
    let y = item.parameter.value
    guard let state = states[ObjectIdentifier(item.parameter)] else { return y }
    return y + (state.leading - y) * (1 - 1 / settings.beta1)
  }

  public var state: [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for item in parameters {
      guard let state = states[ObjectIdentifier(item.parameter)] else { continue }
      tensors["leading." + item.name] = state.leading
      tensors["second." + item.name] = state.second
    }
    return tensors
  }

  public var numbers: [String: Double] { ["weightSum": weightSum, "largestRate": largestRate] }

  public func restore(_ state: [String: Tensor], numbers: [String: Double], stepCount: Int) {
    self.stepCount = stepCount
    (weightSum, largestRate) = (numbers["weightSum"] ?? 0, numbers["largestRate"] ?? 0)
    for item in parameters {
      guard let leading = state["leading." + item.name], let second = state["second." + item.name] else {
        continue
      }
      states[ObjectIdentifier(item.parameter)] = ScheduleFreeState(leading: leading, second: second)
    }
  }
}

extension Double {
  /// A whole power, by squaring.
  fileprivate func raised(to exponent: Int) -> Double {
    var result = 1.0, factor = self, rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return result
  }
}
