import Requests
import Tensors

extension Solver {
  /// Follows the velocity from `noise` at t = 0 to data at t = 1.
  ///
  /// - Parameters:
  ///   - times: rising, from 0 to 1.
  ///   - onStep: called behind each step with its number from 1, the state, the velocity that led there, and
  ///     the time where that velocity was taken; throws to stop.
  ///   - velocity: v(x, t).
  public func integrate(
    from noise: Tensor, times: [Float],
    onStep: (_ step: Int, _ x: Tensor, _ velocity: Tensor, _ time: Float) throws -> Void,
    velocity: (_ x: Tensor, _ t: Float) throws -> Tensor
  ) rethrows -> Tensor {
    var x = noise
    for (k, (t, next)) in zip(times, times.dropFirst()).enumerated() {
      var v = try velocity(x, t)
      if self == .heun { v = (v + (try velocity(x + v * (next - t), next))) * 0.5 }
      x = x + v * (next - t)
      try onStep(k + 1, x, v, t)
    }
    return x
  }

  /// The same with nobody watching.
  public func integrate(
    from noise: Tensor, times: [Float], velocity: (_ x: Tensor, _ t: Float) throws -> Tensor
  ) rethrows -> Tensor {
    try integrate(from: noise, times: times, onStep: { _, _, _, _ in }, velocity: velocity)
  }
}

/// Classifier-free guidance (arXiv 2207.12598), within an interval of times (arXiv 2404.07724).
///
///     v = v_u + w · (v_c − v_u)
public struct Guidance: Sendable, Equatable {
  /// w: 1 takes the conditional velocity alone, 0 the unconditional one.
  public var scale: Float
  /// Times, 0 = noise → 1 = data, in which guidance works; outside, w is 1.
  public var interval: ClosedRange<Float>

  /// Guidance of one scale within an interval of times, of all times unless given.
  public init(scale: Float, interval: ClosedRange<Float> = 0...1) {
    (self.scale, self.interval) = (scale, interval)
  }

  /// The scale at time t.
  public func scale(at t: Float) -> Float { interval.contains(t) ? scale : 1 }

  /// Whether the unconditional velocity is ever needed.
  public var needsUnconditional: Bool { scale != 1 }

  /// The guided velocity at time t, of two velocities of one shape.
  public func combine(conditional: Tensor, unconditional: Tensor, at t: Float) -> Tensor {
    unconditional + (conditional - unconditional) * scale(at: t)
  }
}
