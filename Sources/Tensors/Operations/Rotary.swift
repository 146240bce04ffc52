import CKernels
import Foundation

/// Angles of a rotary embedding: cosine and sine, f32 `[positions, pairs]`.
///
/// Source: arXiv 2104.09864. A two-dimensional embedding is a table whose first pairs turn by the column
/// and the others by the row.
public struct RotaryTable: Sendable {
  /// f32 `[positions, pairs]`.
  public let cosine: Tensor
  /// f32 `[positions, pairs]`.
  public let sine: Tensor

  /// How many places the table knows.
  public var positions: Int { cosine.size(0) }
  /// Half of the channels that turn.
  public var pairs: Int { cosine.size(1) }

  /// `angle[position][pair]` in radians. Worked out in f64, stored in f32.
  public init(positions: Int, pairs: Int, angle: (_ position: Int, _ pair: Int) -> Double) {
    var cosines: [Float] = [], sines: [Float] = []
    for position in 0..<positions {
      for pair in 0..<pairs {
        let a = angle(position, pair)
        cosines.append(Float(Foundation.cos(a)))
        sines.append(Float(Foundation.sin(a)))
      }
    }
    cosine = Tensor(cosines, shape: [positions, pairs])
    sine = Tensor(sines, shape: [positions, pairs])
  }

  private init(cosine: Tensor, sine: Tensor) { (self.cosine, self.sine) = (cosine, sine) }

  /// One dimension: pair `i` of `channels` turns by `position · base^(−2i / channels)`.
  public static func line(positions: Int, channels: Int, base: Double, from first: Int = 0) -> RotaryTable {
    RotaryTable(positions: positions, pairs: channels / 2) { position, pair in
      Double(position + first) * pow(base, -2 * Double(pair) / Double(channels))
    }
  }

  /// A grid in row-major order: the first half of `channels` turns by the column, the rest by the row.
  public static func grid(height: Int, width: Int, channels: Int, base: Double, from first: Int = 0)
    -> RotaryTable
  {
    let perAxis = channels / 4
    return RotaryTable(positions: height * width, pairs: channels / 2) { position, pair in
      let place = (pair < perAxis ? position % width : position / width) + first
      return Double(place) * pow(base, -2 * Double(pair % perAxis) / Double(channels / 2))
    }
  }

  /// Positions `range`, for the part of a sequence that is computed now.
  public func sliced(_ range: Range<Int>) -> RotaryTable {
    RotaryTable(cosine: cosine.sliced(range), sine: sine.sliced(range))
  }

  /// The rows of `positions`, in that order: for packed sequences, whose tokens do not stand in line.
  public func gathered(_ positions: [Int32]) -> RotaryTable {
    let indices = Tensor(indices: positions)
    return RotaryTable(cosine: cosine.gathered(indices), sine: sine.gathered(indices))
  }
}

/// Which channels form a pair.
public enum RotaryPairing: Sendable, CaseIterable {
  /// (i, i + pairs), as Hugging Face stores Llama.
  case halfSplit
  /// (2i, 2i + 1), as the original Llama and the Perception Encoder.
  case interleaved
}

extension Tensor {
  /// Turns pairs of channels by the table's angles; channels past the pairs pass through.
  ///
  /// Shapes: `[batch, time, heads, head size]`; position t of the table belongs to time t.
  /// Backward turns the gradient the other way.
  public func rotated(by table: RotaryTable, pairing: RotaryPairing) -> Tensor {
    turned(table, pairing, sign: 1).recorded(from: [self]) { [$0.turned(table, pairing, sign: -1)] }
  }

  private func turned(_ table: RotaryTable, _ pairing: RotaryPairing, sign: Float) -> Tensor {
    precondition(
      rank == 4 && table.positions >= size(1) && 2 * table.pairs <= size(3),
      "rotary: a table of \(table.positions) positions and \(table.pairs) pairs does not fit \(self)")
    let y = Tensor.empty(shape, type), row = Int64(size(2) * size(3))
    guard y.count > 0 else { return y }
    run(
      .rope, type,
      vg_rope_args(
        x: pointer, y: y.pointer, cosine: table.cosine.floats, sine: table.sine.floats, time: Int64(size(1)),
        heads: Int64(size(2)), head_size: Int64(size(3)), rotary: Int64(2 * table.pairs), x_row: row,
        y_row: row,
        interleaved: pairing == .interleaved ? 1 : 0, sign: sign),
      items: size(0) * size(1), grain: grain(rowOf: Int(row)))
    return y
  }
}
