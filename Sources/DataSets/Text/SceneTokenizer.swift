import Foundation
import ModelFiles

extension BytePairTraining {
  /// The special tokens of a small model: those that shape a prompt, in the family's order.
  public static let specialTokens = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|image|>", "<|video|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>",
  ]

  /// Learns from what is said and asked about `scenes` training scenes.
  ///
  /// - Parameters:
  ///   - vocabulary: tokens, the special ones included.
  ///   - progress: called with the scenes that are read and all of them; what it throws is thrown on.
  public init(
    scenesOf composer: SceneComposer, scenes: Int, vocabulary: Int,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws {
    var words: [String: Int] = [:]
    // In parts: the texts of all scenes would fill the memory.
    for start in stride(from: 0, to: scenes, by: 2000) {
      try progress(start, scenes)
      let texts = inParallel(min(2000, scenes - start)) { i -> [String] in
        let record = composer.scene(UInt64(start + i), .train).record
        return record.captions + record.questions.flatMap { [$0.question, $0.answer] }
      }
      words.merge(try Tokenizer.wordCounts(of: texts.joined()), uniquingKeysWith: +)
    }
    try progress(scenes, scenes)
    // The words that shape every prompt.
    for word in ["user", "assistant", "system", "\n\n"] { words[word, default: 0] += 1_000_000 }
    self.init(words: words, vocabulary: vocabulary - Self.specialTokens.count)
  }
}
