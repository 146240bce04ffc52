import COneDNN
import CKernels

extension Activation {
  var code: Int32 {
    switch self {
    case .none: Int32(VUGEN_ACTIVATION_NONE)
    case .silu: Int32(VUGEN_ACTIVATION_SILU)
    case .geluErf: Int32(VUGEN_ACTIVATION_GELU_ERF)
    case .geluTanh: Int32(VUGEN_ACTIVATION_GELU_TANH)
    case .relu: Int32(VUGEN_ACTIVATION_RELU)
    }
  }
}

/// oneDNN's shim answers 0; anything else is a shape that these functions let through by mistake.
func check(_ status: Int32, _ what: @autoclosure () -> String) {
  precondition(status == 0, "oneDNN refused \(what()) with status \(status)")
}

extension Hardware {
  /// Whether oneDNN's products of a row have the same bits whatever rows are beside it and however threads share them. Where
  /// they have not, our own kernel multiplies.
  public static let hasSteadyProducts = vugen_matmul_is_steady()
}

/// One or a batch of matrices inside a tensor: `rows × columns` after the transposition.
private struct Matrix {
  var tensor: Tensor
  var transposed = false

  var rows: Int { tensor.size(transposed ? -1 : -2) }
  var columns: Int { tensor.size(transposed ? -2 : -1) }
  var widened: Matrix { Matrix(tensor: tensor.cast(to: .f32), transposed: transposed) }
}

/// `C = activation(op(A) op(B) + bias)`, batches in front; B may be one matrix for the whole batch.
///
/// Accumulates in f32. Where the processor has no bf16 products, bf16 operands are widened first. `packing` keeps a
/// weight in oneDNN's own layout as well; `panels` is B in the layout of `PackedRows`.
private func multiply(
  _ a: Matrix, _ b: Matrix, bias: Tensor? = nil, activation: Activation = .none, as type: ElementType,
  packing: Bool = true, panels: Storage? = nil
) -> Tensor {
  let isSteady = panels != nil || Hardware.hasSteadyProducts
  if !(Hardware.hasBF16Products && isSteady) && (a.tensor.type == .bf16 || b.tensor.type == .bf16) {
    return multiply(a.widened, b.widened, bias: bias, activation: activation, as: .f32).cast(to: type)
  }
  let k = a.columns, n = b.columns
  precondition(
    b.rows == k && a.tensor.type == b.tensor.type,
    "product of \(a.tensor) (transposed: \(a.transposed)) and \(b.tensor) (transposed: \(b.transposed))")
  let c = Tensor.empty(a.tensor.shape.dropLast(2) + [a.rows, n], type)
  guard c.count > 0 else { return c }
  guard k > 0 else { return (Tensor.zeros(c.shape) + (bias ?? Tensor.zeros([n]))).cast(to: type) }
  var spec = productSpec(a, b, as: type)
  guard isSteady else { return activation.apply(steadyProduct(a, b, spec, bias: bias)).cast(to: type) }
  let isLong = panels == nil && vugen_matmul_is_long(&spec) != 0
  if isLong, type != .f32 || bias != nil || activation != .none {
    let y = multiply(a, b, as: .f32)
    return activation.apply(bias.map { y + $0.cast(to: .f32) } ?? y).cast(to: type)
  }
  spec.has_bias = bias == nil ? 0 : 1
  spec.activation = activation.code
  _ = vugen_threads()
  let bias = bias?.cast(to: .f32)
  var right = panels
  if panels != nil {
    spec.b_packed = Int32(VUGEN_PANELS)
  } else if packing, !isLong, b.tensor.storage.isWeight, spec.batch == 1 {
    right = packed(b, &spec)
  }
  check(
    vugen_matmul(
      &spec, a.tensor.pointer, right?.pointer ?? b.tensor.pointer, bias?.floats, c.pointer),
    "the product \(a.tensor) × \(b.tensor)")
  withExtendedLifetime((a, b, bias, right)) {}
  return c
}

/// The product by our own kernel, where oneDNN's bits depend on the threads and on the rows beside a row.
private func steadyProduct(_ a: Matrix, _ b: Matrix, _ spec: vugen_matmul_spec, bias: Tensor?) -> Tensor {
  var arguments = vg_product_args()
  (arguments.a, arguments.b) = (UnsafePointer(a.tensor.floats), UnsafePointer(b.tensor.floats))
  (arguments.m, arguments.n, arguments.k) = (spec.m, spec.n, spec.k)
  (arguments.a_step, arguments.b_step) = (spec.a_stride, spec.b_stride)
  (arguments.a_row, arguments.a_column) = a.transposed ? (1, spec.a_row) : (spec.a_row, 1)
  (arguments.b_row, arguments.b_column) = b.transposed ? (1, spec.b_row) : (spec.b_row, 1)
  let panels = spec.batch == 1 ? panels(of: arguments) : nil
  let c = Tensor.empty(a.tensor.shape.dropLast(2) + [a.rows, b.columns])
  run(arguments, batch: Int(spec.batch), panels: panels, bias: bias, into: c)
  withExtendedLifetime((a, b)) {}
  return c
}

/// Panels of B that all blocks read; nil where each makes its own: few read them, or they are much memory.
private func panels(of arguments: vg_product_args) -> Tensor? {
  let count = (Int(arguments.n) + 15) / 16, k = Int(arguments.k)
  guard arguments.m > Int64(VG_PRODUCT_ROWS), count * k * 16 <= 1 << 24 else { return nil }
  let panels = Tensor.empty([count, k, 16])
  let own = vg_panel_args(
    b: arguments.b, panels: panels.floats, n: arguments.n, k: arguments.k, b_row: arguments.b_row,
    b_column: arguments.b_column)
  run(.panels, .f32, own, items: count)
  return panels
}

private func run(
  _ arguments: vg_product_args, batch: Int, panels: Tensor?, bias: Tensor?, into c: Tensor
) {
  var arguments = arguments
  let bias = bias?.cast(to: .f32)
  arguments.bias = bias.map { UnsafePointer($0.floats) }
  arguments.panels = panels.map { UnsafePointer($0.floats) }
  arguments.c = c.floats
  let down = (Int(arguments.m) + Int(VG_PRODUCT_ROWS) - 1) / Int(VG_PRODUCT_ROWS)
  let across = (Int(arguments.n) + Int(VG_PRODUCT_COLUMNS) - 1) / Int(VG_PRODUCT_COLUMNS)
  run(.product, .f32, arguments, items: batch * down * across)
  withExtendedLifetime((bias, panels)) {}
}

/// The product with a weight that lies in panels, f32 `[⌈outputs / 16⌉, in, 16]`, by our own kernel.
///
/// Shapes: x f32 `[…, in]`, result f32 `[…, outputs]`.
func steadyProduct(_ x: Tensor, panels: Tensor, outputs: Int, bias: Tensor? = nil) -> Tensor {
  let rows = x.asRows
  var arguments = vg_product_args()
  arguments.a = UnsafePointer(rows.floats)
  (arguments.m, arguments.n, arguments.k) = (Int64(rows.size(0)), Int64(outputs), Int64(rows.size(1)))
  (arguments.a_row, arguments.a_column) = (arguments.k, 1)
  let c = Tensor.empty(x.shape.dropLast() + [outputs])
  run(arguments, batch: 1, panels: panels, bias: bias, into: c)
  withExtendedLifetime(rows) {}
  return c
}

/// Sizes, strides and types of a product, without bias and activation.
private func productSpec(_ a: Matrix, _ b: Matrix, as type: ElementType) -> vugen_matmul_spec {
  let m = a.rows, k = a.columns, n = b.columns, batch = a.tensor.shape.dropLast(2).reduce(1, *)
  let shared = b.tensor.rank == 2 && a.tensor.rank > 2
  var spec = vugen_matmul_spec()
  // A batch that shares its B is one taller matrix.
  let folds = shared && !a.transposed
  spec.batch = folds ? 1 : Int64(batch)
  spec.m = Int64(folds ? batch * m : m)
  (spec.n, spec.k) = (Int64(n), Int64(k))
  (spec.a_stride, spec.b_stride, spec.c_stride) = (Int64(m * k), shared ? 0 : Int64(k * n), Int64(m * n))
  (spec.a_row, spec.b_row, spec.c_row) = (Int64(a.tensor.size(-1)), Int64(b.tensor.size(-1)), Int64(n))
  (spec.a_type, spec.b_type, spec.c_type) = (a.tensor.type.code, b.tensor.type.code, type.code)
  (spec.a_transposed, spec.b_transposed) = (a.transposed ? 1 : 0, b.transposed ? 1 : 0)
  return spec
}

/// The weight in the layout that this product likes best; made once a change.
private func packed(_ b: Matrix, _ spec: inout vugen_matmul_spec) -> Storage {
  spec.b_packed = 1
  var bytes = 0
  var layout: Int64 = 0
  check(vugen_matmul_packed_layout(&spec, &bytes, &layout), "the layout of \(b.tensor)")
  let key = Storage.PackKey(kind: .product(transposed: b.transposed), offset: b.tensor.offset, layout: layout)
  return b.tensor.storage.packed(key, byteCount: bytes) { target in
    check(vugen_matmul_pack(&spec, b.tensor.type.code, b.tensor.pointer, target), "packing \(b.tensor)")
  }
}

extension Tensor {
  /// All axes but the last as rows.
  fileprivate var asRows: Tensor {
    rank == 2 ? self : detached().reshaped([count / Swift.max(1, size(-1)), size(-1)])
  }
}

/// `y = activation(x Wᵀ + b)`.
///
/// Shapes: x `[…, in]`, weight `[out, in]`, bias `[out]`, y `[…, out]`. x's type is the result's.
/// Backward: `dx = dy W`, `dW = dyᵀ x` (f32), `db = Σ dy` (f32), with dy taken back through the activation.
/// The activation is fused into the product where no gradient needs the number before it.
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .none) -> Tensor
{
  let inputs = [x, weight] + (bias.map { [$0] } ?? [])
  if let function = activation.function, inputs.contains(where: \.isTracked) {
    return linear(x, weight: weight, bias: bias).map(function)
  }
  let rows = x.asRows
  precondition(
    weight.rank == 2 && weight.size(1) == x.size(-1), "linear: input \(x) does not fit weight \(weight)")
  let weightAs = weight.detached().cast(to: x.type)
  let y = multiply(
    Matrix(tensor: rows), Matrix(tensor: weightAs, transposed: true), bias: bias, activation: activation,
    as: x.type
  ).reshaped(x.shape.dropLast() + [weight.size(0)])
  let (needX, needW, needB) = (x.isTracked, weight.isTracked, bias?.isTracked ?? false)
  let keptRows = needW ? rows : nil, keptWeight = needX ? weightAs : nil
  return y.recorded(from: inputs) { [shape = x.shape, type = x.type] dy in
    let dyRows = dy.cast(to: type).asRows
    let dx = keptWeight.map {
      multiply(Matrix(tensor: dyRows), Matrix(tensor: $0), as: type).reshaped(shape)
    }
    let dw = keptRows.map {
      multiply(Matrix(tensor: dyRows, transposed: true), Matrix(tensor: $0), as: .f32)
    }
    let db = needB ? dyRows.cast(to: .f32).sum(axes: [0]) : nil
    return [dx, dw, db]
  }
}

/// `op(A) op(B)`, one matrix or a batch of them.
///
/// Shapes: a `[…, m, k]` (or `[…, k, m]` transposed), b `[…, k, n]` (or `[…, n, k]`) with the same batch
/// axes, or `[k, n]` shared by the whole batch; result `[…, m, n]`.
/// Backward: `dA = dC op(B)ᵀ`, `dB = op(A)ᵀ dC`.
public func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
  precondition(
    b.rank == 2 || a.shape.dropLast(2) == b.shape.dropLast(2), "batches of \(a) and \(b) differ")
  let type: ElementType = a.type == b.type ? a.type : .f32
  let left = Matrix(tensor: a.detached().cast(to: type), transposed: transposeA)
  let right = Matrix(tensor: b.detached().cast(to: type), transposed: transposeB)
  let y = multiply(left, right, as: type)
  let (needA, needB) = (a.isTracked, b.isTracked), shared = b.rank == 2 && a.rank > 2
  return y.recorded(from: [a, b]) { dy in
    let dc = Matrix(tensor: dy.cast(to: type)), dcT = Matrix(tensor: dc.tensor, transposed: true)
    var rightT = right, leftT = left
    rightT.transposed.toggle()
    leftT.transposed.toggle()
    var da: Tensor?
    if needA {
      // A shared B cannot stand on the left of a batch: dAᵀ is worked out as dA and turned.
      da =
        !transposeA
        ? multiply(dc, rightT, as: type)
        : shared
          ? multiply(dc, rightT, as: type).transposed()
          : multiply(right, dcT, as: type)
    }
    var db = needB ? (transposeB ? multiply(dcT, left, as: type) : multiply(leftT, dc, as: type)) : nil
    if shared, let each = db { db = each.reshaped([-1] + each.shape.suffix(2)).sum(axes: [0]) }
    return [da, db]
  }
}

/// `y = activation(x Wᵀ + b)` for inference with a weight of another type than the activations': the bf16 of
/// a mapped model file, read as it stands. No gradient.
///
/// Shapes: x f32 `[…, in]`, weight `[out, in]`, bias `[out]`, y `[…, out]` of x's type; x may be bf16 too where
/// `precision` has such products. A few rows of x stream the weight once. More are worth an f32 copy, which is let go at
/// once, or, by `precision`, are rounded to the weight's bf16. A large weight is packed at its first use, and its file's pages are let go (`PackedRows`).
public func linearFromStored(
  _ x: Tensor, weight: Tensor, precision: Precision = .f32, bias: Tensor? = nil,
  activation: Activation = .none
) -> Tensor {
  let rows = x.count / Swift.max(1, x.size(-1))
  precondition(
    (x.type == .f32 || precision.multipliesBF16) && weight.rank == 2 && weight.size(1) == x.size(-1),
    "linear: input \(x) does not fit weight \(weight)")
  guard rows <= precision.streamedRows, x.type == .f32 else {
    if weight.type == .bf16, precision.multipliesBF16 {
      let y = multiply(
        Matrix(tensor: x.asRows.cast(to: .bf16)), Matrix(tensor: weight.detached(), transposed: true),
        bias: bias?.detached(), activation: activation, as: x.type, packing: false,
        panels: PackedRows(weight)?.storage)
      return y.reshaped(x.shape.dropLast() + [weight.size(0)])
    }
    let packed = PackedRows(weight)
    if let packed, !Hardware.hasSteadyProducts {
      let panels = packed.productPanels()
      let y = steadyProduct(x.cast(to: .f32), panels: panels, outputs: packed.rows, bias: bias?.detached())
      return activation.apply(y).cast(to: x.type)
    }
    return linear(
      x.detached(), weight: packed?.unpacked() ?? weight.detached().cast(to: .f32), bias: bias?.detached(),
      activation: activation)
  }
  let y = rowProducts(x, [weight])[0]
  return activation.apply(bias.map { y + $0.detached().cast(to: .f32) } ?? y)
}

/// The products of a few rows of one x with several stored weights at once: the threads meet once, not once a weight.
///
/// Shapes: x f32 `[…, in]`, at most `Precision.streamedRows`; weights `[out, in]`, all of one type; results f32
/// `[…, out]`. A row's result does not depend on the rows beside it.
public func rowProducts(_ x: Tensor, _ weights: [Tensor]) -> [Tensor] {
  guard let first = weights.first else { return [] }
  let packed = weights.compactMap(PackedRows.init)
  if packed.count == weights.count { return PackedRows.products(x, packed) }
  let rows = x.count / Swift.max(1, x.size(-1))
  let results = weights.map { Tensor.empty(x.shape.dropLast() + [$0.size(0)]) }
  runPieces(
    .rowProduct, first.type,
    zip(weights, results).map { weight, y in
      let (outputs, n) = (weight.size(0), weight.size(1))
      let arguments = vg_row_product_args(
        x: x.floats, w: weight.pointer, y: y.floats, n: Int64(n), rows: Int64(rows), outputs: Int64(outputs))
      return (arguments, (outputs + 3) / 4, streamGrain(rows: rows, columns: n, outputs: outputs))
    })
  withExtendedLifetime((x, weights)) {}
  return results
}

/// Items of 4 weight rows that a thread takes at least: each turn puts all rows of x in order first, which must stay
/// small beside the turn's products.
private func streamGrain(rows: Int, columns: Int, outputs: Int) -> Int {
  rows <= 4 ? grain(rowOf: 4 * columns) : Swift.max(1, Swift.min(32, outputs / (16 * Int(vugen_threads()))))
}
