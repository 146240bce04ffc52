import DataSets
import Files
import Foundation
import Pictures
import Recipes
import TestSupport
import Testing

/// Sources with weights, and what recipes say of sources.
@Suite struct MixtureTests {
  @Test func sharesAreExact() {
    for (weights, shares) in [
      ([0.8, 0.2], [8000, 2000]), ([1, 1, 1], [3334, 3333, 3333]), ([3, 0, 1], [7500, 0, 2500]),
      ([1, 1e-9], [9999, 1]), ([5], [10_000]),
    ] {
      #expect(Mixture(counts: weights.map { _ in 10 }, weights: weights).shares == shares, "\(weights)")
    }
    // What has no sample is not drawn from.
    #expect(Mixture(counts: [4, 0, 4], weights: [1, 8, 3]).shares == [2500, 0, 7500])
    let many = Mixture(
      counts: [Int](repeating: 2, count: 300), weights: [1] + [Double](repeating: 1e-12, count: 299))
    #expect(many.shares.reduce(0, +) == 10_000 && many.shares.allSatisfy { $0 > 0 })
  }

  @Test func sourcesAreDrawnByTheirWeights() {
    let mixture = Mixture(counts: [7, 50], weights: [0.7, 0.3])
    let drawn = (0..<20_000).map { mixture.draw($0, seed: 5) }
    for block in 0..<2 {
      #expect(drawn[block * 10_000..<(block + 1) * 10_000].count { $0.source == 0 } == 7000)
    }
    // Mixed all along.
    for start in stride(from: 0, to: 20_000, by: 500) {
      #expect((280...420).contains(drawn[start..<start + 500].count { $0.source == 0 }))
    }
    // Each pass through a source has each sample once, in another order; where a block begins, turns go on. Which turn an
    // example has is not the order of its number.
    for (source, count) in [(0, 7), (1, 50)] {
      let places = drawn.filter { $0.source == source }.map(\.place)
      let each = places.count / count
      let counts = Dictionary(grouping: places) { $0 }.mapValues(\.count)
      #expect(counts.count == count && counts.values.allSatisfy { abs($0 - each) <= 1 })
    }
    let other = (0..<1000).map { mixture.draw($0, seed: 6) }
    #expect(
      zip(drawn, other).contains { $0 != $1 }
        && zip(drawn, (0..<1000).map { mixture.draw($0, seed: 5) }).allSatisfy { $0 == $1 })
  }

  private func shards(_ folder: String, _ name: String, _ count: Int) throws -> String {
    let path = "\(folder)/\(name).tar"
    try Shards.write(
      try (0..<count).map {
        let png = try Picture(width: 8, height: 8, red: UInt8(200 - $0), green: 30, blue: 30).pngData()
        return Sample(key: "\($0)", picture: png, pictureType: "png", caption: "\(name) \($0)", record: [])
      },
      to: path)
    return path
  }

  @Test func examplesComeFromSourcesByTheirWeights() throws {
    let folder = try temporaryFolder()
    var data = PictureData()
    data.sources = [try shards(folder, "few", 4), try shards(folder, "many", 40)]
    (data.weights, data.validation) = ([3, 1], "0")
    let index = try #require(StoredData(data, bankIsGiven: true).training)
    func captions(_ index: ShardIndex, seed: UInt64 = 3) throws -> [String] {
      let source = try ExampleSource(
        shards: "", seed: seed, wideShare: 0, framing: Framing(), side: 8, mostSkipped: 0, folder: nil,
        index: index
      ) { throw DataSetError("", "no cut-outs are needed") }
      return try (0..<400).map { try source.example($0, side: 8).caption }
    }
    let found = try captions(index)
    #expect((270...330).contains(found.count { $0.hasPrefix("few") }))
    // A hundred draws of the other forty: a block of ten thousand has each as often, a part of it by chance.
    #expect(Set(found).count { $0.hasPrefix("few") } == 4 && Set(found).count { $0.hasPrefix("many") } > 30)
    #expect(try captions(index) == found && captions(index, seed: 4) != found)
    // Without weights every sample comes as often.
    data.weights = []
    let even = try captions(#require(StoredData(data, bankIsGiven: true).training))
    #expect(Set(even.prefix(44)).count == 44)
    // What is held out is out of both, and each sample of it is measured once.
    (data.weights, data.validation) = ([3, 1], "0.25")
    let parts = try StoredData(data, bankIsGiven: true)
    let held = try #require(parts.validation), rest = try #require(parts.training)
    #expect(held.count == 11 && held.weights.isEmpty && rest.ranges.map(\.count).reduce(0, +) == 33)
    let out = Set(try (0..<held.count).map { try held.said($0).caption })
    #expect(try out.count == 11 && out.isDisjoint(with: captions(rest)))
  }

  @Test func recipesHoldSources() throws {
    let folder = try temporaryFolder(), file = folder + "/recipe.toml"
    try """
    [data]
    sources = ["a/*.tar", "/b/{0..9}.tar"]
    weights = [0.5, 2]
    classNames = "names.txt"
    validation = "held"
    """.write(toFile: file, atomically: true, encoding: .utf8)
    let recipe = try RecipeFile.merged(DecoderRecipe(), file: file)
    try recipe.check()
    // Paths are taken from the recipe's folder; those of --set from where the program runs.
    #expect(
      recipe.data.sources == [folder + "/a/*.tar", "/b/{0..9}.tar"] && recipe.data.weights == [0.5, 2])
    #expect(recipe.data.classNames == folder + "/names.txt" && recipe.data.validation == folder + "/held")
    var set = try RecipeFile.merged(
      DecoderRecipe(), file: nil, settings: ["data.sources=[\"c\"]", "data.validation=0.1"])
    #expect(set.data.sources == ["c"] && set.data.validation == "0.1")
    // A run keeps them so that they are found from anywhere.
    let stored = try RecipeFile.text(of: set, isStored: true)
    #expect(
      stored.contains("'\(FileManager.default.currentDirectoryPath)/c'") && stored.contains("'0.1'"),
      "\(stored)")
    try stored.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(
      try RecipeFile.merged(DecoderRecipe(), file: file).data.sources == [
        FileManager.default.currentDirectoryPath + "/c"
      ])
    #expect(try RecipeFile.merged(recipe, file: file, isOwn: true).data.batch == recipe.data.batch)
    set.data.weights = [2]
    try set.check()
    refuses(set)
  }

  private func refuses(_ recipe: DecoderRecipe) {
    for (change, said) in [
      ({ $0.data.weights = [1, 2] }, "data.weights has 2 numbers for 1"),
      ({ $0.data.shards = "s" }, "are both given"),
      ({ $0.data.weights = [-1] }, "data.weights"), ({ $0.data.weights = [0] }, "one must be above 0"),
      ({ $0.data.template = "a cat" }, "has no [CLS]"), ({ $0.data.sources = [""] }, "data.sources"),
    ] as [((inout DecoderRecipe) -> Void, String)] {
      var bad = recipe
      change(&bad)
      let error = #expect(throws: RecipeError.self) { try bad.check() }
      #expect(error?.description.contains(said) == true, "\(String(describing: error))")
    }
  }
}
