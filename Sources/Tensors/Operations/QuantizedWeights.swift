import CKernels

/// A weight matrix in 8 or 4 bits: groups of neighbouring numbers of a row share one f32 scale.
///
///     w[r, i] ≈ scale[r, ⌊i / group⌋] · q[r, i]      q in −127…127 or −7…7
///
/// Shapes: `[rows, columns]`. Files hold values int8 `[rows, columns]`, or q + 8 in half bytes, 32 columns in 16 bytes,
/// the first half of them in the low nibbles; scales `[rows, columns / group]`. In memory both lie in panels of 16 rows,
/// in the order in which products read them: see `vg_quantized_args`.
public struct QuantizedTensor: @unchecked Sendable {
  /// How many bits a number has.
  public enum Bits: Int, Sendable, CaseIterable { case eight = 8, four = 4 }

  /// Sizes; `group` numbers of a row share a scale.
  public let rows, columns, group: Int
  /// Of each number.
  public let bits: Bits
  /// How it meets many rows of activations: see `Precision.roundsInput`.
  public var precision = Precision.f32
  private let packed: Storage

  private static let panelRows = 16
  private var panels: Int { (rows + Self.panelRows - 1) / Self.panelRows }
  private var panelBytes: Int { columns / group * 64 * (group * bits.rawValue / 32 + 1) }
  private var valueBytes: Int { rows * columns * bits.rawValue / 8 }

  /// Bytes of values and scales together.
  public var byteCount: Int { valueBytes + rows * (columns / group) * 4 }

  /// Rounds to nearest. `columns` must be a multiple of `group`, and `group` of 32.
  public init(_ weight: Tensor, bits: Bits, group: Int = 32) {
    precondition(
      weight.rank == 2 && group % 32 == 0 && group > 0 && weight.size(1) % group == 0,
      "groups of \(group) do not divide the rows of \(weight)")
    self.init(rows: weight.size(0), columns: weight.size(1), group: group, bits: bits)
    let values = Storage(byteCount: Swift.max(1, valueBytes)), scales = Tensor.empty([rows, columns / group])
    var arguments = arguments(values.pointer, scales)
    arguments.x = UnsafeRawPointer(weight.pointer)
    run(.quantize, weight.type, arguments, items: rows, grain: grain(rowOf: columns))
    run(.packQuantized, .f32, arguments, items: panels, grain: panelGrain)
    withExtendedLifetime((weight, values)) {}
  }

  /// Takes stored values and scales, such as a model file's. `values` are bytes of int8 `[rows, columns]`, or
  /// of pairs `[rows, columns / 2]`; `scales` f32 `[rows, columns / group]`. `nil` where they do not fit.
  public init?(values: UnsafeRawBufferPointer, scales: Tensor, columns: Int, bits: Bits) {
    guard scales.rank == 2, scales.type == .f32, scales.size(1) > 0, columns % scales.size(1) == 0 else {
      return nil
    }
    let (rows, group) = (scales.size(0), columns / scales.size(1))
    guard group > 0, group % 32 == 0, values.count == rows * columns * bits.rawValue / 8 else { return nil }
    self.init(rows: rows, columns: columns, group: group, bits: bits)
    guard let base = values.baseAddress else { return }
    let arguments = arguments(UnsafeMutableRawPointer(mutating: base), scales)
    run(.packQuantized, .f32, arguments, items: panels, grain: panelGrain)
  }

  private init(rows: Int, columns: Int, group: Int, bits: Bits) {
    (self.rows, self.columns, self.group, self.bits) = (rows, columns, group, bits)
    let panelBytes = columns / group * 64 * (group * bits.rawValue / 32 + 1)
    let panels = (rows + Self.panelRows - 1) / Self.panelRows
    packed = Storage(byteCount: Swift.max(1, panels * panelBytes))
  }

  /// The values' bytes as a file holds them.
  public func withValues<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let (values, _) = stored()
    defer { withExtendedLifetime(values) {} }
    return try body(UnsafeRawBufferPointer(start: values.pointer, count: valueBytes))
  }

  /// f32 `[rows, columns / group]`.
  public var scales: Tensor { stored().scales }

  private func stored() -> (values: Storage, scales: Tensor) {
    let values = Storage(byteCount: Swift.max(1, valueBytes)), scales = Tensor.empty([rows, columns / group])
    run(
      .unpackQuantized, .f32, arguments(values.pointer, scales), items: panels, grain: panelGrain)
    return (values, scales)
  }

  private func arguments(_ values: UnsafeMutableRawPointer? = nil, _ scales: Tensor? = nil)
    -> vg_quantized_args
  {
    var arguments = vg_quantized_args()
    arguments.values = values?.assumingMemoryBound(to: Int8.self)
    arguments.scales = scales?.floats
    arguments.packed = packed.pointer
    (arguments.n, arguments.group, arguments.bits) = (Int64(columns), Int64(group), Int32(bits.rawValue))
    arguments.outputs = Int64(rows)
    return arguments
  }

  /// The weight as plain numbers.
  public func dequantized(as type: ElementType = .f32) -> Tensor {
    let y = Tensor.empty([rows, columns], type)
    var arguments = arguments()
    arguments.y = y.pointer
    run(.dequantize, type, arguments, items: panels, grain: panelGrain)
    return y
  }

  /// `y = x Wᵀ + b`: x `[…, columns]`, y `[…, rows]`. Where its precision rounds the input, x is rounded to 8 bits, with
  /// a scale for each 128 numbers or so, and multiplied as such. Else few rows of x read the weight as it is stored, and many are
  /// worth a plain copy. Frozen: the gradient goes to x only.
  public func linear(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
    precondition(x.size(-1) == columns, "linear: input \(x) does not fit a weight of [\(rows), \(columns)]")
    let count = x.count / Swift.max(1, columns)
    if x.isTracked || (count > precision.streamedQuantizedRows && !precision.roundsInput) {
      if x.type == .f32, !x.isTracked, precision.multipliesBF16 {
        return linearFromStored(x, weight: dequantized(as: .bf16), precision: precision, bias: bias)
      }
      if !x.isTracked, !Hardware.hasSteadyProducts { return panelProduct(x, bias: bias).cast(to: x.type) }
      return Tensors.linear(x, weight: dequantized(as: x.type), bias: bias)
    }
    let y = Self.products(x.cast(to: .f32), [self], isRounded: precision.roundsInput)[0].cast(to: x.type)
    return bias.map { y + $0.cast(to: y.type) } ?? y
  }

  /// `x Wᵀ` of x in 8 bits, whatever the processor multiplies well: x f32 `[…, columns]`, result f32 `[…, rows]`.
  package func roundedProduct(_ x: Tensor) -> Tensor { Self.products(x, [self], isRounded: true)[0] }

  /// `x Wᵀ + b` by our own kernel, whatever else the processor has, without a copy of the weight row by row: x `[…, columns]`,
  /// result f32 `[…, rows]`.
  package func panelProduct(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
    let plain = Tensor.empty([panels, columns, Self.panelRows])
    var arguments = arguments()
    arguments.y = plain.pointer
    run(.dequantizePanels, .f32, arguments, items: panels, grain: panelGrain)
    return steadyProduct(x.cast(to: .f32), panels: plain, outputs: rows, bias: bias)
  }

  private var roundedForm: RoundedRows.Form { .init(group: group, bits: bits) }

  /// More rows than these are tiles of a product, no stream of weights.
  private static let streamedRows = Int(VG_STREAMED_ROWS)

  /// Turns of some microseconds.
  private var panelGrain: Int { Swift.max(1, (128 << 10) / Swift.max(1, panelBytes)) }

  fileprivate static func products(_ x: Tensor, _ weights: [QuantizedTensor], isRounded: Bool) -> [Tensor] {
    let results = weights.map { Tensor.empty(x.shape.dropLast() + [$0.rows]) }
    let count = x.count / Swift.max(1, x.size(-1)), isStream = count <= streamedRows
    var rounded: [RoundedRows.Form: RoundedRows] = [:]
    if isRounded {
      for form in Set(weights.map(\.roundedForm)) { rounded[form] = RoundedRows(x, count, form) }
    }
    streaming(isStream ? weights.reduce(0) { $0 + $1.packed.byteCount } : 0) { ahead in
      runPieces(
        isRounded ? .roundedProduct : .quantizedRowProduct, .f32,
        zip(weights, results).map { weight, y in
          var arguments = weight.arguments()
          (arguments.x, arguments.y) = (UnsafeRawPointer(x.pointer), y.pointer)
          (arguments.rows, arguments.ahead) = (Int64(count), ahead)
          if let rounded = rounded[weight.roundedForm] { arguments.rounded = rounded.arguments }
          return isStream || !isRounded
            ? (arguments, weight.panels, weight.panelGrain) : (arguments, (weight.panels + 1) / 2, 1)
        })
    }
    withExtendedLifetime((x, weights, rounded)) {}
    return results
  }
}

/// Rows of x in 8 bits: whole numbers, a scale for each 128 of them or so, and the sum of each group of the weights.
private struct RoundedRows {
  /// What it depends on of the weights that it meets.
  struct Form: Hashable {
    let group: Int
    let bits: QuantizedTensor.Bits
  }

  private let numbers, scales, sums: Storage
  private let columns, group, span: Int
  private let excess: Int32

  init(_ x: Tensor, _ rows: Int, _ form: Form) {
    (columns, group, excess) = (x.size(-1), form.group, form.bits == .eight ? 128 : 8)
    span = group * Swift.max(1, 128 / group)
    numbers = Storage(byteCount: x.count)
    scales = Storage(byteCount: rows * ((columns + span - 1) / span) * 4)
    sums = Storage(byteCount: x.count / group * 4)
    var arguments = arguments
    arguments.x = UnsafePointer(x.floats)
    run(.roundRows, .f32, arguments, items: rows, grain: grain(rowOf: columns))
  }

  var arguments: vg_round_args {
    vg_round_args(
      x: nil, numbers: numbers.pointer.assumingMemoryBound(to: Int8.self),
      scales: scales.pointer.assumingMemoryBound(to: Float.self),
      sums: sums.pointer.assumingMemoryBound(to: Int32.self), n: Int64(columns), group: Int64(group),
      span: Int64(span), excess: excess)
  }
}

/// The products of a few rows of one x with several weights at once: the threads meet once, not once a weight.
///
/// Shapes: x f32 `[…, in]`; weights `[out, in]`, all of one precision; results `[…, out]`, the same as one by one.
public func rowProducts(_ x: Tensor, _ weights: [QuantizedTensor]) -> [Tensor] {
  QuantizedTensor.products(x, weights, isRounded: weights.first?.precision.roundsInput ?? false)
}
