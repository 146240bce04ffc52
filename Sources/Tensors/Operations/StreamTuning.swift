import Synchronization

/// How far before its use a stream of weights is asked for. Processors differ, so the first products of a large model
/// try each distance in turn; the results do not depend on it.
package final class StreamTuning: Sendable {
  static let shared = StreamTuning()
  package static let distances: [Int64] = [1024, 2048, 4096, 8192]
  /// Products from this size on are timed: less may come from a cache.
  package static let leastBytes = 8 << 20
  private static let rounds = 12

  private struct State {
    var chosen: Int64?
    var seconds: [[Double]] = .init(repeating: [], count: StreamTuning.distances.count)
    var turn = 0
  }
  private let state = Mutex(State())

  package init() {}

  /// The distance that all later products use; `nil` while they are tried.
  package var chosen: Int64? { state.withLock { $0.chosen } }

  /// Runs `body` with a distance in bytes.
  package func run(_ byteCount: Int, _ body: (Int64) -> Void) {
    let count = Self.distances.count
    let (chosen, index) = state.withLock { state in
      // Layers repeat their products in one order: the second term lets each meet every distance.
      (state.chosen, (state.turn + state.turn / count) % count)
    }
    guard chosen == nil, byteCount >= Self.leastBytes else { return body(chosen ?? 4096) }
    let start = ContinuousClock.now
    body(Self.distances[index])
    let took = (ContinuousClock.now - start) / Duration.seconds(1)
    state.withLock { state in
      state.turn += 1
      state.seconds[index].append(took / Double(byteCount))
      guard state.turn == Self.rounds * count else { return }
      // Others on the machine only ever make a product slower: the faster ones tell more than the middle.
      let quarters = state.seconds.map { $0.sorted()[$0.count / 4] }
      state.chosen = zip(quarters, Self.distances).min { $0.0 < $1.0 }?.1
    }
  }
}

/// Runs products that read `byteCount` bytes of weights, with the distance at which to ask for them.
func streaming(_ byteCount: Int, _ body: (Int64) -> Void) { StreamTuning.shared.run(byteCount, body) }
