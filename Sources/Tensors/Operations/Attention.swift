import CKernels

/// Which keys a query sees.
public enum AttentionMask: Sendable {
  /// All of them.
  case bidirectional
  /// Those up to its own position, the last query standing at the last key.
  case causal
  /// Those in its ranges.
  case ranges(VisibleKeys)
}

/// Two ranges of keys for each query, such as Transfusion's: a prompt as far as it goes, and a picture; or a picture that
/// several questions share, and the question's own tokens so far. Keys that no query of a block sees cost nothing.
public struct VisibleKeys: @unchecked Sendable {
  let storage: Storage
  /// Sizes of the pattern.
  public let batch, queries, keys: Int

  /// - Parameters:
  ///   - bounds: of query q of element b the keys `bounds[i] ..< bounds[i + 1]` and `bounds[i + 2] ..< bounds[i + 3]`, the
  ///     second ones behind the first, where i = 4 · (b · queries + q).
  ///   - batch: 1 serves every element of a batch.
  public init(_ bounds: [Int32], batch: Int = 1, queries: Int, keys: Int) {
    precondition(
      bounds.count == 4 * batch * queries, "\(bounds.count) bounds for \(batch) × \(queries) queries")
    for i in stride(from: 0, to: bounds.count, by: 4) {
      precondition(
        0 <= bounds[i] && bounds[i] <= bounds[i + 1] && bounds[i + 1] <= bounds[i + 2]
          && bounds[i + 2] <= bounds[i + 3] && bounds[i + 3] <= keys,
        "the ranges \(bounds[i..<i + 4]) of \(keys) keys")
    }
    (self.batch, self.queries, self.keys) = (batch, queries, keys)
    storage = Storage(byteCount: Swift.max(4, 4 * bounds.count))
    for (i, bound) in bounds.enumerated() {
      storage.pointer.storeBytes(of: bound, toByteOffset: 4 * i, as: Int32.self)
    }
  }
}

/// A bias that depends on how far apart two places of a grid lie: queries and keys are the same places, row by row.
public struct GridBias {
  /// f32 `[heads, 2 · height − 1, 2 · width − 1]`; the entry (Δy + height − 1, Δx + width − 1) belongs to a key at
  /// (Δy, Δx) from its query.
  public var values: Tensor
  /// Rows further than this from a query's hold −∞ alone: keys there are passed over unseen.
  public var reach: Int

  /// Each argument is the property of its name.
  public init(_ values: Tensor, reach: Int) { (self.values, self.reach) = (values, reach) }

  var height: Int { (values.size(1) + 1) / 2 }
  var width: Int { (values.size(2) + 1) / 2 }
}

/// A `[batch, time, heads, channels]` view into a tensor.
private struct HeadView {
  var tensor: Tensor
  /// Elements before the first head.
  var start = 0
  var strides: vg_strides

  /// A contiguous tensor of that shape.
  init(_ tensor: Tensor) {
    self.tensor = tensor
    let row = tensor.size(2) * tensor.size(3)
    strides = vg_strides(batch: Int64(tensor.size(1) * row), time: Int64(row), head: Int64(tensor.size(3)))
  }

  /// Heads from `start` on in rows of `[batch, time, width]`.
  init(rows tensor: Tensor, start: Int, headSize: Int) {
    self.tensor = tensor
    self.start = start
    let width = tensor.size(-1)
    strides = vg_strides(batch: Int64(tensor.size(1) * width), time: Int64(width), head: Int64(headSize))
  }

  var pointer: UnsafeMutableRawPointer { tensor.pointer + start * tensor.type.byteCount }
}

/// Sizes, mask and bias of one attention, and its two passes.
private struct AttentionPass {
  var batch, queries, keys, heads, kvHeads, headSize: Int
  var scale: Float
  var mask: AttentionMask
  var bias: Tensor?
  var gridBias: GridBias?

  func check(_ type: ElementType) {
    precondition(
      heads % Swift.max(1, kvHeads) == 0, "\(heads) query heads do not share \(kvHeads) key/value heads")
    if case .ranges(let visible) = mask {
      precondition(
        visible.queries == queries && visible.keys == keys && (visible.batch == 1 || visible.batch == batch),
        "ranges for \(visible.batch) × \(visible.queries) × \(visible.keys), not \(batch) × \(queries) × \(keys)"
      )
    }
    if let bias {
      precondition(
        bias.rank == 4 && bias.type == .f32 && [1, batch].contains(bias.size(0))
          && [1, heads].contains(bias.size(1))
          && bias.size(2) == queries && bias.size(3) == keys,
        "an attention bias of shape \(bias.shape) for [\(batch), \(heads), \(queries), \(keys)]")
    }
    if let gridBias {
      let values = gridBias.values
      precondition(
        values.rank == 3 && values.type == .f32 && values.size(0) == heads && queries == keys
          && values.size(1) % 2 == 1 && values.size(2) % 2 == 1
          && gridBias.height * gridBias.width == queries && gridBias.reach >= 0,
        "a grid's bias of shape \(values.shape) for \(heads) heads and \(queries) × \(keys) places")
    }
  }

  private func arguments(_ q: HeadView, _ k: HeadView, _ v: HeadView) -> vg_attention_args {
    var a = vg_attention_args()
    (a.q, a.k, a.v) = (UnsafeRawPointer(q.pointer), UnsafeRawPointer(k.pointer), UnsafeRawPointer(v.pointer))
    (a.qs, a.ks, a.vs) = (q.strides, k.strides, v.strides)
    (a.batch, a.queries, a.keys) = (Int64(batch), Int64(queries), Int64(keys))
    (a.heads, a.kv_heads, a.d) = (Int64(heads), Int64(kvHeads), Int64(headSize))
    a.scale = scale
    switch mask {
    case .bidirectional: break
    case .causal: a.causal = 1
    case .ranges(let visible):
      a.visible = UnsafePointer(visible.storage.pointer.assumingMemoryBound(to: Int32.self))
      a.visible_batch = visible.batch == 1 ? 0 : Int64(4 * queries)
    }
    if let bias {
      let area = queries * keys
      a.bias = UnsafePointer(bias.floats)
      a.bias_head = bias.size(1) == 1 ? 0 : Int64(area)
      a.bias_batch = bias.size(0) == 1 ? 0 : Int64(bias.size(1) * area)
    }
    if let gridBias {
      a.grid_bias = UnsafePointer(gridBias.values.floats)
      (a.grid_height, a.grid_width) = (Int64(gridBias.height), Int64(gridBias.width))
      a.grid_reach = Int64(gridBias.reach)
    }
    return a
  }

  /// Returns the result and the logarithm of each row's sum of exponentials, f32 `[batch, heads, queries]`.
  func forward(_ q: HeadView, _ k: HeadView, _ v: HeadView) -> (output: Tensor, lse: Tensor) {
    let output = Tensor.empty([batch, queries, heads, headSize], q.tensor.type)
    let lse = Tensor.empty([batch, heads, queries])
    guard output.count > 0 else { return (output, lse) }
    var (a, items, _) = piece(q, k, v, into: HeadView(output))
    a.lse = lse.floats
    run(.attention, q.tensor.type, a, items: items)
    withExtendedLifetime((mask, bias, gridBias)) {}
    return (output, lse)
  }

  /// The forward pass as a piece of work for the team.
  func piece(_ q: HeadView, _ k: HeadView, _ v: HeadView, into output: HeadView) -> (
    vg_attention_args, items: Int, grain: Int
  ) {
    var a = arguments(q, k, v)
    (a.o, a.os) = (output.pointer, output.strides)
    // Enough items for every thread, but not so small that widening the keys again costs more.
    let wanted = (4 * Int(vugen_threads()) + batch * kvHeads - 1) / (batch * kvHeads)
    a.query_chunks = Int64(Swift.max(1, Swift.min(wanted, (queries + 47) / 48)))
    return (a, batch * kvHeads * Int(a.query_chunks), 1)
  }

  /// Writes into `dq`, `dk`, `dv`; returns the gradient of the bias, or of the grid's, when asked for.
  func backward(
    _ q: HeadView, _ k: HeadView, _ v: HeadView, output: Tensor, lse: Tensor, dy: Tensor, into dq: HeadView,
    _ dk: HeadView, _ dv: HeadView, needsBias: Bool
  ) -> Tensor? {
    var a = arguments(q, k, v)
    let out = HeadView(output), gradient = HeadView(dy)
    (a.output, a.os, a.lse) = (UnsafeRawPointer(out.pointer), out.strides, lse.floats)
    (a.doutput, a.dos) = (UnsafeRawPointer(gradient.pointer), gradient.strides)
    (a.dq, a.dk, a.dv) = (dq.pointer, dk.pointer, dv.pointer)
    (a.dqs, a.dks, a.dvs) = (dq.strides, dk.strides, dv.strides)
    let dbias = needsBias ? (bias ?? gridBias?.values).map { Tensor.zeros($0.shape) } : nil
    if bias != nil { a.dbias = dbias?.floats } else { a.dgrid_bias = dbias?.floats }
    // A bias that heads share is summed by one thread, in order.
    let alone = dbias != nil && bias?.size(1) == 1
    let items = dbias == nil ? batch * kvHeads : kvHeads
    if dy.count > 0 || q.tensor.count > 0 {
      run(.attentionBackward, dy.type, a, items: items, grain: alone ? items : 1)
    }
    withExtendedLifetime((mask, bias, gridBias, output, lse, dy)) {}
    return dbias
  }
}

/// Scaled-dot-product attention without the score matrix (arXiv 2205.14135), f32 inside.
///
///     y = softmax(scale · q kᵀ + bias, masked) v
///
/// Shapes: q, y `[batch, queries, heads, c]`; k, v `[batch, keys, kv heads, c]`, query head h reading
/// kv head ⌊h · kv heads / heads⌋; bias f32 `[1 or batch, 1 or heads, queries, keys]`, or a grid's. A query that sees
/// no key gives zeros. `scale` is 1/√c unless given.
/// Backward makes the probabilities again from each row's stored log-sum.
public func attention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: AttentionMask = .bidirectional, bias: Tensor? = nil,
  gridBias: GridBias? = nil, scale: Float? = nil
) -> Tensor {
  precondition(
    q.rank == 4 && k.shape == v.shape && k.size(0) == q.size(0) && k.size(3) == q.size(3) && q.type == k.type
      && k.type == v.type && (bias == nil || gridBias == nil), "attention of q \(q), k \(k), v \(v)")
  let pass = AttentionPass(
    batch: q.size(0), queries: q.size(1), keys: k.size(1), heads: q.size(2), kvHeads: k.size(2),
    headSize: q.size(3),
    scale: scale ?? 1 / Float(q.size(3)).squareRoot(), mask: mask, bias: bias?.detached(),
    gridBias: gridBias.map { GridBias($0.values.detached(), reach: $0.reach) })
  pass.check(q.type)
  let views = [q, k, v].map { HeadView($0.detached()) }
  let (y, lse) = pass.forward(views[0], views[1], views[2])
  let added = bias ?? gridBias?.values, needsBias = added?.isTracked ?? false
  return y.recorded(from: [q, k, v] + (added.map { [$0] } ?? [])) { dy in
    let gradients = views.map { HeadView(Tensor.empty($0.tensor.shape, $0.tensor.type)) }
    let dbias = pass.backward(
      views[0], views[1], views[2], output: y, lse: lse, dy: dy.cast(to: y.type), into: gradients[0],
      gradients[1],
      gradients[2], needsBias: needsBias)
    return gradients.map(\.tensor) + [dbias]
  }
}

/// What one sequence of a packed batch attends to.
public struct AttendedSequence {
  /// Rows of the batch that are its own; they follow those of the sequences before it.
  public var queries: Int
  /// `[1, keys, kv heads, c]`; the last query stands at the last key.
  public var keys, values: Tensor

  /// Each argument is the property of its name.
  public init(queries: Int, keys: Tensor, values: Tensor) {
    (self.queries, self.keys, self.values) = (queries, keys, values)
  }
}

/// Causal attention of several sequences, each with keys of its own and as many as it has: what decoding of many
/// answers at once needs. Their heads are shared out over the threads together. A sequence's numbers do not depend on
/// those beside it. No gradient.
///
/// Shapes: q, y `[1, Σ queries, heads, c]`, the sequences one after the other.
public func attention(_ q: Tensor, of sequences: [AttendedSequence]) -> Tensor {
  let q = q.detached(), y = Tensor.empty(q.shape, q.type)
  precondition(
    q.rank == 4 && q.size(0) == 1 && sequences.reduce(0) { $0 + $1.queries } == q.size(1),
    "attention of \(q) for sequences of \(sequences.map(\.queries)) rows")
  var at = 0
  let pieces = sequences.map { sequence in
    defer { at += sequence.queries }
    return sequence.piece(q, y, at)
  }
  for start in stride(from: 0, to: pieces.count, by: maximumPieces) {
    runPieces(.attention, q.type, Array(pieces[start..<min(start + maximumPieces, pieces.count)]))
  }
  withExtendedLifetime((q, sequences)) {}
  return y
}

extension AttendedSequence {
  /// This sequence's share of the work: its rows of `q` and `y` begin at row `at`.
  fileprivate func piece(_ q: Tensor, _ y: Tensor, _ at: Int) -> (vg_attention_args, items: Int, grain: Int) {
    precondition(
      keys.rank == 4 && keys.shape == values.shape && keys.size(0) == 1 && keys.size(3) == q.size(3)
        && keys.type == q.type && values.type == q.type && keys.size(1) >= queries,
      "attention of \(queries) rows of \(q) over keys \(keys), values \(values)")
    let pass = AttentionPass(
      batch: 1, queries: queries, keys: keys.size(1), heads: q.size(2), kvHeads: keys.size(2),
      headSize: q.size(3), scale: 1 / Float(q.size(3)).squareRoot(), mask: .causal)
    pass.check(q.type)
    let rows = at..<at + queries
    return pass.piece(
      HeadView(q.sliced(rows, axis: 1)), HeadView(keys.detached()), HeadView(values.detached()),
      into: HeadView(y.sliced(rows, axis: 1)))
  }
}

/// Self-attention on one product that holds queries, keys and values: no copies are made to part them.
///
/// Shapes: qkv `[batch, time, (heads + 2 kv heads) · c]`, ordered queries, keys, values, each head's
/// channels together; result `[batch, time, heads · c]`.
public func selfAttention(
  qkv: Tensor, heads: Int, kvHeads: Int? = nil, mask: AttentionMask = .bidirectional, bias: Tensor? = nil,
  scale: Float? = nil
) -> Tensor {
  let shared = kvHeads ?? heads, parts = heads + 2 * shared
  precondition(
    qkv.rank == 3 && qkv.size(2) % parts == 0, "\(qkv) does not hold \(heads) and 2 × \(shared) heads")
  let c = qkv.size(2) / parts
  let pass = AttentionPass(
    batch: qkv.size(0), queries: qkv.size(1), keys: qkv.size(1), heads: heads, kvHeads: shared, headSize: c,
    scale: scale ?? 1 / Float(c).squareRoot(), mask: mask, bias: bias?.detached())
  pass.check(qkv.type)
  func views(_ rows: Tensor) -> [HeadView] {
    [0, heads, heads + shared].map { HeadView(rows: rows, start: $0 * c, headSize: c) }
  }
  let input = views(qkv.detached())
  let (y, lse) = pass.forward(input[0], input[1], input[2])
  let needsBias = bias?.isTracked ?? false, shape = [qkv.size(0), qkv.size(1), heads * c]
  return y.reshaped(shape).recorded(from: [qkv] + (bias.map { [$0] } ?? [])) { dy in
    let gradient = Tensor.empty(input[0].tensor.shape, y.type), into = views(gradient)
    let dbias = pass.backward(
      input[0], input[1], input[2], output: y, lse: lse, dy: dy.cast(to: y.type).reshaped(y.shape),
      into: into[0],
      into[1], into[2], needsBias: needsBias)
    return [gradient, dbias]
  }
}
