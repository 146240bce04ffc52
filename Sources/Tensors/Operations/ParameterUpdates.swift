import CKernels

/// What one fused AdamW step needs besides the gradient (arXiv 1711.05101).
public struct AdamWStep: Sendable {
  /// η, β₁, β₂, ε and λ: the step is `−η (m̂ / (√v̂ + ε) + λ w)`.
  public var rate, beta1, beta2, epsilon, decay: Float
  /// 1 for the first step: the bias corrections depend on it.
  public var step: Int

  /// Each argument is the property of its name.
  public init(rate: Float, beta1: Float, beta2: Float, epsilon: Float, decay: Float, step: Int) {
    (self.rate, self.beta1, self.beta2, self.epsilon, self.decay, self.step) = (
      rate, beta1, beta2, epsilon, decay, step
    )
  }
}

/// Running first and second moments of one parameter's gradient, f32, of its shape.
public struct Moments {
  /// m and v: the averages of gradients and of their squares.
  public var first, second: Tensor

  /// Zeros: before the first step.
  public init(like parameter: Parameter) {
    first = .zeros(parameter.shape)
    second = .zeros(parameter.shape)
  }

  /// Copies of stored moments, such as a checkpoint's.
  public init(first: Tensor, second: Tensor) {
    (self.first, self.second) = (first.copied(), second.copied())
  }
}

/// What one step of schedule-free RAdam needs besides the gradient (arXiv 2405.15682).
public struct ScheduleFreeStep: Sendable {
  /// γ, c and −γ (1 − β₁ (1 − c)): the step of z, how far y follows z first, and y's own step.
  public var rate, share, push: Float
  /// β₂, ε and 1 − β₂ᵗ.
  public var beta2, epsilon, correction2: Float
  /// Whether the gradient is divided by the root of its squares.
  public var isAdaptive: Bool

  /// Each argument is the property of its name.
  public init(
    rate: Float, share: Float, push: Float, beta2: Float, epsilon: Float, correction2: Float, isAdaptive: Bool
  ) {
    (self.rate, self.share, self.push) = (rate, share, push)
    (self.beta2, self.epsilon, self.correction2, self.isAdaptive) = (beta2, epsilon, correction2, isAdaptive)
  }
}

/// z and v of one parameter, f32, of its shape.
public struct ScheduleFreeState {
  /// Where the steps have led, and the average of the gradients' squares.
  public var leading, second: Tensor

  /// Before the first step: z is the parameter's value.
  public init(like parameter: Parameter) {
    (leading, second) = (parameter.value.copied(), .zeros(parameter.shape))
  }

  /// Copies of stored ones, such as a checkpoint's.
  public init(leading: Tensor, second: Tensor) {
    (self.leading, self.second) = (leading.copied(), second.copied())
  }
}

extension Parameter {
  /// One step of schedule-free RAdam in one pass over memory.
  public func apply(
    _ step: ScheduleFreeStep, decay: Float, gradient: Tensor, state: ScheduleFreeState, gradientScale: Tensor
  ) {
    precondition(
      gradient.shape == shape && gradient.type == .f32, "a gradient \(gradient) for a parameter of \(shape)")
    update { value, copy in
      let lowered = copy.flatMap { $0.type == .bf16 ? $0 : nil }
      run(
        .scheduleFree, .f32,
        vg_schedule_free_args(
          parameter: value.floats, z: state.leading.floats, v: state.second.floats,
          gradient: UnsafePointer(gradient.floats),
          copy: lowered?.pointer.assumingMemoryBound(to: UInt16.self),
          n: Int64(count), rate: step.rate, share: step.share, push: step.push, beta2: step.beta2,
          epsilon: step.epsilon, decay: decay, correction2: step.correction2,
          adaptive: step.isAdaptive ? 1 : 0, gradient_scale: UnsafePointer(gradientScale.floats)),
        items: blocks(count))
    }
  }

  /// One AdamW step in one pass over memory: parameter, both moments, and the bf16 copy if one is in use.
  ///
  /// `gradientScale` is one f32 number that multiplies the gradient, from clipping.
  public func apply(_ step: AdamWStep, gradient: Tensor, moments: Moments, gradientScale: Tensor) {
    precondition(
      gradient.shape == shape && gradient.type == .f32, "a gradient \(gradient) for a parameter of \(shape)")
    update { value, copy in
      let lowered = copy.flatMap { $0.type == .bf16 ? $0 : nil }
      run(
        .adamW, .f32,
        vg_adamw_args(
          parameter: value.floats, m: moments.first.floats, v: moments.second.floats,
          gradient: UnsafePointer(gradient.floats),
          copy: lowered?.pointer.assumingMemoryBound(to: UInt16.self),
          n: Int64(count), rate: step.rate, beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon,
          decay: step.decay, correction1: 1 - power(step.beta1, step.step),
          correction2: 1 - power(step.beta2, step.step),
          gradient_scale: UnsafePointer(gradientScale.floats)),
        items: blocks(count))
    }
  }

  /// Moves this parameter towards `other`: `value += weight · (other − value)`, the step of a moving average.
  public func move(towards other: Tensor, weight: Float) {
    precondition(other.shape == shape && other.type == .f32, "an average of \(shape) cannot follow \(other)")
    update { value, copy in
      run(
        .lerp, .f32, vg_lerp_args(x: other.pointer, y: value.pointer, n: Int64(count), weight: weight),
        items: blocks(count))
      if let copy { value.writeCast(to: copy) }
    }
  }
}

private func power(_ base: Float, _ exponent: Int) -> Float {
  var result = 1.0, factor = Double(base), rest = exponent
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return Float(result)
}

extension Tensor {
  /// The sum of squares of all elements, in f64 over blocks of f32 sums.
  public func sumOfSquares() -> Double {
    var partial = [Double](repeating: 0, count: blocks(count))
    let items = partial.count
    partial.withUnsafeMutableBufferPointer { buffer in
      run(
        .sumSquares, type, vg_sum_squares_args(x: pointer, partial: buffer.baseAddress, n: Int64(count)),
        items: items, grain: 4)
    }
    return partial.reduce(0, +)
  }
}
