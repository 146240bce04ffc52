import TestSupport
import Tensors

/// How each operation of the stored references is called.
func perform(_ c: ReferenceCase, _ x: [Tensor]) -> Tensor? {
  let parts = c.op.split(separator: ".", maxSplits: 1).map(String.init)
  if parts[0] == "unary" {
    return UnaryFunction.allCases.first { "\($0)" == parts[1] }.map(x[0].map)
  }
  return arithmetic(c, x) ?? shapes(c, x) ?? network(c, x)
}

private func arithmetic(_ c: ReferenceCase, _ x: [Tensor]) -> Tensor? {
  switch c.op {
  case "affine": x[0].affine(scale: 1.5, shift: -0.25)
  case "add": x[0] + x[1]
  case "subtract": x[0] - x[1]
  case "multiply": x[0] * x[1]
  case "divide": x[0] / x[1]
  case "sum": x[0].sum(axes: c.integers("axes"))
  case "mean": x[0].mean(axes: c.integers("axes"))
  case "max": x[0].max(axes: c.integers("axes"))
  case "sumAll": x[0].sum()
  case "meanAll": x[0].mean()
  case "softmax": x[0].softmax()
  case "crossEntropy": crossEntropy(x[0], targets: c.constants[0])
  case "meanSquaredError": meanSquaredError(x[0], x[1])
  case "cosineDistance": cosineDistance(x[0], x[1])
  default: nil
  }
}

private func shapes(_ c: ReferenceCase, _ x: [Tensor]) -> Tensor? {
  switch c.op {
  case "transpose": x[0].transposed(c.integers("axes"))
  case "slice": x[0].sliced(c.integer("start")..<c.integer("end"), axis: c.integer("axis"))
  case "concatenate": .concatenated(x, axis: c.integer("axis"))
  case "gather": x[0].gathered(c.constants[0])
  case "nearest": x[0].upsampledNearest(by: c.integer("factor"))
  case "averagePool": x[0].averagePooled(by: c.integer("factor"))
  case "maxPool": x[0].maxPooled(kernel: c.integer("kernel"), stride: c.integer("stride"))
  case "bilinear": x[0].resizedBilinear(height: c.integer("height"), width: c.integer("width"))
  default: nil
  }
}

private func network(_ c: ReferenceCase, _ x: [Tensor]) -> Tensor? {
  let activation = Activation.allCases[c.integer("activation")], epsilon = Float(c.number("epsilon", 1e-5))
  let f32 = x.map { $0.cast(to: .f32) }
  switch c.op {
  case "linear": return linear(x[0], weight: x[1], bias: x.count > 2 ? x[2] : nil, activation: activation)
  case "matmul":
    return matmul(
      x[0], x[1], transposeA: c.integer("transposeA") == 1, transposeB: c.integer("transposeB") == 1)
  case "convolution":
    return convolution2D(
      x[0], weight: x[1], bias: x.count > 2 ? x[2] : nil, stride: c.integer("stride"),
      padding: c.integer("padding"),
      activation: activation)
  case "layerNorm": return layerNorm(x[0], weight: f32[1], bias: f32[2], epsilon: epsilon)
  case "rmsNorm": return rmsNorm(x[0], weight: f32[1], epsilon: epsilon)
  case "groupNorm":
    return groupNorm(
      x[0], groups: c.integer("groups"), weight: f32[1], bias: f32[2], scale: f32[3], shift: f32[4],
      epsilon: epsilon,
      activation: c.integer("silu") == 1 ? .silu : .none)
  case "gated": return gated(GatedUnit.allCases[c.integer("unit")], gate: x[0], up: x[1])
  case "gatedFused": return gated(GatedUnit.allCases[c.integer("unit")], gateAndUp: x[0])
  case "rotaryLine", "rotaryGrid": return rotated(c, x[0])
  case "attention", "selfAttention": return attended(c, x, bias: f32.count > 3 ? f32[3] : nil)
  default: return nil
  }
}

private func rotated(_ c: ReferenceCase, _ x: Tensor) -> Tensor {
  let pairing: RotaryPairing = c.integer("interleaved") == 1 ? .interleaved : .halfSplit
  let channels = c.integer("channels"), base = c.number("base", 10000), first = c.integer("first")
  let table =
    c.op == "rotaryLine"
    ? RotaryTable.line(positions: x.size(1), channels: channels, base: base, from: first)
    : RotaryTable.grid(
      height: c.integer("height"), width: c.integer("width"), channels: channels, base: base, from: first)
  return x.rotated(by: table, pairing: pairing)
}

private func attended(_ c: ReferenceCase, _ x: [Tensor], bias: Tensor?) -> Tensor {
  if c.op == "selfAttention" {
    return selfAttention(qkv: x[0], heads: c.integer("heads"), kvHeads: c.integer("kvHeads"))
  }
  var mask = AttentionMask.bidirectional
  if c.integer("mask") == 1 { mask = .causal }
  var bias = bias
  if c.integer("mask") == 2 {
    // Any pattern, as a bias.
    let table = c.constants[0]
    bias = Tensor(
      table.toIndices().map { $0 != 0 ? 0 : -.infinity },
      shape: [table.size(0), 1, table.size(1), table.size(2)])
  }
  let scale = c.arguments["scale"].map { Float($0[0]) }
  return attention(x[0], x[1], x[2], mask: mask, bias: bias, scale: scale)
}
