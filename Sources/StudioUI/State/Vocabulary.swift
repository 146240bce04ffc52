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

  /// nil for a text that lists nothing.
  public init?(_ text: String) {
    var kind = ""
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("# ") {
        kind = String(line.dropFirst(2)).trimmingWhitespace()
        continue
      }
      words.formUnion(Self.words(of: line).map(\.text))
      guard kind != "Words", !kind.isEmpty else { continue }
      let parts = line.split(separator: ";").map { $0.trimmingCharacters() }
      guard let name = parts.first, !name.isEmpty else { continue }
      things.append(Thing(name: name, kind: kind, isColourable: parts.dropFirst(2).contains("hue")))
    }
    words.remove("hue")
    guard !things.isEmpty else { return nil }
  }

  /// Runs of letters, in lower case, and where they stand.
  private static func words(of text: some StringProtocol) -> [(text: String, range: Range<Int>)] {
    var words: [(String, Range<Int>)] = [], word = "", start = 0
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

  /// Where words stand that it does not have.
  ///
  /// - Parameter cursor: what stands before it is still being written: a beginning is enough there.
  func unknown(in text: String, cursor: Int) -> [Range<Int>] {
    Self.words(of: text).filter { word in
      if words.contains(word.text) { return false }
      return word.range.upperBound != cursor || !words.contains { $0.hasPrefix(word.text) }
    }.map(\.range)
  }

  /// A longer one is no mistyped word: the longest in a dictionary have fewer letters.
  static let longestWord = 40

  /// What an unknown word may have meant: a thing that begins so, or the word that fewest changes lead to.
  func nearest(to word: String) -> String? {
    guard word.utf8.count <= 4 * Self.longestWord, word.count <= Self.longestWord else { return nil }
    let word = word.lowercased()
    if word.count >= 3, let thing = things.first(where: { $0.name.hasPrefix(word) }) { return thing.name }
    func shared(_ name: String) -> Int { zip(name, word).prefix { $0 == $1 }.count }
    if let thing = things.max(by: { shared($0.name) < shared($1.name) }), shared(thing.name) >= 4,
      2 * shared(thing.name) >= thing.name.count
    {
      return thing.name
    }
    let best = words.filter { $0.count > 2 }.map { ($0, Self.changes($0, word)) }
      .min { ($0.1, $0.0) < ($1.1, $1.0) }
    guard let (near, changes) = best, changes <= 2, 2 * changes < max(near.count, word.count) else {
      // "sportscar": what it has in it.
      return things.filter { $0.name.count >= 3 && (word.hasSuffix($0.name) || word.hasPrefix($0.name)) }
        .max { $0.name.count < $1.name.count }?.name
    }
    return near
  }

  /// As much of a word as a message can say.
  static func shown(_ word: String) -> String {
    TextWidth.fitted(String(word.prefix(longestWord + 1)), longestWord)
  }

  /// Letters put in, left out, exchanged for others, or swapped with their neighbour.
  private static func changes(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var older: [Int] = [], before = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(before[j + 1] + 1, row[j] + 1, before[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, older[j - 1] + 1) }
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
