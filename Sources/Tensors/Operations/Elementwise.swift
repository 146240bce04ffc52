import CKernels

/// A function of one number, applied to every element.
///
/// The activations with a payload-free name are those that products can apply on their way out
/// (`Activation`).
public enum UnaryFunction: Sendable, CaseIterable {
  case negate, exp, log, squareRoot, square, reciprocal, tanh, sigmoid, relu, silu, geluErf, geluTanh, sin,
    cos, abs

  fileprivate var code: Int32 {
    let op =
      switch self {
      case .negate: VG_NEGATE
      case .exp: VG_EXP
      case .log: VG_LOG
      case .squareRoot: VG_SQRT
      case .square: VG_SQUARE
      case .reciprocal: VG_RECIPROCAL
      case .tanh: VG_TANH
      case .sigmoid: VG_SIGMOID
      case .relu: VG_RELU
      case .silu: VG_SILU
      case .geluErf: VG_GELU_ERF
      case .geluTanh: VG_GELU_TANH
      case .sin: VG_SIN
      case .cos: VG_COS
      case .abs: VG_ABS
      }
    return Int32(op.rawValue)
  }
}

/// What a product or convolution may do to its result before it is stored.
public enum Activation: Sendable, CaseIterable {
  case none, silu, geluErf, geluTanh, relu

  /// The same as a function of its own; `nil` for `none`.
  var function: UnaryFunction? {
    switch self {
    case .none: nil
    case .silu: .silu
    case .geluErf: .geluErf
    case .geluTanh: .geluTanh
    case .relu: .relu
    }
  }
}

extension Tensor {
  /// `y = f(x)`, same shape and type. Backward: `dx = dy · f'(x)`, with f' worked out from x.
  public func map(_ function: UnaryFunction) -> Tensor {
    let y = Tensor.empty(shape, type)
    run(
      .unary, type, vg_unary_args(x: pointer, dy: nil, y: y.pointer, n: Int64(count), op: function.code),
      items: blocks(count))
    return y.recorded(from: [self]) { [x = detached()] dy in [x.mapBackward(function, dy)] }
  }

  func mapBackward(_ function: UnaryFunction, _ dy: Tensor) -> Tensor {
    let dx = Tensor.empty(shape, type), dy = dy.cast(to: type)
    run(
      .unaryBackward, type,
      vg_unary_args(x: pointer, dy: dy.pointer, y: dx.pointer, n: Int64(count), op: function.code),
      items: blocks(count))
    withExtendedLifetime(dy) {}
    return dx
  }

  /// e to the power of each element.
  public func exp() -> Tensor { map(.exp) }
  /// Natural logarithm: −∞ at 0, NaN below.
  public func log() -> Tensor { map(.log) }
  /// NaN below 0.
  public func squareRoot() -> Tensor { map(.squareRoot) }
  /// Each element times itself.
  public func squared() -> Tensor { map(.square) }
  /// The hyperbolic tangent, within ±1.
  public func tanh() -> Tensor { map(.tanh) }
  /// `1 / (1 + e⁻ˣ)`.
  public func sigmoid() -> Tensor { map(.sigmoid) }
  /// `max(x, 0)`; the gradient at 0 is 0.
  public func relu() -> Tensor { map(.relu) }
  /// The absolute value; the gradient at 0 is 0.
  public func abs() -> Tensor { map(.abs) }
  /// `x · sigmoid(x)` (arXiv 1606.08415).
  public func silu() -> Tensor { map(.silu) }
  /// `x · Φ(x)` with the exact normal distribution function.
  public func gelu() -> Tensor { map(.geluErf) }
  /// The tanh form of GELU.
  public func geluTanh() -> Tensor { map(.geluTanh) }

  /// `y = scale · x + shift`.
  public func affine(scale: Float, shift: Float = 0) -> Tensor {
    let y = Tensor.empty(shape, type)
    run(
      .affine, type,
      vg_affine_args(x: pointer, y: y.pointer, n: Int64(count), scale: scale, shift: shift),
      items: blocks(count))
    return y.recorded(from: [self]) { [$0.affine(scale: scale)] }
  }

  /// The same numbers in another arithmetic type, to nearest even.
  public func cast(to type: ElementType) -> Tensor {
    guard type != self.type else { return self }
    let y = Tensor.empty(shape, type)
    writeCast(to: y)
    let from = self.type
    return y.recorded(from: [self]) { [$0.cast(to: from)] }
  }

  func writeCast(to y: Tensor) {
    run(
      .cast, type, vg_cast_args(x: pointer, y: y.pointer, n: Int64(count), to_type: y.type.code),
      items: blocks(count))
  }

  /// The same numbers in memory of their own.
  public func copied() -> Tensor {
    let y = Tensor.empty(shape, type)
    y.pointer.copyMemory(from: pointer, byteCount: byteCount)
    return y
  }

  /// `−x`.
  public static prefix func - (x: Tensor) -> Tensor { x.affine(scale: -1) }
  /// `x + y` for every element.
  public static func + (x: Tensor, y: Float) -> Tensor { x.affine(scale: 1, shift: y) }
  /// `x + y` for every element.
  public static func + (x: Float, y: Tensor) -> Tensor { y.affine(scale: 1, shift: x) }
  /// `x − y` for every element.
  public static func - (x: Tensor, y: Float) -> Tensor { x.affine(scale: 1, shift: -y) }
  /// `x − y` for every element.
  public static func - (x: Float, y: Tensor) -> Tensor { y.affine(scale: -1, shift: x) }
  /// `x · y` for every element.
  public static func * (x: Tensor, y: Float) -> Tensor { x.affine(scale: y) }
  /// `x · y` for every element.
  public static func * (x: Float, y: Tensor) -> Tensor { y.affine(scale: x) }
  /// `x · (1 / y)` for every element, of which the last bit may differ from a division's.
  public static func / (x: Tensor, y: Float) -> Tensor { x.affine(scale: 1 / y) }
  /// `x / y` for every element.
  public static func / (x: Float, y: Tensor) -> Tensor { y.map(.reciprocal).affine(scale: x) }
}

extension Activation {
  /// The activation as an operation of its own.
  public func apply(_ x: Tensor) -> Tensor { function.map(x.map) ?? x }
}
