import CWidth

/// Text as a terminal shows it: columns, wrapping, cutting.
public enum TextWidth {
  /// What of a character is sent: its first scalar and the marks that combine with it. Joiners and variation
  /// selectors are left out: terminals and the C library disagree about what follows them.
  public static func shown(_ character: Character) -> [UInt32] {
    var scalars: [UInt32] = []
    for scalar in character.unicodeScalars.prefix(mostScalars) {
      let value = scalar.value
      if scalars.isEmpty {
        scalars.append(value < 32 || value == 127 ? 0x20 : value)
      } else if value != 0x200D, !(0xFE00...0xFE0F).contains(value), scalars.count < 5, width(value) == 0 {
        scalars.append(value)
      }
    }
    if width(scalars[0]) < 0 { scalars = [0xFFFD] }
    return scalars
  }

  /// What a character may consist of: one scalar and thirty marks, as in Unicode's stream-safe text (UAX 15). Comparing
  /// two characters sorts their marks, which takes seconds where there are thousands.
  private static let mostScalars = 31

  /// A character without marks beyond those that any writing has.
  public static func bounded(_ character: Character) -> Character {
    guard character.utf8.count > mostScalars else { return character }
    let scalars = character.unicodeScalars.prefix(mostScalars)
    // Never more than one: a part of a character is none or one.
    return scalars.endIndex == character.unicodeScalars.endIndex
      ? character : String(scalars).first ?? character
  }

  /// A text of such characters.
  public static func bounded(_ text: String) -> String {
    // Most texts are of one byte a character.
    guard text.utf8.count > mostScalars, text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
    return String(text.map { bounded($0) as Character })
  }

  private static func width(_ scalar: UInt32) -> Int { Int(vugen_width(scalar)) }

  /// 0, 1 or 2 columns.
  public static func columns(_ character: Character) -> Int {
    // Not `isASCII`, which compares.
    if let first = character.utf8.first, first < 0x80 { return 1 }
    return max(0, width(shown(character)[0]))
  }

  /// Columns of a whole text on one line.
  public static func columns(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + columns($1) } }

  /// Whether a text needs more columns; of a long one only the beginning is looked at.
  private static func isWider(_ text: String, than width: Int) -> Bool {
    var used = 0
    return text.contains { character in
      used += columns(character)
      return used > width
    }
  }

  /// At most `width` columns, with an ellipsis where something was cut.
  public static func fitted(_ text: String, _ width: Int) -> String {
    guard isWider(text, than: width) else { return text }
    guard width > 0 else { return "" }
    var result = "", used = 0
    for character in text {
      let next = columns(character)
      if used + next > width - 1 { break }
      result.append(character)
      used += next
    }
    return result + "…"
  }

  /// The same, cut behind a word where one ends in the second half.
  public static func fittedAtWord(_ text: String, _ width: Int) -> String {
    let cut = fitted(text, width)
    guard cut != text, let end = cut.lastIndex(where: \.isWhitespace) else { return cut }
    // Where it is cut, a word ends.
    if text.dropFirst(cut.count - 1).first?.isWhitespace == true { return cut }
    var head = cut[..<end]
    // Of the sign behind the last word there is no need.
    while let last = head.last, last.isWhitespace || ",;:·–(".contains(last) { head.removeLast() }
    return 2 * columns(String(head)) < width ? cut : head + " …"
  }

  /// The end of a text, as much of it as takes at most `width` columns.
  public static func end(of text: String, _ width: Int) -> String {
    var used = 0, start = text.endIndex
    while start > text.startIndex {
      let before = text.index(before: start)
      used += columns(text[before])
      if used > width { break }
      start = before
    }
    return String(text[start...])
  }

  /// Lines of at most `width` columns, broken at spaces where there are any. Line breaks of the text stay.
  public static func wrapped(_ text: String, _ width: Int) -> [String] {
    guard width > 0 else { return [] }
    let characters = text.map { bounded($0) as Character }
    return lines(characters, width).map { String(characters[$0]) }
  }

  /// The same as places in the text: the blank or line break at which a line ends belongs to none.
  ///
  /// - Parameter width: 1 or more.
  public static func lines(_ text: [Character], _ width: Int) -> [Range<Int>] {
    var lines: [Range<Int>] = [], start = 0, used = 0
    var lastSpace: Int?
    func end(_ line: Int, next: Int) {
      lines.append(start..<line)
      (start, lastSpace, used) = (next, nil, 0)
    }
    for (i, character) in text.enumerated() {
      if character.isNewline {
        end(i, next: i + 1)
        continue
      }
      let next = columns(character)
      if used + next > width {
        if character == " " {
          end(i, next: i + 1)
          continue
        }
        end(lastSpace ?? i, next: lastSpace.map { $0 + 1 } ?? i)
        used = columns(String(text[start..<i]))
      }
      if character == " " { lastSpace = i }
      used += next
    }
    lines.append(start..<text.count)
    return lines
  }
}
