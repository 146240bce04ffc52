import Layers
import Tensors

/// Causal self-attention with grouped key/value heads and a rotary embedding in half-split pairs.
///
/// Shapes: x, y `[1, time, width]`; the cache holds what came before.
public final class TextAttention: Module {
  @Child("q_proj") var query: Linear
  @Child("k_proj") var key: Linear
  @Child("v_proj") var value: Linear
  @Child("o_proj") var output: Linear
  let heads, kvHeads, headSize: Int

  init(_ c: TextConfiguration, using random: inout Philox) {
    (heads, kvHeads, headSize) = (c.heads, c.kvHeads, c.headSize)
    query = Linear(c.width, c.heads * c.headSize, bias: false, using: &random)
    key = Linear(c.width, c.kvHeads * c.headSize, bias: false, using: &random)
    value = Linear(c.width, c.kvHeads * c.headSize, bias: false, using: &random)
    output = Linear(c.heads * c.headSize, c.width, bias: false, using: &random)
  }

  /// The table holds a row a token of each sequence (`time`), or of the whole batch (`batch · time`).
  func callAsFunction(
    _ x: Tensor, rope: RotaryTable, mask: AttentionMask = .causal, cache: KeyValueCache? = nil
  ) -> Tensor {
    let parts = applied([query, key, value], to: x)
    var own = keyValues(parts[1], parts[2], rope: rope)
    if let cache { (own.keys, own.values) = cache.append(own.keys, own.values) }
    return attending(parts[0], own, rope: rope, mask: mask)
  }

  /// Several sequences at once, `[1, Σ counts, width]`: each attends to what its own cache holds and then to itself.
  /// The table holds a row a token.
  func callAsFunction(_ x: Tensor, rope: RotaryTable, parts: [(cache: KeyValueCache, count: Int)]) -> Tensor {
    let products = applied([query, key, value], to: x), own = keyValues(products[1], products[2], rope: rope)
    var at = 0
    let sequences = parts.map { part in
      let rows = at..<at + part.count
      at = rows.upperBound
      let all = part.cache.append(own.keys.sliced(rows, axis: 1), own.values.sliced(rows, axis: 1))
      return AttendedSequence(queries: part.count, keys: all.keys, values: all.values)
    }
    return output(attention(turned(products[0], heads, rope), of: sequences).reshaped([1, x.size(1), -1]))
  }

  /// x after attending to keys and values that are there already.
  func reading(_ all: KeyValues, _ x: Tensor, rope: RotaryTable, mask: AttentionMask) -> Tensor {
    attending(query(x), all, rope: rope, mask: mask)
  }

  private func attending(_ query: Tensor, _ all: KeyValues, rope: RotaryTable, mask: AttentionMask) -> Tensor
  {
    let q = turned(query, heads, rope)
    return output(
      attention(q, all.keys, all.values, mask: mask).reshaped([query.size(0), query.size(1), -1]))
  }

  /// What others may attend to of x: each `[batch, time, kv heads, head size]`.
  func keyValues(_ x: Tensor, rope: RotaryTable) -> KeyValues { keyValues(key(x), value(x), rope: rope) }

  private func keyValues(_ key: Tensor, _ value: Tensor, rope: RotaryTable) -> KeyValues {
    KeyValues(
      keys: turned(key, kvHeads, rope),
      values: value.reshaped([value.size(0), value.size(1), kvHeads, headSize]))
  }

  private func turned(_ y: Tensor, _ heads: Int, _ rope: RotaryTable) -> Tensor {
    let (batch, time) = (y.size(0), y.size(1)), isPacked = rope.positions == batch * time
    let shape = [batch, time, heads, headSize]
    return y.reshaped(isPacked ? [1, batch * time, heads, headSize] : shape)
      .rotated(by: rope, pairing: .halfSplit).reshaped(shape)
  }
}

/// SwiGLU feed-forward.
public final class TextMLP: Module {
  @Child("gate_proj") var gate: Linear
  @Child("up_proj") var up: Linear
  @Child("down_proj") var down: Linear

  init(_ c: TextConfiguration, using random: inout Philox) {
    gate = Linear(c.width, c.hidden, bias: false, using: &random)
    up = Linear(c.width, c.hidden, bias: false, using: &random)
    down = Linear(c.hidden, c.width, bias: false, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let parts = applied([gate, up], to: x)
    return down(gated(.swiGLU, gate: parts[0], up: parts[1]))
  }
}

/// One pre-norm transformer block.
///
///     h = x + Attention(RMSNorm(x))
///     y = h + SwiGLU(RMSNorm(h))
public final class TextBlock: Module {
  @Child("input_layernorm") var attentionNorm: RMSNorm
  @Child("self_attn") var attention: TextAttention
  @Child("post_attention_layernorm") var mlpNorm: RMSNorm
  @Child("mlp") var mlp: TextMLP

  init(_ c: TextConfiguration, using random: inout Philox) {
    attentionNorm = RMSNorm(c.width, epsilon: c.epsilon)
    attention = TextAttention(c, using: &random)
    mlpNorm = RMSNorm(c.width, epsilon: c.epsilon)
    mlp = TextMLP(c, using: &random)
  }

  func callAsFunction(
    _ x: Tensor, rope: RotaryTable, mask: AttentionMask = .causal, cache: KeyValueCache? = nil
  ) -> Tensor {
    let h = x + attention(attentionNorm(x), rope: rope, mask: mask, cache: cache)
    return h + mlp(mlpNorm(h))
  }

  /// The same for several sequences at once, each behind its own cache.
  func callAsFunction(_ x: Tensor, rope: RotaryTable, parts: [(cache: KeyValueCache, count: Int)]) -> Tensor {
    let h = x + attention(attentionNorm(x), rope: rope, parts: parts)
    return h + mlp(mlpNorm(h))
  }

  /// The same, behind tokens that another tower has read: their keys and values come first.
  func callAsFunction(_ x: Tensor, after prompt: KeyValues, rope: RotaryTable, mask: AttentionMask) -> Tensor
  {
    let normed = attentionNorm(x), all = prompt.appending(attention.keyValues(normed, rope: rope))
    let h = x + attention.reading(all, normed, rope: rope, mask: mask)
    return h + mlp(mlpNorm(h))
  }
}

/// What a conversation's tokens left behind in every layer.
public final class ConversationCache {
  let layers: [KeyValueCache]

  /// Of no token yet.
  public convenience init(layers: Int) { self.init(layers: layers, reserving: 0) }

  /// One that takes room for `reserving` tokens at its first one.
  init(layers: Int, reserving: Int) {
    self.layers = (0..<layers).map { _ in KeyValueCache(reserving: reserving) }
  }

  private init(_ layers: [KeyValueCache]) { self.layers = layers }

  /// A cache of its own that begins with the same tokens.
  func copied(reserving: Int) -> ConversationCache {
    ConversationCache(layers.map { $0.copied(reserving: reserving) })
  }

  /// Tokens that are in it.
  public var count: Int { layers.first?.count ?? 0 }
  /// Memory of all layers, for tokens to come as well.
  public var byteCount: Int { layers.reduce(0) { $0 + $1.byteCount } }
  /// Forgets all but the first `count` tokens.
  public func truncate(to count: Int) { layers.forEach { $0.truncate(to: count) } }
}

/// The next tokens of one sequence, among several that are computed together.
struct SequencePart {
  /// What came before them.
  var cache: ConversationCache
  var count: Int
}

/// A Llama 3 language model.
///
/// Source: arXiv 2407.21783. Keys relative to `model.language_model`, but for `lm_head` of untied models.
public final class LanguageModel: Module {
  /// Tokens → vectors.
  @Child("embed_tokens") public var embedding: Embedding
  @Child("layers") var layers: [TextBlock]
  @Child("norm") var norm: RMSNorm
  /// Its sizes.
  public let configuration: TextConfiguration
  private let rope: RotaryTable

  /// Random weights.
  public init(_ c: TextConfiguration, using random: inout Philox) {
    configuration = c
    rope = RotaryTable(positions: c.context, pairs: c.headSize / 2) { position, pair in
      let frequency = power(c.ropeBase, -2 * Double(pair) / Double(c.headSize))
      return Double(position) * (c.ropeScaling?.scaled(frequency) ?? frequency)
    }
    embedding = Embedding(c.vocabulary, c.width, deviation: 0.02, using: &random)
    var list: [TextBlock] = []
    for _ in 0..<c.layers { list.append(TextBlock(c, using: &random)) }
    layers = list
    norm = RMSNorm(c.width, epsilon: c.epsilon)
  }

  /// Hidden states after the final norm: embeddings `[1, time, width]` → `[1, time, width]`. With a cache
  /// these tokens follow those that are in it. There must be room for them in the context.
  public func callAsFunction(_ embeddings: Tensor, cache: ConversationCache? = nil) -> Tensor {
    let start = cache?.count ?? 0, end = start + embeddings.size(1)
    precondition(end <= configuration.context, "\(end) tokens for a context of \(configuration.context)")
    let table = rope.sliced(start..<end)
    var x = embeddings
    for (i, layer) in layers.enumerated() { x = layer(x, rope: table, cache: cache?.layers[i]) }
    return norm(x)
  }

  /// The same for several sequences at once, each behind its own cache: `[1, Σ counts, width]` → the same shape, the
  /// sequences one after the other. There must be room for each in the context.
  func callAsFunction(_ embeddings: Tensor, parts: [SequencePart]) -> Tensor {
    var positions: [Int32] = []
    for part in parts {
      let start = Int32(part.cache.count)
      positions += start..<start + Int32(part.count)
    }
    let table = rope.gathered(positions)
    var x = embeddings
    for (i, layer) in layers.enumerated() {
      x = layer(x, rope: table, parts: parts.map { ($0.cache.layers[i], $0.count) })
    }
    return norm(x)
  }

  /// The same for sequences that are packed for training: `[batch, time, width]` → the same shape.
  ///
  /// - Parameters:
  ///   - positions: of token (b, t) in its own sequence, at `b · time + t`.
  ///   - mask: which tokens each one sees.
  public func callAsFunction(packed embeddings: Tensor, positions: [Int32], mask: AttentionMask) -> Tensor {
    let table = rope.gathered(positions)
    let x = layers.reduce(embeddings) { x, layer in
      checkpointed([x]) { layer($0[0], rope: table, mask: mask) }
    }
    return norm(x)
  }

  /// Every layer's keys and values of a batch of prompts, each from position 0: what a second tower attends to. They
  /// are read one behind the other, each at its own length, and padded afterwards.
  ///
  /// - Parameter lengths: of the prompts, whose embeddings `[1, Σ lengths, width]` follow each other.
  /// - Returns: `[batch, longest, kv heads, head size]` a layer; what stands behind a shorter prompt's end is for nobody.
  func promptKeyValues(_ embeddings: Tensor, lengths: [Int]) -> [KeyValues] {
    let longest = lengths.max() ?? 0, all = embeddings.size(1)
    var positions: [Int32] = [], bounds: [Int32] = [], places: [Int32] = []
    for length in lengths {
      let start = Int32(positions.count)
      for i in 0..<Int32(length) { bounds += [start, start + i + 1, start + i + 1, start + i + 1] }
      positions += 0..<Int32(length)
      places += (0..<longest).map { min(start + Int32(min($0, max(0, length - 1))), Int32(max(0, all - 1))) }
    }
    let table = rope.gathered(positions), rows = Tensor(indices: places)
    let mask: AttentionMask =
      lengths.count == 1 ? .causal : .ranges(VisibleKeys(bounds, queries: all, keys: all))
    func padded(_ x: Tensor) -> Tensor {
      guard lengths.count > 1 else { return x }
      let shape = [lengths.count, longest, x.size(2), x.size(3)]
      return x.reshaped([all, x.size(2) * x.size(3)]).gathered(rows).reshaped(shape)
    }
    var x = embeddings, list: [KeyValues] = []
    for layer in layers {
      let own = layer.attention.keyValues(layer.attentionNorm(x), rope: table)
      list.append(KeyValues(keys: padded(own.keys), values: padded(own.values)))
      x = layer(x, rope: table, mask: mask)
    }
    return list
  }

  /// The rotary table's rows for tokens at these positions.
  func rotaryTable(at positions: [Int32]) -> RotaryTable { rope.gathered(positions) }
}
