import Frames

/// The whole screen: a function of the state.
public func view(_ state: StudioState, _ cache: LayoutCache) -> Frame {
  var frame = Frame(state.terminal.size, style: state.terminal.theme.text)
  guard !state.isTooSmall else {
    let text =
      "The studio needs at least \(StudioState.smallest.width) × \(StudioState.smallest.height) cells; this is "
      + "\(state.terminal.size.width) × \(state.terminal.size.height)."
    for (y, line) in TextWidth.wrapped(text, max(1, state.terminal.size.width)).enumerated()
    where y < state.terminal.size.height {
      frame.put(line, 0, y, state.terminal.theme.text)
    }
    return frame
  }
  if case .gallery(let gallery) = state.overlays.top {
    drawGallery(gallery, state, &frame)
  } else if case .compare(let pair) = state.overlays.top {
    drawCompare(pair, state, &frame)
  } else if case .viewer(let picture) = state.overlays.top {
    drawViewer(picture, state, &frame)
  } else {
    drawTranscript(state, cache, &frame)
    drawPrompt(state, &frame)
    drawNotice(state, &frame)
    if state.showsInspector, !popUpCoversInspector(state) {
      drawInspector(state, &frame)
      frame.leaveOutPictures(beside: InspectorLayout(state).area, state)
    }
    drawPopUps(state, &frame)
  }
  drawStatus(state, &frame)
  frame.showTextOverPictures()
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
  let theme = state.terminal.theme, height = state.transcriptHeight, width = state.transcriptWidth
  let layout = TranscriptLayout(state, cache)
  if layout.visible.isEmpty {
    // Its words would look out from under whatever lies over it.
    if state.overlays.top == nil { drawWelcome(state, &frame) }
    return
  }
  // The line that says what lies below is not covered by it.
  let clip = Rect(0, 0, width, height - (layout.hiddenMessages > 0 ? 1 : 0))
  for (laid, top) in layout.visible {
    for (i, line) in laid.lines.enumerated() where (0..<height).contains(top + i) {
      frame.put(TextWidth.fitted(line.text, width - 1), 1, top + i, style(line.look, theme))
    }
    for picture in laid.pictures {
      let rect = Rect(picture.x + 1, top + picture.line, picture.cells.width, picture.cells.height)
      frame.show(picture.name, in: rect, clip: clip, state)
    }
  }
  if layout.hiddenMessages > 0 {
    let text = " \(Format.number(layout.hiddenMessages, "message")) below "
    frame.put(text, max(0, width - text.count - 1), height - 1, theme.barDim)
  }
}

private func drawWelcome(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, width = state.transcriptWidth, asks = state.prompt.mode == .ask
  let first = asks ? "Type a question, or draw something" : "Type what to draw and press Return"
  let other = asks ? "drawing" : "questions"
  let texts: [(String, Style)] = [
    ("VUGEN Studio", theme.accent), ("", theme.text),
    ("\(first), such as", theme.text), (state.suggestion, theme.user),
    ("", theme.text),
    ("Tab switches to \(other); drop a file or type /image PATH to attach it", theme.text),
    ("", theme.text),
    ("→ use this prompt   F1 keys   Ctrl-P commands   /tour", theme.dim),
  ]
  let lines = texts.flatMap { text, style in TextWidth.wrapped(text, width - 4).map { ($0, style) } }
  let top = max(0, (state.transcriptHeight - lines.count) / 2)
  for (i, (text, style)) in lines.enumerated() where top + i < state.transcriptHeight {
    frame.put(text, max(2, (width - TextWidth.columns(text)) / 2), top + i, style)
  }
}

/// Completions above the prompt, lists, help and the tour.
private func drawPopUps(_ state: StudioState, _ frame: inout Frame) {
  switch state.overlays.top {
  case .list(let list): drawList(list, state, &frame)
  case .help(let scroll): drawHelp(scroll, state, &frame)
  case .tour(let page): drawTour(page, state, &frame)
  default:
    if !state.completions.isEmpty { drawCompletions(state.completions, state, &frame) }
  }
}

private func drawStatus(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, y = state.terminal.size.height - 1, width = state.terminal.size.width
  frame.fill(Rect(0, y, width, 1), " ", theme.bar)
  var keys = state.keyHints, room = state.statusRoom
  if let toast = state.toast, state.notice.isEmpty, TextWidth.columns(toast.text) > room {
    // What was just said goes before keys that can be read again in a moment.
    (keys, room) = ([], width - 2)
  }
  let keysWidth = keys.reduce(0) { $0 + TextWidth.columns($1.0) + $1.1.count + 3 }
  if let toast = state.toast, state.notice.isEmpty {
    let style = toast.isError ? theme.error.on(theme.bar.background) : theme.bar
    frame.put(TextWidth.fitted(toast.text.replacing("\n", with: " · "), room), 1, y, style)
  } else {
    frame.put(TextWidth.fitted(state.statusText, room), 1, y, theme.bar)
  }
  var x = width - keysWidth
  for (key, meaning) in keys where x > 1 {
    x += frame.put(key, x, y, theme.barKey) + 1
    x += frame.put(meaning, x, y, theme.barDim) + 2
  }
}

/// A message that does not fit into the status line: between the transcript and the prompt.
private func drawNotice(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, lines = state.notice, top = state.transcriptHeight
  guard let toast = state.toast, !lines.isEmpty else { return }
  frame.clear(Rect(0, top, state.transcriptWidth, lines.count), theme.bar)
  let style = toast.isError ? theme.error.on(theme.bar.background) : theme.bar
  for (i, line) in lines.enumerated() { frame.put(line, 1, top + i, style) }
}

extension Frame {
  /// Blank cells for a pop-up; of pictures below it what lies beside it stays.
  mutating func clear(_ rect: Rect, _ style: Style) {
    placements = placements.flatMap { $0.beside(rect) }
    fill(rect, " ", style)
  }

  /// Where a terminal keeps fewer pictures than there are, those of the inspector stay, which are small, and of the others
  /// the newest, which stand below; an empty frame is in the place of each that is left out.
  mutating func leaveOutPictures(beside inspector: Rect, _ state: StudioState) {
    let own = placements.count { $0.visible.x >= inspector.x }, others = placements.count - own
    let most = state.terminal.mostPictures, room = max(0, most - min(most, own))
    guard own > 0, others > room else { return }
    let oldest = placements.filter { $0.visible.x < inspector.x }
      .sorted { ($0.visible.y, $0.visible.x) < ($1.visible.y, $1.visible.x) }.prefix(others - room)
    placements.removeAll(where: oldest.contains)
    for placement in oldest {
      outline(placement.whole, clip: placement.visible, "F3 shows it", state.terminal.theme.dim)
    }
  }

  /// What was written over a picture is seen, whoever wrote it: the picture is what lies beside it.
  mutating func showTextOverPictures() {
    placements = placements.flatMap { placement -> [Placement] in
      var covered: Rect?
      let seen = placement.visible
      for y in max(0, seen.y)..<max(0, min(size.height, seen.maxY)) {
        for x in max(0, seen.x)..<max(0, min(size.width, seen.maxX))
        where self[x, y].character != Frame.filler {
          covered = covered?.with(x, y) ?? Rect(x, y, 1, 1)
        }
      }
      return covered.map(placement.beside) ?? [placement]
    }
  }
}

extension Rect {
  /// The same, with a cell in it.
  fileprivate func with(_ x: Int, _ y: Int) -> Rect {
    let (left, top) = (min(self.x, x), min(self.y, y))
    return Rect(left, top, max(maxX, x + 1) - left, max(maxY, y + 1) - top)
  }
}

extension Placement {
  /// What of it lies beside a rectangle.
  fileprivate func beside(_ rect: Rect) -> [Placement] {
    guard visible.intersects(rect) else { return [self] }
    // Full columns beside it: a picture that is cut across shows a seam where its rows of sixels end.
    let (left, right) = (max(visible.x, rect.x), min(visible.maxX, rect.maxX))
    let parts = [
      Rect(visible.x, visible.y, left - visible.x, visible.height),
      Rect(right, visible.y, visible.maxX - right, visible.height),
      Rect(left, visible.y, right - left, rect.y - visible.y),
      Rect(left, rect.maxY, right - left, visible.maxY - rect.maxY),
    ]
    return parts.filter { $0.width > 0 && $0.height > 0 }.map {
      Placement(picture, whole: whole, visible: $0)
    }
  }
}

extension StudioState {
  private static let spinner = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

  /// What the model is doing.
  var statusText: String {
    let turn = Self.spinner[Int(now * 10) % Self.spinner.count]
    if let replay = conversation.replay {
      let place = "\(replay.isPaused ? "paused" : "playing") \(replay.place)/\(replay.entries.count)"
      let space = "Space \(replay.isPaused ? "plays" : "pauses")"
      let speed = "speed \(Format.decimal(replay.speed, 1))"
      // As much as there is room for beside the keys.
      let texts = [
        "\(place) · \(space) ← → step + - \(speed)", "\(place) · \(space) · \(speed)", "\(place) · \(speed)",
      ]
      return texts.first { TextWidth.columns($0) <= statusRoom } ?? place
    }
    if let running = work.running {
      let elapsed = Format.seconds(max(0, now - running.began))
      if running.isCancelling { return "\(turn) stopping at the next step" }
      if !running.isDrawing { return "\(turn) answering · \(elapsed)" }
      let rate = now > running.began ? Double(running.step) / (now - running.began) : 0
      return
        "\(turn) drawing · step \(running.step) of \(running.steps) · \(Format.whole(rate)) steps/s · \(elapsed)"
    }
    if let (_, word, near) = unknownWord, case .ready = work.model {
      let mended = near.map { "Tab: \($0)" } ?? "/things lists what is known"
      return "unknown: '\(Vocabulary.shown(word))'; \(mended)"
    }
    switch work.model {
    case .loading: return "\(turn) loading the model; requests wait until it is ready"
    case .failed(let reason): return reason
    case .ready(let name, let parameters, let bytes, let canDraw):
      let title = conversation.transcript.title.isEmpty ? "" : "\(conversation.transcript.title) · "
      return "\(title)\(name) · \(Format.count(parameters)) parameters · \(Format.bytes(bytes))"
        + (canDraw ? "" : " · cannot draw")
    }
  }
}
