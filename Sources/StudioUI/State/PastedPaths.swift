/// What terminals and file managers paste when files are dropped: paths with quotes and backslashes, one or several.
public enum PastedPaths {
  private static let endings = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "jp2", "ppm", "pgm",
    "pbm", "pam",
  ]
  private static let beginnings = ["/", "~", "./", "../", "file://"]

  /// The paths of pictures that a text consists of; none where it is anything else.
  static func pictures(in text: String) -> [String] {
    if let words = words(of: text), words.count > 1, words.allSatisfy(isPicture) { return words }
    // One path, as it was pasted: a name may have blanks, quotes and backslashes of its own.
    let isOne = isPicture(text) || words(of: text).map { $0.count == 1 && isPicture($0[0]) } ?? false
    return isOne && !text.contains("\n") ? [text] : []
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
  /// where a quote has no end.
  public static func words(of text: String) -> [String]? {
    var words: [String] = [], word = "", isWord = false, quote: Character?, isEscaped = false
    for c in text {
      if isEscaped {
        if quote == "\"", !"\"\\$`".contains(c) { word.append("\\") }
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
}
