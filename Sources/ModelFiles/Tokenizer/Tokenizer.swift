import Foundation
import Synchronization

/// Byte-level BPE with special tokens, from `tokenizer.json` or from tiktoken's `tokenizer.model`.
///
/// Text is cut into words by the file's pattern, and each word's bytes are joined by the merges. Special
/// tokens are never made from ordinary text: a question that spells `<|eot_id|>` cannot end a turn.
public final class Tokenizer: Sendable {
  /// How two neighbouring tokens join.
  enum Merges: Sendable {
    /// By the place in the list of pairs.
    case pairs([UInt64: (rank: Int32, joined: Int32)])
    /// By the rank of the joined bytes, as tiktoken does.
    case ranks
  }

  /// The bytes of every token by id; special tokens spell their name.
  let tokens: [[UInt8]]
  private let ids: [[UInt8]: Int32]
  private let merges: Merges
  /// Whether a word that is a token is taken whole, before any merging.
  private let takesWholeWords: Bool
  /// Special tokens by name.
  public let specialTokens: [String: Int32]
  private let specialIDs: Set<Int32>
  private let pattern: WordPattern
  private let cache = Mutex<[String: [Int32]]>([:])

  init(
    tokens: [[UInt8]], merges: Merges, takesWholeWords: Bool, specialTokens: [String: Int32],
    pattern: WordPattern
  ) {
    (self.tokens, self.merges, self.takesWholeWords, self.specialTokens) = (
      tokens, merges, takesWholeWords, specialTokens
    )
    self.pattern = pattern
    specialIDs = Set(specialTokens.values)
    var ids: [[UInt8]: Int32] = [:]
    for (id, bytes) in tokens.enumerated() where !specialIDs.contains(Int32(id)) { ids[bytes] = Int32(id) }
    self.ids = ids
  }

  /// Number of ids, special ones included.
  public var vocabularySize: Int { tokens.count }

  /// Whether an id is one of the special tokens'.
  public func isSpecial(_ id: Int32) -> Bool { specialIDs.contains(id) }

  /// The ids of ordinary text; what looks like a special token is text too.
  public func encode(_ text: String) -> [Int32] {
    pattern.words(of: text).flatMap(encodeWord)
  }

  /// The ids of text that this program wrote itself, in which special tokens count as such.
  public func encodeTrusted(_ text: String) -> [Int32] {
    var result: [Int32] = [], rest = text[...]
    while let next = firstSpecial(in: rest) {
      result += encode(String(rest[..<next.range.lowerBound]))
      result.append(next.id)
      rest = rest[next.range.upperBound...]
    }
    return result + encode(String(rest))
  }

  private func firstSpecial(in text: Substring) -> (range: Range<Substring.Index>, id: Int32)? {
    var best: (range: Range<Substring.Index>, id: Int32)?
    for (name, id) in specialTokens {
      guard let range = text.range(of: name, options: .literal) else { continue }
      if let found = best,
        (found.range.lowerBound, text.distance(from: range.lowerBound, to: range.upperBound))
          <= (range.lowerBound, text.distance(from: found.range.lowerBound, to: found.range.upperBound))
      {
        continue
      }
      best = (range, id)
    }
    return best
  }

  /// The text of `ids`; bytes that are no UTF-8 become U+FFFD. Special tokens are left out unless asked for.
  public func decode(_ ids: [Int32], includingSpecial: Bool = false) -> String {
    String(decoding: ids.flatMap { includingSpecial || !isSpecial($0) ? bytes(of: $0) : [] }, as: UTF8.self)
  }

  /// The bytes of one token; none for an id that there is not.
  public func bytes(of id: Int32) -> [UInt8] { tokens.indices.contains(Int(id)) ? tokens[Int(id)] : [] }

  private func encodeWord(_ word: String) -> [Int32] {
    if let known = cache.withLock({ $0[word] }) { return known }
    let result = merged(Array(word.utf8))
    cache.withLock {
      if $0.count >= 50_000 { $0.removeAll() }  // a long-running program must not grow for ever
      $0[word] = result
    }
    return result
  }

  /// Joins the pair of lowest rank, the first of several, until none is left.
  private func merged(_ bytes: [UInt8]) -> [Int32] {
    if takesWholeWords, let id = ids[bytes] { return [id] }
    var chain = MergeChain(bytes.compactMap { ids[[$0]] }) { self.merge($0, $1) }
    return chain.merged()
  }

  private func merge(_ a: Int32, _ b: Int32) -> (rank: Int32, joined: Int32)? {
    switch merges {
    case .pairs(let table): table[Self.pair(a, b)]
    case .ranks: ids[tokens[Int(a)] + tokens[Int(b)]].map { ($0, $0) }
    }
  }

  static func pair(_ a: Int32, _ b: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
  }
}

/// The regular expression that cuts text into words.
struct WordPattern: @unchecked Sendable {
  /// Llama 3's, for files that do not name one (tiktoken's).
  static let llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private let expression: NSRegularExpression
  private let cutsDigits: Bool

  /// Throws for a pattern that is no regular expression.
  ///
  /// - Parameter cutsDigits: whether each digit is cut out before the pattern sees the text.
  init(_ pattern: String, cutsDigits: Bool = false) throws {
    self.cutsDigits = cutsDigits
    // ICU's \s is not Unicode's white space (it lacks U+0085 and U+000B); the reference's is.
    let unicode = pattern.replacing(#"\s"#, with: #"\p{White_Space}"#).replacing(
      #"\S"#, with: #"\P{White_Space}"#)
    expression = try NSRegularExpression(pattern: unicode)
  }

  /// The matches in order, and what stands between them.
  func words(of text: String) -> [String] {
    guard cutsDigits else { return matches(in: text) }
    var words: [String] = [], part = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard Self.numbers.contains(scalar.properties.generalCategory) else {
        part.append(scalar)
        continue
      }
      if !part.isEmpty { words += matches(in: String(part)) }
      words.append(String(scalar))
      part = .init()
    }
    return part.isEmpty ? words : words + matches(in: String(part))
  }

  private static let numbers: Set<Unicode.GeneralCategory> = [.decimalNumber, .letterNumber, .otherNumber]

  private func matches(in text: String) -> [String] {
    let source = text as NSString
    var words: [String] = [], position = 0
    expression.enumerateMatches(in: text, range: NSRange(location: 0, length: source.length)) { match, _, _ in
      guard let range = match?.range, range.length > 0 else { return }
      if range.location > position {
        words.append(source.substring(with: NSRange(location: position, length: range.location - position)))
      }
      words.append(source.substring(with: range))
      position = range.location + range.length
    }
    if position < source.length { words.append(source.substring(from: position)) }
    return words
  }
}

/// Turns a stream of tokens into text that never ends in half a character.
public struct StreamingDecoder {
  private let tokenizer: Tokenizer
  private var pending: [UInt8] = []

  /// Begins between two characters.
  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The characters that are complete now.
  public mutating func append(_ id: Int32) -> String {
    guard !tokenizer.isSpecial(id) else { return "" }
    pending += tokenizer.bytes(of: id)
    let complete = pending.count - Self.unfinished(pending)
    defer { pending.removeFirst(complete) }
    return String(decoding: pending.prefix(complete), as: UTF8.self)
  }

  /// What is left at the end, as it stands.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// Bytes at the end that begin a character and do not finish it: 0 to 3.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? back : 0
    }
    return 0
  }
}
