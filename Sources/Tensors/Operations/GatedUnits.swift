import CKernels

/// A gated linear unit's gate (arXiv 2002.05202).
public enum GatedUnit: Sendable, CaseIterable {
  case swiGLU, geGLU, geGLUTanh

  fileprivate var code: Int32 {
    switch self {
    case .swiGLU: Int32(VG_SWIGLU.rawValue)
    case .geGLU: Int32(VG_GEGLU_ERF.rawValue)
    case .geGLUTanh: Int32(VG_GEGLU_TANH.rawValue)
    }
  }
}

/// `y = activation(gate) · up`, shapes equal: `[…, n]`.
public func gated(_ unit: GatedUnit, gate: Tensor, up: Tensor) -> Tensor {
  precondition(gate.shape == up.shape && gate.type == up.type, "gate \(gate) and up \(up) differ")
  let n = gate.size(-1), layout = GateLayout(n: n, gateRow: n, upRow: n, type: gate.type)
  let y = Tensor.empty(gate.shape, gate.type)
  layout.forward(unit, gate.pointer, up.pointer, y)
  return y.recorded(from: [gate, up]) { [gate = gate.detached(), up = up.detached()] dy in
    let dgate = Tensor.empty(gate.shape, gate.type), dup = Tensor.empty(gate.shape, gate.type)
    layout.backward(unit, gate.pointer, up.pointer, dy.cast(to: gate.type), dgate.pointer, dup.pointer)
    return [dgate, dup]
  }
}

/// The same on one product that holds both halves: `[…, 2n]`, gate first → `[…, n]`.
public func gated(_ unit: GatedUnit, gateAndUp x: Tensor) -> Tensor { gated(unit, halves: x, gateAt: 0) }

/// The same with the gate last.
public func gated(_ unit: GatedUnit, upAndGate x: Tensor) -> Tensor { gated(unit, halves: x, gateAt: 1) }

private func gated(_ unit: GatedUnit, halves x: Tensor, gateAt half: Int) -> Tensor {
  let n = x.size(-1) / 2, gate = half * n * x.type.byteCount, up = (1 - half) * n * x.type.byteCount
  precondition(x.size(-1) % 2 == 0, "a gate and its partner need an even number of channels, \(x)")
  let layout = GateLayout(n: n, gateRow: 2 * n, upRow: 2 * n, type: x.type)
  let y = Tensor.empty(x.shape.dropLast() + [n], x.type)
  layout.forward(unit, x.pointer + gate, x.pointer + up, y)
  return y.recorded(from: [x]) { [x = x.detached()] dy in
    let dx = Tensor.empty(x.shape, x.type)
    layout.backward(
      unit, x.pointer + gate, x.pointer + up, dy.cast(to: x.type), dx.pointer + gate, dx.pointer + up)
    return [dx]
  }
}

/// Where rows of gate and up lie.
private struct GateLayout {
  let n, gateRow, upRow: Int
  let type: ElementType

  private func arguments(
    _ unit: GatedUnit, _ gate: UnsafeMutableRawPointer, _ up: UnsafeMutableRawPointer
  ) -> vg_glu_args {
    var arguments = vg_glu_args()
    arguments.gate = UnsafeRawPointer(gate)
    arguments.up = UnsafeRawPointer(up)
    (arguments.n, arguments.gate_row, arguments.up_row) = (Int64(n), Int64(gateRow), Int64(upRow))
    (arguments.dgate_row, arguments.dup_row) = (Int64(gateRow), Int64(upRow))
    arguments.op = unit.code
    return arguments
  }

  func forward(_ unit: GatedUnit, _ gate: UnsafeMutableRawPointer, _ up: UnsafeMutableRawPointer, _ y: Tensor)
  {
    guard y.count > 0 else { return }
    var arguments = arguments(unit, gate, up)
    arguments.y = y.pointer
    run(.glu, type, arguments, items: y.count / n, grain: grain(rowOf: n, cost: 4))
  }

  func backward(
    _ unit: GatedUnit, _ gate: UnsafeMutableRawPointer, _ up: UnsafeMutableRawPointer, _ dy: Tensor,
    _ dgate: UnsafeMutableRawPointer, _ dup: UnsafeMutableRawPointer
  ) {
    guard dy.count > 0 else { return }
    var arguments = arguments(unit, gate, up)
    arguments.dy = UnsafeRawPointer(dy.pointer)
    (arguments.dgate, arguments.dup) = (dgate, dup)
    run(.gluBackward, type, arguments, items: dy.count / n, grain: grain(rowOf: n, cost: 8))
  }
}
