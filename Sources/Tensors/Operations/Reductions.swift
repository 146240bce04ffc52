import CKernels

extension Tensor {
  /// The sum over `axes`, of this tensor's type; the sum itself runs in f32.
  public func sum(axes: [Int], keepingAxes: Bool = false) -> Tensor {
    let normal = normalized(axes)
    let result = reduced(normal, maximum: false, keepingAxes: keepingAxes).cast(to: type)
    return result.recorded(from: [self]) { [shape, type] dy in
      [dy.reshaped(shape.replacing(normal, with: 1)).cast(to: type).broadcast(to: shape)]
    }
  }

  /// The sum of all elements, f32, shape `[]`.
  public func sum() -> Tensor { cast(to: .f32).sum(axes: Array(0..<rank)) }

  /// The mean over `axes`, of this tensor's type; the sum itself runs in f32.
  public func mean(axes: [Int], keepingAxes: Bool = false) -> Tensor {
    let n = normalized(axes).map { shape[$0] }.product
    return sum(axes: axes, keepingAxes: keepingAxes) * (1 / Float(n))
  }

  /// The mean of all elements, f32, shape `[]`.
  public func mean() -> Tensor { sum() * (1 / Float(count)) }

  /// The largest element over `axes`. Backward: equal largest elements share the gradient.
  public func max(axes: [Int], keepingAxes: Bool = false) -> Tensor {
    let normal = normalized(axes), kept = shape.replacing(normal, with: 1)
    let top = reduced(normal, maximum: true, keepingAxes: true).cast(to: type)
    let result = keepingAxes ? top : top.reshaped(shape.removing(normal))
    return result.recorded(from: [self]) { [x = detached()] dy in
      let hit = x.equals(top)
      return [dy.reshaped(kept) * hit / hit.sum(axes: normal, keepingAxes: true)]
    }
  }

  private func normalized(_ axes: [Int]) -> [Int] {
    let normal = axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    precondition(normal.allSatisfy { (0..<rank).contains($0) }, "axes \(axes) of a tensor of rank \(rank)")
    return normal
  }

  /// Runs of neighbouring axes go one after the other, the last one first; f32 from the first on.
  private func reduced(_ axes: [Int], maximum: Bool, keepingAxes: Bool) -> Tensor {
    let kept = keepingAxes ? shape.replacing(axes, with: 1) : shape.removing(axes)
    var x = detached(), rest = axes
    while let last = rest.last {
      var first = last
      rest.removeLast()
      while rest.last == first - 1 { first = rest.removeLast() }
      let sizes = x.shape
      let outer = sizes[..<first].reduce(1, *), middle = sizes[first...last].reduce(1, *)
      let inner = sizes[(last + 1)...].reduce(1, *)
      x = x.reduceMiddle(outer, middle, inner, maximum: maximum)
        .reshaped(sizes[..<first] + [Int](repeating: 1, count: last - first + 1) + sizes[(last + 1)...])
    }
    return x.reshaped(kept)
  }

  /// `[outer, middle, inner]` → `[outer, inner]`, f32. Long sums run in chunks whose number depends only
  /// on the sizes, so that the result does not depend on the number of threads.
  private func reduceMiddle(_ outer: Int, _ middle: Int, _ inner: Int, maximum: Bool) -> Tensor {
    let work = middle * Swift.max(1, inner)
    let chunks = middle < 32 ? 1 : Swift.min(64, Swift.max(1, Swift.min(middle / 8, work / 8192)))
    let partial = Tensor.empty([outer, chunks, inner])
    run(
      .reduce, type,
      vg_reduce_args(
        x: pointer, y: partial.floats, middle: Int64(middle), inner: Int64(inner), chunks: Int64(chunks),
        maximum: maximum ? 1 : 0),
      items: outer * chunks, grain: grain(rowOf: work / chunks))
    return chunks == 1 ? partial : partial.reduceMiddle(outer, chunks, inner, maximum: maximum)
  }
}

extension [Int] {
  func replacing(_ axes: [Int], with size: Int) -> [Int] {
    var copy = self
    for axis in axes { copy[axis] = size }
    return copy
  }

  func removing(_ axes: [Int]) -> [Int] {
    indices.filter { !axes.contains($0) }.map { self[$0] }
  }
}
