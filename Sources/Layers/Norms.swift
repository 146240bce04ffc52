import Tensors

/// LayerNorm over the last axis.
public final class LayerNorm: Module {
  @Weight("weight") public var weight: Parameter
  @Weight("bias") public var bias: Parameter?
  public let epsilon: Float

  public init(_ width: Int, epsilon: Float = 1e-5, bias: Bool = true) {
    self.epsilon = epsilon
    weight = Parameter(.full([width], 1))
    self.bias = bias ? Parameter(.zeros([width])) : nil
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNorm(x, weight: weight.tensor(as: .f32), bias: bias?.tensor(as: .f32), epsilon: epsilon)
  }
}

/// RMSNorm over the last axis.
public final class RMSNorm: Module {
  @Weight("weight") public var weight: Parameter
  public let epsilon: Float

  public init(_ width: Int, epsilon: Float = 1e-5) {
    self.epsilon = epsilon
    weight = Parameter(.full([width], 1))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    rmsNorm(x, weight: weight.tensor(as: .f32), epsilon: epsilon)
  }
}

/// GroupNorm over `[batch, height, width, channels]`, with an optional scale and shift `[batch, channels]`.
public final class GroupNorm: Module {
  @Weight("weight") public var weight: Parameter
  @Weight("bias") public var bias: Parameter
  public let groups: Int
  public let epsilon: Float

  public init(groups: Int, channels: Int, epsilon: Float = 1e-5) {
    (self.groups, self.epsilon) = (groups, epsilon)
    weight = Parameter(.full([channels], 1))
    bias = Parameter(.zeros([channels]))
  }

  public func callAsFunction(
    _ x: Tensor, scale: Tensor? = nil, shift: Tensor? = nil, activation: NormActivation = .none
  ) -> Tensor {
    groupNorm(
      x, groups: groups, weight: weight.tensor(as: .f32), bias: bias.tensor(as: .f32), scale: scale,
      shift: shift,
      epsilon: epsilon, activation: activation)
  }
}
