import Tensors

/// What answering several questions at once takes of memory.
public struct BatchMemory: Sendable, Equatable {
  /// Of one answer: keys and values up to its longest, the prompt's embeddings, logits.
  public let bytesPerSlot: Int
  /// Of the largest pass, whatever the slots.
  public let workingBytes: Int

  /// For prompts of `promptTokens` and answers of at most `most` tokens.
  public init(_ c: UnderstandingConfiguration, promptTokens: Int, most: Int) {
    let text = c.text, number = MemoryLayout<Float>.size
    // Caches grow in steps, and the pool's blocks are up to an eighth larger than what they hold.
    let tokens = (min(promptTokens + min(most, text.context), text.context) + 255) / 256 * 256
    let cache = 2 * text.layers * text.kvHeads * text.headSize * tokens
    bytesPerSlot = (cache + promptTokens * text.width + 2 * text.vocabulary) * number / 8 * 9
    let language = PromptReader.passRows * (4 * text.hidden + 8 * text.width)
    let patches = max(PromptReader.encoderPatches, c.vision.grid * c.vision.grid)
    let encoder = patches * (2 * c.vision.hidden + 8 * c.vision.width)
    workingBytes = max(language, encoder) * number
  }

  /// Answers at once that half of `free` bytes have room for, 1 to 16. More would hardly be faster, and the first
  /// answers would come later.
  public func slots(free: Int?) -> Int {
    guard let free else { return 4 }
    // What prompts begin with is kept as well, which may be as much as an answer.
    return max(1, min(16, (free / 2 - workingBytes) / max(1, bytesPerSlot) - 1))
  }
}
