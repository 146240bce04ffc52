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
    let width = max(8, transcriptWidth - 4)
    let lines = TextWidth.wrapped(prompt.editor.isEmpty ? " " : prompt.editor.string, width).count
    return max(1, min(8, lines, terminal.size.height / 3))
  }

  var transcriptWidth: Int {
    showsInspector ? terminal.size.width - Self.inspectorWidth : terminal.size.width
  }
  /// Above the rule, the prompt, a line of attachments, and the status line.
  var transcriptHeight: Int {
    max(1, terminal.size.height - promptLines - 2 - (prompt.attachments.isEmpty ? 0 : 1))
  }

  /// The cells that a picture takes when it is fitted into so many.
  func cells(of picture: PictureID, within limit: Size) -> Size {
    let pixels = album.sizes[picture] ?? Size(128, 128), perCell = terminal.cell
    let width = Double(limit.width * perCell.width), height = Double(limit.height * perCell.height)
    // Small pictures are shown larger, by whole factors as far as they fit.
    let fit = min(width / Double(pixels.width), height / Double(pixels.height))
    let factor = fit >= 2 ? fit.rounded(.down) : fit
    return Size(
      max(1, min(limit.width, Int((Double(pixels.width) * factor / Double(perCell.width)).rounded(.up)))),
      max(1, min(limit.height, Int((Double(pixels.height) * factor / Double(perCell.height)).rounded(.down))))
    )
  }
}

/// Where the inspector's parts lie.
struct InspectorLayout {
  let area: Rect
  /// The guidance slider's track.
  let slider: Rect?

  init(_ state: StudioState) {
    let x = state.terminal.size.width - StudioState.inspectorWidth
    area = Rect(x, 0, StudioState.inspectorWidth, state.terminal.size.height - 1)
    slider = state.showsInspector ? Rect(x + 3, 6, StudioState.inspectorWidth - 5, 1) : nil
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

/// Cells of the gallery.
struct GalleryLayout {
  let area: Rect
  let columns, rows: Int
  let tile: Size

  init(_ state: StudioState) {
    area = Rect(1, 0, max(20, state.terminal.size.width - 2), max(6, state.terminal.size.height - 1))
    let wanted = state.terminal.size.width >= 140 ? 22 : 18
    columns = max(1, (area.width - 2) / wanted)
    let width = (area.width - 2) / columns
    let pixels = (width - 2) * max(1, state.terminal.cell.width)
    tile = Size(width, max(4, min(area.height - 4, pixels / max(1, state.terminal.cell.height) + 2)))
    rows = max(1, (area.height - 4) / tile.height)
  }
}

/// Where two pictures are compared.
struct CompareLayout {
  let area: Rect

  init(_ state: StudioState) {
    guard case .compare(let pair) = state.overlays.top else {
      area = Rect(0, 0, 0, 0)
      return
    }
    let room = Size(state.terminal.size.width - 6, state.terminal.size.height - 7)
    let cells = state.cells(of: pair.left, within: room)
    area = Rect(
      (state.terminal.size.width - cells.width) / 2, 2 + (room.height - cells.height) / 2, cells.width,
      cells.height)
  }
}

extension Frame {
  /// Lays a picture of a session over cells; one whose file is gone is an empty frame with its name.
  mutating func show(_ picture: PictureID, in whole: Rect, clip: Rect, _ state: StudioState) {
    guard state.album.missing.contains(picture) else {
      return place(picture, in: whole, clip: clip, state.terminal.theme.text)
    }
    let theme = state.terminal.theme, inner = max(0, whole.width - 2)
    let label =
      inner < 20
      ? TextWidth.fitted(inner > 7 ? " missing" : "missing", inner) : " \(picture.short) is missing"
    for y in max(whole.y, clip.y)..<max(whole.y, clip.y, min(whole.maxY, clip.maxY)) {
      let isEdge = y == whole.y || y == whole.maxY - 1
      let ends = y == whole.y ? ("╭", "╮") : y == whole.maxY - 1 ? ("╰", "╯") : ("│", "│")
      let text = isEdge ? String(repeating: "╌", count: inner) : y == whole.y + whole.height / 2 ? label : ""
      let blanks = String(repeating: " ", count: max(0, inner - TextWidth.columns(text)))
      put(ends.0 + text + blanks + ends.1, whole.x, y, theme.dim, limit: max(0, clip.maxX - whole.x))
    }
  }
}
