/// What terminals and file managers paste when files are dropped: paths with quotes and backslashes, one or several.
public enum PastedPaths {
  /// Bytes of a text that is looked through for paths.
  static let longest = 1 << 16
  private static let endings = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "jp2", "ppm", "pgm",
    "pbm", "pam",
  ]
  private static let beginnings = ["/", "~", "./", "../", "file://"]

  /// The paths of pictures that a text consists of; none where it is anything else.
  static func pictures(in text: String) -> [String] {
    let words = words(of: text) ?? []
    if words.count > 1, words.allSatisfy(isPicture) { return words }
    // One path, as it was pasted: a name may have blanks, quotes, backslashes and, in quotes, line breaks of its own.
    if words.count == 1, isPicture(words[0]) { return [text] }
    return isPicture(text) && !text.contains("\n") ? [text] : []
  }

  /// Whether a text begins as only a path does, in quotes or without.
  static func beginsAsPath(_ text: String) -> Bool {
    let start = text.drop { "'\"".contains($0) }
    return ["/", "~/", "./", "../", "file://"].contains(where: start.hasPrefix)
  }

  private static func isPicture(_ path: String) -> Bool {
    beginnings.contains(where: path.hasPrefix) && isPictureName(path)
  }

  /// Whether a name ends as pictures' names do.
  static func isPictureName(_ path: String) -> Bool {
    let lower = path.lowercased()
    return endings.contains { lower.hasSuffix("." + $0) }
  }

  /// What follows a command: several pictures' paths, or one as it stands.
  static func arguments(_ text: String) -> [String] {
    if let words = words(of: text), words.count > 1, words.allSatisfy(isPictureName) { return words }
    return [text]
  }

  /// A text as a shell splits it: quotes of both kinds, backslashes, and their mixtures such as `'it'\\''s.png'`. nil
  /// where a quote has no end. `\xE9`, which stands for a byte of a name, stays as it is, and `$'\351'` becomes it.
  public static func words(of text: String) -> [String]? {
    var words: [String] = [], word = "", isWord = false, quote: Character?, isEscaped = false
    let text = text.contains("$'") ? withoutDollarQuotes(text) : text
    for c in text {
      if isEscaped {
        if quote == "\"" ? !"\"\\$`".contains(c) : c == "x" { word.append("\\") }
        word.append(c)
        isEscaped = false
      } else if c == "\\", quote != "'" {
        (isEscaped, isWord) = (true, true)
      } else if let open = quote {
        if c == open { quote = nil } else { word.append(c) }
      } else if c == "'" || c == "\"" {
        (quote, isWord) = (c, true)
      } else if c.isWhitespace {
        if isWord { words.append(word) }
        (word, isWord) = ("", false)
      } else {
        word.append(c)
        isWord = true
      }
    }
    guard quote == nil, !isEscaped else { return nil }
    return isWord ? words + [word] : words
  }

  /// The same with `$'a\nb\351'`, which shells write for names with odd characters, as a word in plain quotes.
  private static func withoutDollarQuotes(_ text: String) -> String {
    var rest = text[...], result = ""
    while let start = rest.firstIndex(of: "$") {
      let quote = rest.index(after: start)
      guard quote < rest.endIndex, rest[quote] == "'",
        let (inner, end) = dollarQuoted(rest[rest.index(after: quote)...])
      else {
        result += rest[...start]
        rest = rest[quote...]
        continue
      }
      result += rest[..<start] + "'" + inner.replacing("'", with: "'\\''") + "'"
      rest = rest[end...]
    }
    return result + rest
  }

  /// What stands between `$'` and its end, and the place behind that.
  private static func dollarQuoted(_ text: Substring) -> (String, Substring.Index)? {
    let plain: [Character: String] = ["n": "\n", "t": "\t", "\\": "\\", "'": "'", "\"": "\""]
    var inner = "", at = text.startIndex
    while at < text.endIndex {
      let c = text[at]
      at = text.index(after: at)
      if c == "'" { return (inner, at) }
      guard c == "\\", at < text.endIndex else {
        inner.append(c)
        continue
      }
      let octal = text[at...].prefix(3).prefix { ("0"..."7").contains($0) }
      if let byte = UInt8(octal, radix: 8), byte > 0 {
        inner += byte < 128 ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16, uppercase: true)
        at = octal.endIndex
      } else {
        inner += plain[text[at]] ?? "\\\(text[at])"
        at = text.index(after: at)
      }
    }
    return nil
  }
}
