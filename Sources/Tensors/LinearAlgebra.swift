import COpenBLAS

/// Linear algebra in f64 beyond products, by LAPACK.
public enum LinearAlgebra {
  /// An eigenproblem that did not converge, or a matrix with NaN or infinite numbers in it.
  public struct Failure: Error, CustomStringConvertible {
    /// What LAPACK could not do, in one line.
    public let description: String
  }

  /// Eigenvalues in rising order and orthonormal eigenvectors of a symmetric matrix.
  ///
  /// Shapes: `matrix` row-major `[n, n]`, of which the lower triangle is read; `vectors[i]` belongs to
  /// `values[i]`. Throws `Failure`.
  public static func symmetricEigen(
    _ matrix: [Double], size n: Int
  ) throws -> (values: [Double], vectors: [[Double]]) {
    precondition(matrix.count == n * n, "\(matrix.count) numbers are no \(n) × \(n) matrix")
    guard n > 0 else { return ([], []) }
    guard matrix.allSatisfy(\.isFinite) else {
      throw Failure(description: "the eigenproblem's matrix holds numbers that are not finite")
    }
    var a = matrix, values = [Double](repeating: 0, count: n)
    var size = Int32(n), info: Int32 = 0, workSize: Int32 = -1, integerSize: Int32 = -1
    var work: [Double] = [0], integers: [Int32] = [0]
    openblas_set_num_threads(Threads.count)
    for _ in 0..<2 {  // first asks for the sizes of the work space
      // Column-major and symmetric: our lower triangle is LAPACK's upper one.
      dsyevd_("V", "U", &size, &a, &size, &values, &work, &workSize, &integers, &integerSize, &info)
      guard info == 0 else {
        throw Failure(description: "the eigenproblem did not converge (LAPACK dsyevd \(info))")
      }
      if workSize > 0 { break }
      (workSize, integerSize) = (Int32(work[0]), integers[0])
      work = [Double](repeating: 0, count: Int(workSize))
      integers = [Int32](repeating: 0, count: Int(integerSize))
    }
    return (values, (0..<n).map { Array(a[$0 * n..<($0 + 1) * n]) })
  }
}
