import CKernels

/// A kernel of `CKernels`, bound to the structure that it reads: another kernel's does not compile.
struct Kernel<Arguments>: Sendable {
  fileprivate let code: vg_kernel

  private init(_ code: vg_kernel) { self.code = code }
}

extension Kernel where Arguments == vg_unary_args {
  static var unary: Self { Self(VG_UNARY) }
  static var unaryBackward: Self { Self(VG_UNARY_BACKWARD) }
}

extension Kernel where Arguments == vg_binary_args {
  static var binary: Self { Self(VG_BINARY) }
}

extension Kernel where Arguments == vg_affine_args {
  static var affine: Self { Self(VG_AFFINE) }
}

extension Kernel where Arguments == vg_cast_args {
  static var cast: Self { Self(VG_CAST) }
}

extension Kernel where Arguments == vg_permute_args {
  static var permute: Self { Self(VG_PERMUTE) }
}

extension Kernel where Arguments == vg_reduce_args {
  static var reduce: Self { Self(VG_REDUCE) }
}

extension Kernel where Arguments == vg_softmax_args {
  static var softmax: Self { Self(VG_SOFTMAX) }
  static var softmaxBackward: Self { Self(VG_SOFTMAX_BACKWARD) }
}

extension Kernel where Arguments == vg_cross_entropy_args {
  static var crossEntropy: Self { Self(VG_CROSS_ENTROPY) }
  static var crossEntropyBackward: Self { Self(VG_CROSS_ENTROPY_BACKWARD) }
}

extension Kernel where Arguments == vg_row_norm_args {
  static var rowNorm: Self { Self(VG_ROW_NORM) }
  static var rowNormBackward: Self { Self(VG_ROW_NORM_BACKWARD) }
}

extension Kernel where Arguments == vg_channel_args {
  static var channelSums: Self { Self(VG_CHANNEL_SUMS) }
  static var channelApply: Self { Self(VG_CHANNEL_APPLY) }
  static var channelSumsBackward: Self { Self(VG_CHANNEL_SUMS_BACKWARD) }
  static var channelApplyBackward: Self { Self(VG_CHANNEL_APPLY_BACKWARD) }
}

extension Kernel where Arguments == vg_glu_args {
  static var glu: Self { Self(VG_GLU) }
  static var gluBackward: Self { Self(VG_GLU_BACKWARD) }
}

extension Kernel where Arguments == vg_modulate_args {
  static var modulate: Self { Self(VG_MODULATE) }
  static var modulateBackward: Self { Self(VG_MODULATE_BACKWARD) }
}

extension Kernel where Arguments == vg_rope_args {
  static var rope: Self { Self(VG_ROPE) }
}

extension Kernel where Arguments == vg_attention_args {
  static var attention: Self { Self(VG_ATTENTION) }
  static var attentionBackward: Self { Self(VG_ATTENTION_BACKWARD) }
}

extension Kernel where Arguments == vg_gather_args {
  static var gatherRows: Self { Self(VG_GATHER_ROWS) }
  static var scatterAddRows: Self { Self(VG_SCATTER_ADD_ROWS) }
}

extension Kernel where Arguments == vg_resample_args {
  static var resizeNearest: Self { Self(VG_RESIZE_NEAREST) }
  static var resizeNearestBackward: Self { Self(VG_RESIZE_NEAREST_BACKWARD) }
  static var averagePool: Self { Self(VG_AVERAGE_POOL) }
  static var averagePoolBackward: Self { Self(VG_AVERAGE_POOL_BACKWARD) }
}

extension Kernel where Arguments == vg_max_pool_args {
  static var maxPool: Self { Self(VG_MAX_POOL) }
  static var maxPoolBackward: Self { Self(VG_MAX_POOL_BACKWARD) }
}

extension Kernel where Arguments == vg_adamw_args {
  static var adamW: Self { Self(VG_ADAMW) }
}

extension Kernel where Arguments == vg_schedule_free_args {
  static var scheduleFree: Self { Self(VG_SCHEDULE_FREE) }
}

extension Kernel where Arguments == vg_sum_squares_args {
  static var sumSquares: Self { Self(VG_SUM_SQUARES) }
}

extension Kernel where Arguments == vg_lerp_args {
  static var lerp: Self { Self(VG_LERP) }
}

extension Kernel where Arguments == vg_random_args {
  static var uniform: Self { Self(VG_UNIFORM) }
  static var normal: Self { Self(VG_NORMAL) }
}

extension Kernel where Arguments == vg_quantized_args {
  static var quantize: Self { Self(VG_QUANTIZE) }
  static var dequantize: Self { Self(VG_DEQUANTIZE) }
  static var dequantizePanels: Self { Self(VG_DEQUANTIZE_PANELS) }
  static var packQuantized: Self { Self(VG_PACK_QUANTIZED) }
  static var unpackQuantized: Self { Self(VG_UNPACK_QUANTIZED) }
  static var quantizedRowProduct: Self { Self(VG_QUANTIZED_ROW_PRODUCT) }
  static var roundedProduct: Self { Self(VG_ROUNDED_PRODUCT) }
}

extension Kernel where Arguments == vg_round_args {
  static var roundRows: Self { Self(VG_ROUND_ROWS) }
}

extension Kernel where Arguments == vg_product_args {
  static var product: Self { Self(VG_PRODUCT) }
}

extension Kernel where Arguments == vg_panel_args {
  static var panels: Self { Self(VG_PANELS) }
}

extension Kernel where Arguments == vg_row_product_args {
  static var rowProduct: Self { Self(VG_ROW_PRODUCT) }
}

extension Kernel where Arguments == vg_packed_args {
  static var packRows: Self { Self(VG_PACK_ROWS) }
  static var unpackRows: Self { Self(VG_UNPACK_ROWS) }
  static var unpackPanels: Self { Self(VG_UNPACK_PANELS) }
  static var packedRowProduct: Self { Self(VG_PACKED_ROW_PRODUCT) }
}

/// Runs a kernel on this thread's team. `arguments` may point into tensors that the caller keeps alive.
func run<Arguments>(
  _ kernel: Kernel<Arguments>, _ type: ElementType, _ arguments: Arguments, items: Int, grain: Int = 1
) {
  withUnsafePointer(to: arguments) { vugen_run(kernel.code, type.code, $0, Int64(items), Int64(grain)) }
}

/// Pieces of work that `runPieces` takes at most.
public let maximumPieces = Int(VG_PIECES)

/// Runs one kernel on several independent pieces of work in one call of the team.
func runPieces<Arguments>(
  _ kernel: Kernel<Arguments>, _ type: ElementType,
  _ pieces: [(arguments: Arguments, items: Int, grain: Int)]
) {
  precondition(pieces.count <= maximumPieces, "\(pieces.count) pieces of work")
  pieces.map(\.arguments).withUnsafeBufferPointer { arguments in
    guard let base = arguments.baseAddress else { return }
    let list = pieces.enumerated().map { i, piece in
      vg_piece(args: UnsafeRawPointer(base + i), items: Int64(piece.items), grain: Int64(piece.grain))
    }
    vugen_run_pieces(kernel.code, type.code, list, Int32(list.count))
  }
}

/// Items of an element-by-element kernel.
func blocks(_ count: Int) -> Int { (count + Int(VG_BLOCK) - 1) / Int(VG_BLOCK) }

/// Rows that make a turn of some ten microseconds, so that small work stays on one thread.
func grain(rowOf elements: Int, cost: Int = 1) -> Int { Swift.max(1, 16384 / Swift.max(1, elements * cost)) }
