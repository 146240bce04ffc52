import Frames
import Requests

/// The rule with mode and settings, pictures that belong to a question, and the text that is written.
func drawPrompt(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, width = state.transcriptWidth, layout = PromptLayout(state)
  let isActive = state.inspector.row == nil && state.overlays.top == nil
  drawRule(state, isActive, y: layout.top.y - 1 - (state.hasPictureLine ? 1 : 0), &frame)
  if state.hasPictureLine { drawPictureLine(state, y: layout.top.y - 1, &frame) }
  let y = layout.top.y
  if let search = state.prompt.editor.search {
    let found = (state.prompt.editor.found ?? "").oneRow
    frame.put("history: \(search)", 2, y, theme.accent)
    let column = 13 + TextWidth.columns(search)
    frame.put(TextWidth.fitted(found, max(0, width - column - 1)), column, y, theme.text)
    if isActive { frame.cursor = Point(column - 2, y) }
    return
  }
  frame.put(state.prompt.mode == .ask ? "?" : "›", 1, y, theme.accent)
  if state.prompt.editor.isEmpty {
    let hint =
      state.conversation.isReadOnly
      ? "read-only; /new starts a session"
      : state.prompt.mode == .ask ? "ask about a picture" : "describe an image"
    frame.put(TextWidth.fitted(hint, width - 4), 3, y, theme.dim)
  } else {
    let text = state.prompt.editor.text
    let marked =
      state.unknownWords.map { ($0, theme.text.underlined) }
      + state.absentFiles.map { ($0.range, theme.error.underlined) }
    for (i, line) in layout.lines.enumerated() {
      frame.put(String(text[line]), 3, y + i, theme.text, limit: width - 3)
      for (word, style) in marked.map({ ($0.clamped(to: line), $1) }) where !word.isEmpty {
        let x = 3 + TextWidth.columns(String(text[line.lowerBound..<word.lowerBound]))
        frame.put(String(text[word]), x, y + i, style, limit: width - x)
      }
    }
  }
  if isActive { frame.cursor = layout.cursor }
}

/// Mode, settings where no inspector shows them, and what waits.
private func drawRule(_ state: StudioState, _ isActive: Bool, y: Int, _ frame: inout Frame) {
  let theme = state.terminal.theme, width = state.transcriptWidth
  // Where a pop-up has the inspector's place, nothing stands beside the prompt.
  let end = popUpCoversInspector(state) ? state.terminal.size.width : width
  frame.put(String(repeating: "─", count: end), 0, y, theme.border)
  let mode = " \(state.prompt.mode.rawValue) "
  frame.put(mode, 2, y, isActive ? theme.accent : theme.dim)
  var right = width - 2
  if !state.work.lines.isEmpty {
    let text = " \(state.work.lines.count) in the queue "
    right -= text.count
    frame.put(text, max(2 + mode.count, right), y, theme.dim)
    right -= 2
  }
  guard !state.isInspectorBeside else { return }
  let x = 4 + mode.count, room = right - x
  let controls = state.inspector.controls, guidance = "guidance \(Format.scale(controls.guidance))"
  if state.inspector.sliderUntil != nil,
    let track = SliderTrack(x + guidance.count + 2, y, room - guidance.count - 6)
  {
    frame.put(" \(guidance) ", x, y, theme.text)
    track.draw(controls.guidance, theme.accent, theme.border, theme.text, &frame)
    frame.put(" 15 ", track.rect.maxX, y, theme.dim)
    return
  }
  // As many as there is room for, what is turned most first.
  var facts = [
    guidance, "seed \(controls.seed.map { "\($0)" } ?? "random")", "\(controls.steps) steps",
  ]
  if controls.count > 1 { facts.append("\(controls.count) pictures") }
  let sampler = Format.sampler(controls.solver, controls.guidanceStart, controls.guidanceEnd)
  if !sampler.isEmpty { facts.append(sampler) }
  func text() -> String { facts.joined(separator: " · ") }
  if !controls.negative.isEmpty {
    // Rather cut than left out.
    let left = room - 2 - text().count - 3
    if left >= 12 { facts.append(TextWidth.fitted("without \(controls.negative.oneRow)", left)) }
  }
  while facts.count > 1, text().count > room - 2 { facts.removeLast() }
  if room > 2 { frame.put(" \(TextWidth.fitted(text(), room - 2)) ", x, y, theme.dim) }
}

/// The pictures that go with a question, or the one that it is about.
private func drawPictureLine(_ state: StudioState, y: Int, _ frame: inout Frame) {
  let theme = state.terminal.theme, width = state.transcriptWidth
  if !state.prompt.attachments.isEmpty {
    // Those that the text names are attached behind the others.
    let all = state.prompt.attachments.map(\.name) + state.namedFiles.filter(Mentions.isPath).map(\.fileName)
    let names = all.enumerated().map { "[Image #\($0 + 1)] \($1)" }
    let note = state.prompt.mode == .ask ? "" : "  only for questions, not for drawing"
    let used = frame.put(
      TextWidth.fitted(names.joined(separator: "  "), max(12, width - 3 - note.count)), 2, y, theme.user)
    frame.put(TextWidth.fitted(note, max(0, width - 3 - used)), 2 + used, y, theme.dim)
    return
  }
  let hasOthers = state.namedFiles.isEmpty && state.conversation.transcript.gallery.count > 1
  let key = hasOthers ? "  Alt-P another" : "", text = "[about] \(state.subjectText ?? "")"
  let used = frame.put(TextWidth.fitted(text, max(8, width - 3 - key.count)), 2, y, theme.user)
  frame.put(key, 2 + used, y, theme.dim)
}

/// Slash commands that fit, above the prompt: as many as there is room for, around the one that is selected.
func drawCompletions(_ fitting: [Binding], _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, layout = CompletionLayout(state)
  let area = layout.area
  frame.clear(area, theme.bar)
  for (i, binding) in fitting[layout.first...].prefix(layout.rows).enumerated() {
    let y = area.y + i, isSelected = layout.first + i == state.prompt.completion
    let text = isSelected ? theme.selection : theme.bar
    if isSelected { frame.fill(Rect(area.x, y, area.width, 1), " ", text) }
    frame.put("/\(binding.name)", area.x + 1, y, isSelected ? text : theme.barKey)
    frame.put(
      TextWidth.fitted(binding.argument, 18), area.x + 13, y, isSelected ? text : theme.barDim, limit: 18)
    frame.put(TextWidth.fitted(binding.help, area.width - 34), area.x + 32, y, text)
  }
  if layout.hidden > 0 {
    let more = "\(layout.hidden) more; ↑ ↓ move"
    frame.put(more, area.x + 1, area.maxY - 1, theme.barDim)
  }
}

/// Where slash commands that fit are listed.
struct CompletionLayout {
  let area: Rect
  /// The first that is shown, and how many are.
  let first, rows: Int
  /// How many are not.
  let hidden: Int

  init(_ state: StudioState) {
    let count = state.completions.count, most = max(2, min(8, state.transcriptHeight - 1))
    rows = min(count, most)
    hidden = count - rows
    let selected = state.prompt.completion ?? 0
    first = max(0, min(selected - rows / 2, count - rows))
    let height = rows + (hidden > 0 ? 1 : 0)
    area = Rect(2, state.transcriptHeight - height, min(state.transcriptWidth - 4, 76), height)
  }

  /// The command at a cell of the screen.
  func command(at x: Int, _ y: Int) -> Int? {
    guard area.contains(x, y), y - area.y < rows else { return nil }
    return first + y - area.y
  }
}

/// A line on which guidance scales lie, from the least on the left to the most on the right.
struct SliderTrack: Equatable {
  let rect: Rect

  /// nil where there is no room.
  init?(_ x: Int, _ y: Int, _ width: Int) {
    guard width >= 8 else { return nil }
    rect = Rect(x, y, min(width, 40), 1)
  }

  init(_ rect: Rect) { self.rect = rect }

  /// A scale's column; scales beyond the ends stand at them.
  func column(_ value: Float) -> Int {
    let range = Controls.guidanceRange
    return rect.x + Int((value.clamped(to: range) / range.upperBound * Float(rect.width - 1)).rounded())
  }

  /// The scale at a column.
  func value(at x: Int) -> Float {
    Float(x - rect.x) / Float(max(1, rect.width - 1)) * Controls.guidanceRange.upperBound
  }

  func draw(_ value: Float, _ filled: Style, _ empty: Style, _ knob: Style, _ frame: inout Frame) {
    let at = column(value)
    frame.put(String(repeating: "━", count: at - rect.x), rect.x, rect.y, filled)
    frame.put(String(repeating: "─", count: rect.maxX - 1 - at), at + 1, rect.y, empty)
    frame.put("●", at, rect.y, knob)
  }
}
