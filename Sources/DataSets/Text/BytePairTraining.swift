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
    while tokens.count < vocabulary, let best = Self.mostFrequentPair(pieces) {
      let id = tokens.count
      tokens.append(tokens[best.0] + tokens[best.1])
      merges.append(best)
      for i in pieces.indices { Self.merge(best, into: id, &pieces[i].ids) }
    }
  }

  private static func mostFrequentPair(_ pieces: [(ids: [Int], count: Int)]) -> (Int, Int)? {
    var counts: [Int: Int] = [:]
    for piece in pieces where piece.ids.count > 1 {
      for i in 1..<piece.ids.count {
        counts[piece.ids[i - 1] << 24 | piece.ids[i], default: 0] += piece.count
      }
    }
    // A pair that occurs once teaches nothing.
    guard let best = counts.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) }), best.value > 1 else {
      return nil
    }
    return (best.key >> 24, best.key & 0xFFFFFF)
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
