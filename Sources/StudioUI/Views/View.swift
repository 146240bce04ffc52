import Frames

/// The whole screen: a function of the state.
public func view(_ state: StudioState, _ cache: LayoutCache) -> Frame {
  var frame = Frame(state.size, style: state.theme.text)
  guard !state.isTooSmall else {
    let text =
      "The studio needs at least \(StudioState.smallest.width) × \(StudioState.smallest.height) cells; this is "
      + "\(state.size.width) × \(state.size.height)."
    frame.put(TextWidth.fitted(text, state.size.width), 0, 0, state.theme.text)
    return frame
  }
  if case .gallery = state.overlay {
    drawGallery(state, &frame)
  } else if case .compare = state.overlay {
    drawCompare(state, &frame)
  } else if case .viewer(let picture) = state.overlay {
    drawViewer(picture, state, &frame)
  } else {
    drawTranscript(state, cache, &frame)
    if state.showsInspector { drawInspector(state, &frame) }
    drawPrompt(state, &frame)
    drawPopUps(state, &frame)
  }
  drawStatus(state, &frame)
  return frame
}

private func style(_ look: LaidMessage.Look, _ theme: Theme) -> Style {
  switch look {
  case .text: theme.text
  case .dim, .studio: theme.dim
  case .user: theme.user
  case .model: theme.model
  case .error: theme.error
  }
}

private func drawTranscript(_ state: StudioState, _ cache: LayoutCache, _ frame: inout Frame) {
  let theme = state.theme, height = state.transcriptHeight, width = state.transcriptWidth
  let layout = TranscriptLayout(state, cache)
  if layout.visible.isEmpty { return drawWelcome(state, &frame) }
  let clip = Rect(0, 0, width, height)
  for (laid, top) in layout.visible {
    for (i, line) in laid.lines.enumerated() where (0..<height).contains(top + i) {
      frame.put(line.text, 1, top + i, style(line.look, theme), limit: width - 1)
    }
    for picture in laid.pictures {
      let rect = Rect(picture.x + 1, top + picture.line, picture.cells.width, picture.cells.height)
      frame.show(picture.name, in: rect, clip: clip, state)
    }
  }
  if layout.scroll > 0 {
    let text = " \(layout.scroll) lines below "
    frame.put(text, max(0, width - text.count - 1), height - 1, theme.barDim)
  }
}

private func drawWelcome(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.theme, width = state.transcriptWidth
  let texts: [(String, Style)] = [
    ("VUGEN Studio", theme.accent), ("", theme.text),
    ("Type what to draw and press Return: a red car on a white background", theme.text),
    ("Tab switches to questions; /image PATH or a dropped file attaches a picture", theme.text),
    ("", theme.text),
    ("F1 all keys     Ctrl-P commands    /tour a short tour", theme.dim),
  ]
  let lines = texts.flatMap { text, style in TextWidth.wrapped(text, width - 4).map { ($0, style) } }
  let top = max(0, (state.transcriptHeight - lines.count) / 2)
  for (i, (text, style)) in lines.enumerated() where top + i < state.transcriptHeight {
    frame.put(text, max(2, (width - TextWidth.columns(text)) / 2), top + i, style)
  }
}

private func drawPrompt(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.theme, width = state.transcriptWidth, lines = state.promptLines
  var y = state.size.height - 1 - lines - 1 - (state.attachments.isEmpty ? 0 : 1)
  frame.put(String(repeating: "─", count: width), 0, y, theme.border)
  let isActive = state.inspectorRow == nil && state.overlay == nil
  frame.put(" \(state.mode.rawValue) ", 2, y, isActive ? theme.accent : theme.dim)
  if !state.queue.isEmpty {
    let text = " \(state.queue.count) waiting "
    frame.put(text, max(12, width - text.count - 2), y, theme.dim)
  }
  y += 1
  if !state.attachments.isEmpty {
    let names = state.attachments.enumerated().map { "[Image #\($0 + 1)] \($1.name)" }.joined(separator: "  ")
    frame.put(TextWidth.fitted(names, width - 3), 2, y, theme.user)
    y += 1
  }
  if let search = state.prompt.search {
    let found = state.prompt.found ?? ""
    frame.put("history: \(search)", 2, y, theme.accent)
    frame.put(TextWidth.fitted(found, max(0, width - search.count - 14)), 13 + search.count, y, theme.text)
    if isActive { frame.cursor = (11 + search.count, y) }
    return
  }
  drawText(state, top: y, lines: lines, width: width - 4, isActive, &frame)
}

private func drawText(
  _ state: StudioState, top: Int, lines: Int, width: Int, _ isActive: Bool, _ frame: inout Frame
) {
  let theme = state.theme
  frame.put(state.mode == .ask ? "?" : "›", 1, top, theme.accent)
  if state.prompt.isEmpty {
    let hint =
      state.isReadOnly
      ? "read-only; /new starts a session"
      : state.mode == .ask ? "ask about a picture" : "describe an image"
    frame.put(TextWidth.fitted(hint, width), 3, top, theme.dim)
    if isActive { frame.cursor = (3, top) }
    return
  }
  // Where the cursor stands among the wrapped lines: laid out with a mark in its place.
  let before = TextWidth.wrapped(String(state.prompt.text.prefix(state.prompt.cursor)) + "\u{2060}", width)
  let all = TextWidth.wrapped(state.prompt.string, width)
  let row = before.count - 1, first = max(0, min(row - lines + 1, max(0, all.count - lines)))
  for i in 0..<lines where first + i < all.count {
    frame.put(all[first + i], 3, top + i, theme.text, limit: width + 1)
  }
  let column = TextWidth.columns((before.last ?? "").filter { $0 != "\u{2060}" })
  if isActive { frame.cursor = (3 + min(column, width), top + min(lines - 1, row - first)) }
}

/// Completions above the prompt, lists, help and the tour.
private func drawPopUps(_ state: StudioState, _ frame: inout Frame) {
  switch state.overlay {
  case .list(let list): drawList(list, state, &frame)
  case .help(let scroll): drawHelp(scroll, state, &frame)
  case .tour(let page): drawTour(page, state, &frame)
  default:
    let fitting = Command.completing(state.prompt.string)
    guard state.overlay == nil, !fitting.isEmpty, state.inspectorRow == nil else { return }
    drawCompletions(fitting, state, &frame)
  }
}

private func drawCompletions(_ fitting: [Command], _ state: StudioState, _ frame: inout Frame) {
  let theme = state.theme, shown = fitting.prefix(8)
  let height = shown.count, y = state.transcriptHeight - height
  let width = min(state.transcriptWidth - 4, 76)
  frame.clear(Rect(2, y, width, height), theme.bar)
  for (i, command) in shown.enumerated() {
    frame.put("/\(command.name)", 3, y + i, theme.barKey)
    frame.put(command.argument, 15, y + i, theme.barDim, limit: 18)
    frame.put(TextWidth.fitted(command.help, width - 34), 34, y + i, theme.bar)
  }
}

private func drawStatus(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.theme, y = state.size.height - 1, width = state.size.width
  frame.fill(Rect(0, y, width, 1), " ", theme.bar)
  let keys = state.keyHints, keysWidth = keys.reduce(0) { $0 + TextWidth.columns($1.0) + $1.1.count + 3 }
  let room = max(10, width - keysWidth - 3)
  if let toast = state.toast {
    let style = toast.isError ? theme.error.on(theme.bar.background) : theme.bar
    frame.put(TextWidth.fitted(toast.text.replacing("\n", with: " "), room), 1, y, style)
    let isLong = TextWidth.columns(toast.text) > room || toast.text.contains("\n")
    if isLong, state.overlay == nil { drawWhole(toast.text, style, state, &frame) }
  } else {
    frame.put(TextWidth.fitted(state.statusText, room), 1, y, theme.bar)
  }
  var x = width - keysWidth
  for (key, meaning) in keys where x > 1 {
    x += frame.put(key, x, y, theme.barKey) + 1
    x += frame.put(meaning, x, y, theme.barDim) + 2
  }
}

/// A message that does not fit into the status line, above the prompt.
private func drawWhole(_ text: String, _ style: Style, _ state: StudioState, _ frame: inout Frame) {
  let width = state.size.width, room = max(1, state.transcriptHeight - 2)
  let lines = TextWidth.wrapped(text, max(1, width - 2)).prefix(room),
    top = state.transcriptHeight - lines.count
  frame.clear(Rect(0, top, width, lines.count), state.theme.bar)
  for (i, line) in lines.enumerated() { frame.put(line, 1, top + i, style) }
}

extension Frame {
  /// Blank cells for a pop-up; pictures below it are hidden.
  mutating func clear(_ rect: Rect, _ style: Style) {
    placements.removeAll { $0.visible.intersects(rect) }
    fill(rect, " ", style)
  }
}

extension StudioState {
  private static let spinner = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

  /// What the model is doing.
  var statusText: String {
    let turn = Self.spinner[Int(now * 10) % Self.spinner.count]
    if let replay {
      return "\(replay.isPaused ? "paused" : "playing") \(replay.place) of \(replay.entries.count) · "
        + "speed \(Format.decimal(replay.speed, 1)) · space pauses, . steps, ← → seek, + - speed"
    }
    if let running {
      let elapsed = Format.seconds(max(0, now - running.began))
      if running.isCancelling { return "\(turn) stopping at the next step" }
      if running.kind == .asking { return "\(turn) answering · \(elapsed)" }
      let rate = now > running.began ? Double(running.step) / (now - running.began) : 0
      return
        "\(turn) drawing · step \(running.step) of \(running.steps) · \(Format.whole(rate)) steps/s · \(elapsed)"
    }
    switch model {
    case .loading: return "\(turn) loading the model; requests wait until it is ready"
    case .failed(let reason): return reason
    case .ready(let name, let parameters, let bytes, let canDraw):
      let title = transcript.title.isEmpty ? "" : "\(transcript.title) · "
      return "\(title)\(name) · \(Format.count(parameters)) parameters · \(Format.bytes(bytes))"
        + (canDraw ? "" : " · cannot draw")
    }
  }

  /// The three keys that matter now.
  var keyHints: [(String, String)] {
    switch overlay {
    case .gallery: return [("Return", "use"), ("m", "compare"), ("Esc", "back")]
    case .compare: return [("← →", "divider"), ("Space", "flip"), ("d", "difference")]
    case .viewer: return [("^A", "ask"), ("w", "save"), ("Esc", "back")]
    case .list: return [("↑ ↓", "move"), ("Return", "select"), ("Esc", "back")]
    case .help: return [("↑ ↓", "scroll"), ("Esc", "back")]
    case .tour: return [("Return", "next"), ("←", "back"), ("Esc", "close")]
    case nil: break
    }
    if replay != nil { return [("Esc", "close")] }
    if running != nil { return [("Esc", "cancel"), ("F1", "help")] }
    if inspectorRow != nil { return [("← →", "change"), ("↑ ↓", "row"), ("Esc", "back")] }
    let tab = canDraw ? [("Tab", mode == .ask ? "imagine" : "ask")] : [("^O", "attach")]
    return tab + [("^P", "commands"), ("F1", "help")]
  }
}
