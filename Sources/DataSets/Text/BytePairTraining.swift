import Foundation
import ModelFiles

/// Byte-pair encoding learnt from texts, stored as the `tokenizer.json` that the reference library reads.
///
/// Source: Sennrich et al., arXiv 1508.07909, over bytes as in GPT-2. Among equally frequent pairs the one
/// whose tokens come first by number wins, so the result depends on the texts alone.
public struct BytePairTraining {
  /// Tokens by number: 256 bytes, then merges in the order in which they were learnt.
  public private(set) var tokens: [[UInt8]] = (0...255).map { [UInt8($0)] }
  /// Pairs of token ids that become one, the most frequent first.
  public private(set) var merges: [(left: Int, right: Int)] = []

  /// - Parameters:
  ///   - words: how often each piece of the pre-tokenizer occurs.
  ///   - vocabulary: tokens to reach, the special ones not counted; fewer when nothing is left to merge.
  public init(words: [String: Int], vocabulary: Int) {
    var pieces: [(ids: [Int], count: Int)] = words.sorted { $0.key < $1.key }.map {
      ($0.key.utf8.map { Int($0) }, $0.value)
    }
    var table = PairTable()
    for i in pieces.indices { table.add(pieces[i].ids, in: i, times: pieces[i].count) }
    while tokens.count < vocabulary, let best = table.mostFrequent {
      let id = tokens.count
      tokens.append(tokens[best.0] + tokens[best.1])
      merges.append(best)
      // Only the pieces that hold the pair change: a person's captions have many different words.
      for i in table.pieces(with: best) {
        table.add(pieces[i].ids, in: i, times: -pieces[i].count)
        Self.merge(best, into: id, &pieces[i].ids)
        table.add(pieces[i].ids, in: i, times: pieces[i].count)
      }
    }
  }

  /// How often each pair of tokens occurs, and in which pieces.
  private struct PairTable {
    private var counts: [Int: Int] = [:]
    private var places: [Int: Set<Int>] = [:]

    private static func key(_ pair: (Int, Int)) -> Int { pair.0 << 24 | pair.1 }

    /// Adds the pairs of a piece, or takes them out where `times` is negative.
    mutating func add(_ ids: [Int], in piece: Int, times: Int) {
      guard ids.count > 1 else { return }
      for i in 1..<ids.count {
        let key = Self.key((ids[i - 1], ids[i])), count = counts[key, default: 0] + times
        counts[key] = count == 0 ? nil : count
        if times > 0 { places[key, default: []].insert(piece) }
        if count == 0 { places[key] = nil }
      }
    }

    /// A pair that occurs once teaches nothing.
    var mostFrequent: (Int, Int)? {
      guard let best = counts.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) }), best.value > 1 else {
        return nil
      }
      return (best.key >> 24, best.key & 0xFFFFFF)
    }

    /// Pieces that hold the pair, and some that did.
    func pieces(with pair: (Int, Int)) -> Set<Int> { places[Self.key(pair)] ?? [] }
  }

  private static func merge(_ pair: (Int, Int), into id: Int, _ ids: inout [Int]) {
    guard ids.count > 1 else { return }
    var kept: [Int] = [], i = 0
    while i < ids.count {
      if i + 1 < ids.count, ids[i] == pair.0, ids[i + 1] == pair.1 {
        kept.append(id)
        i += 2
      } else {
        kept.append(ids[i])
        i += 1
      }
    }
    ids = kept
  }

  /// `tokenizer.json` with the special tokens behind the learnt ones.
  public func json(specialTokens: [String]) throws -> Data {
    try TokenizerFile.json(tokens: tokens, merges: merges, specialTokens: specialTokens)
  }
}
