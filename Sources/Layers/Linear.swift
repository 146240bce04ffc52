import Tensors

/// `y = activation(x Wᵀ + b)`: x `[…, inputs]`, y `[…, outputs]`.
public final class Linear: Module {
  /// `[outputs, inputs]`; `nil` where it is stored in fewer bits.
  @Weight("weight") public var weight: Parameter?
  /// `[outputs]`; `nil` for none.
  @Weight("bias") public var bias: Parameter?
  /// The weight in 8 or 4 bits, when it is stored so; `weight` is `nil` then.
  public private(set) var quantized: QuantizedTensor?

  /// Weight and bias uniform in ±1/√inputs, as PyTorch begins.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, using random: inout Philox) {
    let bound = 1 / Float(max(1, inputs)).squareRoot()
    weight = Parameter.uniform([outputs, inputs], bound: bound, using: &random)
    self.bias = bias ? Parameter.uniform([outputs], bound: bound, using: &random) : nil
  }

  /// x `[…, inputs]` → `[…, outputs]`, of x's type.
  public func callAsFunction(_ x: Tensor, activation: Activation = .none) -> Tensor {
    let bias = bias?.tensor(as: .f32)
    if let quantized {
      let y = quantized.linear(x, bias: bias)
      return activation.apply(y)
    }
    guard let weight else { preconditionFailure("a Linear has either a plain or a quantised weight") }
    return product(x, weight: weight, bias: bias, activation: activation)
  }

  /// Stores the weight in fewer bits, frozen from now on.
  public func quantize(bits: QuantizedTensor.Bits, group: Int = 32) {
    guard let weight else { return }
    adopt(QuantizedTensor(weight.value, bits: bits, group: group))
  }

  /// Takes a stored weight of fewer bits in place of its own; the shapes are the same.
  public func adopt(_ weight: QuantizedTensor) {
    let own = precision
    quantized = weight
    self.weight = nil
    precision = own
  }

  /// How the stored weight meets many rows of activations.
  public var precision: Precision {
    get { quantized?.precision ?? weight?.precision ?? .f32 }
    set {
      quantized?.precision = newValue
      weight?.precision = newValue
    }
  }
}

/// What several layers without biases make of one x. For a token or a few, whose products wait for memory alone, the
/// threads meet once for all of them, and rows that are rounded for weights in fewer bits are rounded once. The results
/// are the same as one by one.
public func applied(_ layers: [Linear], to x: Tensor) -> [Tensor] {
  let rows = x.count / max(1, x.size(-1))
  let isPlain = x.type == .f32 && !isRecording && rows > 0 && layers.allSatisfy { $0.bias == nil }
  guard isPlain, layers.count <= maximumPieces, let precision = layers.first?.precision,
    layers.allSatisfy({ $0.precision == precision })
  else { return layers.map { $0(x) } }
  let isStream = rows <= precision.streamedRows
  let quantized = layers.compactMap(\.quantized), stored = layers.compactMap { $0.weight?.value }
  if quantized.count == layers.count, isStream || precision.roundsInput {
    return rowProducts(x, quantized)
  }
  if isStream, stored.count == layers.count, stored.allSatisfy({ $0.type == .bf16 }) {
    return rowProducts(x, stored)
  }
  return layers.map { $0(x) }
}

/// `activation(x Wᵀ + b)` with a parameter. Frozen bf16 weights are not copied for good, neither to f32 nor, where
/// they meet bf16 (`Parameter.precision`), to a library's own layout: they are read as they are stored.
public func product(_ x: Tensor, weight: Parameter, bias: Tensor? = nil, activation: Activation = .none)
  -> Tensor
{
  if weight.value.type == .bf16, !isRecording, x.type == .f32 || weight.precision.multipliesBF16 {
    return linearFromStored(
      x, weight: weight.value, precision: weight.precision, bias: bias, activation: activation)
  }
  return linear(x, weight: weight.tensor(as: x.type), bias: bias, activation: activation)
}

/// Rows of a table by index: i32 `[…]` → `[…, width]`.
public final class Embedding: Module {
  /// `[count, width]`.
  @Weight("weight") public var weight: Parameter

  /// Unit normal rows times `deviation`.
  public init(_ count: Int, _ width: Int, deviation: Float = 1, using random: inout Philox) {
    weight = Parameter.normal([count, width], deviation: deviation, using: &random)
  }

  /// The rows of these indices, of `type`.
  public func callAsFunction(_ indices: Tensor, type: ElementType = .f32) -> Tensor {
    weight.tensor.gathered(indices).cast(to: type)
  }
}

/// 2-D convolution over `[batch, height, width, channels]`.
public final class Convolution2D: Module {
  /// `[outputs, inputs, kernel, kernel]`, as model files store it.
  @Weight("weight") public var weight: Parameter
  /// `[outputs]`; `nil` for none.
  @Weight("bias") public var bias: Parameter?
  /// In pixels, the same along both axes; padding is zeros on every side.
  public let stride, padding: Int

  /// Weight `[outputs, inputs, kernel, kernel]`, uniform in ±1/√(inputs · kernel²), as PyTorch begins.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, bias: Bool = true,
    using random: inout Philox
  ) {
    (self.stride, self.padding) = (stride, padding)
    let bound = 1 / Float(inputs * kernel * kernel).squareRoot()
    weight = Parameter.uniform([outputs, inputs, kernel, kernel], bound: bound, using: &random)
    self.bias = bias ? Parameter.uniform([outputs], bound: bound, using: &random) : nil
  }

  /// x `[batch, height, width, inputs]` → `[batch, ⌊(height + 2 padding − kernel) / stride⌋ + 1, …, outputs]`.
  public func callAsFunction(_ x: Tensor, activation: Activation = .none) -> Tensor {
    // A bf16 weight that nobody trains is put into the library's order as it is stored, without a copy in f32.
    let isStored = weight.value.type == .bf16 && !isRecording
    return convolution2D(
      x, weight: isStored ? weight.value : weight.tensor(as: x.type), bias: bias?.tensor(as: .f32),
      stride: stride, padding: padding,
      activation: activation)
  }
}

extension Linear {
  /// Sets weight and bias to zero: the branch that this ends says nothing when training begins.
  public func startAtZero() {
    weight?.setToZero()
    bias?.setToZero()
  }
}

extension Convolution2D {
  /// Sets weight and bias to zero: the branch that this ends says nothing when training begins.
  public func startAtZero() {
    weight.setToZero()
    bias?.setToZero()
  }
}
