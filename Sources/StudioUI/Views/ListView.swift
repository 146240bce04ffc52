import Frames
import Requests

/// Where the parts of a list lie.
struct ListLayout {
  /// With its border.
  let box: Rect
  /// The filter's line and the lines to choose from.
  let inner: Rect
  /// The selected line's picture; nil where there is none.
  let preview: Rect?
  /// What stands beside the selected line, as a whole; nil where no list needs that.
  let footer: Rect?
  /// The first line that is shown, how many fit, and how many there are.
  let first, rows: Int
  private let count: Int

  init(_ list: ListOverlay, _ state: StudioState) {
    let height = list.hasPictures ? 24 : min(24, max(8, list.choices.count + 5))
    box = popUpArea(state, width: list.hasPictures ? 96 : 84, height: height)
    var inner = box.inset(2, 1), preview: Rect?
    if list.hasPictures, state.terminal.hasPictures, inner.width >= 50 {
      let width = min(30, inner.width / 3)
      inner.width -= width + 2
      preview = Rect(inner.maxX + 2, inner.y, width, inner.height)
    }
    (self.inner, self.preview, count) = (inner, preview, list.shown.count)
    let below = list.footerRows(inner.width)
    footer = below == 0 ? nil : Rect(inner.x, inner.maxY - below, inner.width, below)
    rows = max(1, inner.height - 2 - (below == 0 ? 0 : below + 1))
    first = max(0, min(list.selected - rows / 2, count - rows))
  }

  /// The line at a cell of the screen.
  func line(at x: Int, _ y: Int) -> Int? {
    let row = y - inner.y - 2
    guard (inner.x - 1..<inner.maxX + 1).contains(x), (0..<rows).contains(row), first + row < count else {
      return nil
    }
    return first + row
  }
}

func drawList(_ list: ListOverlay, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, shown = list.shown, layout = ListLayout(list, state), inner = layout.inner
  drawBox(layout.box, title: list.title, state, &frame)
  if let preview = layout.preview { drawPreview(of: list, state, preview, &frame) }
  drawFilter(list, inner, theme, &frame)
  if shown.isEmpty {
    frame.put(
      list.choices.isEmpty && list.filter.isEmpty ? "nothing here" : "no matches", inner.x, inner.y + 2,
      theme.dim)
  }
  let widest = (shown.map { TextWidth.columns($0.title) }.max() ?? 0) + 4
  // Both are cut where both are long.
  let details = shown.map { TextWidth.columns($0.detail) }.max() ?? 0
  let least = shown.map { TextWidth.columns(facts(of: $0)[0]) }.max() ?? 0
  let room = min(details, max(inner.width * 2 / 5, min(least, inner.width / 2)))
  let titleWidth = max(12, min(inner.width - 1 - room, widest))
  for (i, choice) in shown[layout.first...].prefix(layout.rows).enumerated() {
    let isSelected = layout.first + i == list.selected, y = inner.y + 2 + i
    let style = isSelected ? theme.selection : theme.text, detail = isSelected ? style : theme.dim
    if isSelected { frame.fill(Rect(inner.x - 1, y, inner.width + 2, 1), " ", style) }
    var x = inner.x
    if shown.contains(where: \.isCurrent) {
      frame.put(choice.isCurrent ? "●" : " ", x, y, isSelected ? style : theme.accent)
      x += 2
    }
    frame.put(TextWidth.fitted(choice.title, titleWidth - (x - inner.x)), x, y, style)
    let space = inner.width - titleWidth - 1
    frame.put(fitted(facts(of: choice), space), inner.x + titleWidth + 1, y, detail)
  }
  if let footer = layout.footer, let detail = list.choice?.detail,
    fitted([detail], inner.width - titleWidth - 1) != detail
  {
    for (i, line) in TextWidth.wrapped(detail, footer.width).prefix(footer.height).enumerated() {
      frame.put(line, footer.x, footer.y + i, theme.text)
    }
  }
  let below = shown.count - layout.first - layout.rows
  if below > 0 { frame.put(" \(below) more ↓ ", layout.box.x + 3, layout.box.maxY - 1, theme.dim) }
}

/// What stands beside a line, fact by fact.
private func facts(of choice: Choice) -> [String] {
  choice.detail.split(separator: "·", omittingEmptySubsequences: false).map { $0.trimmingCharacters() }
}

/// As many facts as there is room for as a whole; the first is cut where it must be, and the last where it is long
/// enough to be read that way.
private func fitted(_ facts: [String], _ width: Int) -> String {
  var text = facts[0]
  for fact in facts.dropFirst() {
    let longer = "\(text) · \(fact)", left = width - TextWidth.columns(text) - 3
    if left < TextWidth.columns(fact), left < 12 || TextWidth.columns(fact) <= 24 { break }
    text = longer
  }
  return TextWidth.fittedAtWord(text, width)
}

extension ListOverlay {
  /// Rows for what a command does, of which the list cuts what is long.
  fileprivate func footerRows(_ width: Int) -> Int {
    guard purpose == .palette, width > 0 else { return 0 }
    let widest = choices.map { TextWidth.columns($0.detail) }.max() ?? 0
    return widest > width ? 2 : 1
  }
}

private func drawFilter(_ list: ListOverlay, _ inner: Rect, _ theme: Theme, _ frame: inout Frame) {
  let isTitle = list.newTitle != nil, text = list.newTitle ?? list.filter
  let head = isTitle ? "title › " : "› "
  let x = inner.x + frame.put(head, inner.x, inner.y, theme.accent)
  if text.isEmpty, !isTitle {
    frame.put("type to filter", x, inner.y, theme.dim)
    frame.cursor = Point(x, inner.y)
    return
  }
  // The end is what is being written.
  let room = max(4, inner.width - head.count - 1)
  let tail = TextWidth.end(of: text, room)
  let used = frame.put(tail, x, inner.y, theme.text)
  frame.cursor = Point(x + used, inner.y)
}

/// The selected line's picture beside the list.
private func drawPreview(of list: ListOverlay, _ state: StudioState, _ area: Rect, _ frame: inout Frame) {
  guard let name = list.picture, let pixels = state.album.sizes[name] else { return }
  var lines = list.selectedFile == nil ? [] : ["\(pixels.width) × \(pixels.height)"]
  // Also what the list has no room for.
  if list.purpose == .sessions, let choice = list.choice {
    lines = facts(of: choice).flatMap { TextWidth.wrapped($0, area.width) }
  }
  let below = lines.isEmpty ? 0 : lines.count + 1
  let cells = state.cells(of: name, within: Size(area.width, max(1, area.height - below)))
  let rect = Rect(area.x + (area.width - cells.width) / 2, area.y, cells.width, cells.height)
  frame.show(name, in: rect, clip: rect, state)
  let top = min(area.maxY - 1, rect.maxY + 1)
  for (i, line) in lines.prefix(area.maxY - top).enumerated() {
    frame.put(line, area.x, top + i, state.terminal.theme.dim)
  }
}
