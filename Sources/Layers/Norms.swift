import Tensors

/// LayerNorm over the last axis.
public final class LayerNorm: Module {
  /// `[width]`.
  @Weight("weight") public var weight: Parameter
  /// `[width]`; `nil` for none.
  @Weight("bias") public var bias: Parameter?
  /// Added to the variance.
  public let epsilon: Float

  /// Weight 1 and bias 0.
  public init(_ width: Int, epsilon: Float = 1e-5, bias: Bool = true) {
    self.epsilon = epsilon
    weight = Parameter(.full([width], 1))
    self.bias = bias ? Parameter(.zeros([width])) : nil
  }

  /// x `[…, width]` → the same shape; each row gets mean 0 and variance 1 before weight and bias.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNorm(x, weight: weight.tensor(as: .f32), bias: bias?.tensor(as: .f32), epsilon: epsilon)
  }
}

/// RMSNorm over the last axis.
public final class RMSNorm: Module {
  /// `[width]`.
  @Weight("weight") public var weight: Parameter
  /// Added to the mean square.
  public let epsilon: Float

  /// Weight 1.
  public init(_ width: Int, epsilon: Float = 1e-5) {
    self.epsilon = epsilon
    weight = Parameter(.full([width], 1))
  }

  /// x `[…, width]` → the same shape; each row's mean square becomes 1 before the weight.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    rmsNorm(x, weight: weight.tensor(as: .f32), epsilon: epsilon)
  }
}

/// GroupNorm over `[batch, height, width, channels]`, with an optional scale and shift `[batch, channels]`.
public final class GroupNorm: Module {
  /// `[channels]`.
  @Weight("weight") public var weight: Parameter
  /// `[channels]`.
  @Weight("bias") public var bias: Parameter
  /// Into how many runs of neighbouring channels a picture is cut; each has a mean and variance of its own.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Float

  /// Weight 1 and bias 0.
  public init(groups: Int, channels: Int, epsilon: Float = 1e-5) {
    (self.groups, self.epsilon) = (groups, epsilon)
    weight = Parameter(.full([channels], 1))
    bias = Parameter(.zeros([channels]))
  }

  /// x `[batch, height, width, channels]` → the same shape: `activation(y · (1 + scale) + shift)` of the normalised
  /// `y = x̂ · weight + bias`.
  public func callAsFunction(
    _ x: Tensor, scale: Tensor? = nil, shift: Tensor? = nil, activation: NormActivation = .none
  ) -> Tensor {
    groupNorm(
      x, groups: groups, weight: weight.tensor(as: .f32), bias: bias.tensor(as: .f32), scale: scale,
      shift: shift,
      epsilon: epsilon, activation: activation)
  }
}
