import Foundation

/// Makes batches ahead on threads of its own, so that the cores never wait for data; hands them out in order.
public final class Prefetcher<Batch: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var ready: [Int: Result<Batch, any Error>] = [:]
  private var nextToMake: Int
  private var nextToTake: Int
  private var isStopped = false
  private let depth: Int

  /// - Parameters:
  ///   - first: number of the first batch.
  ///   - depth: batches that are held at most.
  ///   - make: makes batch `number`; the same number must give the same batch.
  public init(
    from first: Int, depth: Int = 4, threads: Int = 1, _ make: @escaping @Sendable (Int) throws -> Batch
  ) {
    (nextToMake, nextToTake, self.depth) = (first, first, depth)
    for _ in 0..<threads {
      let thread = Thread { [weak self] in
        while let number = self?.claim() {
          let result = Result { try make(number) }
          self?.put(number, result)
        }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// The number of the next batch to make, once there is room for it; nil at the end.
  private func claim() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped, nextToMake - nextToTake >= depth { condition.wait() }
    if isStopped { return nil }
    defer { nextToMake += 1 }
    return nextToMake
  }

  private func put(_ number: Int, _ result: Result<Batch, any Error>) {
    condition.lock()
    ready[number] = result
    condition.broadcast()
    condition.unlock()
  }

  /// The next batch. Throws what making it threw, and `CancellationError` once this is stopped.
  public func next() throws -> Batch {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let result = ready.removeValue(forKey: nextToTake) {
        nextToTake += 1
        condition.broadcast()
        return try result.get()
      }
      if isStopped { throw CancellationError() }
      condition.wait()
    }
  }

  /// Ends the threads after the batch in hand, and whoever waits for one.
  public func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }
}
