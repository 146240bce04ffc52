import Foundation

/// The learning rate's course, as a factor of its highest value.
public enum Schedule: Sendable, Codable, Equatable {
  case constant
  /// A straight rise over `warmUp` steps, then half a cosine down to `floor` at step `total`.
  case cosine(warmUp: Int, total: Int, floor: Float)

  /// The factor for step 0, 1, 2, …
  public func factor(at step: Int) -> Float {
    switch self {
    case .constant: return 1
    case .cosine(let warmUp, let total, let floor):
      if step < warmUp { return Float(step + 1) / Float(warmUp) }
      let progress = min(1, Double(step - warmUp) / Double(max(1, total - warmUp)))
      return floor + (1 - floor) * Float(0.5 * (1 + cos(Double.pi * progress)))
    }
  }
}
