import CMPI
import Tensors

// Operations over all ranks within a loss. The loss that is learnt from is the mean of the ranks' losses, and the gradients
// are averaged accordingly: what a rank hands back here is its part of that mean.
extension Ranks {
  /// The mean of the ranks' tensors, f32 and of one shape.
  ///
  ///     y = 1/W Σ xᵣ          gᵣ = 1/W Σ dyₖ
  public func mean(_ x: Tensor) -> Tensor {
    guard !isAlone else { return x }
    return averaged(x).recorded(from: [x]) { [self] dy in [averaged(dy)] }
  }

  private func averaged(_ x: Tensor) -> Tensor { summed(x) * (1 / Float(count)) }

  /// The sum over all, in new memory.
  private func summed(_ x: Tensor) -> Tensor {
    let sum = x.detached().cast(to: .f32).copied()
    perform { vugen_mpi_sum_floats(sum.pointer.assumingMemoryBound(to: Float.self), sum.count) }
    return sum
  }

  /// The ranks' rows `[rows, …]`, f32, one rank's behind the other's: `[ranks · rows, …]`.
  ///
  /// A gradient of its own rows is the sum of what all ranks have to say of them.
  public func gathered(_ x: Tensor) -> Tensor {
    guard !isAlone else { return x }
    let rows = x.size(0), own = rank * rows..<(rank + 1) * rows
    let all = Tensor.zeros([rows * count] + x.shape.dropFirst()), mine = x.detached().cast(to: .f32)
    perform { vugen_mpi_gather(mine.pointer, mine.byteCount, all.pointer) }
    return withExtendedLifetime(mine) {
      all.recorded(from: [x]) { [self] dy in [summed(dy).sliced(own).copied()] }
    }
  }
}
