import Frames
import Requests

/// Where something that lies over the screen has its place, border included.
func popUpArea(_ state: StudioState, width: Int, height: Int) -> Rect {
  let size = state.terminal.size, w = min(width, size.width - 4), h = min(height, size.height - 3)
  return Rect((size.width - w) / 2, max(0, (size.height - 1 - h) / 2), w, h)
}

/// Whether something lies over a part of the inspector: the rest would be slivers of words, and goes with it.
func popUpCoversInspector(_ state: StudioState) -> Bool {
  let width: Int
  switch state.overlays.top {
  case .list(let list): width = ListLayout(list, state).box.width
  case .help: width = HelpLayout.width
  case .tour: width = tourWidth
  default: return false
  }
  return popUpArea(state, width: width, height: 1).maxX > InspectorLayout(state).area.x
}

private let tourWidth = 72

func drawBox(_ box: Rect, title: String, _ state: StudioState, _ frame: inout Frame) {
  frame.clear(around: box, state)
  frame.clear(box, state.terminal.theme.text)
  frame.box(box, title: title, state.terminal.theme.border, titleStyle: state.terminal.theme.accent)
  frame.cursor = nil
}

extension Frame {
  /// Nothing of what lies below a pop-up looks out from under it as if it belonged to it: no words that its side cuts, no
  /// strip that is too narrow for anything, and no prompt of which it covers a part. Pictures go on beside it.
  fileprivate mutating func clear(around box: Rect, _ state: StudioState) {
    let style = state.terminal.theme.text, least = (width: 12, height: 3)
    let width = popUpCoversInspector(state) ? state.terminal.size.width : state.transcriptWidth
    var bottom = PromptLayout(state).top.y - 1 - (state.hasPictureLine ? 1 : 0)
    if box.maxY > bottom {
      clear(Rect(0, bottom, width, max(0, state.terminal.size.height - 1 - bottom)), style)
      bottom = box.maxY
    }
    if box.y > 0, box.y - 1 < least.height { clear(Rect(0, 0, width, box.y), style) }
    if bottom > box.maxY, bottom - box.maxY - 1 < least.height {
      clear(Rect(0, box.maxY, width, bottom - box.maxY), style)
    }
    for (x, end) in [(0, box.x), (box.maxX, width)] where x < end && end - x < least.width {
      clear(Rect(x, box.y, end - x, box.height), style)
    }
    for y in max(0, box.y - 1)..<min(bottom, box.maxY + 1) {
      for x in 0..<width where self[x, y].character != Frame.filler { put(" ", x, y, style) }
    }
  }
}

func drawTour(_ page: Int, _ state: StudioState, _ frame: inout Frame) {
  let content = Tour.pages[max(0, min(Tour.pages.count - 1, page))]
  let lines = TextWidth.wrapped(content.text, min(66, state.terminal.size.width - 10))
  let box = popUpArea(state, width: tourWidth, height: lines.count + 6), inner = box.inset(2, 1)
  drawBox(box, title: content.title, state, &frame)
  for (i, line) in lines.enumerated() where i < inner.height - 2 {
    frame.put(line, inner.x + 1, inner.y + 1 + i, state.terminal.theme.text)
  }
  let dots = Tour.pages.indices.map { $0 == page ? "●" : "○" }.joined(separator: " ")
  frame.put(
    dots, inner.x + (inner.width - TextWidth.columns(dots)) / 2, inner.maxY - 1, state.terminal.theme.accent)
}

func drawHelp(_ scroll: Int, _ state: StudioState, _ frame: inout Frame) {
  let layout = HelpLayout(state), theme = state.terminal.theme
  let box = popUpArea(state, width: HelpLayout.width, height: state.terminal.size.height - 3)
  let inner = box.inset(2, 1), first = min(scroll, layout.lastScroll)
  drawBox(box, title: "Every key and command", state, &frame)
  for (i, line) in layout.lines.dropFirst(first).prefix(inner.height).enumerated() {
    let y = inner.y + i
    if let heading = line.heading { frame.put(heading, inner.x, y, theme.accent) }
    if let key = line.key { frame.put(TextWidth.fitted(key, layout.keyWidth), inner.x + 1, y, theme.user) }
    if let text = line.text { frame.put(text, inner.x + layout.indent, y, theme.text) }
  }
  guard layout.lastScroll > 0 else { return }
  // Where one is, as a share of the edge and in lines.
  let end = min(layout.lines.count, first + inner.height), track = box.height - 2
  let thumb = max(1, track * inner.height / layout.lines.count)
  let top = box.y + 1 + (track - thumb) * first / layout.lastScroll
  for y in top..<top + thumb { frame.put("┃", box.maxX - 1, y, theme.accent) }
  let place = " \(first + 1)–\(end) of \(layout.lines.count) lines "
  frame.put(place, max(box.x + 1, box.maxX - 2 - place.count), box.maxY - 1, theme.dim)
}

/// The help in a screen's width: what a key does beside it where there is room, else below it. What can be done where it
/// was opened comes first.
struct HelpLayout {
  /// Of the box, at most.
  static let width = 92
  private static let besideKey = 28

  let indent, keyWidth: Int
  /// Lines that are seen at once.
  let height: Int
  let lines: [HelpText.Line]
  /// How far it can be scrolled.
  let lastScroll: Int

  init(_ state: StudioState) {
    // A border and a space around.
    let size = state.terminal.size
    let width = min(Self.width, size.width - 4) - 4
    height = size.height - 5
    let isWide = width >= 2 * Self.besideKey + 8
    (indent, keyWidth) = isWide ? (Self.besideKey, Self.besideKey - 2) : (3, width - 1)
    var below = state
    if case .help = state.overlays.top { below.overlays.goBack() }
    lines = HelpText.lines(
      first: below.keyContexts.map(\.heading), keyWidth: keyWidth, width: width - indent, besideKeys: isWide)
    lastScroll = max(0, lines.count - height)
  }
}

/// Where two pictures are compared.
struct CompareLayout {
  let area: Rect
  /// The column of the divider.
  let split: Int

  init(_ state: StudioState) {
    guard case .compare(let pair) = state.overlays.top else {
      (area, split) = (Rect(0, 0, 0, 0), 0)
      return
    }
    let size = state.terminal.size, room = Size(size.width - 6, size.height - 7)
    let cells = state.cells(of: pair.left, within: room)
    area = Rect(
      (size.width - cells.width) / 2, 2 + (room.height - cells.height) / 2, cells.width, cells.height)
    split = area.x + Int((Double(max(0, area.width - 1)) * pair.divider).rounded())
  }
}

func drawCompare(_ pair: Comparison, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, size = state.terminal.size, width = size.width - 4, y = size.height - 4
  frame.put("Compare", 2, 0, theme.accent)
  let keys = "← → divider · Space flips · d difference · c swaps"
  frame.put(TextWidth.fitted(keys, max(0, size.width - 14)), 12, 0, theme.dim)
  let showsMap = pair.showsDifference && state.album.differences[pair.heatMap] != nil
  if state.terminal.hasPictures { drawPair(pair, showsMap: showsMap, state, &frame) }
  let isLeft = !pair.isFlipped && !showsMap, isRight = !showsMap
  for (i, (name, picture, isShown)) in [("left ", pair.left, isLeft), ("right", pair.right, isRight)]
    .enumerated()
  {
    let mark = isShown ? "■" : "□", style = isShown ? theme.text : theme.dim
    let told = state.description(of: picture, beside: i == 0 ? pair.right : pair.left)
    frame.put(TextWidth.fitted("\(mark) \(name)  \(told)", width), 2, y + i, style)
  }
  if let difference = state.album.differences[pair.heatMap] {
    let mark = showsMap ? "■" : "□"
    frame.put(TextWidth.fitted("\(mark) difference  \(difference)", width), 2, y + 2, theme.dim)
  }
}

/// Both sides of the divider, or one picture alone, and above them what they are.
private func drawPair(_ pair: Comparison, showsMap: Bool, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, layout = CompareLayout(state), area = layout.area, y = area.y - 1
  if showsMap || pair.isFlipped {
    let name = showsMap ? "difference" : "right"
    frame.put(name, area.x + max(0, (area.width - name.count) / 2), y, theme.accent)
    frame.show(showsMap ? pair.heatMap : pair.right, in: area, clip: area, state)
    return
  }
  let split = layout.split
  frame.show(pair.left, in: area, clip: Rect(area.x, area.y, split - area.x, area.height), state)
  frame.show(pair.right, in: area, clip: Rect(split + 1, area.y, area.maxX - split - 1, area.height), state)
  for row in area.y..<area.maxY { frame.put("│", split, row, theme.accent) }
  if split - area.x >= 5 { frame.put("left", area.x, y, theme.accent) }
  if area.maxX - split > 6 { frame.put("right", area.maxX - 5, y, theme.accent) }
  frame.put("▼", split, y, theme.accent)
}
