import Frames
import Requests

/// The inspector: model, controls, the running request, the session's sweep.
func drawInspector(_ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, layout = InspectorLayout(state), area = layout.area
  if !state.isInspectorBeside { frame.clear(area, theme.text) }
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
  slider.draw(
    state.inspector.controls.guidance, theme.accent, theme.border, isFocused ? theme.accent : theme.text,
    &frame)
  // The paper's marks: 1.8 for classes, 5 for descriptions.
  let y = slider.rect.y + 1
  for (mark, text) in [(Float(1.8), "1.8"), (5, "5")] {
    frame.put("╵", slider.column(mark), y, theme.dim)
    frame.put(text, slider.column(mark) + 1, y, theme.dim)
  }
  frame.put("15", slider.rect.maxX - 2, y, theme.dim)
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

/// Guidance scales that were drawn with one seed, on the slider's axis, and what came of each: how much of the prompt
/// the model finds in it, and how far the picture moved from the scale before.
private func drawSweep(
  _ state: StudioState, _ x: Int, _ top: Int, _ width: Int, _ bottom: Int, _ frame: inout Frame
) {
  let points = state.sweep, theme = state.terminal.theme
  guard points.count >= 2, top + 4 < bottom, let track = InspectorLayout(state).slider else { return }
  frame.put(TextWidth.fitted("Sweep of seed \(points[0].seed)", width), x, top, theme.accent)
  var row = top + 1
  if bottom - row >= 9 { row = drawPlot(points, track, state, x, row, width, &frame) }
  frame.put(String(repeating: "┈", count: track.rect.width), track.rect.x, row, theme.border)
  for point in points {
    let isNow = abs(point.scale - state.inspector.controls.guidance) < 0.05
    frame.put(isNow ? "◆" : "◇", track.column(point.scale), row, isNow ? theme.accent : theme.text)
  }
  drawScales(points, track, state, row + 1, &frame)
  drawFilmstrip(points.map(\.picture), x, row + 2, width, bottom, state, &frame)
}

/// Each scale below its mark, as far as they do not touch: whole ones before others, each from the least on. Those that
/// are still to be drawn have their room already, so that no label comes and goes.
private func drawScales(
  _ points: [SweepPoint], _ track: SliderTrack, _ state: StudioState, _ y: Int, _ frame: inout Frame
) {
  let theme = state.terminal.theme
  let scales = Set(points.map(\.scale)).union(state.scalesToCome).sorted()
  let isWhole = { (scale: Float) in !Format.shortScale(scale).contains(".") }
  var taken: Set<Int> = []
  for scale in scales.filter(isWhole) + scales.filter({ !isWhole($0) }) {
    let text = Format.shortScale(scale), x = track.column(scale) - (text.count - 1) / 2
    // A blank on either side.
    guard x + text.count <= track.rect.maxX, taken.isDisjoint(with: x - 1...x + text.count) else { continue }
    taken.formUnion(x..<x + text.count)
    guard points.contains(where: { $0.scale == scale }) else { continue }
    let isNow = abs(scale - state.inspector.controls.guidance) < 0.05
    frame.put(text, x, y, isNow ? theme.accent : theme.dim)
  }
}

/// The paper's plot in its appendix D, as far as the model can judge itself. Returns the next free row.
private func drawPlot(
  _ points: [SweepPoint], _ track: SliderTrack, _ state: StudioState, _ x: Int, _ top: Int, _ width: Int,
  _ frame: inout Frame
) -> Int {
  let theme = state.terminal.theme, height = 3
  let agreements = points.map { state.album.agreements[$0.picture] }
  let moves = zip(points, points.dropFirst()).map { state.album.moves[.heatMap($0.picture, $1.picture)] }
  guard agreements.contains(where: { $0 != nil }) || moves.contains(where: { $0 != nil }) else { return top }
  var caption = "agreement"
  let now = points.firstIndex { abs($0.scale - state.inspector.controls.guidance) < 0.05 }
  if let now, let share = agreements[now] { caption += " \(Format.percent(share))" }
  frame.put(caption, x, top, theme.model)
  let moved = "moved" + (now.flatMap { $0 > 0 ? moves[$0 - 1] : nil }.map { " \(Format.percent($0))" } ?? "")
  frame.put(moved, x + width - moved.count, top, theme.user)
  for (i, point) in points.enumerated() {
    let column = track.column(point.scale)
    if let share = agreements[i] { bar(share, height, column, top + height, theme.model, &frame) }
    // Beside it, where the next scale does not stand.
    if i > 0, let move = moves[i - 1], column > track.column(points[i - 1].scale) + 1 {
      bar(move, height, column - 1, top + height, theme.user, &frame)
    }
  }
  return top + height + 1
}

/// A share as a column of eighths that stands on a row.
private func bar(
  _ share: Double, _ height: Int, _ x: Int, _ bottom: Int, _ style: Style, _ frame: inout Frame
) {
  let eighths = Array(" ▁▂▃▄▅▆▇█")
  // Nothing is a line, too: it was measured.
  let filled = max(1, Int((share.clamped(to: 0...1) * Double(8 * height)).rounded()))
  for row in 0..<height {
    let part = (filled - 8 * row).clamped(to: 0...8)
    if part > 0 { frame.put(String(eighths[part]), x, bottom - row, style) }
  }
}

private func drawFilmstrip(
  _ pictures: [PictureID], _ x: Int, _ top: Int, _ width: Int, _ bottom: Int, _ state: StudioState,
  _ frame: inout Frame
) {
  guard state.terminal.hasPictures else { return }
  // The first of a frame are sharp wherever a terminal keeps few pictures.
  let others = frame.placements
  frame.placements = []
  defer { frame.placements += others }
  let columns = 3, tile = Size(width / columns - 1, max(2, min(6, (bottom - top) / 3 - 1)))
  for (i, picture) in pictures.prefix(state.terminal.mostPictures).enumerated() {
    let cells = state.cells(of: picture, within: tile)
    let y = top + i / columns * (tile.height + 1)
    guard y + cells.height <= bottom else { break }
    let rect = Rect(x + i % columns * (tile.width + 1), y, cells.width, cells.height)
    frame.show(picture, in: rect, clip: rect, state)
  }
}

/// A picture of a sweep.
struct SweepPoint: Equatable {
  let scale: Float
  let seed: UInt64
  let picture: PictureID
}

extension StudioState {
  /// Scales at which the last drawing's prompt and seed are being drawn or wait to be.
  var scalesToCome: [Float] {
    guard let last = conversation.lastDrawing else { return [] }
    return ([work.running?.job].compactMap(\.self) + work.queue).compactMap { job in
      guard case .imagine(let settings, _, _) = job.request, settings.prompt == last.prompt,
        settings.seed == last.seed
      else { return nil }
      return settings.guidanceScale
    }
  }

  /// Pictures of the last drawing's prompt and seed, by rising guidance scale.
  var sweep: [SweepPoint] {
    guard let last = conversation.lastDrawing else { return [] }
    var found: [SweepPoint] = []
    for picture in conversation.transcript.gallery {
      guard let s = conversation.transcript.origins[picture]?.settings, s.prompt == last.prompt,
        s.seed == last.seed
      else { continue }
      found.removeAll { $0.scale == s.guidanceScale }
      found.append(SweepPoint(scale: s.guidanceScale, seed: s.seed, picture: picture))
    }
    return found.sorted { $0.scale < $1.scale }
  }
}
