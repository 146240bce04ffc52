import Frames
import Requests

/// Cells of the gallery.
struct GalleryLayout {
  let area: Rect
  let columns, rows: Int
  let tile: Size

  init(_ state: StudioState) {
    let size = state.terminal.size
    area = Rect(1, 0, max(20, size.width - 2), max(6, size.height - 1))
    let wanted = [12, 15, 18, 26, 40][state.terminal.pictureSize - 1] + (size.width >= 140 ? 4 : 0)
    let columns = max(1, (area.width - 2) / wanted), cell = state.terminal.cell
    let tile = Self.tile(columns, in: area, cell), rows = max(1, (area.height - 3) / tile.height)
    guard columns * rows > state.terminal.mostPictures else {
      (self.columns, self.rows, self.tile) = (columns, rows, tile)
      return
    }
    (self.columns, self.rows, self.tile) = Self.fewer(
      state.terminal.mostPictures, most: columns, in: area, cell)
  }

  /// A square picture's tile, where so many stand side by side.
  private static func tile(_ columns: Int, in area: Rect, _ cell: Size) -> Size {
    let width = (area.width - 2) / columns, perCell = max(1, cell.height)
    let pixels = (width - 3) * max(1, cell.width)
    return Size(width, max(4, min(area.height - 4, (pixels + perCell - 1) / perCell + 2)))
  }

  /// Where a terminal keeps fewer pictures than there is room for: those columns and rows in which many are large.
  private static func fewer(_ pictures: Int, most: Int, in area: Rect, _ cell: Size) -> (Int, Int, Size) {
    var best = (columns: 1, rows: 1, tile: tile(1, in: area, cell)), filled = 0
    for columns in 1...most {
      for rows in 1...max(1, (area.height - 3) / 4) where columns * rows <= pictures {
        var tile = tile(columns, in: area, cell)
        tile.height = min(tile.height, (area.height - 3) / rows)
        // Many before large ones.
        let score = columns * rows * (tile.height - 2)
        guard score > filled else { continue }
        (best, filled) = ((columns, rows, tile), score)
      }
    }
    return best
  }

  /// The first row of tiles that is shown.
  func firstRow(_ selected: Int) -> Int { max(0, selected / columns - rows + 1) }

  /// Where a tile lies; nil where it is not shown.
  func tile(_ place: Int, selected: Int) -> Rect? {
    let row = place / columns - firstRow(selected)
    guard (0..<rows).contains(row) else { return nil }
    return Rect(
      area.x + 1 + place % columns * tile.width, 1 + row * tile.height, tile.width - 1, tile.height)
  }

  /// The tile at a cell of the screen.
  func place(at x: Int, _ y: Int, selected: Int) -> Int? {
    let column = (x - area.x - 1) / tile.width, row = (y - 1) / tile.height
    guard x > area.x, y >= 1, (0..<columns).contains(column), (0..<rows).contains(row) else { return nil }
    return (firstRow(selected) + row) * columns + column
  }
}

func drawGallery(_ gallery: GalleryOverlay, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, layout = GalleryLayout(state), pictures = state.pictures(of: gallery)
  drawHead(gallery, pictures.count, state, &frame)
  for (i, picture) in pictures.enumerated() {
    guard let tile = layout.tile(i, selected: gallery.selected) else { continue }
    if i == gallery.selected { frame.box(tile, theme.accent) }
    let cells = state.cells(of: picture, within: Size(tile.width - 2, tile.height - 2))
    let rect = Rect(tile.x + (tile.width - cells.width) / 2, tile.y + 1, cells.width, cells.height)
    if state.terminal.hasPictures {
      frame.show(picture, in: rect, clip: rect, state)
    } else {
      let prompt = state.origin(of: picture)?.settings.prompt.oneRow ?? picture.short
      for (line, text) in TextWidth.wrapped(prompt, tile.width - 2).prefix(tile.height - 2).enumerated() {
        frame.put(text, tile.x + 1, tile.y + 1 + line, theme.text)
      }
    }
    var x = tile.x + 1
    if state.conversation.transcript.starred.contains(picture) {
      x += frame.put("★ ", x, tile.maxY - 1, theme.user)
    }
    if let at = gallery.marks.firstIndex(of: picture) {
      frame.put(at == 0 ? "① " : "② ", x, tile.maxY - 1, theme.accent)
    }
  }
  let y = state.terminal.size.height - 2
  guard pictures.indices.contains(gallery.selected) else {
    frame.put(
      gallery.filter.isEmpty && !gallery.showsStarsOnly
        ? "no pictures; z restores deleted ones"
        : "no picture matches", 2, 2, theme.dim)
    return
  }
  let text = state.description(of: pictures[gallery.selected])
  frame.put(TextWidth.fitted(text, state.terminal.size.width - 4), 2, y, theme.text)
}

private func drawHead(_ gallery: GalleryOverlay, _ count: Int, _ state: StudioState, _ frame: inout Frame) {
  let theme = state.terminal.theme, width = state.terminal.size.width
  frame.put("Gallery", 2, 0, theme.accent)
  if gallery.isFiltering {
    let x = 12 + frame.put("/", 12, 0, theme.accent)
    let used = frame.put(TextWidth.fitted(gallery.filter, width - 40), x, 0, theme.text)
    frame.cursor = Point(x + used, 0)
    frame.put("\(Format.number(count, "picture"))", max(x + used + 2, width - 16), 0, theme.dim)
    return
  }
  let which = [
    gallery.showsStarsOnly ? "starred" : nil, gallery.filter.isEmpty ? nil : "with '\(gallery.filter)'",
    gallery.isByPrompt ? "by prompt" : nil,
    gallery.isOfAll ? "all sessions (Tab: this one)" : "this session (Tab: all sessions)",
  ]
  // What is out of sight stands at the right.
  let layout = GalleryLayout(state), above = layout.firstRow(gallery.selected) * layout.columns
  let below = count - above - layout.rows * layout.columns
  let more = [above > 0 ? "\(above) more ↑" : nil, below > 0 ? "\(below) more ↓" : nil].compactMap(\.self)
    .joined(separator: "  ")
  let room = width - 14 - (more.isEmpty ? 0 : more.count + 2)
  let text =
    "\(min(count, gallery.selected + 1)) of \(count) · "
    + which.compactMap(\.self).joined(separator: " · ")
  frame.put(TextWidth.fitted(text, room), 12, 0, theme.dim)
  frame.put(more, width - 2 - more.count, 0, theme.accent)
}

func drawViewer(_ picture: PictureID, _ state: StudioState, _ frame: inout Frame) {
  let size = state.terminal.size, theme = state.terminal.theme
  let told = state.conversation.transcript.details[picture]?.joined(separator: " · ") ?? ""
  let details = told.isEmpty ? [] : Array(TextWidth.wrapped(told, size.width - 4).prefix(3))
  let room = Size(size.width - 4, max(1, size.height - 5 - details.count))
  // Smaller ones on demand; larger ones use what whole factors leave free.
  let share = [0.5, 0.75, 1, 1, 1][state.terminal.pictureSize - 1]
  let limit = Size(max(1, Int(Double(room.width) * share)), max(1, Int(Double(room.height) * share)))
  let cells = state.cells(of: picture, within: limit, fills: state.terminal.pictureSize > 3)
  let rect = Rect(
    (size.width - cells.width) / 2, 1 + (room.height - cells.height) / 2, cells.width, cells.height)
  if state.terminal.hasPictures { frame.show(picture, in: rect, clip: rect, state) }
  if state.conversation.transcript.starred.contains(picture) { frame.put("★", 2, 0, theme.user) }
  let lines = TextWidth.wrapped(state.description(of: picture), size.width - 4)
  for (i, line) in lines.prefix(2).enumerated() {
    frame.put(line, 2, size.height - 3 - details.count + i, theme.text)
  }
  for (i, line) in details.enumerated() {
    frame.put(line, 2, size.height - 1 - details.count + i, theme.dim)
  }
}

extension StudioState {
  /// A picture's prompt and settings in a line.
  func description(of picture: PictureID) -> String {
    if picture == .testCard {
      return
        "Is everything visible? Eight colours, sixteen greys, lines, three ramps, an orange frame. Esc shows the report."
    }
    return (facts(of: picture) + parent(of: picture)).joined(separator: " · ")
  }

  /// A picture's prompt, seed, guidance, steps and what else is known of it, or its file's name.
  private func facts(of picture: PictureID) -> [String] {
    guard let origin = origin(of: picture) else { return [name(of: picture) ?? "loaded from a file"] }
    let s = origin.settings
    let others = [
      Format.sampler(s.solver, s.guidanceStart, s.guidanceEnd),
      s.negative.isEmpty ? "" : "without \(s.negative)",
    ]
    return [
      s.prompt, "seed \(s.seed)", "guidance \(Format.scale(s.guidanceScale))", "\(origin.stepsDone) steps",
    ] + others.filter { !$0.isEmpty }
  }

  private func parent(of picture: PictureID) -> [String] {
    origin(of: picture)?.parent.map { ["from \($0.short)"] } ?? []
  }

  /// The same, what tells it from another one first: the prompt is long, and often that of both.
  func description(of picture: PictureID, beside other: PictureID) -> String {
    let own = facts(of: picture), others = Set(facts(of: other))
    guard own.count > 1 else { return own[0] }
    let differing = own.dropFirst().filter { !others.contains($0) }
    let same = own.dropFirst().filter { others.contains($0) }
    return (differing + [own[0]] + same + parent(of: picture)).joined(separator: " · ")
  }

  /// What tells a picture from the others of this session that were drawn from its prompt; nil where there are none.
  func differences(of picture: PictureID) -> String? {
    guard let own = origin(of: picture) else { return nil }
    let alike = conversation.transcript.gallery.suffix(64).filter { other in
      other != picture && origin(of: other)?.settings.prompt == own.settings.prompt
    }
    guard !alike.isEmpty else { return nil }
    let others = alike.map { Set(facts(of: $0)) }
    let differing = facts(of: picture).dropFirst().filter { fact in !others.allSatisfy { $0.contains(fact) } }
    return differing.isEmpty ? nil : differing.joined(separator: " · ")
  }

  /// What a picture's file was called; nil where that is not known.
  func name(of picture: PictureID) -> String? {
    album.names[picture] ?? conversation.transcript.names[picture]
  }
}
