import Foundation

/// `make(0)`, `make(1)`, … worked out on all cores. Throws what the first of those throws that fail.
package func inParallel<T: Sendable, Failure: Error>(
  _ count: Int, _ make: @Sendable (Int) throws(Failure) -> T
) throws(Failure) -> [T] {
  var results = [Result<T, Failure>?](repeating: nil, count: count)
  results.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let slots = buffer
    DispatchQueue.concurrentPerform(iterations: count) { i in
      do throws(Failure) { slots[i] = .success(try make(i)) } catch { slots[i] = .failure(error) }
    }
  }
  var all: [T] = []
  for case .some(let result) in results { all.append(try result.get()) }
  return all
}
