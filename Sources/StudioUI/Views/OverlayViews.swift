import Frames
import Requests

private func popUp(_ state: StudioState, width: Int, height: Int, title: String, _ frame: inout Frame) -> Rect
{
  let w = min(width, state.terminal.size.width - 4), h = min(height, state.terminal.size.height - 3)
  let rect = Rect((state.terminal.size.width - w) / 2, max(0, (state.terminal.size.height - 1 - h) / 2), w, h)
  frame.clear(rect, state.terminal.theme.text)
  frame.box(rect, title: title, state.terminal.theme.border, titleStyle: state.terminal.theme.accent)
  frame.cursor = nil
  return rect.inset(2, 1)
}

func drawList(_ list: ListOverlay, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, shown = list.shown
  let showsFiles = if case .files = list.purpose { true } else { false }
  let height = showsFiles ? 24 : min(24, max(8, list.choices.count + 5))
  var inner = popUp(state, width: 84, height: height, title: list.title, &frame)
  if showsFiles, state.terminal.hasPictures, inner.width >= 60 {
    inner.width -= 28
    drawPreview(of: list, state, Rect(inner.maxX + 2, inner.y, 26, inner.height), &frame)
  }
  frame.put("›", inner.x, inner.y, theme.accent)
  let filter = TextWidth.fitted(list.filter, inner.width - 3)
  if list.filter.isEmpty {
    frame.put("type to filter", inner.x + 2, inner.y, theme.dim)
  } else {
    frame.put(filter, inner.x + 2, inner.y, theme.text)
  }
  frame.cursor = Point(inner.x + 2 + TextWidth.columns(filter), inner.y)
  let rows = max(1, inner.height - 2), first = max(0, min(list.selected - rows / 2, shown.count - rows))
  if shown.isEmpty { frame.put("no matches", inner.x, inner.y + 2, theme.dim) }
  let titleWidth = max(12, min(inner.width - 10, (shown.map { TextWidth.columns($0.title) }.max() ?? 0) + 2))
  for i in 0..<rows where first + i < shown.count {
    let choice = shown[first + i], isSelected = first + i == list.selected, y = inner.y + 2 + i
    let style = isSelected ? theme.selection : theme.text
    if isSelected { frame.fill(Rect(inner.x - 1, y, inner.width + 2, 1), " ", style) }
    frame.put(TextWidth.fitted(choice.title, titleWidth), inner.x, y, style)
    let detail = isSelected ? style : theme.dim
    frame.put(
      TextWidth.fitted(choice.detail, inner.width - titleWidth - 1), inner.x + titleWidth + 1, y, detail)
  }
}

/// The selected file beside the list.
private func drawPreview(of list: ListOverlay, _ state: StudioState, _ area: Rect, _ frame: inout Frame) {
  guard let file = list.selectedFile else { return }
  let name = PictureID.file(file)
  guard let pixels = state.album.sizes[name] else { return }
  let cells = state.cells(of: name, within: Size(area.width, area.height - 2))
  let rect = Rect(area.x + (area.width - cells.width) / 2, area.y, cells.width, cells.height)
  frame.place(name, in: rect, clip: rect, state.terminal.theme.text)
  frame.put(
    "\(pixels.width) × \(pixels.height)", area.x, min(area.maxY - 1, rect.maxY + 1), state.terminal.theme.dim)
}

func drawTour(_ page: Int, _ state: StudioState, _ frame: inout Frame) {
  let content = Tour.pages[max(0, min(Tour.pages.count - 1, page))]
  let lines = TextWidth.wrapped(content.text, min(66, state.terminal.size.width - 10))
  let inner = popUp(state, width: 72, height: lines.count + 6, title: content.title, &frame)
  for (i, line) in lines.enumerated() where i < inner.height - 2 {
    frame.put(line, inner.x + 1, inner.y + 1 + i, state.terminal.theme.text)
  }
  let dots = Tour.pages.indices.map { $0 == page ? "●" : "○" }.joined(separator: " ")
  frame.put(
    dots, inner.x + (inner.width - TextWidth.columns(dots)) / 2, inner.maxY - 1, state.terminal.theme.accent)
}

func drawHelp(_ scroll: Int, _ state: StudioState, _ frame: inout Frame) {
  let layout = HelpLayout(state.terminal.size)
  let inner = popUp(
    state, width: HelpLayout.width, height: state.terminal.size.height - 3, title: "Every key and command",
    &frame)
  let first = min(scroll, layout.lastScroll)
  for (i, line) in layout.lines.dropFirst(first).prefix(inner.height).enumerated() {
    let y = inner.y + i
    if let heading = line.heading { frame.put(heading, inner.x, y, state.terminal.theme.accent) }
    if let key = line.key {
      frame.put(TextWidth.fitted(key, layout.keyWidth), inner.x + 1, y, state.terminal.theme.user)
    }
    if let text = line.text { frame.put(text, inner.x + layout.indent, y, state.terminal.theme.text) }
  }
  if first < layout.lastScroll { frame.put(" more ↓ ", inner.maxX - 8, inner.maxY, state.terminal.theme.dim) }
}

/// The help in a screen's width: what a key does beside it where there is room, else below it.
struct HelpLayout {
  /// Of the box, at most.
  static let width = 92
  private static let besideKey = 28

  let indent, keyWidth: Int
  let lines: [HelpText.Line]
  /// How far it can be scrolled.
  let lastScroll: Int

  init(_ size: Size) {
    // As popUp draws it: a border and a space around.
    let width = min(Self.width, size.width - 4) - 4, height = size.height - 5
    let isWide = width >= 2 * Self.besideKey + 8
    (indent, keyWidth) = isWide ? (Self.besideKey, Self.besideKey - 2) : (3, width - 1)
    lines = HelpText.lines(keyWidth: keyWidth, width: width - indent, besideKeys: isWide)
    lastScroll = max(0, lines.count - height)
  }
}

func drawGallery(_ state: StudioState, _ frame: inout Frame) {
  guard case .gallery(let selected, let isOfAll) = state.overlays.top else { return }
  let theme = state.terminal.theme, layout = GalleryLayout(state),
    pictures = state.galleryPictures(isOfAll: isOfAll)
  frame.put("Gallery", 2, 0, theme.accent)
  let whose = isOfAll ? "of all sessions; Tab: this one" : "of this session; Tab: all sessions"
  frame.put("\(selected + 1) of \(pictures.count), \(whose)", 12, 0, theme.dim)
  let firstRow = max(0, selected / layout.columns - layout.rows + 1)
  for (i, picture) in pictures.enumerated() {
    let row = i / layout.columns - firstRow, column = i % layout.columns
    guard (0..<layout.rows).contains(row) else { continue }
    let tile = Rect(
      layout.area.x + 1 + column * layout.tile.width, 1 + row * layout.tile.height, layout.tile.width - 1,
      layout.tile.height)
    if i == selected { frame.box(tile, theme.accent) }
    let cells = state.cells(of: picture, within: Size(tile.width - 2, tile.height - 2))
    let rect = Rect(tile.x + (tile.width - cells.width) / 2, tile.y + 1, cells.width, cells.height)
    if state.terminal.hasPictures {
      frame.show(picture, in: rect, clip: rect, state)
    } else {
      frame.put(picture.short, tile.x + 1, tile.y + 1, theme.dim)
    }
    if state.conversation.transcript.starred.contains(picture) {
      frame.put("★", tile.x + 1, tile.maxY - 1, theme.user)
    }
  }
  guard pictures.indices.contains(selected) else { return }
  frame.put(
    TextWidth.fitted(state.description(of: pictures[selected]), state.terminal.size.width - 4), 2,
    state.terminal.size.height - 2,
    theme.text)
}

func drawViewer(_ picture: PictureID, _ state: StudioState, _ frame: inout Frame) {
  let told = state.conversation.transcript.details[picture]?.joined(separator: " · ") ?? ""
  let details = told.isEmpty ? [] : Array(TextWidth.wrapped(told, state.terminal.size.width - 4).prefix(3))
  let room = Size(state.terminal.size.width - 4, max(1, state.terminal.size.height - 5 - details.count))
  let cells = state.cells(of: picture, within: room)
  let rect = Rect(
    (state.terminal.size.width - cells.width) / 2, 1 + (room.height - cells.height) / 2, cells.width,
    cells.height)
  if state.terminal.hasPictures { frame.show(picture, in: rect, clip: rect, state) }
  let lines = TextWidth.wrapped(state.description(of: picture), state.terminal.size.width - 4)
  for (i, line) in lines.prefix(2).enumerated() {
    frame.put(line, 2, state.terminal.size.height - 3 - details.count + i, state.terminal.theme.text)
  }
  for (i, line) in details.enumerated() {
    frame.put(line, 2, state.terminal.size.height - 1 - details.count + i, state.terminal.theme.dim)
  }
}

func drawCompare(_ state: StudioState, _ frame: inout Frame) {
  guard case .compare(let pair) = state.overlays.top else { return }
  let (left, right, isFlipped) = (pair.left, pair.right, pair.isFlipped)
  let theme = state.terminal.theme, area = CompareLayout(state).area
  frame.put("Compare", 2, 0, theme.accent)
  if state.terminal.hasPictures {
    if pair.showsDifference, state.album.differences[pair.heatMap] != nil {
      frame.place(pair.heatMap, in: area, clip: area, theme.text)
    } else if isFlipped {
      frame.show(right, in: area, clip: area, state)
    } else {
      let split = Int((Double(area.width) * pair.divider).rounded())
      frame.show(left, in: area, clip: Rect(area.x, area.y, split, area.height), state)
      frame.show(
        right, in: area, clip: Rect(area.x + split, area.y, area.width - split, area.height), state)
      frame.put("▼", area.x + min(split, max(0, area.width - 1)), area.y - 1, theme.accent)
    }
  }
  let width = state.terminal.size.width - 4, y = state.terminal.size.height - 4
  frame.put(
    TextWidth.fitted("left   \(state.description(of: left))", width), 2, y, isFlipped ? theme.dim : theme.text
  )
  frame.put(TextWidth.fitted("right  \(state.description(of: right))", width), 2, y + 1, theme.text)
  if let difference = state.album.differences[pair.heatMap] {
    frame.put(TextWidth.fitted("difference  \(difference)", width), 2, y + 2, theme.dim)
  }
}

extension StudioState {
  /// A picture's prompt and settings in a line.
  func description(of picture: PictureID) -> String {
    if picture == .testCard {
      return
        "Is everything visible? Eight colours, sixteen greys, lines, three ramps, an orange frame. Esc shows the report."
    }
    guard let origin = origin(of: picture) else { return "loaded from a file" }
    let s = origin.settings
    return
      "\(s.prompt) · seed \(s.seed) · guidance \(Format.scale(s.guidanceScale)) · \(origin.stepsDone) steps"
      + Format.behind(Format.sampler(s.solver, s.guidanceStart, s.guidanceEnd))
      + (s.negative.isEmpty ? "" : " · without \(s.negative)")
      + (origin.parent.map { " · from \($0.short)" } ?? "")
  }
}
