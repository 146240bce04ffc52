import DataSets

/// Draws from latents of samples of several sources as often as the sources' weights say.
final class LatentMixture {
  private let index: ShardIndex
  private let seed: UInt64
  /// Of each source the places of its latents among the first so many.
  private var places: (count: Int, ofSources: [[Int]])?
  private var mixture: Mixture?

  /// nil where all samples are drawn as often.
  init?(_ index: ShardIndex, seed: UInt64) {
    guard !index.weights.isEmpty else { return nil }
    (self.index, self.seed) = (index, seed)
  }

  /// The place of the latents that an example of a number is drawn from.
  ///
  /// - Parameter count: of all latents: those of examples 0 ..< count.
  func place(of number: Int, among count: Int) -> Int {
    if places?.count != count { sort(count) }
    guard let places, let mixture else { return 0 }
    let drawn = mixture.draw(number, seed: seed)
    return places.ofSources[drawn.source][drawn.place]
  }

  private func sort(_ count: Int) {
    var sources = [[Int]](repeating: [], count: index.ranges.count)
    for example in 0..<count {
      let place = ExampleSource.shuffled(
        example % index.count, of: index.count, seed: seed, pass: example / index.count)
      if let source = index.ranges.firstIndex(where: { $0.contains(place) }) {
        sources[source].append(example)
      }
    }
    places = (count, sources)
    mixture = Mixture(counts: sources.map(\.count), weights: index.weights)
  }
}
