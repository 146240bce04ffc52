import CKernels

/// LayerNorm over the last axis: `y = (x − mean) / √(variance + ε) · weight + bias`.
///
/// Shapes: x `[…, n]`, weight and bias `[n]`, f32. Statistics in f32. Source: arXiv 1607.06450.
public func layerNorm(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Float) -> Tensor {
  rowNorm(x, weight: weight, bias: bias, epsilon: epsilon, subtractingMean: true)
}

/// RMSNorm over the last axis: `y = x / √(mean x² + ε) · weight`. Source: arXiv 1910.07467.
public func rmsNorm(_ x: Tensor, weight: Tensor? = nil, epsilon: Float) -> Tensor {
  rowNorm(x, weight: weight, bias: nil, epsilon: epsilon, subtractingMean: false)
}

private func rowNorm(
  _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, subtractingMean: Bool
) -> Tensor {
  let n = x.size(-1), rows = n == 0 ? 0 : x.count / n
  for part in [weight, bias] {
    precondition(
      part.map { $0.shape == [n] && $0.type == .f32 } ?? true, "a norm of \(x) needs f32 weights [\(n)]")
  }
  let y = Tensor.empty(x.shape, x.type)
  let mean = subtractingMean ? Tensor.empty([rows]) : nil, rstd = Tensor.empty([rows])
  var arguments = vg_row_norm_args()
  arguments.x = UnsafeRawPointer(x.pointer)
  arguments.y = y.pointer
  arguments.weight = weight.map { UnsafePointer($0.floats) }
  arguments.bias = bias.map { UnsafePointer($0.floats) }
  arguments.mean = mean?.floats
  arguments.rstd = rstd.floats
  (arguments.n, arguments.rows, arguments.epsilon) = (Int64(n), Int64(rows), epsilon)
  run(.rowNorm, x.type, arguments, items: rows, grain: grain(rowOf: n))
  let inputs = [x] + [weight, bias].compactMap { $0 }
  let statistics = (mean, rstd), input = x.detached(), scale = weight?.detached()
  let tracked = (x: x.isTracked, weight: weight?.isTracked ?? false, bias: bias?.isTracked ?? false)
  let hasBias = bias != nil
  return y.recorded(from: inputs) { dy in
    let parts = rowNormBackward(dy.cast(to: input.type), input, scale, statistics, tracked)
    return [parts.dx] + (scale == nil ? [] : [parts.dweight]) + (hasBias ? [parts.dbias] : [])
  }
}

private func rowNormBackward(
  _ dy: Tensor, _ x: Tensor, _ weight: Tensor?, _ statistics: (mean: Tensor?, rstd: Tensor),
  _ tracked: (x: Bool, weight: Bool, bias: Bool)
) -> (dx: Tensor?, dweight: Tensor?, dbias: Tensor?) {
  let n = x.size(-1), rows = statistics.rstd.count
  // A fixed number of rows a chunk: the sums of the weights' gradients do not depend on the threads.
  let rowsPerChunk = Swift.max(16, (rows + 63) / 64), chunks = (rows + rowsPerChunk - 1) / rowsPerChunk
  let dx = tracked.x ? Tensor.empty(x.shape, x.type) : nil
  let dweight = tracked.weight ? Tensor.empty([chunks, n]) : nil
  let dbias = tracked.bias ? Tensor.empty([chunks, n]) : nil
  var arguments = vg_row_norm_args()
  arguments.x = UnsafeRawPointer(x.pointer)
  arguments.dy = UnsafeRawPointer(dy.pointer)
  arguments.y = dx?.pointer
  arguments.weight = weight.map { UnsafePointer($0.floats) }
  arguments.mean = statistics.mean?.floats
  arguments.rstd = statistics.rstd.floats
  arguments.dweight = dweight?.floats
  arguments.dbias = dbias?.floats
  (arguments.n, arguments.rows, arguments.rows_per_chunk) = (Int64(n), Int64(rows), Int64(rowsPerChunk))
  run(.rowNormBackward, x.type, arguments, items: chunks)
  return (dx, dweight?.sum(axes: [0]), dbias?.sum(axes: [0]))
}
