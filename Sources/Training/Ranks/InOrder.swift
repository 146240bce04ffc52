import Foundation

/// What all ranks make of a row of inputs, taken by the first one in the order of the inputs while all are at work.
///
/// Of W ranks, rank r works on inputs r, r + W, r + 2 W, …, and puts what comes of each. The others keep what the first one
/// has not taken yet, a few results at most, and then wait for it; so does it for them. Memory does not grow with the row.
public final class InOrder<Value: Codable> {
  private let ranks: Ranks
  private let take: (_ place: Int, Value) throws -> Void
  /// On the first rank: the place that is taken next, what it has made itself and not taken, and what the others send.
  private var next = 0
  private var own: [(place: Int, value: Value)] = []
  private var others: [IncomingResults] = []
  /// On the others: what the first one has not taken.
  private var sent: [Message] = []
  private var hasEnded = false, isCancelled = false
  private var failure: (any Error)?

  /// Results that a rank makes before it waits for those in front of them.
  private static var most: Int { 64 }

  /// Numbers that are none travel, too.
  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }
  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  fileprivate init(_ ranks: Ranks, _ take: @escaping (_ place: Int, Value) throws -> Void) {
    (self.ranks, self.take) = (ranks, take)
    if ranks.isFirst { others = (1..<ranks.count).map { IncomingResults(from: $0, ranks) } }
  }

  /// Whether a place is this rank's.
  public func isOwn(_ place: Int) -> Bool { place % ranks.count == ranks.rank }

  /// The place of this rank's result of this number.
  public func place(_ number: Int) -> Int { number * ranks.count + ranks.rank }

  /// What came of an input of this rank's; places only grow, and some may be left out. Throws what goes wrong with it or with
  /// another's, and what the first rank throws that takes it.
  public func put(_ place: Int, _ value: Value) throws {
    guard !ranks.isAlone else { return try take(place, value) }
    if let failure { throw failure }
    if ranks.isFirst {
      own.append((place, value))
      try takeNext(leaving: Self.most)
      if isCancelled { throw CancellationError() }
    } else {
      try send(place, Self.encoder.encode([value]))
    }
  }

  /// Moves on what is on its way, and takes what is there: what long work calls between two steps. Returns whether there is
  /// any use in going on; where not, the next `put`, or the end, says why.
  @discardableResult public func help() -> Bool {
    guard !ranks.isAlone, failure == nil else { return failure == nil }
    do {
      if ranks.isFirst { try takeNext(leaving: Self.most) } else { try letGo(leaving: .max) }
    } catch {
      failure = error
    }
    return failure == nil && !isCancelled
  }

  fileprivate func run(_ work: (InOrder) throws -> Void) throws {
    guard !ranks.isAlone else { return try work(self) }
    var end: (any Error)?
    do { try work(self) } catch { end = error }
    switch failure ?? end {
    case nil: break
    case is CancellationError: isCancelled = true
    case let error?: try hand(over: error)
    }
    hasEnded = true
    if ranks.isFirst {
      try takeNext(leaving: -1)
    } else {
      try send(nil, Data())
      try letGo(leaving: 0)
    }
    if try ranks.any([isCancelled])[0] { throw CancellationError() }
  }

  /// Work that has failed: the first rank says why, and ends all.
  private func hand(over error: any Error) throws -> Never {
    guard !ranks.isFirst, !(error is RanksError) else { throw error }
    try send(nil, Data("rank \(ranks.rank) on \(ranks.hosts[ranks.rank]): \(error)".utf8))
    try letGo(leaving: 0)
    // Where the others wait, until the first one has ended all.
    _ = try ranks.any([false])
    throw SharedFailure(reason: error, isTold: false)
  }

  // MARK: The first rank

  /// Takes what is next, as long as it is there.
  ///
  /// - Parameter most: results of its own that may wait for others' in front of them; for more, it waits itself.
  private func takeNext(leaving most: Int) throws {
    while !(hasEnded && own.isEmpty && others.allSatisfy(\.hasEnded)) {
      guard try next % ranks.count == 0 ? takeOwn() : takeOther(waits: own.count > most) else { return }
      next += 1
    }
  }

  /// Returns false where the next place has no result yet, and may have one.
  private func takeOwn() throws -> Bool {
    guard let first = own.first else { return hasEnded }
    if first.place == next { try tell(own.removeFirst().value) }
    return true
  }

  private func takeOther(waits: Bool) throws -> Bool {
    let other = others[next % ranks.count - 1]
    switch try other.first(waits: waits) {
    case nil: return false
    case .result(let place, let data):
      guard place == next else { break }
      other.drop()
      for value in try Self.decoder.decode([Value].self, from: data) { try tell(value) }
    case .end(let reason): if let reason { throw RanksError(reason) }
    }
    return true
  }

  /// Where it is cancelled, what the others have made is taken all the same.
  private func tell(_ value: Value) throws {
    do { try take(next, value) } catch is CancellationError { isCancelled = true }
  }

  // MARK: The others

  private func send(_ place: Int?, _ data: Data) throws {
    sent += IncomingResults.messages(place: place, data, to: 0, ranks)
    try letGo(leaving: 2 * Self.most)
  }

  /// Forgets what the first rank has taken, and waits for it where more than `most` messages are left.
  private func letGo(leaving most: Int) throws {
    while let first = sent.first, first.isThere || sent.count > most {
      _ = try first.end()
      sent.removeFirst()
    }
  }
}

extension Ranks {
  /// Shares a row of inputs out. Throws what `work` or `take` throws, and what another rank's work does;
  /// `CancellationError` on all ranks where one throws it, once the first has taken what the others have made.
  ///
  /// - Parameters:
  ///   - take: called on the first rank alone, in the order of the places.
  ///   - work: puts what comes of this rank's places.
  public func inOrder<Value: Codable>(
    take: (_ place: Int, Value) throws -> Void, work: (InOrder<Value>) throws -> Void
  ) throws {
    try withoutActuallyEscaping(take) { try InOrder(self, $0).run(work) }
  }
}
