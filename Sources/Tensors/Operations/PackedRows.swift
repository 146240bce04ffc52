import CKernels

/// Memory whose contents can be had again, such as a mapped file's.
public protocol DiscardablePages: AnyObject {
  /// Lets go of these bytes' pages; whoever reads them later has them back.
  func discardPages(_ bytes: UnsafeRawBufferPointer)
}

/// bf16 weights in the order in which a few rows of x read them, as one stream of memory: panels of 64 rows, their
/// columns in pairs. oneDNN multiplies many rows from the same memory, so that this is the only copy in use: a mapped
/// file's pages are let go.
struct PackedRows {
  let storage: Storage
  let rows, columns: Int

  /// Less stays in the caches, or costs nothing.
  private static let leastBytes = 2 << 20
  /// What a machine must have left besides, or the file's own pages, which the system can drop, are read instead.
  private static let spareBytes = 1 << 30

  /// `nil` where the weight is better read as it stands: it is small, no weight, of other shapes, or memory is short.
  init?(_ weight: Tensor) {
    guard weight.type == .bf16, weight.rank == 2, weight.storage.isWeight, !weight.storage.staysPlain,
      weight.byteCount >= Self.leastBytes, weight.size(0) % Int(VG_PANEL_ROWS) == 0, weight.size(1) % 32 == 0
    else { return nil }
    (rows, columns) = (weight.size(0), weight.size(1))
    let key = Storage.PackKey(kind: .panels, offset: weight.offset, layout: Int64(columns))
    if !weight.storage.isPacked(key), SystemMemory.roomBytes ?? .max < weight.byteCount + Self.spareBytes {
      weight.storage.keepPlain()
      return nil
    }
    storage = weight.storage.packed(key, byteCount: weight.byteCount) { target in
      let arguments = vg_packed_args(
        plain: weight.pointer.assumingMemoryBound(to: UInt16.self),
        packed: target.assumingMemoryBound(to: UInt16.self), x: nil, y: nil, n: Int64(weight.size(1)),
        rows: 0,
        outputs: Int64(weight.size(0)), ahead: 0)
      run(.packRows, .bf16, arguments, items: weight.size(0) / Int(VG_PANEL_ROWS))
      weight.storage.discardPages()
    }
  }

  private func arguments() -> vg_packed_args {
    vg_packed_args(
      plain: nil, packed: storage.pointer.assumingMemoryBound(to: UInt16.self), x: nil, y: nil,
      n: Int64(columns),
      rows: 0, outputs: Int64(rows), ahead: 0)
  }

  private var panels: Int { rows / Int(VG_PANEL_ROWS) }

  /// The weight row by row, f32 `[rows, columns]`.
  func unpacked() -> Tensor {
    let y = Tensor.empty([rows, columns])
    var arguments = arguments()
    arguments.y = y.floats
    run(.unpackRows, .bf16, arguments, items: panels)
    withExtendedLifetime(storage) {}
    return y
  }

  /// The weight as our own product of many rows reads it, f32 `[rows / 16, columns, 16]`.
  func productPanels() -> Tensor {
    let y = Tensor.empty([rows / 16, columns, 16])
    var arguments = arguments()
    arguments.y = y.floats
    run(.unpackPanels, .bf16, arguments, items: panels)
    withExtendedLifetime(storage) {}
    return y
  }

  /// The products of x f32 `[…, in]` with several weights, f32 `[…, out]` each, exact up to the order of sums.
  static func products(_ x: Tensor, _ weights: [PackedRows]) -> [Tensor] {
    let results = weights.map { Tensor.empty(x.shape.dropLast() + [$0.rows]) }
    let count = x.count / Swift.max(1, x.size(-1))
    streaming(weights.reduce(0) { $0 + $1.storage.byteCount }) { ahead in
      runPieces(
        .packedRowProduct, .bf16,
        zip(weights, results).map { weight, y in
          var arguments = weight.arguments()
          (arguments.x, arguments.y, arguments.rows) = (UnsafePointer(x.floats), y.floats, Int64(count))
          arguments.ahead = ahead
          return (arguments, weight.panels, 1)
        })
    }
    withExtendedLifetime((x, weights)) {}
    return results
  }
}
