import Tensors

/// What went wrong with one rank or all, and is known to all of them: every rank ends, and one of them says why.
public struct SharedFailure: Error {
  /// What went wrong here; nil where it went wrong elsewhere.
  public let reason: (any Error)?
  /// Whether this rank says so.
  public let isTold: Bool
}

extension Ranks {
  /// Work that each rank does for itself, and that has to succeed for all: where it fails for one, it throws on all, and the
  /// first one that it failed for says why. Throws `SharedFailure`; alone, what `work` throws.
  public func together<Value>(_ work: () throws -> Value) throws -> Value {
    guard !isAlone else { return try work() }
    let result = Result { try work() }
    var reason: (any Error)?
    if case .failure(let error) = result {
      // The others have it, too.
      if error is SharedFailure { throw error }
      reason = error
    }
    // The largest of negative numbers is the first rank's.
    let first = try largest([reason == nil ? -Double(count) : -Double(rank)])[0]
    guard first > -Double(count) else { return try result.get() }
    throw SharedFailure(reason: reason, isTold: rank == Int(-first))
  }

  /// An error that all ranks have come to by the same numbers.
  public func shared(_ error: any Error) -> any Error {
    isAlone || error is SharedFailure ? error : SharedFailure(reason: error, isTold: isFirst)
  }

  /// Work of the first rank alone, for which the others wait. Throws as `together` does.
  public func first(_ work: () throws -> Void) throws { try together { if isFirst { try work() } } }
}

extension Ranks {
  /// The number of this rank's part of the batch that all have together: of two ranks, batch 3 is 6 and 7.
  public func batch(_ number: Int) -> Int { number * count + rank }

  /// What this rank draws for its part of a batch that all have together: the numbers that one process would draw there.
  public func random(_ seed: UInt64, _ stream: RandomStream) -> Philox {
    Philox(seed: seed, stream).part(rank, of: count)
  }

  /// The sums over all, place by place.
  public func summed(_ values: [Double]) throws -> [Double] {
    var sums = values
    try sum(&sums)
    return sums
  }
}
