import Foundation

/// Writes byte-level BPE tokenizers as the reference library's `tokenizer.json`.
public enum TokenizerFile {
  /// - Parameters:
  ///   - tokens: bytes of each token, by id.
  ///   - merges: pairs of ids, the first merge first.
  ///   - specialTokens: their texts.
  ///   - firstSpecial: id of the first one; right behind the others unless given.
  public static func json(
    tokens: [[UInt8]], merges: [(left: Int, right: Int)], specialTokens: [String], firstSpecial: Int? = nil
  ) throws -> Data {
    let spelled = tokens.map { bytes in String(bytes.map { Tokenizer.byteTokenTexts[Int($0)] }.joined()) }
    var vocabulary: [String: Int] = [:]
    for (i, text) in spelled.enumerated() { vocabulary[text] = i }
    let added = specialTokens.enumerated().map { i, text -> [String: Any] in
      [
        "id": (firstSpecial ?? tokens.count) + i, "content": text, "special": true, "normalized": false,
        "lstrip": false, "rstrip": false, "single_word": false,
      ]
    }
    let split: [String: Any] = [
      "type": "Split", "pattern": ["Regex": Tokenizer.llama3Pattern], "behavior": "Isolated", "invert": false,
    ]
    // The reference library refuses a file that leaves any of these out.
    let byteLevel: [String: Any] = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
    ]
    let file: [String: Any] = [
      "version": "1.0", "added_tokens": added, "decoder": byteLevel,
      "pre_tokenizer": [
        "type": "Sequence",
        "pretokenizers": [split, byteLevel],
      ],
      "model": [
        "type": "BPE", "vocab": vocabulary, "merges": merges.map { [spelled[$0.left], spelled[$0.right]] },
        "ignore_merges": true,
      ],
    ]
    return try JSONSerialization.data(
      withJSONObject: file, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }
}

extension Tokenizer {
  /// How often each piece that merges never cross occurs in `texts`.
  public static func wordCounts(of texts: some Sequence<String>) throws -> [String: Int] {
    let pattern = try WordPattern(WordPattern.llama3)
    var counts: [String: Int] = [:]
    for text in texts {
      for word in pattern.words(of: text) { counts[word, default: 0] += 1 }
    }
    return counts
  }
}
