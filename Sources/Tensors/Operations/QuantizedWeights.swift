import CKernels

/// A weight matrix in 8 or 4 bits: groups of neighbouring numbers of a row share one f32 scale.
///
///     w[r, i] ≈ scale[r, ⌊i / group⌋] · q[r, i]      q in −127…127 or −7…7
///
/// Shapes: `[rows, columns]`; values int8 `[rows, columns]`, or q + 8 in half
/// bytes, 32 columns in 16 bytes, the first half of them in the low nibbles; scales `[rows, columns / group]`.
public struct QuantizedTensor: @unchecked Sendable {
  public enum Bits: Int, Sendable, CaseIterable { case eight = 8, four = 4 }

  public let rows, columns, group: Int
  public let bits: Bits
  let values: Storage
  /// f32 `[rows, columns / group]`.
  public let scales: Tensor

  /// Bytes of values and scales together.
  public var byteCount: Int { values.byteCount + scales.byteCount }

  /// Rounds to nearest. `columns` must be a multiple of `group`, and `group` of 32.
  public init(_ weight: Tensor, bits: Bits, group: Int = 32) {
    precondition(
      weight.rank == 2 && group % 32 == 0 && group > 0 && weight.size(1) % group == 0,
      "groups of \(group) do not divide the rows of \(weight)")
    (rows, columns, self.group, self.bits) = (weight.size(0), weight.size(1), group, bits)
    values = Storage(byteCount: Swift.max(1, weight.count * bits.rawValue / 8))
    scales = Tensor.empty([rows, columns / group])
    var arguments = arguments()
    arguments.x = UnsafeRawPointer(weight.pointer)
    run(VG_QUANTIZE, weight.type, arguments, items: rows, grain: grain(rowOf: columns))
  }

  /// Takes stored values and scales, such as a model file's. `values` are bytes of int8 `[rows, columns]`, or
  /// of pairs `[rows, columns / 2]`; `scales` f32 `[rows, columns / group]`. `nil` where they do not fit.
  public init?(values: UnsafeRawBufferPointer, scales: Tensor, columns: Int, bits: Bits) {
    guard scales.rank == 2, scales.type == .f32, scales.size(1) > 0, columns % scales.size(1) == 0 else {
      return nil
    }
    (rows, self.columns, self.bits) = (scales.size(0), columns, bits)
    group = columns / scales.size(1)
    guard group % 32 == 0, values.count == rows * columns * bits.rawValue / 8 else { return nil }
    self.values = Storage(byteCount: Swift.max(1, values.count))
    if let base = values.baseAddress { self.values.pointer.copyMemory(from: base, byteCount: values.count) }
    self.scales = scales
  }

  /// The stored values' bytes.
  public func withValues<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    defer { withExtendedLifetime(values) {} }
    return try body(UnsafeRawBufferPointer(start: values.pointer, count: rows * columns * bits.rawValue / 8))
  }

  private func arguments() -> vg_quantized_args {
    var arguments = vg_quantized_args()
    arguments.values = values.pointer.assumingMemoryBound(to: Int8.self)
    arguments.scales = scales.floats
    (arguments.n, arguments.group, arguments.bits) = (Int64(columns), Int64(group), Int32(bits.rawValue))
    return arguments
  }

  /// The weight as plain numbers.
  public func dequantized(as type: ElementType = .f32) -> Tensor {
    let y = Tensor.empty([rows, columns], type)
    var arguments = arguments()
    arguments.y = y.pointer
    run(VG_DEQUANTIZE, type, arguments, items: rows, grain: grain(rowOf: columns))
    return y
  }

  /// `y = x Wᵀ + b`: x `[…, columns]`, y `[…, rows]`. Few rows of x read the weight as it is stored; many
  /// are worth a plain copy. Frozen: the gradient goes to x only.
  public func linear(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
    precondition(x.size(-1) == columns, "linear: input \(x) does not fit a weight of [\(rows), \(columns)]")
    let count = x.count / Swift.max(1, columns)
    if count > 8 || x.isTracked {
      if x.type == .f32, !x.isTracked, StoredWeights.multipliesBF16 {
        return linearFromStored(x, weight: dequantized(as: .bf16), bias: bias)
      }
      return Tensors.linear(x, weight: dequantized(as: x.type), bias: bias)
    }
    let y = Tensor.empty(x.shape.dropLast() + [rows], x.type)
    run(VG_QUANTIZED_ROW_PRODUCT, x.type, rowArguments(x, y), items: (rows + 3) / 4, grain: rowGrain(count))
    return bias.map { y + $0.cast(to: y.type) } ?? y
  }

  /// What the kernel needs to multiply a few rows of x.
  fileprivate func rowArguments(_ x: Tensor, _ y: Tensor) -> vg_quantized_args {
    var arguments = arguments()
    (arguments.x, arguments.y) = (UnsafeRawPointer(x.pointer), y.pointer)
    let count = Int64(x.count / Swift.max(1, columns))
    (arguments.rows, arguments.outputs, arguments.y_row) = (count, Int64(rows), Int64(rows))
    arguments.rounds_x = StoredWeights.multipliesBF16 ? 1 : 0
    return arguments
  }

  fileprivate func rowGrain(_ count: Int) -> Int { grain(rowOf: 4 * columns * Swift.max(1, count)) }
}

/// The products of a few rows of one x with several weights at once: the threads meet once, not once a weight.
///
/// Shapes: x f32 `[…, in]`, at most 4 rows; weights `[out, in]`; results `[…, out]`, the same as one by one.
public func rowProducts(_ x: Tensor, _ weights: [QuantizedTensor]) -> [Tensor] {
  let results = weights.map { Tensor.empty(x.shape.dropLast() + [$0.rows]) }
  runPieces(
    VG_QUANTIZED_ROW_PRODUCT, .f32,
    zip(weights, results).map { weight, y in
      (
        weight.rowArguments(x, y), (weight.rows + 3) / 4,
        weight.rowGrain(x.count / Swift.max(1, weight.columns))
      )
    })
  withExtendedLifetime((x, weights)) {}
  return results
}
