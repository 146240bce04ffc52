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

    /// Without the folders it lies in.
    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }
  }

  /// The prompt as it was written.
  public var text: String
  /// In their order.
  public var words: [Word] = []

  /// A word behind a blank, or at the beginning, that begins with `@`.
  init(in text: String) {
    self.text = text
    let characters = Array(text)
    var at = 0, isStart = true
    while at < characters.count {
      if isStart, characters[at] == "@", let word = Self.word(characters, from: at) {
        words.append(word)
        at = word.range.upperBound
        isStart = false
        continue
      }
      isStart = characters[at].isWhitespace
      at += 1
    }
  }

  private static func word(_ text: [Character], from start: Int) -> Word? {
    var path = "", at = start + 1, quote: Character?, plain = 0
    while at < text.count {
      let c = text[at]
      if c == "\\", quote != "'", at + 1 < text.count {
        // `\xE9` is a byte of a name: whoever opens it knows.
        if text[at + 1] == "x" { path.append(c) }
        path.append(text[at + 1])
        (at, plain) = (at + 2, 0)
        continue
      }
      if let open = quote {
        if c == open { quote = nil } else { path.append(c) }
      } else if c == "'" || c == "\"" {
        (quote, plain) = (c, 0)
      } else if c.isWhitespace {
        break
      } else {
        path.append(c)
        plain += 1
      }
      at += 1
    }
    // "Is this @cat.png?"
    while plain > 0, let last = path.last, "?!,;:.)".contains(last), path.contains(where: \.isLetter) {
      path.removeLast()
      (at, plain) = (at - 1, plain - 1)
    }
    return path.isEmpty ? nil : Word(path: path, range: start..<at, isOpen: quote != nil)
  }

  /// The same, whose words reach as far as there is a file of that name: a path may have blanks of its own, and nobody has
  /// quoted them.
  ///
  /// - Parameter isFile: whether there is a file of a name.
  public func withBlanks(_ isFile: (String) -> Bool) -> Mentions {
    var same = self
    let characters = Array(text)
    for (i, word) in words.enumerated() {
      let start = word.range.lowerBound + 1
      // One with quotes or backslashes says itself where it ends.
      guard String(characters[start..<word.range.upperBound]) == word.path else { continue }
      let next = i + 1 < words.count ? words[i + 1].range.lowerBound : characters.count
      var ends: [Int] = [], at = word.range.upperBound
      while at < next, characters[at] != "\n", ends.count < Self.mostBlanks {
        at += 1
        guard at == next || characters[at].isWhitespace, !characters[at - 1].isWhitespace else { continue }
        // "… in @my cat.png?"
        ends += "?!,;:.)".contains(characters[at - 1]) ? [at - 1, at] : [at]
      }
      guard let end = ends.last(where: { isFile(String(characters[start..<$0])) }) else { continue }
      same.words[i].path = String(characters[start..<end])
      same.words[i].range = word.range.lowerBound..<end
    }
    return same
  }

  private static let mostBlanks = 24

  /// Whether a word can only mean a file: one that is not there is a mistake then, else it is text.
  public static func isPath(_ word: Word) -> Bool {
    PastedPaths.isPictureName(word.path) || word.path.contains("/")
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
      let before = result[..<range.lowerBound].last { !$0.isWhitespace }
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
    return String(result).split(separator: " ").joined(separator: " ").trimmingWhitespace()
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
    guard let absent = prompt.absentFiles, prompt.lookedFor == prompt.editor.text else { return [] }
    let cursor = prompt.editor.cursor
    return absent.places.map { absent.mentions.words[$0] }.filter { word in
      PastedPaths.isPictureName(word.path)
        || Mentions.isPath(word) && !(word.range.lowerBound...word.range.upperBound).contains(cursor)
    }
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
    guard named.contains(where: Mentions.isPath), named.count <= 16 else { return [] }
    return [.lookFor(Mentions(in: prompt.editor.string))]
  }

  mutating func takeLookedUp(_ mentions: Mentions, absent: [Int]) {
    guard Array(mentions.text) == prompt.lookedFor else { return }
    let places = absent.filter(mentions.words.indices.contains)
    prompt.absentFiles = AbsentFiles(mentions: mentions, places: places)
  }
}
