/// Files that a prompt names behind `@`, as in `what is in @cat.png and @'my dog.png'?`
public struct Mentions: Equatable, Sendable {
  /// One of them.
  public struct Word: Equatable, Sendable {
    /// Without quotes and backslashes, and without a sentence's sign behind it.
    public var path: String
    /// Where it stands in the text, its `@` included.
    var range: Range<Int>
    /// Whether a quote has no end.
    var isOpen = false
    /// Whether it has quotes or backslashes.
    var isQuoted = false

    /// Without the folders it lies in.
    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }
  }

  /// The prompt as it was written.
  public var text: String
  /// In their order.
  public var words: [Word] = []

  /// A word behind a blank or an opening bracket, or at the beginning, that begins with `@`.
  init(in text: String) {
    self.text = text
    // Of a long text without any it is soon known.
    guard text.utf8.contains(UInt8(ascii: "@")) else { return }
    let characters = Array(text)
    var at = 0, isStart = true
    while at < characters.count {
      if isStart, characters[at] == "@", let word = Self.word(characters, from: at) {
        words.append(word)
        at = word.range.upperBound
        isStart = false
        continue
      }
      isStart = characters[at].isWhitespace || Self.opening.contains(characters[at])
      at += 1
    }
  }

  /// What a sentence has before a name, and behind it.
  private static let opening: Set<Character> = ["(", "[", "{", "\"", "'", "«", "“", "‘", "¿", "¡"]
  private static let closing: Set<Character> = [
    "?", "!", ",", ";", ":", ".", ")", "]", "}", "\"", "'", "»", "”", "’", "…",
  ]

  private static func word(_ text: [Character], from start: Int) -> Word? {
    var path = "", at = start + 1, quote: Character?, plain = 0, isQuoted = false
    while at < text.count {
      let c = text[at]
      if c == "\\", quote != "'", at + 1 < text.count {
        // `\xE9` is a byte of a name: whoever opens it knows.
        if text[at + 1] == "x" { path.append(c) }
        path.append(text[at + 1])
        (at, plain, isQuoted) = (at + 2, 0, true)
        continue
      }
      if let open = quote {
        if c == open { quote = nil } else { path.append(c) }
      } else if c == "'" || c == "\"", plain == 0 || text[at - 1] == "/" {
        // Within a name it is a part of it: "@it's.png".
        (quote, plain, isQuoted) = (c, 0, true)
      } else if c.isWhitespace {
        break
      } else {
        path.append(c)
        plain += 1
      }
      at += 1
    }
    // "Is this @cat.png?"
    while plain > 0, let last = path.last, closing.contains(last), path.contains(where: \.isLetter) {
      path.removeLast()
      (at, plain) = (at - 1, plain - 1)
    }
    return path.isEmpty ? nil : Word(path: path, range: start..<at, isOpen: quote != nil, isQuoted: isQuoted)
  }

  /// Where a word ends as it stands, at the next blank and without a sentence's signs.
  private static func endOfPlainWord(_ text: [Character], _ word: Word) -> Int {
    let run = text[(word.range.lowerBound + 1)...].prefix { !$0.isWhitespace }
    return run.lastIndex { !closing.contains($0) }.map { $0 + 1 } ?? run.endIndex
  }

  /// The same, whose words reach as far as there is a file of that name: it may have blanks of its own, quotes, or a
  /// sentence's signs at its end, and nobody has quoted them.
  ///
  /// - Parameters:
  ///   - isFile: whether there is a file of a name.
  ///   - isFolder: the same of folders, where there is no file.
  public func withBlanks(_ isFile: (String) -> Bool, orFolder isFolder: (String) -> Bool = { _ in false })
    -> Mentions
  {
    var same = self
    let characters = Array(text)
    for (i, word) in words.enumerated() where !(word.isQuoted && !word.isOpen && isFile(word.path)) {
      let next = i + 1 < words.count ? words[i + 1].range.lowerBound : characters.count
      let start = word.range.lowerBound + 1, ends = Self.ends(characters, start..<next)
      func name(_ end: Int) -> String { String(characters[start..<end]) }
      let end =
        ends.first { isFile(name($0)) } ?? ends.first { isFolder(name($0)) }
        ?? (word.isOpen ? Self.endOfPlainWord(characters, word) : nil)
        ?? (isFolder(word.path) ? nil : Self.endOfPictureName(characters, word, before: next))
      guard let end else { continue }
      same.words[i].path = name(end)
      same.words[i].range = word.range.lowerBound..<end
    }
    return same
  }

  /// Where a name may end, the farthest first: before a blank, and before a sentence's signs that stand there.
  private static func ends(_ text: [Character], _ range: Range<Int>) -> [Int] {
    var ends: [Int] = [], blanks = 0
    for at in range.lowerBound + 1..<max(range.lowerBound + 1, range.upperBound + 1) {
      guard text[at - 1] != "\n", blanks < mostBlanks else { break }
      guard at == range.upperBound || text[at].isWhitespace, !text[at - 1].isWhitespace else { continue }
      blanks += 1
      // "… in @my cat.png)?"
      let signs = text[range.lowerBound..<at].reversed().prefix { closing.contains($0) }.count
      ends += (max(range.lowerBound + 1, at - signs)...at).map(\.self)
    }
    return ends.reversed()
  }

  private static let mostBlanks = 24

  /// Where "@my cat.png" ends of which there is no file: whoever writes it means all of it.
  private static func endOfPictureName(_ text: [Character], _ word: Word, before next: Int) -> Int? {
    guard !isPath(word) else { return nil }
    let rest = text[word.range.upperBound..<next].split(separator: " ", omittingEmptySubsequences: false)
    guard rest.first?.isEmpty == true else { return nil }
    for part in rest.dropFirst().prefix(3) {
      let signs = part.reversed().prefix { closing.contains($0) }.count, end = part.endIndex - signs
      if PastedPaths.isPictureName(String(text[part.startIndex..<end])) { return end }
      guard signs == 0, !part.isEmpty, !part.contains("\n") else { return nil }
    }
    return nil
  }

  /// Whether a word can only mean a file: one that is not there is a mistake then, else it is text.
  public static func isPath(_ word: Word) -> Bool {
    PastedPaths.isPictureName(word.path) || word.path.contains("/") || word.isQuoted || hasEnding(word.path)
  }

  /// Whether a name ends as a file's does, "notes.txt", and not as a host's.
  private static func hasEnding(_ path: String) -> Bool {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, let first = parts.first, let last = parts.last, !first.isEmpty else {
      return false
    }
    let hosts: Set = ["com", "org", "net", "edu", "gov", "info", "io", "dev", "app"]
    return (2...5).contains(last.count) && last.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
      && last.contains(where: \.isLetter) && !hosts.contains(last.lowercased())
  }

  /// A path as it is written behind `@`; a byte in it, such as `\xE9`, stays as it is.
  static func written(_ path: String) -> String {
    let characters = Array(path)
    return "@"
      + characters.indices.map { i in
        let c = characters[i], isByte = c == "\\" && i + 1 < characters.count && characters[i + 1] == "x"
        return !isByte && (c.isWhitespace || "\\'\"".contains(c)) ? "\\\(c)" : String(c)
      }.joined()
  }

  /// What is left of the text: words in a sentence become "the picture" or "picture 2", those before and behind it go.
  ///
  /// - Parameter attached: which words were files.
  func sentence(attached: [Int]) -> String {
    var result = Array(text)
    let names = attached.enumerated().map { attached.count == 1 ? "the picture" : "picture \($0.offset + 1)" }
    for (i, name) in zip(attached, names).reversed() where words.indices.contains(i) {
      let range = words[i].range
      let before = result[..<range.lowerBound].last { !$0.isWhitespace && !Self.opening.contains($0) }
      // Behind a word of the sentence; the other words are pictures themselves.
      let isWithin =
        before.map { $0.isLetter || $0.isNumber || $0 == "," } ?? false
        && !attached.contains { other in
          let word = words[other]
          return word.range.upperBound <= range.lowerBound
            && result[word.range.upperBound..<range.lowerBound].allSatisfy(\.isWhitespace)
        }
      result.replaceSubrange(range, with: Array(isWithin ? name : ""))
    }
    // What stood around a name that went says nothing by itself.
    let bare = ["()", "[]", "{}", "\"\"", "''", "«»", "“”"].reduce(String(result)) {
      $0.replacing($1, with: "")
    }
    guard bare.contains(where: { $0.isLetter || $0.isNumber }) else { return "" }
    return bare.split(separator: " ").joined(separator: " ").trimmingWhitespace()
  }
}

/// Words behind `@`, and which of them name no file.
struct AbsentFiles: Equatable {
  /// All of them, in the text in which they were looked for.
  let mentions: Mentions
  /// Which they are.
  let places: [Int]
}

extension StudioState {
  /// Words of the prompt that name no file, and cannot become a file's name by being written on.
  var absentFiles: [Mentions.Word] {
    guard let absent = knownAbsent else { return [] }
    let cursor = prompt.editor.cursor
    return absent.places.map { absent.mentions.words[$0] }.filter { word in
      PastedPaths.isPictureName(word.path)
        || Mentions.isPath(word) && !(word.range.lowerBound...word.range.upperBound).contains(cursor)
    }
  }

  /// Which of the prompt's words name no file; nil where that is not known.
  var knownAbsent: AbsentFiles? { prompt.lookedFor == prompt.editor.text ? prompt.absentFiles : nil }

  /// Files that the prompt names, as far as is known now: words that are text are none of them.
  var namedFiles: [Mentions.Word] {
    guard let absent = knownAbsent else { return mentions }
    return absent.mentions.words.enumerated().filter { place, word in
      Mentions.isPath(word) || !absent.places.contains(place)
    }.map(\.element)
  }

  /// Asks which words behind `@` name a file, once for each text.
  mutating func lookForFiles() -> [Effect] {
    // Of a text without any nothing is kept: it may be long.
    guard prompt.isLookedThrough, prompt.editor.text.contains("@") else {
      if !prompt.lookedFor.isEmpty { (prompt.lookedFor, prompt.absentFiles) = ([], nil) }
      return []
    }
    guard prompt.lookedFor != prompt.editor.text else { return [] }
    (prompt.lookedFor, prompt.absentFiles) = (prompt.editor.text, nil)
    let named = mentions
    // More than that nobody attaches.
    guard !named.isEmpty, named.count <= 16 else { return [] }
    return [.lookFor(Mentions(in: prompt.editor.string))]
  }

  mutating func takeLookedUp(_ mentions: Mentions, absent: [Int]) {
    guard Array(mentions.text) == prompt.lookedFor else { return }
    let places = absent.filter(mentions.words.indices.contains)
    prompt.absentFiles = AbsentFiles(mentions: mentions, places: places)
  }
}
