import Tensors

/// Attention of every token to every other one, without rotation.
///
/// Shapes: x `[batch, tokens, width]` → the same.
public final class FullAttention: Module {
  /// What model files call its four products.
  public struct Names: Sendable {
    let query, key, value, output: String

    /// Each argument is what the product of its name is called.
    public init(query: String, key: String, value: String, output: String) {
      (self.query, self.key, self.value, self.output) = (query, key, value, output)
    }
  }

  @Child var query: Linear
  @Child var key: Linear
  @Child var value: Linear
  @Child var output: Linear
  let heads: Int

  /// Random weights.
  public init(width: Int, heads: Int, names: Names, using random: inout Philox) {
    self.heads = heads
    (_query, _key) = (Child(names.query), Child(names.key))
    (_value, _output) = (Child(names.value), Child(names.output))
    query = Linear(width, width, using: &random)
    key = Linear(width, width, using: &random)
    value = Linear(width, width, using: &random)
    output = Linear(width, width, using: &random)
  }

  /// x attends to itself.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let shape = [x.size(0), x.size(1), heads, x.size(2) / heads]
    let parts = applied([query, key, value], to: x).map { $0.reshaped(shape) }
    return output(attention(parts[0], parts[1], parts[2]).reshaped(x.shape))
  }
}
