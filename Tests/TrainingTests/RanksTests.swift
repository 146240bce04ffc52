import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// One process: everything is free, and nothing changes.
struct RanksTests {
  @Test func aloneEverythingIsAsItWas() throws {
    let ranks = Ranks.alone
    #expect(ranks.isAlone && ranks.isFirst && ranks.rank == 0 && ranks.count == 1)
    #expect(try ranks.largest([3, -1]) == [3, -1] && ranks.any([true, false]) == [true, false])
    #expect(try ranks.shares(of: [3, 0]) == [1, 1] && ranks.summed([2]) == [2])
    #expect(try ranks.broadcast("word") == "word" && ranks.batch(7) == 7)
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(ranks.mean(x).toArray() == x.toArray() && ranks.gathered(x).toArray() == x.toArray())
    #expect(throws: CancellationError.self) { try ranks.together { throw CancellationError() } }
    let whole = Philox(seed: 3, .decoderBatch(5))
    #expect(ranks.random(3, .decoderBatch(5)) == whole)
  }

  /// What is put is taken at once; what the taker throws ends the work.
  @Test func aRowAloneIsTakenAsItComes() throws {
    var taken: [String] = []
    func run(_ end: Int) throws {
      try Ranks.alone.inOrder { (place, value: String) in
        taken.append("\(place) \(value)")
        if place == end { throw CancellationError() }
      } work: { row in
        for number in 0..<3 {
          #expect(row.isOwn(number) && row.place(number) == number && row.help())
          try row.put(number, "word")
          #expect(taken.count == number + 1)
        }
      }
    }
    try run(3)
    #expect(taken == ["0 word", "1 word", "2 word"])
    taken = []
    #expect(throws: CancellationError.self) { try run(1) }
    #expect(taken.count == 2)
  }

  /// Cores are divided by the ranks that may use them, and by no others.
  @Test func threadsAreACoresShare() {
    func place(_ host: String, _ mask: UInt8) -> RankPlace {
      RankPlace(host: host, mask: [mask] + [UInt8](repeating: 0, count: 127))
    }
    let places = [place("a", 0xFF), place("a", 0xFF), place("a", 0xFF), place("b", 0x0F), place("b", 0xF0)]
    #expect(places.indices.map { Ranks.threads(of: $0, at: places, cores: 8) } == [2, 2, 2, 8, 8])
    #expect(Ranks.threads(of: 0, at: [places[0]], cores: 8) == 8)
    #expect(Ranks.threads(of: 0, at: [places[0], places[0], places[0]], cores: 2) == 1)
    #expect(places.allSatisfy { RankPlace($0.bytes) == $0 })
    let long = RankPlace(host: String(repeating: "h", count: 100), mask: places[0].mask)
    #expect(RankPlace(long.bytes).mask == long.mask)
    // A launcher that binds each rank to a core leaves the others idle.
    let bound = [place("a", 1).mask, place("a", 2).mask]
    #expect(Ranks.binding(bound, launcher: places[0].mask)?.contains("2 of 8 processors") == true)
    #expect(Ranks.binding([places[0].mask, places[1].mask], launcher: places[0].mask) == nil)
    #expect(Ranks.binding(bound, launcher: place("a", 3).mask) == nil)
  }
}
