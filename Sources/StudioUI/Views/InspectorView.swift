import Frames
import Requests

/// The inspector: model, controls, the running request, the session's sweep.
func drawInspector(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, layout = InspectorLayout(state), area = layout.area
  for y in 0..<area.height { frame.put("│", area.x, y, theme.border) }
  let x = area.x + 2, width = area.width - 3
  frame.put("Model", x, 0, theme.accent)
  switch state.work.model {
  case .ready(let name, let parameters, let bytes, _):
    frame.put(
      TextWidth.fitted("\(name) · \(Format.count(parameters)) · \(Format.bytes(bytes))", width), x, 1,
      theme.text)
  case .loading: frame.put("loading…", x, 1, theme.dim)
  case .failed: frame.put("not loaded", x, 1, theme.error)
  }
  frame.put("Mode  ", x, 2, theme.dim)
  frame.put(state.prompt.mode.rawValue, x + 6, 2, theme.text)
  drawSlider(state, x, width, &frame)
  drawValues(state, layout, x, width, &frame)
  var y = layout.valuesTop + InspectorState.rows.count + 1
  if let running = state.work.running { y = drawProgress(running, state, x, y, width, &frame) }
  drawSweep(state, x, y, width, area.height, &frame)
}

private func drawSlider(_ state: StudioState, _ x: Int, _ width: Int, _ frame: inout Frame) {
  let theme = state.terminal.theme, isFocused = state.inspector.row == 0
  frame.put("Guidance", x, 4, isFocused ? theme.accent : theme.text)
  let value = Format.scale(state.inspector.controls.guidance)
  frame.put(value, x + width - value.count, 4, isFocused ? theme.accent : theme.text)
  guard let slider = InspectorLayout(state).slider else { return }
  let last = slider.width - 1
  func column(_ value: Float) -> Int { sliderColumn(value, last) }
  let at = column(state.inspector.controls.guidance)
  frame.put(String(repeating: "━", count: at), slider.x, slider.y, theme.accent)
  frame.put(String(repeating: "─", count: last - at), slider.x + at + 1, slider.y, theme.border)
  frame.put("●", slider.x + at, slider.y, isFocused ? theme.accent : theme.text)
  // The paper's marks: 1.8 for classes, 5 for descriptions.
  for (mark, text) in [(Float(1.8), "1.8"), (5, "5")] {
    frame.put("╵", slider.x + column(mark), slider.y + 1, theme.dim)
    frame.put(text, slider.x + column(mark) + 1, slider.y + 1, theme.dim)
  }
  frame.put("15", slider.x + last - 1, slider.y + 1, theme.dim)
}

/// A guidance scale's column on a track from 0 to `last`; scales beyond it stand at its ends.
private func sliderColumn(_ value: Float, _ last: Int) -> Int {
  let range = Controls.guidanceRange
  return Int((value.clamped(to: range) / range.upperBound * Float(last)).rounded())
}

private func drawValues(
  _ state: StudioState, _ layout: InspectorLayout, _ x: Int, _ width: Int, _ frame: inout Frame
) {
  let c = state.inspector.controls, theme = state.terminal.theme
  let values = [
    "", "\(c.steps)", c.seed.map { "\($0)" } ?? "random", "\(c.count)", "\(c.decoderSteps)",
    Format.scale(c.temperature),
  ]
  for (i, name) in InspectorState.rows.enumerated() where i > 0 {
    let y = layout.valuesTop + i - 1, isFocused = state.inspector.row == i
    let text = name.prefix(1).uppercased() + name.dropFirst()
    frame.put(text, x, y, isFocused ? theme.accent : theme.dim)
    let value = isFocused ? "‹ \(values[i]) ›" : values[i]
    frame.put(value, x + width - TextWidth.columns(value), y, isFocused ? theme.accent : theme.text)
  }
  if !c.negative.isEmpty {
    frame.put(
      TextWidth.fitted("without \(c.negative)", width), x, layout.valuesTop + values.count - 1, theme.dim)
  }
  let sampler = Format.sampler(c.solver, c.guidanceStart, c.guidanceEnd)
  frame.put(TextWidth.fitted(sampler, width), x, layout.valuesTop + values.count, theme.dim)
}

/// A bar and the live preview. Returns the next free row.
private func drawProgress(
  _ running: Running, _ state: StudioState, _ x: Int, _ top: Int, _ width: Int, _ frame: inout Frame
) -> Int {
  let theme = state.terminal.theme
  frame.put(running.isDrawing ? "Drawing" : "Answering", x, top, theme.accent)
  guard running.isDrawing, running.steps > 0 else { return top + 2 }
  let filled = (width * running.step / running.steps).clamped(to: 0...width)
  frame.put(String(repeating: "█", count: filled), x, top + 1, theme.accent)
  frame.put(String(repeating: "░", count: width - filled), x + filled, top + 1, theme.border)
  return top + 3
}

/// Guidance scales that were drawn with one seed, and what came of each.
private func drawSweep(
  _ state: StudioState, _ x: Int, _ top: Int, _ width: Int, _ bottom: Int, _ frame: inout Frame
) {
  let points = state.sweep, theme = state.terminal.theme
  guard points.count >= 2, top + 4 < bottom else { return }
  frame.put("Sweep of seed \(points[0].seed)", x, top, theme.accent)
  let row = top + 2
  frame.put(String(repeating: "┈", count: width), x, row, theme.border)
  for point in points {
    let column = sliderColumn(point.scale, width - 1)
    let isNow = abs(point.scale - state.inspector.controls.guidance) < 0.05
    frame.put(isNow ? "◆" : "◇", x + column, row, isNow ? theme.accent : theme.text)
  }
  let scales = points.map { Format.scale($0.scale) }.joined(separator: " ")
  frame.put(TextWidth.fitted(scales, width), x, row + 1, theme.dim)
  drawFilmstrip(points.map(\.picture), x, row + 2, width, bottom, state, &frame)
}

private func drawFilmstrip(
  _ pictures: [PictureID], _ x: Int, _ top: Int, _ width: Int, _ bottom: Int, _ state: StudioState,
  _ frame: inout Frame
) {
  guard state.terminal.hasPictures else { return }
  let columns = 3, tile = Size(width / columns - 1, max(2, min(6, (bottom - top) / 3 - 1)))
  for (i, picture) in pictures.enumerated() {
    let cells = state.cells(of: picture, within: tile)
    let y = top + i / columns * (tile.height + 1)
    guard y + cells.height <= bottom else { break }
    let rect = Rect(x + i % columns * (tile.width + 1), y, cells.width, cells.height)
    frame.show(picture, in: rect, clip: rect, state)
  }
}

extension StudioState {
  /// Pictures of the last drawing's prompt and seed, by rising guidance scale.
  var sweep: [(scale: Float, seed: UInt64, picture: PictureID)] {
    guard let last = conversation.lastDrawing else { return [] }
    var found: [(scale: Float, seed: UInt64, picture: PictureID)] = []
    for picture in conversation.transcript.gallery {
      guard let s = conversation.transcript.origins[picture]?.settings, s.prompt == last.prompt,
        s.seed == last.seed
      else { continue }
      found.removeAll { $0.scale == s.guidanceScale }
      found.append((s.guidanceScale, s.seed, picture))
    }
    return found.sorted { $0.scale < $1.scale }
  }
}
