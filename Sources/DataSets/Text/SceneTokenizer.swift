import ModelFiles

extension BytePairTraining {
  /// The special tokens of a small model: those that shape a prompt, in the family's order.
  public static let specialTokens = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|image|>", "<|video|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>",
  ]

  /// Samples that a tokenizer is learnt from: more hardly change it.
  public static let mostSamples = 20_000

  /// Learns from what is said and asked about `scenes` training scenes.
  ///
  /// - Parameters:
  ///   - vocabulary: tokens, the special ones included.
  ///   - progress: called with the scenes that are read and all of them; what it throws is thrown on.
  public init(
    scenesOf composer: SceneComposer, scenes: Int, vocabulary: Int,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws {
    try self.init(samples: scenes, vocabulary: vocabulary, progress: progress) { i in
      let record = composer.scene(UInt64(i), .train).record
      return record.captions + record.questions.flatMap { [$0.question, $0.answer] }
    }
  }

  /// Learns from what the samples of shards say, at most `mostSamples` of them, from all over the shards; their pictures
  /// are not read. Arguments are as above.
  public init(
    samplesOf index: ShardIndex, vocabulary: Int,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws {
    let count = min(index.count, Self.mostSamples)
    try self.init(samples: count, vocabulary: vocabulary, progress: progress) { i in
      // What cannot be read is told where it is trained on.
      guard let said = try? index.said(i * index.count / count) else { return [] }
      guard let scene = said.scene else { return ["Describe this picture.", said.caption] }
      return [scene.caption] + scene.captions + scene.questions.flatMap { [$0.question, $0.answer] }
    }
  }

  private init(
    samples: Int, vocabulary: Int, progress: (_ done: Int, _ of: Int) throws -> Void,
    texts: @Sendable (Int) -> [String]
  ) throws {
    var words: [String: Int] = [:]
    // In parts: the texts of all samples would fill the memory.
    let part = 500
    for start in stride(from: 0, to: samples, by: part) {
      try progress(start, samples)
      let found = inParallel(min(part, samples - start)) { texts(start + $0) }
      words.merge(try Tokenizer.wordCounts(of: found.joined()), uniquingKeysWith: +)
    }
    try progress(samples, samples)
    // The words that shape every prompt.
    for word in ["user", "assistant", "system", "\n\n"] { words[word, default: 0] += 1_000_000 }
    self.init(words: words, vocabulary: vocabulary - Self.specialTokens.count)
  }
}
