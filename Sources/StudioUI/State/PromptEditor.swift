import Frames

/// The text being written: Emacs keys, history, and attachments that are one character each.
public struct PromptEditor: Equatable, Sendable {
  /// What was typed.
  public private(set) var text: [Character] = []
  /// How many characters stand before it.
  public private(set) var cursor = 0
  private var killed: [Character] = []
  /// Older prompts, the newest last.
  public var history: [String] = []
  /// Where in the history we are; nil at the text being written.
  private var place: Int?
  private var draft: [Character] = []
  /// Ctrl-R: what is searched for.
  public private(set) var search: String?
  /// Where in the history it was found.
  private var hit: Int?

  /// Characters that it holds: several times what any model reads.
  public static let longest = Key.longestPaste
  /// Whether a text fits in.
  public static func holds(_ text: String) -> Bool { text.utf8.count <= longest || text.count <= longest }
  /// What is said where no more goes in.
  static let isFull = "the prompt is full: it holds \(size(of: longest)); nothing was put in"

  /// What is said of a text that is longer.
  public static func refusal(of what: String, bytes: Int) -> String {
    "\(what) of \(size(of: bytes)) is more than a prompt holds (\(size(of: longest))), and nothing of it was taken"
  }

  /// Near to what it holds exactly enough to tell the two apart.
  private static func size(of bytes: Int) -> String {
    bytes < 10_000_000 ? "\((bytes + 999) / 1000) kB" : Format.bytes(bytes)
  }

  /// Empty, with no history.
  public init() {}

  /// Whether nothing was typed.
  public var isEmpty: Bool { text.isEmpty }
  /// What was typed, as one text.
  public var string: String { String(text) }

  /// Replaces the text; the cursor goes to its end.
  public mutating func set(_ string: String) {
    text = Self.held(string)
    cursor = text.count
    place = nil
  }

  /// Puts a text in at the cursor, which goes behind it. False where it does not fit in: nothing is changed then.
  @discardableResult
  public mutating func insert(_ string: String) -> Bool {
    var characters = Self.characters(of: TextWidth.bounded(string))
    guard characters.count <= Self.longest - text.count else { return false }
    // A mark belongs to the character before it.
    if cursor > 0, let first = characters.first, TextWidth.columns(first) == 0 {
      cursor -= 1
      let joined = String(text.remove(at: cursor)) + String(first)
      characters.replaceSubrange(0..<1, with: joined.map { TextWidth.bounded($0) as Character })
    }
    text.insert(contentsOf: characters, at: cursor)
    cursor += characters.count
    return true
  }

  /// As much of a text as it holds: a log's prompts may be longer.
  private static func held(_ string: String) -> [Character] {
    let text = string.utf8.count <= longest ? string : String(string.prefix(longest))
    return Array(TextWidth.bounded(text))
  }

  private static let ascii = (0..<128).map { Character(Unicode.Scalar(UInt8($0))) }

  /// A text's characters: a pasted carriage return is a line break, a tab two blanks; other control characters have no place
  /// in a prompt. Byte by byte, as there may be a million.
  private static func characters(of text: String) -> [Character] {
    var bytes: [UInt8] = [], isPlain = true
    bytes.reserveCapacity(text.utf8.count)
    for byte in withLineFeeds(text).utf8 {
      switch byte {
      case 9: bytes += [32, 32]
      case 10, 32..<127: bytes.append(byte)
      case 128...:
        bytes.append(byte)
        isPlain = false
      default: break
      }
    }
    return isPlain ? bytes.map { ascii[Int($0)] } : Array(String(decoding: bytes, as: UTF8.self))
  }

  /// The same with one kind of line breaks: terminals send Return for them.
  static func withLineFeeds(_ text: String) -> String {
    guard text.utf8.contains(13) else { return text }
    var bytes: [UInt8] = [], last: UInt8 = 0
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if byte != 10 || last != 13 { bytes.append(byte == 13 ? 10 : byte) }
      last = byte
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The finished text; it goes into the history and the editor is empty.
  public mutating func take() -> String {
    let string = self.string
    remember(string)
    set("")
    return string
  }

  /// Adds a prompt to the history, unless it is the newest there already.
  public mutating func remember(_ string: String) {
    if !string.isEmpty, history.last != string { history.append(string) }
    if history.count > 1000 { history.removeFirst(history.count - 1000) }
  }

  /// Removes the character before the cursor.
  public mutating func deleteBackward() {
    guard cursor > 0 else { return }
    cursor -= 1
    text.remove(at: cursor)
  }

  /// Removes the character at the cursor.
  public mutating func deleteForward() {
    if cursor < text.count { text.remove(at: cursor) }
  }

  /// Moves the cursor by so many characters, as far as the text goes.
  public mutating func move(_ by: Int) { cursor = max(0, min(text.count, cursor + by)) }

  /// Moves the cursor to the beginning of its line.
  public mutating func moveToLineStart() {
    while cursor > 0, text[cursor - 1] != "\n" { cursor -= 1 }
  }

  /// Moves the cursor to the end of its line.
  public mutating func moveToLineEnd() {
    while cursor < text.count, text[cursor] != "\n" { cursor += 1 }
  }

  private func wordStart() -> Int {
    var at = cursor
    while at > 0, !text[at - 1].isLetter, !text[at - 1].isNumber { at -= 1 }
    while at > 0, text[at - 1].isLetter || text[at - 1].isNumber { at -= 1 }
    return at
  }

  private func wordEnd() -> Int {
    var at = cursor
    while at < text.count, !text[at].isLetter, !text[at].isNumber { at += 1 }
    while at < text.count, text[at].isLetter || text[at].isNumber { at += 1 }
    return at
  }

  /// Puts a text in the place of others; the cursor stands behind it.
  mutating func replace(_ range: Range<Int>, with string: String) {
    let range = range.clamped(to: 0..<text.count)
    text.replaceSubrange(range, with: Array(string))
    cursor = range.lowerBound + string.count
  }

  /// Whether it was written, not brought back from the history.
  var isWritten: Bool { place == nil }

  /// Puts the cursor before a character.
  mutating func moveCursor(to place: Int) { cursor = max(0, min(text.count, place)) }

  /// Moves the cursor over a word.
  public mutating func moveWord(forward: Bool) { cursor = forward ? wordEnd() : wordStart() }

  private mutating func kill(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    killed = Array(text[range])
    text.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Removes the word before or behind the cursor; `yank` brings it back.
  public mutating func killWord(forward: Bool) {
    kill(forward ? cursor..<wordEnd() : wordStart()..<cursor)
  }

  /// Removes the rest of the line, or the line's end where nothing else is left; `yank` brings it back.
  public mutating func killToLineEnd() {
    let start = cursor
    moveToLineEnd()
    kill(start..<max(start, cursor == start && cursor < text.count ? cursor + 1 : cursor))
  }

  /// Removes the line up to the cursor; `yank` brings it back.
  public mutating func killToLineStart() {
    let end = cursor
    moveToLineStart()
    kill(cursor..<end)
  }

  /// Puts in what was last removed by one of the kills.
  public mutating func yank() {
    guard killed.count <= Self.longest - text.count else { return }
    text.insert(contentsOf: killed, at: cursor)
    cursor += killed.count
  }

  // MARK: Lines and history

  /// Line and column of the cursor, in characters.
  private var position: (line: Int, column: Int) {
    let before = text[..<cursor]
    let line = before.count { $0 == "\n" }
    let start = (before.lastIndex(of: "\n") ?? -1) + 1
    return (line, cursor - start)
  }

  /// Up one line; from the first one into the history.
  public mutating func up() {
    let (line, column) = position
    guard line == 0 else { return go(toLine: line - 1, column) }
    recall(-1)
  }

  /// One line down, or a newer prompt from the last line.
  public mutating func down() {
    let (line, column) = position, lines = text.count { $0 == "\n" }
    guard line == lines else { return go(toLine: line + 1, column) }
    recall(1)
  }

  private mutating func go(toLine line: Int, _ column: Int) {
    var at = 0
    for _ in 0..<line { at = (text[at...].firstIndex(of: "\n") ?? text.count - 1) + 1 }
    let end = text[at...].firstIndex(of: "\n") ?? text.count
    cursor = min(at + column, end)
  }

  private mutating func recall(_ step: Int) {
    guard !history.isEmpty else { return }
    let last = history.count, next = (place ?? last) + step
    guard (0...last).contains(next) else { return }
    if place == nil { draft = text }
    text = next == last ? draft : Self.held(history[next])
    cursor = text.count
    place = next == last ? nil : next
  }

  // MARK: Searching the history

  /// Begins a search, or goes on to an older prompt that fits. False where there is none.
  public mutating func searchOlder() -> Bool {
    guard search != nil else {
      (search, hit) = ("", history.indices.last)
      return true
    }
    guard let next = fitting(history[..<(hit ?? 0)].indices.reversed()) else { return false }
    hit = next
    return true
  }

  /// Back to a newer prompt that fits. False where there is none.
  public mutating func searchNewer() -> Bool {
    guard let hit, let next = fitting(history[(hit + 1)...].indices) else { return false }
    self.hit = next
    return true
  }

  /// One more character, or one fewer for nil.
  public mutating func search(_ character: Character?) {
    guard var wanted = search else { return }
    if let character { wanted.append(character) } else if !wanted.isEmpty { wanted.removeLast() }
    search = wanted
    // What is found already may still fit; with less to fit the newest comes first again.
    let from = character == nil ? history.count - 1 : hit ?? -1
    hit = history.indices.reversed().first { $0 <= from && fits($0) }
  }

  /// The prompt that was found.
  public var found: String? { hit.flatMap { history.indices.contains($0) ? history[$0] : nil } }

  private func fits(_ at: Int) -> Bool {
    guard let search, !search.isEmpty else { return true }
    return history[at].localizedCaseContains(search)
  }

  /// The first of these that fits and is another text than the one that was found.
  private func fitting(_ places: some Sequence<Int>) -> Int? {
    places.first { fits($0) && history[$0] != found }
  }

  /// What was found becomes the text; Up goes on from its place in the history.
  public mutating func endSearch(accepting: Bool) {
    if accepting, let found, let hit {
      if place == nil { draft = text }
      text = Self.held(found)
      (cursor, place) = (text.count, hit)
    }
    (search, hit) = (nil, nil)
  }
}

extension String {
  /// Whether it holds `other`, without regard to case.
  func localizedCaseContains(_ other: String) -> Bool { lowercased().holds(other.lowercased()) }
}
