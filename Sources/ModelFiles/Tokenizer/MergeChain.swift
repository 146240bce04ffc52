import HeapModule

/// A word's tokens as a chain in which neighbours are merged, the pair of lowest rank first, the first of
/// several; n log n in the word's length, so that a long text without a space is no trap.
struct MergeChain {
  typealias Merge = (_ left: Int32, _ right: Int32) -> (rank: Int32, joined: Int32)?

  /// A pair that may be merged, unless one of its ends has changed since.
  private struct Candidate: Comparable {
    let rank: Int32
    let place: Int
    let left, right, joined: Int32

    static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.place) < (b.rank, b.place) }
  }

  private var tokens: [Int32]
  /// Neighbours in the chain; `tokens.count` and −1 at its ends.
  private var next, previous: [Int]
  private var isGone: [Bool]
  private var candidates = Heap<Candidate>()
  private let merge: Merge

  init(_ tokens: [Int32], merge: @escaping Merge) {
    (self.tokens, self.merge) = (tokens, merge)
    next = tokens.indices.map { $0 + 1 }
    previous = tokens.indices.map { $0 - 1 }
    isGone = [Bool](repeating: false, count: tokens.count)
    for place in tokens.indices { propose(place) }
  }

  private mutating func propose(_ place: Int) {
    guard place >= 0, next[place] < tokens.count else { return }
    let left = tokens[place], right = tokens[next[place]]
    guard let found = merge(left, right) else { return }
    candidates.insert(
      Candidate(rank: found.rank, place: place, left: left, right: right, joined: found.joined))
  }

  /// The tokens that are left when nothing can be merged any more.
  mutating func merged() -> [Int32] {
    while let best = candidates.popMin() {
      let place = best.place
      guard !isGone[place], tokens[place] == best.left, next[place] < tokens.count,
        tokens[next[place]] == best.right
      else { continue }
      let gone = next[place]
      tokens[place] = best.joined
      isGone[gone] = true
      next[place] = next[gone]
      if next[gone] < tokens.count { previous[next[gone]] = place }
      propose(previous[place])
      propose(place)
    }
    return tokens.indices.filter { !isGone[$0] }.map { tokens[$0] }
  }
}
