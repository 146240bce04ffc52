import CKernels

/// The type of a tensor's elements.
///
/// Arithmetic knows `f32` and `bf16`; `i32` holds indices: tokens, targets, gathered rows.
public enum ElementType: UInt8, Sendable, CaseIterable {
  case f32, bf16, i32

  /// Bytes of one element.
  public var byteCount: Int { self == .bf16 ? 2 : 4 }

  /// The number by which the C kernels know this type.
  var code: Int32 {
    precondition(self != .i32, "arithmetic is defined for f32 and bf16 tensors, not for i32")
    return self == .bf16 ? Int32(VG_BF16) : Int32(VG_F32)
  }
}

/// In which type a network computes.
///
/// Master weights, statistics, losses and sums are f32 in both.
public enum Precision: String, Sendable, CaseIterable, Codable {
  case f32, bf16

  /// The element type of activations on this machine.
  ///
  /// bf16 is faster only where the processor multiplies bf16 itself (AVX-512 BF16, AMX). Elsewhere a
  /// library has to take every product apart, at a third of f32's speed, so activations stay f32 there:
  /// more exact, and faster.
  public var activationType: ElementType {
    self == .bf16 && Hardware.hasBF16Products ? .bf16 : .f32
  }
}

/// What this machine's processor offers to the numeric core.
public enum Hardware {
  /// Whether bf16 products run at full speed: the processor has them, and `ONEDNN_MAX_CPU_ISA` does not keep oneDNN from them.
  public static let hasBF16Products = vugen_has_bf16_products() && hasSteadyProducts

  /// The instruction sets that the C kernels exist for, narrowest first.
  public enum InstructionSet: String, Sendable, CaseIterable {
    case baseline, avx2, avx512

    var code: vg_isa { vg_isa(UInt32(Self.allCases.firstIndex(of: self) ?? 0)) }

    /// Whether this machine can run it.
    public var isAvailable: Bool { vugen_isa_available(code) }
  }

  /// Why `VUGEN_ISA` is not obeyed, in one line; nil where it is, or says nothing.
  public static var complaint: String? {
    let text = String(cString: vugen_isa_complaint())
    return text.isEmpty ? nil : text
  }

  /// The set that the kernels use: `VUGEN_ISA` when set and available, else the widest one.
  public static var instructionSet: InstructionSet {
    get { InstructionSet.allCases[Int(vugen_isa().rawValue)] }
    set { vugen_set_isa(newValue.code) }
  }
}

/// How weights that are stored in bf16 or fewer bits meet f32 activations, many rows at once. `f32` widens the weights: the
/// exact result. `bf16` rounds the activations and multiplies twice as fast where the processor has such products; sums
/// stay f32. Rows that meet weights of 8 or 4 bits are rounded to 8 bits instead, with a scale for each 128 numbers.
///
/// It is the weights' own (`Parameter.precision`, `QuantizedTensor.precision`), so that models of different precision
/// answer side by side.
extension Precision {
  /// Whether bf16 weights meet activations rounded to bf16 on this machine.
  public var multipliesBF16: Bool { activationType == .bf16 }

  /// Whether weights in fewer bits meet activations rounded to 8 bits on this machine.
  public var roundsInput: Bool {
    self == .bf16 && vugen_has_small_products() && vugen_isa() == VG_ISA_AVX512
  }

  /// Rows of activations that are multiplied with a bf16 weight as it streams by. Beyond them the library's products
  /// are faster, or an f32 copy is worth its price.
  public var streamedRows: Int { StoredWeights.isDecodingBatch && !multipliesBF16 ? 32 : 4 }
  /// The same for weights of fewer bits.
  var streamedQuantizedRows: Int { StoredWeights.isDecodingBatch && !multipliesBF16 ? 32 : 8 }
}

/// What the products of stored weights must know of the work around them.
public enum StoredWeights {
  @TaskLocal fileprivate static var isDecodingBatch = false

  /// Computes one step of many sequences. Where bf16 is not multiplied, their rows, up to 32, meet each weight as it
  /// streams by, as a single one's do: another f32 copy of the weight at every step would cost more. A row's result is
  /// then that of the row alone.
  public static func decodingBatch<R>(_ step: () throws -> R) rethrows -> R {
    try $isDecodingBatch.withValue(true, operation: step)
  }
}
