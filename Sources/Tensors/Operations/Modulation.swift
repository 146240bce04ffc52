import CKernels

/// Which half of a modulation's channels comes first.
public enum ModulationOrder: Sendable { case scaleFirst, shiftFirst }

/// Scale and shift that vary from place to place, and SiLU where it follows, in one pass over memory.
///
///     y = act(x · (1 + scale) + shift)
///
/// Shapes: x, y `[batch, height · f, width · f, channels]`; parts `[batch, height, width, 2 · channels]` in
/// `order`, each entry serving a block of f × f pixels: nearest upsampling that is never written out.
/// Backward: `dx = d (1 + scale)`, `dscale = Σ d x`, `dshift = Σ d` over the block, with `d = dy · act'`.
/// Source: adaptive norms, arXiv 2105.05233 and 2212.09748.
public func modulated(
  _ x: Tensor, by parts: Tensor, order: ModulationOrder = .scaleFirst, activation: NormActivation = .none
) -> Tensor {
  modulated(x, channels: nil, by: parts, order: order, activation: activation)
}

/// The same of `x · a + s` in x's place, both f32 `[batch, channels]`; only where nothing is tracked.
func modulated(
  _ x: Tensor, channels: (a: Tensor, s: Tensor)?, by parts: Tensor, order: ModulationOrder = .scaleFirst,
  activation: NormActivation
) -> Tensor {
  precondition(
    x.rank == 4 && parts.rank == 4 && x.size(0) == parts.size(0) && parts.size(3) == 2 * x.size(3)
      && x.size(1) % max(1, parts.size(1)) == 0
      && x.size(1) / max(1, parts.size(1)) * parts.size(2) == x.size(2),
    "\(parts) does not modulate \(x)")
  let values = parts.detached().cast(to: x.type), y = Tensor.empty(x.shape, x.type)
  var arguments = modulationArguments(x, parts, order, activation)
  if let channels {
    (arguments.a, arguments.s) = (UnsafePointer(channels.a.floats), UnsafePointer(channels.s.floats))
  }
  func launch(_ kernel: Kernel<vg_modulate_args>, _ arguments: vg_modulate_args) {
    let items = parts.shape.dropLast().reduce(1, *)
    run(kernel, x.type, arguments, items: items, grain: grain(rowOf: x.count / max(1, items), cost: 4))
  }
  arguments.x = UnsafeRawPointer(x.pointer)
  arguments.parts = UnsafeRawPointer(values.pointer)
  arguments.y = y.pointer
  if y.count > 0 { launch(.modulate, arguments) }
  withExtendedLifetime(channels) {}
  return y.recorded(from: [x, parts]) { [x = x.detached(), arguments] dy in
    let dy = dy.cast(to: x.type), dx = Tensor.empty(x.shape, x.type)
    let dparts = Tensor.empty(values.shape, x.type)
    var arguments = arguments
    arguments.x = UnsafeRawPointer(x.pointer)
    arguments.parts = UnsafeRawPointer(values.pointer)
    arguments.dy = UnsafeRawPointer(dy.pointer)
    (arguments.y, arguments.dparts) = (dx.pointer, dparts.pointer)
    if dx.count > 0 { launch(.modulateBackward, arguments) }
    withExtendedLifetime((x, values, dy)) {}
    return [dx, dparts]
  }
}

/// Sizes and kinds, without what is read and written.
private func modulationArguments(
  _ x: Tensor, _ parts: Tensor, _ order: ModulationOrder, _ activation: NormActivation
) -> vg_modulate_args {
  var arguments = vg_modulate_args()
  (arguments.n, arguments.height) = (Int64(x.size(3)), Int64(parts.size(1)))
  (arguments.width, arguments.factor) = (Int64(parts.size(2)), Int64(x.size(1) / max(1, parts.size(1))))
  arguments.silu = activation == .silu ? 1 : 0
  arguments.shift_first = order == .shiftFirst ? 1 : 0
  return arguments
}

extension Tensor {
  /// Blocks of `factor × factor` pixels become channels: `[batch, h · f, w · f, c]` → `[batch, h, w, f² · c]`.
  public func spaceToDepth(_ factor: Int) -> Tensor {
    guard factor > 1 else { return self }
    let (b, h, w, c) = (size(0), size(1) / factor, size(2) / factor, size(3))
    return reshaped([b, h, factor, w, factor, c]).transposed([0, 1, 3, 2, 4, 5])
      .reshaped([b, h, w, factor * factor * c])
  }

  /// The inverse: channels become blocks of pixels.
  public func depthToSpace(_ factor: Int) -> Tensor {
    guard factor > 1 else { return self }
    let (b, h, w, c) = (size(0), size(1), size(2), size(3) / (factor * factor))
    return reshaped([b, h, w, factor, factor, c]).transposed([0, 1, 3, 2, 4, 5])
      .reshaped([b, h * factor, w * factor, c])
  }
}
