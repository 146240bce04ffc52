import Layers
import Tensors

/// An exponential moving average of a module's weights (EMA).
///
///     average ← decay · average + (1 − decay) · weight
///
/// A rising average begins with decays below its own, (1 + n) / (10 + n) at update n, so that it soon forgets where it
/// began.
///
/// It begins as a copy of the weights at its first update: "started at 25 % of training" is a matter of
/// when `update` is first called. With a decay of 0 it is the weights themselves, and takes no memory.
public final class MovingAverage {
  /// Share of the average that stays at an update, 0…1.
  public let decay: Float
  /// Whether the decay rises to its value.
  public let isRising: Bool
  /// Updates so far; the first one is a copy.
  public private(set) var updateCount = 0
  private let source: [NamedParameter]
  private let value: (NamedParameter) -> Tensor
  private var averages: [Parameter] = []

  /// An average that has not started.
  ///
  /// - Parameter value: what of each parameter is averaged: its value, unless given.
  public init(
    _ module: some Module, decay: Float, isRising: Bool = false,
    of value: @escaping (NamedParameter) -> Tensor = { $0.parameter.value }
  ) {
    (self.decay, self.isRising, self.value) = (decay, isRising, value)
    source = module.namedParameters
  }

  /// Whether there are averages beside the weights: `update` was called.
  public var hasStarted: Bool { !averages.isEmpty }

  /// Takes the weights in, as they are after a step.
  public func update() {
    updateCount += 1
    guard decay > 0 || isRising else { return }
    guard hasStarted else {
      averages = source.map { Parameter(value($0).copied()) }
      return
    }
    let n = Float(updateCount - 1), now = isRising ? min(decay, (1 + n) / (10 + n)) : decay
    for (average, item) in zip(averages, source) { average.move(towards: value(item), weight: 1 - now) }
  }

  /// The averages by name; the weights themselves before the first update.
  public var tensors: [String: Tensor] {
    let values = hasStarted ? averages.map(\.value) : source.map(value)
    return Dictionary(zip(source.map(\.name), values), uniquingKeysWith: { first, _ in first })
  }

  /// Takes up saved averages after `updateCount` updates; a name that is missing keeps the weight's own value.
  public func restore(_ tensors: [String: Tensor], updateCount: Int = 1) {
    self.updateCount = updateCount
    guard decay > 0 || isRising else { return }
    averages = source.map { Parameter((tensors[$0.name] ?? $0.parameter.value).copied()) }
  }
}
