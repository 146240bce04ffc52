import Tensors

/// Keys and values of earlier tokens: each `[batch, time, kv heads, head size]`.
public struct KeyValues {
  /// `[batch, time, kv heads, head size]` each.
  public var keys, values: Tensor

  /// Each argument is the property of its name.
  public init(keys: Tensor, values: Tensor) { (self.keys, self.values) = (keys, values) }

  /// Those of `other`, which come later, behind these.
  public func appending(_ other: KeyValues) -> KeyValues {
    KeyValues(
      keys: .concatenated([keys, other.keys], axis: 1),
      values: .concatenated([values, other.values], axis: 1))
  }
}

/// Multi-head self-attention with one product for queries, keys and values.
///
/// Shapes: x, y `[batch, time, width]`.
public final class FusedSelfAttention: Module {
  /// `[3 · width, width]`: queries, keys, values.
  @Child("qkv") public var qkv: Linear
  /// `[width, width]`.
  @Child("proj") public var output: Linear
  /// How many, each of `width / heads` channels.
  public let heads: Int

  /// Weights as `Linear` begins. `heads` must divide `width`.
  public init(width: Int, heads: Int, bias: Bool = false, using random: inout Philox) {
    precondition(width % heads == 0, "\(heads) heads do not divide a width of \(width)")
    self.heads = heads
    qkv = Linear(width, 3 * width, bias: bias, using: &random)
    output = Linear(width, width, bias: bias, using: &random)
  }

  /// x `[batch, time, width]` → the same shape.
  public func callAsFunction(_ x: Tensor, mask: AttentionMask = .bidirectional) -> Tensor {
    output(selfAttention(qkv: qkv(x), heads: heads, mask: mask))
  }

  /// Reads `before` as well: tokens that were computed once, such as a prompt's.
  public func callAsFunction(_ x: Tensor, after before: KeyValues) -> Tensor {
    let shape = [x.size(0), x.size(1), heads, x.size(2) / heads]
    let parts = qkv(x).split(into: 3).map { $0.reshaped(shape) }
    let all = before.appending(KeyValues(keys: parts[1], values: parts[2]))
    return output(attention(parts[0], all.keys, all.values).reshaped(x.shape))
  }

  /// What later tokens need of `x`.
  public func keyValues(of x: Tensor) -> KeyValues {
    let shape = [x.size(0), x.size(1), heads, x.size(2) / heads]
    let parts = qkv(x).split(into: 3).map { $0.reshaped(shape) }
    return KeyValues(keys: parts[1], values: parts[2])
  }
}

/// A gated feed-forward with one product for gate and up.
public final class FusedGatedMLP: Module {
  /// `[2 · hidden, width]`: the gate's rows, then the others.
  @Child("gate_up") public var gateAndUp: Linear
  /// `[width, hidden]`.
  @Child("down") public var down: Linear
  /// How the gate and the rest become one.
  public let unit: GatedUnit

  /// Weights as `Linear` begins.
  public init(
    width: Int, hidden: Int, unit: GatedUnit = .swiGLU, bias: Bool = false, using random: inout Philox
  ) {
    self.unit = unit
    gateAndUp = Linear(width, 2 * hidden, bias: bias, using: &random)
    down = Linear(hidden, width, bias: bias, using: &random)
  }

  /// x `[…, width]` → the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { down(gated(unit, gateAndUp: gateAndUp(x))) }
}

/// One pre-norm transformer block.
///
///     h = x + Attention(RMSNorm(x))
///     y = h + SwiGLU(RMSNorm(h))
///
/// Shapes: x, y `[batch, time, width]`.
public final class PreNormBlock: Module {
  /// Before the attention.
  @Child("norm1") public var attentionNorm: RMSNorm
  /// Over all tokens.
  @Child("attn") public var attention: FusedSelfAttention
  /// Before the feed-forward.
  @Child("norm2") public var mlpNorm: RMSNorm
  /// For each token.
  @Child("mlp") public var mlp: FusedGatedMLP

  /// Weights as `Linear` begins; `hidden` is the feed-forward's inner width.
  public init(width: Int, heads: Int, hidden: Int, using random: inout Philox) {
    attentionNorm = RMSNorm(width)
    attention = FusedSelfAttention(width: width, heads: heads, using: &random)
    mlpNorm = RMSNorm(width)
    mlp = FusedGatedMLP(width: width, hidden: hidden, using: &random)
  }

  /// x `[batch, time, width]` → the same shape.
  public func callAsFunction(_ x: Tensor, mask: AttentionMask = .bidirectional) -> Tensor {
    let h = x + attention(attentionNorm(x), mask: mask)
    return h + mlp(mlpNorm(h))
  }

  /// The same, with `before` seen as well: tokens that were computed once.
  public func callAsFunction(_ x: Tensor, after before: KeyValues) -> Tensor {
    let h = x + attention(attentionNorm(x), after: before)
    return h + mlp(mlpNorm(h))
  }
}
