import CKernels

extension Tensor {
  /// The same elements in another shape; one size may be −1 and is worked out.
  public func reshaped(_ newShape: [Int]) -> Tensor {
    if newShape == shape { return self }
    var resolved = newShape
    if let free = newShape.firstIndex(of: -1) {
      let rest = newShape.filter { $0 != -1 }.product
      precondition(rest > 0 && count % rest == 0, "\(shape) cannot be reshaped to \(newShape)")
      resolved[free] = count / rest
    }
    precondition(resolved.product == count, "\(shape) cannot be reshaped to \(newShape)")
    let y = Tensor(storage: storage, offset: offset, shape: resolved, type: type)
    return y.recorded(from: [self]) { [shape] dy in [dy.reshaped(shape)] }
  }

  /// Reorders the axes: axis `i` of the result is axis `axes[i]` of this tensor.
  public func transposed(_ axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(0..<rank), "\(axes) does not order the axes of \(shape)")
    if axes == Array(0..<rank) { return self }
    let strides = shape.strides
    let y = gatherStrided(axes.map { shape[$0] }, axes.map { strides[$0] })
    return y.recorded(from: [self]) { dy in
      var inverse = axes
      for (i, axis) in axes.enumerated() { inverse[axis] = i }
      return [dy.transposed(inverse)]
    }
  }

  /// Swaps two axes.
  public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
    var axes = Array(0..<rank)
    axes.swapAt(first < 0 ? first + rank : first, second < 0 ? second + rank : second)
    return transposed(axes)
  }

  /// Elements of `range` along one axis. Along the first axis this shares memory.
  public func sliced(_ range: Range<Int>, axis: Int = 0) -> Tensor {
    let axis = axis < 0 ? axis + rank : axis
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[axis], "slice \(range) of axis \(axis) of \(shape)")
    let inner = shape[(axis + 1)...].reduce(1, *), newShape = shape.replacing([axis], with: range.count)
    let start = range.lowerBound * inner
    let y: Tensor
    if shape[..<axis].reduce(1, *) == 1 {
      y = Tensor(storage: storage, offset: offset + start, shape: newShape, type: type)
    } else {
      let window = Tensor(storage: storage, offset: offset + start, shape: shape, type: type)
      y = window.gatherStrided(newShape, shape.strides)
    }
    return y.recorded(from: [self]) { [shape] dy in
      let dx = Tensor.zeros(shape, dy.type)
      dy.scatterRows(into: dx, axis: axis, at: range.lowerBound)
      return [dx]
    }
  }

  /// Cuts one axis into equal parts.
  public func split(into parts: Int, axis: Int = -1) -> [Tensor] {
    let axis = axis < 0 ? axis + rank : axis, size = shape[axis] / parts
    precondition(shape[axis] % parts == 0, "axis \(axis) of \(shape) does not split into \(parts) parts")
    return (0..<parts).map { sliced($0 * size..<($0 + 1) * size, axis: axis) }
  }

  /// Joins tensors along one axis; all other sizes are equal.
  public static func concatenated(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("nothing to concatenate") }
    if tensors.count == 1 { return first }
    let axis = axis < 0 ? axis + first.rank : axis
    for tensor in tensors {
      precondition(
        tensor.shape.removing([axis]) == first.shape.removing([axis]) && tensor.type == first.type,
        "\(tensor) and \(first) do not join along axis \(axis)")
    }
    let y = Tensor.empty(
      first.shape.replacing([axis], with: tensors.reduce(0) { $0 + $1.shape[axis] }), first.type)
    var at = 0
    for tensor in tensors {
      tensor.scatterRows(into: y, axis: axis, at: at)
      at += tensor.shape[axis]
    }
    let sizes = tensors.map { $0.shape[axis] }, tracked = tensors.map(\.isTracked)
    return y.recorded(from: tensors) { dy in
      var at = 0
      return zip(sizes, tracked).map { size, tracked in
        defer { at += size }
        return tracked ? dy.sliced(at..<at + size, axis: axis) : nil
      }
    }
  }

  /// Adds an axis of size 1.
  public func expanded(at axis: Int) -> Tensor {
    var newShape = shape
    newShape.insert(1, at: axis < 0 ? axis + rank + 1 : axis)
    return reshaped(newShape)
  }

  /// Rows `indices` of the first axis: `[n, …]` at `[m…]` → `[m…, …]`. Backward: rows add up in order.
  ///
  /// With a weight this is the embedding lookup; its gradient is f32. An index outside is a caller's bug.
  public func gathered(_ indices: Tensor) -> Tensor {
    let rows = size(0), inner = shape.dropFirst().reduce(1, *), count = indices.count
    // Without a sign a negative index is a huge one: one comparison, in vectors.
    let given = UnsafeBufferPointer(start: indices.indices, count: count)
    let highest = given.reduce(0) { Swift.max($0, UInt32(bitPattern: $1)) }
    precondition(
      count == 0 || Int(highest) < rows,
      "row \(Int32(bitPattern: highest)) of a table of \(rows) rows")
    let y = Tensor.empty(indices.shape + shape.dropFirst(), type)
    var arguments = vg_gather_args()
    arguments.n = Int64(inner)
    arguments.count = Int64(count)
    arguments.indices = UnsafePointer(indices.indices)
    arguments.table = UnsafeRawPointer(pointer)
    arguments.y = y.pointer
    run(.gatherRows, type, arguments, items: count, grain: grain(rowOf: inner))
    return y.recorded(from: [self]) { [shape] dy in
      let table = Tensor.zeros(shape)
      arguments.indices = UnsafePointer(indices.indices)
      arguments.dy = UnsafeRawPointer(dy.pointer)
      arguments.dtable = table.floats
      run(.scatterAddRows, dy.type, arguments, items: (inner + 63) / 64)
      return [table]
    }
  }

  /// A convolution's weight `[out, in, h, w]` → `[in, out, h, w]` with every kernel turned by 180°.
  func turnedForInputGradient() -> Tensor {
    let strides = shape.strides
    let last = Tensor(storage: storage, offset: offset + shape[2] * shape[3] - 1, shape: shape, type: type)
    return last.gatherStrided(
      [shape[1], shape[0], shape[2], shape[3]], [strides[1], strides[0], -strides[2], -strides[3]])
  }

  /// A contiguous copy of elements read with strides.
  private func gatherStrided(_ newShape: [Int], _ strides: [Int]) -> Tensor {
    let y = Tensor.empty(newShape, type)
    guard y.count > 0, rank > 0 else {
      if y.count > 0 { y.pointer.copyMemory(from: pointer, byteCount: byteCount) }
      return y
    }
    // Neighbouring axes that are contiguous in the source merge, so that most copies are of long runs.
    var merged: [(size: Int, stride: Int)] = []
    for (size, stride) in zip(newShape, strides) where size != 1 {
      if let last = merged.last, last.stride == stride * size {
        merged[merged.count - 1] = (last.size * size, stride)
      } else {
        merged.append((size, stride))
      }
    }
    if merged.isEmpty { merged = [(1, 1)] }
    let last = merged[merged.count - 1].size
    var arguments = vg_permute_args()
    arguments.x = UnsafeRawPointer(pointer)
    arguments.y = y.pointer
    arguments.rank = Int32(merged.count)
    arguments.y_row = Int64(last)
    copy(merged.map(\.size), to: &arguments.dims)
    copy(merged.map(\.stride), to: &arguments.strides)
    run(
      .permute, movingType, arguments, items: merged.dropLast().map(\.size).product,
      grain: grain(rowOf: last))
    return y
  }

  /// Four-byte indices move like f32 numbers.
  private var movingType: ElementType { type == .i32 ? .f32 : type }

  /// Writes this tensor into `target` along `axis` from position `start` on; the other sizes are equal.
  private func scatterRows(into target: Tensor, axis: Int, at start: Int) {
    let inner = shape[(axis + 1)...].reduce(1, *), outer = shape[..<axis].reduce(1, *)
    let length = shape[axis] * inner, row = target.shape[axis] * inner
    guard count > 0 else { return }
    var arguments = vg_permute_args()
    arguments.x = UnsafeRawPointer(pointer)
    arguments.y = target.pointer + start * inner * type.byteCount
    arguments.rank = 2
    arguments.y_row = Int64(row)
    copy([outer, length], to: &arguments.dims)
    copy([length, 1], to: &arguments.strides)
    run(.permute, movingType, arguments, items: outer, grain: grain(rowOf: length))
  }
}
