import Frames
import Requests

extension Size {
  /// Both sides within a range.
  func clamped(to range: ClosedRange<Int>) -> Size {
    Size(width.clamped(to: range), height.clamped(to: range))
  }
}

extension StudioState {
  static let inspectorWidth = 34

  /// Rows that the prompt takes: its text, at most 8.
  var promptLines: Int {
    let width = max(8, transcriptWidth - 4), most = max(1, min(8, terminal.size.height / 3))
    // A text that is longer fills them all, whatever the rest of it is.
    let text = prompt.editor.text.prefix(most * (width + 1))
    return min(most, TextWidth.lines(Array(text), width).count)
  }

  var transcriptWidth: Int {
    isInspectorBeside ? terminal.size.width - Self.inspectorWidth : terminal.size.width
  }
  /// Above the rule, the prompt, a line of attachments, and the status line: what is left for the transcript and a
  /// message below it.
  var upperHeight: Int { max(1, terminal.size.height - promptLines - 2 - (hasPictureLine ? 1 : 0)) }
  /// A message covers nothing: the transcript ends above it.
  var transcriptHeight: Int { toast == nil ? upperHeight : max(1, upperHeight - notice.count) }

  /// The message's lines where it has more to say than the status line takes: above the prompt then, said once.
  var notice: [String] {
    guard let toast, overlays.top == nil, !isTooSmall,
      toast.text.contains("\n") || TextWidth.columns(toast.text) > statusRoom
    else { return [] }
    let width = max(1, transcriptWidth - 2), most = max(1, upperHeight - 4)
    let lines = TextWidth.wrapped(toast.text, width)
    guard lines.count > most else { return lines }
    return lines.prefix(most - 1) + [TextWidth.fitted(lines[most - 1] + " …", width)]
  }

  /// Columns of the status line beside its keys.
  var statusRoom: Int {
    max(10, terminal.size.width - keyHints.reduce(0) { $0 + TextWidth.columns($1.0) + $1.1.count + 3 } - 3)
  }

  /// Whether a line above the prompt says which pictures a question is about.
  var hasPictureLine: Bool { !prompt.attachments.isEmpty || subjectText != nil }

  /// What a question that brings no picture would be about now, in words; nil where it would be about none.
  var subjectText: String? {
    guard conversation.replay == nil, !conversation.isReadOnly else { return nil }
    let named = namedFiles, isKnown = knownAbsent != nil
    // Whether there is such a file is found out when it is sent.
    if !isKnown, let first = named.first, named.allSatisfy({ !Mentions.isPath($0) }) {
      let other = prompt.mode == .ask ? subjectWithoutMentions.map { ", else \($0)" } ?? "" : ""
      return "\(first.fileName), if there is such a file\(other)"
    }
    let absent = absentFiles.map(\.fileName)
    let paths = named.filter { isKnown || Mentions.isPath($0) }.map(\.fileName).filter {
      !absent.contains($0)
    }
    if !absent.isEmpty {
      return (paths + ["no file is called \(absent.joined(separator: ", "))"]).joined(separator: ", ")
    }
    if !paths.isEmpty {
      if isKnown, !named.contains(where: isAbsent) { return paths.joined(separator: ", ") }
      let condition = paths.count == 1 ? "if there is such a file" : "if there are such files"
      return "\(paths.joined(separator: ", ")), \(condition)"
    }
    return prompt.mode == .ask ? subjectWithoutMentions : nil
  }

  /// Whether a word was looked for and names nothing.
  private func isAbsent(_ word: Mentions.Word) -> Bool {
    knownAbsent.map { absent in absent.places.contains { absent.mentions.words[$0] == word } } ?? false
  }

  /// Files that the prompt names.
  var mentions: [Mentions.Word] {
    let text = prompt.editor.text
    guard prompt.isLookedThrough, text.first != "/", text.contains("@") else { return [] }
    return Mentions(in: prompt.editor.string).words
  }

  private var subjectWithoutMentions: String? {
    func name(_ picture: PictureID) -> String {
      var prompt = origin(of: picture)?.settings.prompt.oneRow ?? ""
      // Pictures of one prompt are told apart by what is not the same, which comes first: the prompt is long.
      if let difference = differences(of: picture) { prompt = "\(difference) · \(prompt)" }
      let name = self.name(of: picture) ?? (prompt.isEmpty ? "a picture from a file" : prompt)
      return name + (album.missing.contains(picture) ? ", whose file is missing" : "")
    }
    if let picture = prompt.subject.picture { return name(picture) }
    if work.drawsSoon { return "what is being drawn" }
    let shown = conversation.transcript.shownLast
    return shown.first.map { shown.count == 1 ? name($0) : "\(shown.count) pictures" }
  }

  /// The cells that a picture takes when it is fitted into so many: whole cells around it, in which it keeps its
  /// proportions.
  ///
  /// - Parameter fills: whether all the room is used, and not only what a whole factor needs.
  func cells(of picture: PictureID, within limit: Size, fills: Bool = false) -> Size {
    let pixels = album.sizes[picture] ?? Size(128, 128), perCell = terminal.cell
    let width = Double(limit.width * perCell.width), height = Double(limit.height * perCell.height)
    // Small pictures are shown larger, by whole factors as far as they fit.
    let fit = min(width / Double(pixels.width), height / Double(pixels.height))
    // Of the test card each pixel is shown as it is.
    let isWhole = picture == .testCard ? fit >= 1 : fit >= 2 && !fills
    let factor = isWhole ? fit.rounded(.down) : fit
    func count(_ pixels: Int, _ perCell: Int, _ most: Int) -> Int {
      // What a rounding error adds is no cell.
      max(1, min(most, Int((Double(pixels) * factor / Double(perCell) - 1e-6).rounded(.up))))
    }
    return Size(
      count(pixels.width, perCell.width, limit.width), count(pixels.height, perCell.height, limit.height))
  }

  /// The most cells that a message's pictures may take, each.
  func room(for message: Message, width: Int) -> Size {
    if message.isRepeated { return Size(max(4, min(width - 4, 12)), 3) }
    let size = terminal.pictureSize, count = message.pictures.count
    // They grow with the screen, from what is right for a small one.
    let share = [0.15, 0.25, 0.4, 0.6, 1][size - 1], height = Double(upperHeight)
    let least = [5, 9, 14, 20, 30][size - 1]
    let tallest = max(least, Int(height * share))
    if message.isStrip || count > 4 {
      let columns = [8, 6, 5, 4, 3][size - 1]
      return Size(
        max(4, min(width - 4, max(13, width / columns))), max(3, min(upperHeight - 4, tallest * 4 / 7)))
    }
    let isSeveral = count > 1
    return Size(
      max(4, min(width - 4, isSeveral ? width / 3 : size > 3 ? width : width * 2 / 3)),
      max(3, min(upperHeight - 3, isSeveral ? tallest * 5 / 7 : tallest)))
  }
}

/// Where the prompt's text lies.
struct PromptLayout {
  /// The text's lines that can be seen, as places in it.
  let lines: [Range<Int>]
  /// Where the first of them stands.
  let top: Point
  let cursor: Point
  private let text: [Character]

  init(_ state: StudioState) {
    text = state.prompt.editor.text
    let width = max(8, state.transcriptWidth - 4), rows = state.promptLines
    let place = state.prompt.editor.cursor, all = Self.lines(text, width, around: place, rows)
    let row = all.lastIndex { $0.lowerBound <= place } ?? 0
    let first = max(0, min(row - rows + 1, all.count - rows))
    lines = Array(all[first..<min(all.count, first + rows)])
    top = Point(3, state.terminal.size.height - 1 - rows)
    let column = TextWidth.columns(String(text[all[row].lowerBound..<min(place, all[row].upperBound)]))
    cursor = Point(top.x + min(column, width), top.y + row - first)
  }

  /// The lines around a place, as many on each side as there are rows: a text may have a million others.
  private static func lines(_ text: [Character], _ width: Int, around place: Int, _ rows: Int) -> [Range<Int>]
  {
    // No lines so many are longer.
    let reach = (rows + 1) * (width + 1), end = min(text.count, place + reach)
    let start = beginning(of: text, before: place - reach)
    return TextWidth.lines(Array(text[start..<end]), width).map {
      $0.lowerBound + start..<$0.upperBound + start
    }
  }

  /// Where a line begins at or before a place: behind a line break, as far as one is near; else at one of fixed places.
  private static func beginning(of text: [Character], before place: Int) -> Int {
    guard place > 0 else { return 0 }
    let most = 8192, nearest = max(0, place - 2 * most)
    if let lineBreak = text[nearest..<place].lastIndex(where: \.isNewline) { return lineBreak + 1 }
    return nearest / most * most
  }

  /// The place in the text at a cell of the screen; nil outside of it.
  func place(at x: Int, _ y: Int) -> Int? {
    guard lines.indices.contains(y - top.y), x >= top.x - 2 else { return nil }
    let line = lines[y - top.y]
    var column = top.x
    for place in line {
      column += TextWidth.columns(text[place])
      if x < column { return place }
    }
    return line.upperBound
  }
}

/// Where the inspector's parts lie.
struct InspectorLayout {
  let area: Rect
  /// The guidance slider's track; nil where the inspector is not shown.
  let slider: SliderTrack?

  init(_ state: StudioState) {
    let x = state.terminal.size.width - StudioState.inspectorWidth
    area = Rect(x, 0, StudioState.inspectorWidth, state.terminal.size.height - 1)
    // Two columns for each whole scale from 0 to 15.
    slider = state.showsInspector ? SliderTrack(Rect(x + 2, 6, 31, 1)) : nil
  }

  /// First row of the values below the slider.
  var valuesTop: Int { 9 }

  func row(at x: Int, _ y: Int) -> Int? {
    guard area.contains(x, y) else { return nil }
    if (5...7).contains(y) { return 0 }
    let row = y - valuesTop + 1
    return (1..<InspectorState.rows.count).contains(row) ? row : nil
  }
}

extension Frame {
  /// Lays a picture of a session over cells; one whose file is gone is an empty frame with its name.
  mutating func show(_ picture: PictureID, in whole: Rect, clip: Rect, _ state: StudioState) {
    guard state.album.missing.contains(picture) else {
      return place(picture, in: whole, clip: clip, state.terminal.theme.text)
    }
    let inner = max(0, whole.width - 2)
    let label = inner < 20 ? (inner > 7 ? " missing" : "missing") : " \(picture.short) is missing"
    outline(whole, clip: clip, label, state.terminal.theme.dim)
  }

  /// An empty frame in the place of a picture, and why it is empty.
  mutating func outline(_ whole: Rect, clip: Rect, _ text: String, _ style: Style) {
    let inner = max(0, whole.width - 2), label = TextWidth.fitted(text, inner)
    for y in max(whole.y, clip.y)..<max(whole.y, clip.y, min(whole.maxY, clip.maxY)) {
      let isEdge = y == whole.y || y == whole.maxY - 1
      let ends = y == whole.y ? ("╭", "╮") : y == whole.maxY - 1 ? ("╰", "╯") : ("│", "│")
      let text = isEdge ? String(repeating: "╌", count: inner) : y == whole.y + whole.height / 2 ? label : ""
      let blanks = String(repeating: " ", count: max(0, inner - TextWidth.columns(text)))
      put(ends.0 + text + blanks + ends.1, whole.x, y, style, limit: max(0, clip.maxX - whole.x))
    }
  }
}
