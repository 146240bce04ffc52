import CKernels
import COneDNN

/// Sizes and strides of one convolution.
private func convolutionSpec(_ x: Tensor, _ weight: Tensor, stride: Int, padding: Int) -> vugen_conv_spec {
  precondition(
    x.rank == 4 && weight.rank == 4 && x.size(3) == weight.size(1) && stride > 0 && padding >= 0,
    "convolution: input \(x) does not fit weight \(weight)")
  var spec = vugen_conv_spec()
  (spec.batch, spec.height, spec.width, spec.channels) =
    (Int64(x.size(0)), Int64(x.size(1)), Int64(x.size(2)), Int64(x.size(3)))
  (spec.out_channels, spec.kernel_height, spec.kernel_width) =
    (Int64(weight.size(0)), Int64(weight.size(2)), Int64(weight.size(3)))
  (spec.stride, spec.padding) = (Int64(stride), Int64(padding))
  spec.out_height = (spec.height + 2 * spec.padding - spec.kernel_height) / spec.stride + 1
  spec.out_width = (spec.width + 2 * spec.padding - spec.kernel_width) / spec.stride + 1
  precondition(
    spec.height + 2 * spec.padding >= spec.kernel_height
      && spec.width + 2 * spec.padding >= spec.kernel_width,
    "convolution: input \(x) is smaller than the kernel of \(weight)")
  spec.type = x.type.code
  return spec
}

/// The weight as a pass of oneDNN wants it, kept until the weight changes. `source` makes the plain
/// weight to start from, `name` tells its forms apart.
private func packed(_ weight: Tensor, _ spec: vugen_conv_spec, _ form: WeightForm) -> Storage {
  var spec = spec
  var bytes = 0
  var layout: Int64 = 0
  check(vugen_conv_packed_layout(&spec, form.pass, &bytes, &layout), "a convolution's weight \(weight)")
  func make(_ target: UnsafeMutableRawPointer) {
    let plain = form == .turned ? weight.turnedForInputGradient() : weight
    check(vugen_conv_pack(&spec, form.pass, plain.type.code, plain.pointer, target), "packing \(weight)")
    withExtendedLifetime(plain) {}
  }
  if weight.storage.isWeight {
    let key = Storage.PackKey(kind: .convolution(form), offset: weight.offset, layout: layout)
    return weight.storage.packed(key, byteCount: bytes, make: make)
  }
  let storage = Storage(byteCount: bytes)
  make(storage.pointer)
  return storage
}

/// In which form a convolution's weight is packed.
enum WeightForm: Hashable {
  case forward
  /// For oneDNN's own pass back to the input.
  case inputGradient
  /// Input and output swapped and the kernel turned by 180°: the pass back as a forward convolution.
  case turned

  var pass: Int32 { Int32(self == .inputGradient ? VUGEN_CONV_BACKWARD_DATA : VUGEN_CONV_FORWARD) }
}

/// 2-D convolution (cross-correlation), activations NHWC.
///
/// Shapes: x `[batch, height, width, in]`, weight `[out, in, kernel height, kernel width]` (as model files
/// store it), bias `[out]`, result `[batch, ⌊(height + 2 padding − kernel) / stride⌋ + 1, …, out]`.
/// The weights' and the bias's gradients are f32. Non-overlapping patches are `stride == kernel`.
public func convolution2D(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  activation: Activation = .none
) -> Tensor {
  let inputs = [x, weight] + (bias.map { [$0] } ?? [])
  if let function = activation.function, inputs.contains(where: \.isTracked) {
    return convolution2D(x, weight: weight, bias: bias, stride: stride, padding: padding).map(function)
  }
  // Without bf16 products the library would take bf16 apart; see `Precision`.
  let type = x.type, inner: ElementType = Hardware.hasBF16Products ? type : .f32
  let input = x.detached().cast(to: inner), kernel = weight.detached()
  let offset = bias?.detached().cast(to: .f32)
  var spec = convolutionSpec(input, kernel, stride: stride, padding: padding)
  spec.has_bias = offset == nil ? 0 : 1
  spec.activation = activation.code
  _ = vugen_threads()
  let y = Tensor.empty([x.size(0), Int(spec.out_height), Int(spec.out_width), weight.size(0)], inner)
  if y.count > 0 {
    let weights = packed(kernel, spec, .forward)
    check(
      vugen_conv_forward(&spec, input.pointer, weights.pointer, offset?.floats, y.pointer),
      "a convolution of \(x)")
    withExtendedLifetime((input, weights, offset)) {}
  }
  let needX = x.isTracked, needW = weight.isTracked || (bias?.isTracked ?? false), kept = needW ? input : nil
  return y.cast(to: type).recorded(from: inputs) { [spec, weightShape = weight.shape] dy in
    var spec = spec
    spec.activation = Activation.none.code
    let dy = dy.cast(to: inner)
    let dx = needX ? convolutionInputGradient(dy, kernel, spec, inner).cast(to: type) : nil
    guard let kept else { return [dx, nil, nil] }
    return [dx] + convolutionWeightGradients(kept, dy, weightShape, spec)
  }
}

/// `dw` of the weight's shape, and `db` where there is a bias; both f32.
private func convolutionWeightGradients(
  _ x: Tensor, _ dy: Tensor, _ shape: [Int], _ spec: vugen_conv_spec
) -> [Tensor?] {
  var spec = spec
  let dw = Tensor.zeros(shape), db = Tensor.zeros([shape[0]]), hasBias = spec.has_bias == 1
  if dy.count > 0 {
    check(
      vugen_conv_backward_weights(&spec, x.pointer, dy.pointer, dw.floats, hasBias ? db.floats : nil),
      "a convolution's weight gradient")
  }
  return [dw, hasBias ? db : nil]
}

/// `dx` of a convolution. With stride 1 it is itself a convolution of dy with the turned kernel, which
/// oneDNN runs 1.3 times faster in f32 than its own pass back.
private func convolutionInputGradient(
  _ dy: Tensor, _ kernel: Tensor, _ spec: vugen_conv_spec, _ type: ElementType
) -> Tensor {
  var spec = spec
  let dx = Tensor.empty([spec.batch, spec.height, spec.width, spec.channels].map(Int.init), type)
  guard dx.count > 0 else { return dx }
  guard dy.count > 0 else { return .zeros(dx.shape, type) }
  let isSquare = spec.kernel_height == spec.kernel_width
  if spec.stride == 1, isSquare, spec.padding < spec.kernel_height {
    spec.has_bias = 0
    spec.padding = spec.kernel_height - 1 - spec.padding
    swap(&spec.height, &spec.out_height)
    swap(&spec.width, &spec.out_width)
    swap(&spec.channels, &spec.out_channels)
    let weights = packed(kernel, spec, .turned)
    check(
      vugen_conv_forward(&spec, dy.pointer, weights.pointer, nil, dx.pointer),
      "a convolution's input gradient")
    withExtendedLifetime(weights) {}
    return dx
  }
  let weights = packed(kernel, spec, .inputGradient)
  check(
    vugen_conv_backward_data(&spec, dy.pointer, weights.pointer, dx.pointer), "a convolution's input gradient"
  )
  withExtendedLifetime(weights) {}
  return dx
}
