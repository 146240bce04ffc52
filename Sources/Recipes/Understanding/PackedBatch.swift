import DataSets
import ModelFiles
import Pictures
import Tensors
import VUGEN

/// A batch of pictures, each with several questions in one sequence.
///
/// A sequence is the picture's turn, read once, and behind it segments that see the picture and themselves,
/// but not each other; each begins at the position right behind the picture, as if it were alone. The last
/// segment is a caption that does not see the picture: its last token gives the text vector.
package struct PackedBatch: Sendable {
  package var batch = 0
  /// Tokens of a sequence.
  package var time = 0
  /// f32 `[batch, side, side, 3]` in −1…1.
  package var pictures: [Float] = []
  package var side = 0
  /// `[batch, time]`.
  package var tokens: [Int32] = []
  package var positions: [Int32] = []
  /// `[batch, time, 4]`: the two ranges of tokens that each one sees, as `VisibleKeys` has them.
  package var visible: [Int32] = []
  /// Places in `batch · time` whose next token is part of an answer, and these tokens.
  package var answerPlaces: [Int32] = []
  package var answerTokens: [Int32] = []
  /// Place of each caption's last token.
  package var captionPlaces: [Int32] = []
  package var patches = PatchLabels()
}

/// Makes packed batches from examples.
package struct BatchPacker: Sendable {
  let source: ExampleSource
  private let template: ChatTemplate
  let configuration: UnderstandingConfiguration
  let classes: [String: Int]
  let batch, questions: Int
  let seed: UInt64
  let wordDropout, relationShare, colourShare: Double
  /// Tokens of a text.
  private let most: Int
  private let prefix, questionEnd, answerEnd: [Int32]

  package init(
    _ source: ExampleSource, _ template: ChatTemplate, _ configuration: UnderstandingConfiguration,
    classes: [String], data: UnderstandingRecipe.Data
  ) {
    (self.source, self.template, self.configuration) = (source, template, configuration)
    self.classes = Dictionary(classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    (batch, questions, seed) = (data.batch, data.questions, data.seed)
    most = data.maxTokens == 0 ? .max : data.maxTokens
    (wordDropout, relationShare, colourShare) = (data.wordDropout, data.relationShare, data.colourShare)
    // As a conversation without a system message begins: see `UnderstandingRecipe.configuration`.
    prefix = template.opening(system: "") + template.header(.user) + template.places(tiles: 1)
    questionEnd = [template.endTurn] + template.header(.assistant)
    answerEnd = [template.endTurn]
  }

  /// Where the picture's tokens stand in every sequence.
  package var picturePlaces: Range<Int> { prefix.count - configuration.tokensPerTile..<prefix.count }

  /// One sequence in the making; the arrays run along its tokens.
  private struct Sequence {
    var tokens: [Int32] = []
    var positions: [Int32] = []
    /// 0 for the picture's turn, then one number a segment.
    var segments: [Int] = []
    var answers: [(place: Int, token: Int32)] = []
    var captionEnd = 0
    var captionSegment = 0
    /// Whether something was longer than the model's context.
    var isCut = false

    mutating func append(_ more: [Int32], segment: Int, from position: Int) {
      for (i, token) in more.enumerated() {
        tokens.append(token)
        positions.append(Int32(position + i))
        segments.append(segment)
      }
    }
  }

  /// Of samples that are held out: no word is replaced.
  init(
    heldOut index: ShardIndex, _ template: ChatTemplate, _ configuration: UnderstandingConfiguration,
    classes: [String], data: UnderstandingRecipe.Data
  ) throws {
    var data = data
    (data.wordDropout, data.seed) = (0, 0)
    try self.init(
      ExampleSource(heldOut: index, data.framing), template, configuration, classes: classes, data: data)
  }

  /// Batch `number`, always the same.
  package func make(_ number: Int) throws -> PackedBatch {
    try make(of: number * batch..<(number + 1) * batch)
  }

  /// The batch of some examples.
  func make(of examples: Range<Int>) throws -> PackedBatch {
    var result = PackedBatch(), sequences: [Sequence] = []
    (result.batch, result.side) = (examples.count, configuration.vision.imageSize)
    for index in examples {
      let example = try source.example(index, side: result.side)
      var random = Philox(seed: seed, .packedExample(index))
      let made = sequence(example, &random)
      if made.isCut { source.noteCutCaption(of: example) }
      sequences.append(made)
      result.pictures += example.picture.rgb().map { Float($0) / 127.5 - 1 }
      result.patches.append(example, configuration.vision, classes: classes)
    }
    let longest = sequences.map(\.tokens.count).max() ?? 0
    // Few different lengths: memory and compiled products are used again from batch to batch.
    result.time = (longest + 31) / 32 * 32
    for (i, sequence) in sequences.enumerated() { add(sequence, at: i, to: &result) }
    return result
  }

  private func sequence(_ example: Example, _ random: inout Philox) -> Sequence {
    var s = Sequence()
    s.append(prefix, segment: 0, from: 0)
    for (i, question) in chosen(example.questions, &random).enumerated() {
      // One token of the answer has a place in any case; the last one is never read and needs none.
      let room = max(1, configuration.text.context - prefix.count - questionEnd.count)
      let words = tokenizer.encode(question.question), query = Array(words.prefix(min(room, most)))
      let said = tokenizer.encode(question.answer), reply = said.prefix(most) + answerEnd
      let asked = query + questionEnd, answer = Array(reply.prefix(room - query.count + 1))
      if query.count < words.count || answer.count < said.count + answerEnd.count { s.isCut = true }
      // The answer is predicted from the prompt's last token on.
      let first = s.tokens.count + asked.count - 1
      for (k, token) in answer.enumerated() { s.answers.append((first + k, token)) }
      // The last token is only predicted, never read.
      let read = dropped(query, &random) + questionEnd + dropped(Array(answer.dropLast()), &random)
      s.append(read, segment: i + 1, from: prefix.count)
    }
    let captions = example.captions
    let caption = captions[Int(random.integers(below: UInt32(captions.count), count: 1)[0])]
    s.captionSegment = (s.segments.last ?? 0) + 1
    let words = tokenizer.encode(caption), kept = words.prefix(min(most, configuration.text.context - 2))
    if kept.count < words.count { s.isCut = true }
    s.append(kept + answerEnd, segment: s.captionSegment, from: 1)
    s.captionEnd = s.tokens.count - 1
    return s
  }

  /// Some words replaced by any others.
  private func dropped(_ tokens: [Int32], _ random: inout Philox) -> [Int32] {
    guard wordDropout > 0, !tokens.isEmpty else { return tokens }
    let chances = random.integers(below: 1 << 16, count: tokens.count)
    let others = random.integers(below: UInt32(tokenizer.vocabularySize - specialCount), count: tokens.count)
    let limit = wordDropout * 65536
    return tokens.indices.map { Double(chances[$0]) < limit ? Int32(others[$0]) : tokens[$0] }
  }

  private var tokenizer: Tokenizer { template.tokenizer }
  private var specialCount: Int { tokenizer.specialTokens.count }

  /// Some of a picture's questions: usually the short description, now and then the long one, and others.
  private func chosen(_ all: [QuestionAnswer], _ random: inout Philox) -> [QuestionAnswer] {
    let words = random.integers(below: 1000, count: 2 + all.count)
    let always = all.enumerated().filter { i, question in
      switch question.task {
      case .describe: words[0] < 600
      case .detail: words[1] < 120
      case .relation: Double(words[2 + i]) < relationShare * 1000
      case .colour: Double(words[2 + i]) < colourShare * 1000
      default: false
      }
    }.map(\.element)
    let rest = all.filter { $0.task != .describe && $0.task != .detail && !always.contains($0) }
    let others = random.permutation(rest.count).prefix(max(0, questions - always.count)).map { rest[$0] }
    let list = Array(always.prefix(questions)) + others
    return list.isEmpty ? Array(all.prefix(1)) : list
  }

  private func add(_ s: Sequence, at row: Int, to result: inout PackedBatch) {
    let time = result.time, start = row * time, padding = time - s.tokens.count
    result.tokens += s.tokens + [Int32](repeating: answerEnd[0], count: padding)
    result.positions += s.positions + [Int32](repeating: 0, count: padding)
    for answer in s.answers {
      result.answerPlaces.append(Int32(start + answer.place))
      result.answerTokens.append(answer.token)
    }
    result.captionPlaces.append(Int32(start + s.captionEnd))
    var first = 0
    for q in 0..<time {
      // Padding sees itself.
      guard q < s.tokens.count else {
        result.visible += [q, q + 1, q + 1, q + 1].map(Int32.init)
        continue
      }
      let segment = s.segments[q]
      if q > 0, segment != s.segments[q - 1] { first = q }
      // The picture's turn as a whole; a caption, its first token alone.
      let shared = segment == 0 ? 0 : segment == s.captionSegment ? 1 : prefix.count
      result.visible += [0, shared, first, q + 1].map(Int32.init)
    }
  }
}
