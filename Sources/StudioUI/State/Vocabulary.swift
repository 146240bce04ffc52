import Frames

/// What a model was taught, as a file in its folder lists it.
///
///     # Words
///     a an one two on left of white red …
///
///     # Animals
///     butterfly ; butterflies ; hue
///
/// The words of the first section go with any thing; the other sections are kinds of things: name, plural, and `hue`
/// where it was seen in every colour.
public struct Vocabulary: Equatable, Sendable {
  /// Something that it can draw and name.
  public struct Thing: Equatable, Sendable {
    /// In the singular, and the heading that it stands under.
    public let name, kind: String
    /// Whether it was seen in every colour.
    public let isColourable: Bool
  }

  /// In the file's order.
  public private(set) var things: [Thing] = []
  private var words: Set<String> = []
  /// Those of them that name things and colours.
  private var named: Set<String> = []

  /// nil for a text that lists nothing.
  public init?(_ text: String) {
    var kind = ""
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("# ") {
        kind = String(line.dropFirst(2)).trimmingWhitespace()
        continue
      }
      let said = Self.words(of: line).map(\.text)
      words.formUnion(said)
      named.formUnion(kind == "Words" ? said.filter(Self.colours.contains) : said)
      guard kind != "Words", !kind.isEmpty else { continue }
      let parts = line.split(separator: ";").map { $0.trimmingCharacters() }
      guard let name = parts.first, !name.isEmpty else { continue }
      things.append(Thing(name: name, kind: kind, isColourable: parts.dropFirst(2).contains("hue")))
    }
    words.remove("hue")
    named.remove("hue")
    guard !things.isEmpty else { return nil }
  }

  /// Words for colours that a list may have among the others.
  private static let colours: Set = [
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "black", "white", "gray",
    "grey", "lavender", "beige", "teal", "turquoise", "cyan", "magenta", "gold", "silver",
  ]

  /// Its headings, in the file's order.
  var kinds: [String] {
    var kinds: [String] = []
    for thing in things where !kinds.contains(thing.kind) { kinds.append(thing.kind) }
    return kinds
  }

  /// The things that a word is about: those of a kind that it begins, else those of which a word begins so.
  func things(like text: String) -> [Thing] {
    let text = text.lowercased()
    guard !text.isEmpty else { return things }
    let ofKind = things.filter { $0.kind.lowercased().hasPrefix(text) }
    guard ofKind.isEmpty, let wanted = Ranking(text) else { return ofKind }
    // Not what only has it somewhere within a word.
    let found = things.compactMap { thing in wanted.rank(thing.name).map { (thing, $0) } }
    return Ranking.sorted(found.filter { $0.1 < 3 })
  }

  /// Runs of letters, in lower case, and where they stand; but for other programs' tags, as `<lora:name:0.8>`.
  private static func words(of text: some StringProtocol) -> [(text: String, range: Range<Int>)] {
    var words: [(String, Range<Int>)] = [], word = "", start = 0
    let text = text.contains("<") ? withoutTags(String(text)) : String(text)
    for (i, c) in (Array(text) + [" "]).enumerated() {
      if c.isLetter {
        if word.isEmpty { start = i }
        word += c.lowercased()
      } else if !word.isEmpty {
        words.append((word, start..<i))
        word = ""
      }
    }
    return words
  }

  /// Blanks in the place of what stands between angle brackets and has a colon in it.
  private static func withoutTags(_ text: String) -> String {
    text.replacing(#/<[A-Za-z]+:[^<>\n]*>/#) { String(repeating: " ", count: $0.output.count) }
  }

  /// Where words stand that it does not have.
  ///
  /// - Parameter cursor: what stands before it is still being written: a beginning is enough there.
  func unknown(in text: String, cursor: Int) -> [Range<Int>] {
    Self.words(of: text).filter { word in
      if words.contains(word.text) { return false }
      return word.range.upperBound != cursor || !words.contains { $0.hasPrefix(word.text) }
    }.map(\.range)
  }

  /// A word that it does not have, and what may have been meant.
  public struct UnknownWord: Codable, Equatable, Sendable {
    /// In lower case.
    public let word: String
    /// nil where nothing is like it.
    public let nearest: String?

    /// As much of it as a message can say: "'aple' (apple?)".
    public var shown: String { "'\(Vocabulary.shown(word))'" + (nearest.map { " (\($0)?)" } ?? "") }
  }

  /// The words of a finished text that it does not have, each once. Single letters are not looked for: they are seldom
  /// words that somebody mistyped.
  public func unknownWords(in text: String) -> [UnknownWord] {
    var seen: Set<String> = []
    return Self.words(of: text).map(\.text).filter { word in
      word.count > 1 && !words.contains(word) && seen.insert(word).inserted
    }.map { UnknownWord(word: $0, nearest: nearest(to: $0)) }
  }

  /// A longer one is no mistyped word: the longest in a dictionary have fewer letters.
  static let longestWord = 40

  /// What an unknown word may have meant: the same word as it is spelt elsewhere, a thing that begins so, the word that the likeliest slips lead to, or a thing
  /// that it has in it.
  func nearest(to word: String) -> String? {
    guard word.utf8.count <= 4 * Self.longestWord, word.count <= Self.longestWord else { return nil }
    let word = word.lowercased()
    if let same = Spellings.others(of: word).first(where: words.contains) { return same }
    if word.count >= 3, let thing = things.first(where: { $0.name.hasPrefix(word) }) { return thing.name }
    if let near = mistyped(word) { return near }
    func shared(_ name: String) -> Int { zip(name, word).prefix { $0 == $1 }.count }
    if let thing = things.max(by: { shared($0.name) < shared($1.name) }), shared(thing.name) >= 4,
      2 * shared(thing.name) >= thing.name.count
    {
      return thing.name
    }
    // "sportscar": what it has in it.
    return things.filter { $0.name.count >= 3 && (word.hasSuffix($0.name) || word.hasPrefix($0.name)) }
      .max { $0.name.count < $1.name.count }?.name
  }

  /// The word that the likeliest slips lead to, two at most; of equals a thing or a colour before others.
  private func mistyped(_ word: String) -> String? {
    let letters = Self.letters(word), length = word.count
    let close = words.filter { near in
      // Two slips change no more than four letters of English.
      let isFar = word.utf8.count == length && (Self.letters(near) ^ letters).nonzeroBitCount > 4
      guard near.utf8.count > 2, !isFar else { return false }
      guard near.count > 2, abs(near.count - length) <= 2 else { return false }
      let changes = Self.changes(near, word) { _ in 1 }
      return changes <= 2 && 2 * changes < max(near.count, word.count)
    }
    return close.map { near -> (Int, Int, String) in
      // Whoever mistypes a word seldom mistypes how it begins.
      let slips = Self.changes(near, word, \.weight) + (near.first == word.first ? 0 : 2)
      return (slips, named.contains(near) ? 0 : 1, near)
    }.min { $0 < $1 }?.2
  }

  /// Which letters a word has, a bit each; others than those of English share theirs.
  private static func letters(_ word: String) -> UInt64 {
    word.utf8.reduce(0) { $0 | 1 << UInt64($1 & 63) }
  }

  /// How many slips lead from one word to another.
  static func slips(from word: String, to other: String) -> Int { changes(word, other) { _ in 1 } }

  /// As much of a word as a message can say.
  static func shown(_ word: String) -> String {
    TextWidth.fitted(String(word.prefix(longestWord + 1)), longestWord)
  }

  /// What fingers do to a word.
  private enum Slip {
    /// A letter that stands twice, or once where it should twice.
    case doubled
    /// A letter too many or too few.
    case moreOrLess
    /// Two neighbours in the wrong order.
    case swapped
    /// Another letter.
    case other

    /// The likelier, the less.
    var weight: Int {
      switch self {
      case .doubled: 1
      case .moreOrLess, .swapped: 2
      case .other: 3
      }
    }
  }

  /// The least that leads from one word to another.
  private static func changes(_ a: String, _ b: String, _ weight: (Slip) -> Int) -> Int {
    let a = Array(a), b = Array(b)
    func single(_ word: [Character], _ i: Int) -> Int {
      weight(i > 0 && word[i] == word[i - 1] ? .doubled : .moreOrLess)
    }
    var older: [Int] = [], before = [0]
    for j in b.indices { before.append(before[j] + single(b, j)) }
    for i in a.indices {
      var row = [before[0] + single(a, i)]
      for j in b.indices {
        let other = a[i] == b[j] ? 0 : weight(.other)
        var least = min(before[j + 1] + single(a, i), row[j] + single(b, j), before[j] + other)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, older[j - 1] + weight(.swapped))
        }
        row.append(least)
      }
      (older, before) = (before, row)
    }
    return before[b.count]
  }

  /// A prompt that comes out well: one thing, in a colour where it has any, on a plain background.
  func suggestion(_ number: UInt64) -> String {
    func mixed(_ salt: UInt64) -> UInt64 {
      var x = number &+ salt &* 0x9E37_79B9_7F4A_7C15
      x = (x ^ x >> 30) &* 0xBF58_476D_1CE4_E5B9
      x = (x ^ x >> 27) &* 0x94D0_49BB_1331_11EB
      return x ^ x >> 31
    }
    func pick<T>(_ list: [T], _ salt: UInt64) -> T { list[Int(mixed(salt) % UInt64(list.count))] }
    let thing = pick(things, 1)
    let colour =
      thing.isColourable ? pick(["red", "blue", "green", "yellow", "purple", "pink"], 2) + " " : ""
    let background = pick(["white", "light blue", "light gray", "light green", "light yellow"], 3)
    return Self.withArticle(colour + thing.name) + " on a \(background) background"
  }

  static func withArticle(_ name: String) -> String {
    // What has no singular takes none.
    if ["glasses", "trousers", "grapes", "scissors"].contains(where: name.hasSuffix) { return name }
    return ("aeiou".contains(name.first ?? "x") ? "an " : "a ") + name
  }
}
