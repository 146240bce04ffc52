import Layers
import Tensors

/// An exponential moving average of a module's weights (EMA).
///
///     average ← decay · average + (1 − decay) · weight
///
/// It begins as a copy of the weights at its first update: "started at 25 % of training" is a matter of
/// when `update` is first called.
public final class MovingAverage {
  /// Share of the average that stays at an update, 0…1.
  public let decay: Float
  private let source: [NamedParameter]
  private var averages: [Parameter] = []

  /// An average that has not started.
  public init(_ module: some Module, decay: Float) {
    self.decay = decay
    source = module.namedParameters
  }

  /// Whether `update` was called.
  public var hasStarted: Bool { !averages.isEmpty }

  /// Takes the weights in, as they are after a step.
  public func update() {
    guard hasStarted else {
      averages = source.map { Parameter($0.parameter.value.copied()) }
      return
    }
    for (average, item) in zip(averages, source) {
      average.move(towards: item.parameter.value, weight: 1 - decay)
    }
  }

  /// The averages by name; the weights themselves before the first update.
  public var tensors: [String: Tensor] {
    let values = hasStarted ? averages.map(\.value) : source.map(\.parameter.value)
    return Dictionary(zip(source.map(\.name), values), uniquingKeysWith: { first, _ in first })
  }

  /// Takes up saved averages; a name that is missing keeps the weight's own value.
  public func restore(_ tensors: [String: Tensor]) {
    averages = source.map { Parameter((tensors[$0.name] ?? $0.parameter.value).copied()) }
  }
}
