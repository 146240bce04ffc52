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
  /// - Parameter vocabulary: tokens, the special ones included.
  public init(scenesOf composer: SceneComposer, scenes: Int, vocabulary: Int) throws {
    var words: [String: Int] = [:]
    // In parts: the texts of all scenes would fill the memory.
    for start in stride(from: 0, to: scenes, by: 10_000) {
      let texts = ObjectBank.inParallel(min(10_000, scenes - start)) { i -> [String] in
        let record = composer.scene(UInt64(start + i), .train).record
        return record.captions + record.questions.flatMap { [$0.question, $0.answer] }
      }
      words.merge(try Tokenizer.wordCounts(of: texts.joined()), uniquingKeysWith: +)
    }
    // The words that shape every prompt.
    for word in ["user", "assistant", "system", "\n\n"] { words[word, default: 0] += 1_000_000 }
    self.init(words: words, vocabulary: vocabulary - Self.specialTokens.count)
  }
}
