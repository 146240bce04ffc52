import CKernels
import Foundation

/// What follows a GroupNorm in the same pass over memory.
public enum NormActivation: Sendable { case none, silu }

/// GroupNorm over `[batch, …, channels]`: each group of neighbouring channels is normalised over all
/// pixels of one picture.
///
///     x̂ = (x − mean) / √(variance + ε)
///     y = activation(x̂ · weight · (1 + scale) + bias · (1 + scale) + shift)
///
/// Shapes: weight and bias `[channels]` f32; `scale` and `shift` `[batch, channels]` f32, the adaptive
/// norm of diffusion networks (AdaGN, arXiv 2105.05233). Statistics in f32 about the first pixel, joined
/// in f64. Source: arXiv 1803.08494.
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, scale: Tensor? = nil,
  shift: Tensor? = nil,
  epsilon: Float, activation: NormActivation = .none
) -> Tensor {
  let pass = GroupNormPass(
    x, groups: groups, weight: weight, bias: bias, scale: scale, shift: shift, silu: activation == .silu)
  let (y, state) = pass.forward(epsilon: epsilon)
  let optional = [weight, bias, scale, shift]
  return y.recorded(from: [x] + optional.compactMap { $0 }) { dy in
    let parts = pass.backward(dy.cast(to: x.type), state)
    let all = [parts.dweight, parts.dbias, parts.dscale, parts.dshift]
    return [parts.dx] + zip(optional, all).compactMap { given, part in given == nil ? nil : .some(part) }
  }
}

/// A GroupNorm without weights of its own, modulated by `parts` (see `modulated`). Where no gradient needs what lies
/// between, the norm is never written out.
public func groupNorm(
  _ x: Tensor, groups: Int, epsilon: Float, modulatedBy parts: Tensor, activation: NormActivation = .none
) -> Tensor {
  guard !x.isTracked, !parts.isTracked else {
    return modulated(groupNorm(x, groups: groups, epsilon: epsilon), by: parts, activation: activation)
  }
  let pass = GroupNormPass(x, groups: groups, weight: nil, bias: nil, scale: nil, shift: nil, silu: false)
  let state = pass.statistics(epsilon: epsilon)
  return modulated(x.detached(), channels: (state.a, state.s), by: parts, activation: activation)
}

/// One GroupNorm's operands and its two passes each way.
private struct GroupNormPass {
  let x: Tensor
  let weight, bias, scale, shift: Tensor?
  let groups, batch, channels, pixels, chunks: Int
  let silu: Bool

  struct State {
    /// Per picture and channel: y = act(x a + s), and the first pixel.
    let a, s, origin: Tensor
    /// Per picture and group.
    let mean, rstd: [Double]
  }

  init(
    _ x: Tensor, groups: Int, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?, silu: Bool
  ) {
    (batch, channels) = (x.size(0), x.size(-1))
    precondition(
      x.rank >= 2 && groups > 0 && channels % groups == 0,
      "GroupNorm: \(groups) groups of the channels of \(x)")
    for part in [weight, bias] {
      precondition(part.map { $0.shape == [x.size(-1)] } ?? true, "GroupNorm: weights do not fit \(x)")
    }
    for part in [scale, shift] {
      precondition(
        part.map { $0.shape == [x.size(0), x.size(-1)] } ?? true, "GroupNorm: scale does not fit \(x)")
    }
    self.x = x.detached()
    (self.groups, self.silu) = (groups, silu)
    self.weight = weight?.detached().cast(to: .f32)
    self.bias = bias?.detached().cast(to: .f32)
    self.scale = scale?.detached().cast(to: .f32)
    self.shift = shift?.detached().cast(to: .f32)
    pixels = x.shape.dropFirst().dropLast().reduce(1, *)
    chunks = Swift.max(1, Swift.min(16, pixels * channels / 16384))
  }

  private func launch(_ kernel: Kernel<vg_channel_args>, _ fill: (inout vg_channel_args) -> Void) {
    var arguments = vg_channel_args()
    arguments.x = UnsafeRawPointer(x.pointer)
    (arguments.pixels, arguments.channels, arguments.chunks) = (Int64(pixels), Int64(channels), Int64(chunks))
    arguments.silu = silu ? 1 : 0
    fill(&arguments)
    run(kernel, x.type, arguments, items: batch * chunks, grain: grain(rowOf: pixels * channels / chunks))
  }

  /// Sums of chunks, joined in f64: `[batch][sum or product][channel]`.
  private func joined(_ partial: Tensor) -> [Double] {
    var sums = [Double](repeating: 0, count: batch * 2 * channels)
    let p = partial.floats, row = 2 * channels
    for b in 0..<batch {
      for chunk in 0..<chunks {
        let from = p + (b * chunks + chunk) * row
        for i in 0..<row { sums[b * row + i] += Double(from[i]) }
      }
    }
    withExtendedLifetime(partial) {}
    return sums
  }

  func forward(epsilon: Float) -> (y: Tensor, state: State) {
    let y = Tensor.empty(x.shape, x.type), state = statistics(epsilon: epsilon)
    if y.count > 0 {
      launch(.channelApply) {
        $0.y = y.pointer
        $0.a = UnsafePointer(state.a.floats)
        $0.s = UnsafePointer(state.s.floats)
      }
    }
    return (y, state)
  }

  /// What the norm makes of each channel, in one pass over x.
  func statistics(epsilon: Float) -> State {
    let origin = x.reshaped([batch, pixels, channels]).sliced(0..<min(1, pixels), axis: 1).cast(to: .f32)
      .copied()
    let a = Tensor.empty([batch, channels]), s = Tensor.empty([batch, channels])
    var mean = [Double](repeating: 0, count: batch * groups), rstd = mean
    guard x.count > 0 else { return State(a: a, s: s, origin: origin, mean: mean, rstd: rstd) }
    let partial = Tensor.empty([batch, chunks, 2, channels])
    launch(.channelSums) {
      $0.partial = partial.floats
      $0.origin = UnsafePointer(origin.floats)
    }
    let sums = joined(partial), size = channels / groups, n = Double(size * pixels), o = origin.floats
    for b in 0..<batch {
      for g in 0..<groups {
        // Σ x and Σ (x − m)² of the group, from sums about each channel's own origin.
        var total = 0.0
        for c in g * size..<(g + 1) * size {
          total += sums[b * 2 * channels + c] + Double(pixels) * Double(o[b * channels + c])
        }
        let m = total / n
        var square = 0.0
        for c in g * size..<(g + 1) * size {
          let d = Double(o[b * channels + c]) - m, first = sums[b * 2 * channels + c]
          square += sums[(b * 2 + 1) * channels + c] + 2 * d * first + Double(pixels) * d * d
        }
        mean[b * groups + g] = m
        rstd[b * groups + g] = 1 / (Swift.max(0, square / n) + Double(epsilon)).squareRoot()
      }
      for c in 0..<channels {
        let r = rstd[b * groups + c / size], m = mean[b * groups + c / size]
        let k = 1 + Double(value(scale, b, c) ?? 0), w = Double(weight?.floats[c] ?? 1) * k
        a.floats[b * channels + c] = Float(r * w)
        let constant = Double(bias?.floats[c] ?? 0) * k + Double(value(shift, b, c) ?? 0)
        s.floats[b * channels + c] = Float(constant - m * r * w)
      }
    }
    return State(a: a, s: s, origin: origin, mean: mean, rstd: rstd)
  }

  private func value(_ tensor: Tensor?, _ b: Int, _ c: Int) -> Float? { tensor?.floats[b * channels + c] }

  /// With g = dy act'(·) and k = weight (1 + scale), per group of n numbers:
  ///
  ///     dx = rstd (g k − mean(g k) − x̂ mean(g k x̂))
  func backward(
    _ dy: Tensor, _ state: State
  ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor, dscale: Tensor, dshift: Tensor) {
    let dx = Tensor.empty(x.shape, x.type)
    let dweight = Tensor.zeros([channels]), dbias = Tensor.zeros([channels])
    let dscale = Tensor.zeros([batch, channels]), dshift = Tensor.zeros([batch, channels])
    guard dx.count > 0 else { return (dx, dweight, dbias, dscale, dshift) }
    let partial = Tensor.empty([batch, chunks, 2, channels])
    launch(.channelSumsBackward) {
      $0.dy = UnsafeRawPointer(dy.pointer)
      $0.partial = partial.floats
      $0.a = UnsafePointer(state.a.floats)
      $0.s = UnsafePointer(state.s.floats)
      $0.origin = UnsafePointer(state.origin.floats)
    }
    let sums = joined(partial)
    let p = Tensor.empty([batch, channels]), q = Tensor.empty([batch, channels])
    for b in 0..<batch {
      for g in 0..<groups {
        let (total, along) = parameterGradients(sums, state, b, g, (dweight, dbias, dscale, dshift))
        inputCoefficients(total, along, state, b, g, p, q)
      }
    }
    launch(.channelApplyBackward) {
      $0.dy = UnsafeRawPointer(dy.pointer)
      $0.y = dx.pointer
      $0.a = UnsafePointer(state.a.floats)
      $0.s = UnsafePointer(state.s.floats)
      $0.p = UnsafePointer(p.floats)
      $0.q = UnsafePointer(q.floats)
      $0.origin = UnsafePointer(state.origin.floats)
    }
    return (dx, dweight, dbias, dscale, dshift)
  }

  /// Adds what group `g` of picture `b` gives to the gradients of weight, bias, scale and shift.
  ///
  /// - Returns: Σ g k and Σ g k x̂ over the group.
  private func parameterGradients(
    _ sums: [Double], _ state: State, _ b: Int, _ g: Int,
    _ gradients: (weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor)
  ) -> (total: Double, along: Double) {
    let size = channels / groups, origin = state.origin.floats
    let m = state.mean[b * groups + g], r = state.rstd[b * groups + g]
    var total = 0.0, along = 0.0
    for c in g * size..<(g + 1) * size {
      let first = sums[b * 2 * channels + c]
      // Σ g x̂ from Σ g (x − origin).
      let hat = (sums[(b * 2 + 1) * channels + c] + first * (Double(origin[b * channels + c]) - m)) * r
      let w = Double(weight?.floats[c] ?? 1), k = 1 + Double(value(scale, b, c) ?? 0)
      total += first * w * k
      along += hat * w * k
      gradients.weight.floats[c] += Float(hat * k)
      gradients.bias.floats[c] += Float(first * k)
      gradients.scale.floats[b * channels + c] = Float(hat * w + first * Double(bias?.floats[c] ?? 0))
      gradients.shift.floats[b * channels + c] = Float(first)
    }
    return (total, along)
  }

  /// What the kernel takes for dx beside rstd g k: dx = … + p (x − origin) + q.
  private func inputCoefficients(
    _ total: Double, _ along: Double, _ state: State, _ b: Int, _ g: Int, _ p: Tensor, _ q: Tensor
  ) {
    let size = channels / groups, n = Double(size * pixels), origin = state.origin.floats
    let m = state.mean[b * groups + g], r = state.rstd[b * groups + g]
    for c in g * size..<(g + 1) * size {
      p.floats[b * channels + c] = Float(-r * r * along / n)
      q.floats[b * channels + c] = Float(
        -r * total / n + (m - Double(origin[b * channels + c])) * r * r * along / n)
    }
  }
}
