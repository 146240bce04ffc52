import CKernels

/// Arithmetic of two tensors whose shapes agree from the right, a size of 1 repeating (NumPy's rule).
enum BinaryOperation {
  case add, subtract, multiply, divide, equal

  fileprivate var code: Int32 {
    let op =
      switch self {
      case .add: VG_ADD
      case .subtract: VG_SUBTRACT
      case .multiply: VG_MULTIPLY
      case .divide: VG_DIVIDE
      case .equal: VG_EQUAL
      }
    return Int32(op.rawValue)
  }
}

/// How two shapes meet: the result's shape, and both operands' strides in as few dimensions as possible.
private struct BroadcastPlan {
  var shape: [Int] = []
  var dims: [Int] = []
  var aStrides: [Int] = []
  var bStrides: [Int] = []

  init(_ a: [Int], _ b: [Int]) {
    let rank = max(a.count, b.count)
    let left = Self.padded(a, rank), right = Self.padded(b, rank)
    for axis in 0..<rank {
      let (p, q) = (left.shape[axis], right.shape[axis])
      precondition(p == q || p == 1 || q == 1, "shapes \(a) and \(b) do not broadcast")
      let size = p == 1 ? q : p
      shape.append(size)
      if size == 1 { continue }
      add(size, p == 1 ? 0 : left.strides[axis], q == 1 ? 0 : right.strides[axis])
    }
    if dims.isEmpty { add(1, 1, 1) }
  }

  private static func padded(_ shape: [Int], _ rank: Int) -> (shape: [Int], strides: [Int]) {
    let full = [Int](repeating: 1, count: rank - shape.count) + shape
    return (full, full.strides)
  }

  /// Adds a dimension inside the others, merged with the last one where both operands allow it.
  private mutating func add(_ size: Int, _ a: Int, _ b: Int) {
    if let last = dims.indices.last, aStrides[last] == a * size, bStrides[last] == b * size {
      dims[last] *= size
      aStrides[last] = a
      bStrides[last] = b
    } else {
      dims.append(size)
      aStrides.append(a)
      bStrides.append(b)
    }
  }
}

func copy(_ values: [Int], to tuple: UnsafeMutableRawPointer) {
  precondition(values.count <= Int(VG_MAX_DIMS), "too many dimensions: \(values.count)")
  let target = tuple.assumingMemoryBound(to: Int64.self)
  for (i, value) in values.enumerated() { target[i] = Int64(value) }
}

private func apply(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
  let type: ElementType = a.type == b.type ? a.type : .f32
  let a = a.cast(to: type), b = b.cast(to: type)
  let plan = BroadcastPlan(a.shape, b.shape)
  let y = Tensor.empty(plan.shape, type)
  guard y.count > 0 else { return y }
  let outer = Array(plan.dims.dropLast()), last = plan.dims.count - 1
  var arguments = vg_binary_args()
  arguments.op = op.code
  arguments.a_inner = plan.aStrides[last] == 0 ? 0 : 1
  arguments.b_inner = plan.bStrides[last] == 0 ? 0 : 1
  func launch(dims: [Int], aStrides: [Int], bStrides: [Int], inner: Int, skipping: Int) {
    arguments.a = UnsafeRawPointer(a.pointer + skipping * Int(arguments.a_inner) * type.byteCount)
    arguments.b = UnsafeRawPointer(b.pointer + skipping * Int(arguments.b_inner) * type.byteCount)
    arguments.y = y.pointer + skipping * type.byteCount
    arguments.inner = Int64(inner)
    arguments.rank = Int32(dims.count)
    copy(dims, to: &arguments.dims)
    copy(aStrides, to: &arguments.a_strides)
    copy(bStrides, to: &arguments.b_strides)
    run(.binary, type, arguments, items: dims.product, grain: grain(rowOf: inner))
  }
  if outer.isEmpty {  // one long row: cut, so that every thread has a part
    let block = Int(VG_BLOCK), inner = plan.dims[last], whole = inner / block
    if whole > 0 {
      launch(
        dims: [whole], aStrides: [block * Int(arguments.a_inner)], bStrides: [block * Int(arguments.b_inner)],
        inner: block, skipping: 0)
    }
    if inner % block > 0 {
      launch(dims: [], aStrides: [], bStrides: [], inner: inner % block, skipping: whole * block)
    }
  } else {
    launch(
      dims: outer, aStrides: plan.aStrides.dropLast(), bStrides: plan.bStrides.dropLast(),
      inner: plan.dims[last],
      skipping: 0)
  }
  return y
}

extension Tensor {
  /// The sum of two tensors, shapes broadcast as NumPy does. Backward: dy, summed over the axes that were stretched.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    apply(.add, a, b).recorded(from: [a, b]) {
      [s = a.shape, t = b.shape, p = a.isTracked, q = b.isTracked] dy in
      [p ? dy.summed(to: s) : nil, q ? dy.summed(to: t) : nil]
    }
  }

  /// The difference, broadcast. Backward: dy and −dy, summed likewise.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    apply(.subtract, a, b).recorded(from: [a, b]) {
      [s = a.shape, t = b.shape, p = a.isTracked, q = b.isTracked] dy in
      [p ? dy.summed(to: s) : nil, q ? -dy.summed(to: t) : nil]
    }
  }

  /// The product of elements, broadcast. Backward: `da = dy · b`, `db = dy · a`, summed likewise.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    let p = a.isTracked, q = b.isTracked, s = a.shape, t = b.shape
    let left = q ? a.detached() : nil, right = p ? b.detached() : nil
    return apply(.multiply, a, b).recorded(from: [a, b]) { dy in
      [right.map { (dy * $0).summed(to: s) }, left.map { (dy * $0).summed(to: t) }]
    }
  }

  /// Backward: `da = dy / b`, `db = −dy · y / b`.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let y = apply(.divide, a, b), p = a.isTracked, q = b.isTracked, s = a.shape, divisor = b.detached()
    return y.recorded(from: [a, b]) { dy in
      let part = dy / divisor
      return [p ? part.summed(to: s) : nil, q ? -(part * y).summed(to: divisor.shape) : nil]
    }
  }

  /// 1 where the numbers are equal, else 0; a constant in every gradient.
  func equals(_ other: Tensor) -> Tensor { apply(.equal, detached(), other.detached()) }

  /// Repeats size-1 axes to reach `shape`.
  public func broadcast(to shape: [Int]) -> Tensor {
    shape == self.shape ? self : self + Tensor.zeros(shape, type)
  }

  /// The transpose of broadcasting: sums over the axes that were repeated.
  func summed(to shape: [Int]) -> Tensor {
    guard shape != self.shape else { return self }
    let missing = rank - shape.count
    var axes = Array(0..<missing)
    for axis in shape.indices where shape[axis] == 1 && self.shape[missing + axis] != 1 {
      axes.append(missing + axis)
    }
    return sum(axes: axes, keepingAxes: true).reshaped(shape)
  }
}
