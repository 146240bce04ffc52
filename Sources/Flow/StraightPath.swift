import Tensors

/// The straight path from noise ε to data x, and its velocity u.
///
///     x_t = (1 − t)·ε + t·x        u = dx_t/dt = x − ε
///
/// Time runs 0 = noise → 1 = data. Shapes: data and noise `[batch, …]`, t `[batch]`.
/// Source: rectified flow, arXiv 2209.03003; VUGEN eq. 1, arXiv 2510.06529. (SSDD counts time from data to
/// noise; its network is given 1 − t.)
public enum StraightPath {
  /// x_t.
  public static func point(_ data: Tensor, _ noise: Tensor, at t: Tensor) -> Tensor {
    let time = aligned(t, with: data)
    return noise + (data - noise) * time
  }

  /// u.
  public static func velocity(_ data: Tensor, _ noise: Tensor) -> Tensor { data - noise }

  /// Where the path would end if the velocity stayed as it is: x ≈ x_t + (1 − t)·v.
  public static func dataEstimate(_ point: Tensor, velocity: Tensor, at t: Tensor) -> Tensor {
    point + velocity * (1 - aligned(t, with: point))
  }

  /// The velocity that leads from x_t to an estimate of the data: v = (x̂ − x_t) / (1 − t), where 1 − t counts as
  /// `least` at least: so near the data the estimate's own errors would be blown up.
  public static func velocity(towards estimate: Tensor, from point: Tensor, at t: Tensor, least: Float = 0.05)
    -> Tensor
  {
    let rest = t.toArray().map { 1 / max(least, 1 - $0) }
    return (estimate - point) * aligned(Tensor(rest), with: estimate)
  }

  /// `[batch]` → `[batch, 1, …]`, as many axes as `other` has.
  static func aligned(_ t: Tensor, with other: Tensor) -> Tensor {
    t.reshaped([t.count] + [Int](repeating: 1, count: other.rank - 1)).cast(to: other.type)
  }
}

/// Velocity-matching loss.
///
///     L = mean ‖v(x_t, t) − u‖²
///
/// Result `[]`, f32. Source: VUGEN eq. 1.
public func flowMatchingLoss(velocity: Tensor, data: Tensor, noise: Tensor) -> Tensor {
  meanSquaredError(
    velocity.cast(to: .f32), StraightPath.velocity(data.cast(to: .f32), noise.cast(to: .f32)))
}
