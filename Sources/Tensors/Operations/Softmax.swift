import CKernels

extension Tensor {
  /// Softmax over the last axis, in f32 inside. A row of nothing but −∞ becomes zeros.
  public func softmax() -> Tensor {
    let n = size(-1), y = Tensor.empty(shape, type)
    guard count > 0 else { return y }
    run(
      .softmax, type, vg_softmax_args(x: pointer, dy: nil, y: y.pointer, n: Int64(n)), items: count / n,
      grain: grain(rowOf: n, cost: 8))
    return y.recorded(from: [self]) { [type] dy in
      let dx = Tensor.empty(y.shape, type), dy = dy.cast(to: type)
      run(
        .softmaxBackward, type, vg_softmax_args(x: y.pointer, dy: dy.pointer, y: dx.pointer, n: Int64(n)),
        items: y.count / n, grain: grain(rowOf: n))
      withExtendedLifetime((y, dy)) {}
      return [dx]
    }
  }
}

/// Mean cross-entropy of `logits` against class indices, over the positions that are not ignored.
///
/// Shapes: logits `[…, classes]`, targets i32 `[…]`, a negative target is ignored; result `[]`, f32, nats.
/// With every position ignored the loss is 0. A target past the classes is a caller's bug.
public func crossEntropy(_ logits: Tensor, targets: Tensor) -> Tensor {
  let n = logits.size(-1), rows = targets.count, indices = targets.toIndices()
  precondition(
    logits.shape.dropLast() == targets.shape[...], "logits \(logits) do not fit targets \(targets)")
  precondition(indices.allSatisfy { $0 < n }, "a target is not one of \(n) classes")
  let counted = indices.count { $0 >= 0 }
  let losses = Tensor.empty([rows]), lse = Tensor.empty([rows])
  var arguments = vg_cross_entropy_args()
  arguments.x = UnsafeRawPointer(logits.pointer)
  arguments.targets = UnsafePointer(targets.indices)
  (arguments.losses, arguments.lse, arguments.n) = (losses.floats, lse.floats, Int64(n))
  run(.crossEntropy, logits.type, arguments, items: rows, grain: grain(rowOf: n, cost: 8))
  let weight = counted == 0 ? 0 : 1 / Float(counted), x = logits.detached()
  return (losses.sum() * weight).recorded(from: [logits]) { dy in
    let dx = Tensor.empty(x.shape, x.type), scale = dy.cast(to: .f32) * weight
    arguments.x = UnsafeRawPointer(x.pointer)
    arguments.dx = dx.pointer
    arguments.targets = UnsafePointer(targets.indices)
    arguments.lse = lse.floats
    arguments.scale = UnsafePointer(scale.floats)
    run(.crossEntropyBackward, x.type, arguments, items: rows, grain: grain(rowOf: n, cost: 8))
    withExtendedLifetime(scale) {}
    return [dx]
  }
}

/// Mean of squared differences, f32, shape `[]`.
public func meanSquaredError(_ x: Tensor, _ target: Tensor) -> Tensor {
  precondition(x.shape == target.shape, "\(x) and \(target) differ in shape")
  return (x.cast(to: .f32) - target.cast(to: .f32)).squared().mean()
}

/// Mean of `1 − cos(x, y)` over the vectors of the last axis, f32, shape `[]`.
///
/// Norms below `epsilon` count as `epsilon`, as in PyTorch's `cosine_similarity`.
public func cosineDistance(_ x: Tensor, _ y: Tensor, epsilon: Float = 1e-8) -> Tensor {
  precondition(x.shape == y.shape, "\(x) and \(y) differ in shape")
  let a = x.cast(to: .f32), b = y.cast(to: .f32)
  let squares = [a, b].map { vector in
    // max(n², ε²) without a branch: relu(n² − ε²) + ε².
    (vector.squared().sum(axes: [-1]) - epsilon * epsilon).relu() + epsilon * epsilon
  }
  let cosine = (a * b).sum(axes: [-1]) / (squares[0].squareRoot() * squares[1].squareRoot())
  return 1 - cosine.mean()
}
