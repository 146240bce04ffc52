import Requests

/// Columns and rows.
public struct Size: Hashable, Sendable {
  /// In columns and rows of a screen, or in pixels of a picture.
  public var width, height: Int

  /// Each argument is the property of its name.
  public init(_ width: Int, _ height: Int) { (self.width, self.height) = (width, height) }
}

/// A cell's place.
public struct Point: Hashable, Sendable {
  /// Column and row, from 0 at the top left.
  public var x, y: Int

  /// Each argument is the property of its name.
  public init(_ x: Int, _ y: Int) { (self.x, self.y) = (x, y) }
}

/// A rectangle of cells.
public struct Rect: Hashable, Sendable {
  /// Column and row of its first cell, and how many there are.
  public var x, y, width, height: Int

  /// Each argument is the property of its name.
  public init(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The column behind the last one.
  public var maxX: Int { x + width }
  /// The row below the last one.
  public var maxY: Int { y + height }

  /// Whether a cell belongs to it.
  public func contains(_ px: Int, _ py: Int) -> Bool { (x..<maxX).contains(px) && (y..<maxY).contains(py) }
  /// Whether both share a cell.
  public func intersects(_ o: Rect) -> Bool { x < o.maxX && o.x < maxX && y < o.maxY && o.y < maxY }
  /// The same without so many columns and rows on each side; never less than nothing.
  public func inset(_ dx: Int, _ dy: Int) -> Rect {
    Rect(x + dx, y + dy, max(0, width - 2 * dx), max(0, height - 2 * dy))
  }
}

/// One column of a row.
public struct Cell: Hashable, Sendable {
  /// What begins in this column.
  public var character: Character
  /// Colours and attributes.
  public var style: Style
  /// The second column of a wide character.
  public var isContinuation = false

  /// A cell of its own, no wide character's second column.
  public init(_ character: Character, _ style: Style) { (self.character, self.style) = (character, style) }
}

/// A picture that lies over cells.
public struct Placement: Hashable, Sendable {
  /// Which one.
  public var picture: PictureID
  /// The cells that it would take if all of it could be seen.
  public var whole: Rect
  /// The cells that can be seen, in the frame.
  public var visible: Rect

  /// Each argument is the property of its name.
  public init(_ picture: PictureID, whole: Rect, visible: Rect) {
    (self.picture, self.whole, self.visible) = (picture, whole, visible)
  }

  /// Whether another comes soon.
  public var isPreview: Bool { if case .preview = picture { true } else { false } }
}

/// A place that does something when it is clicked.
public struct ClickTarget<Meaning: Sendable>: Sendable {
  /// The cells that can be clicked.
  public var rect: Rect
  /// What a click does.
  public var meaning: Meaning

  /// Each argument is the property of its name.
  public init(_ rect: Rect, _ meaning: Meaning) { (self.rect, self.meaning) = (rect, meaning) }
}

/// A whole screen: cells, pictures over them, and the cursor.
public struct Frame: Equatable, Sendable {
  /// In columns and rows.
  public let size: Size
  /// Row by row from the top left.
  public private(set) var cells: [Cell]
  /// Pictures over the cells.
  public var placements: [Placement] = []
  /// nil for none.
  public var cursor: Point?

  /// What stands under a picture. A space could be sent as "erase to the end of the line", which would wipe
  /// pixels beyond it.
  public static let filler: Character = "\u{A0}"

  /// Blank cells of one style.
  public init(_ size: Size, style: Style) {
    self.size = Size(max(0, size.width), max(0, size.height))
    cells = [Cell](repeating: Cell(" ", style), count: self.size.width * self.size.height)
  }

  /// The cell of a column and row, which must be on the screen.
  public subscript(x: Int, y: Int) -> Cell { cells[y * size.width + x] }

  /// Writes text from (x, y) on, cut at `limit` columns and at the frame. Returns the columns used.
  @discardableResult
  public mutating func put(_ text: String, _ x: Int, _ y: Int, _ style: Style, limit: Int = .max) -> Int {
    guard (0..<size.height).contains(y) else { return 0 }
    var column = x
    let end = min(size.width, limit == .max ? size.width : x + limit)
    for character in text {
      let width = TextWidth.columns(character)
      if width == 0 { continue }
      if column + width > end { break }
      if column >= 0 { set(Cell(TextWidth.bounded(character), style), column, y, width) }
      column += width
    }
    return column - x
  }

  private mutating func set(_ cell: Cell, _ x: Int, _ y: Int, _ width: Int) {
    let at = y * size.width + x
    // A half of a wide character that is written over leaves a space.
    if cells[at].isContinuation, x > 0 { cells[at - 1].character = " " }
    let next = at + width
    if x + width < size.width, cells[next].isContinuation {
      cells[next].isContinuation = false
      cells[next].character = " "
    }
    cells[at] = cell
    if width == 2 {
      cells[at + 1] = Cell(" ", cell.style)
      cells[at + 1].isContinuation = true
    }
  }

  /// Sets every cell of a rectangle, as far as it is on the screen.
  public mutating func fill(_ rect: Rect, _ character: Character = " ", _ style: Style) {
    for y in max(0, rect.y)..<max(max(0, rect.y), min(size.height, rect.maxY)) {
      for x in max(0, rect.x)..<max(max(0, rect.x), min(size.width, rect.maxX)) {
        set(Cell(character, style), x, y, 1)
      }
    }
  }

  /// A frame of single lines around a rectangle, with a title in its upper edge.
  public mutating func box(_ rect: Rect, title: String = "", _ style: Style, titleStyle: Style? = nil) {
    guard rect.width >= 2, rect.height >= 2 else { return }
    let inner = rect.width - 2
    put("╭" + String(repeating: "─", count: inner) + "╮", rect.x, rect.y, style)
    for y in rect.y + 1..<rect.maxY - 1 {
      put("│", rect.x, y, style)
      put("│", rect.maxX - 1, y, style)
    }
    put("╰" + String(repeating: "─", count: inner) + "╯", rect.x, rect.maxY - 1, style)
    if !title.isEmpty, inner > 6 {
      put(" \(TextWidth.fitted(title, inner - 4)) ", rect.x + 2, rect.y, titleStyle ?? style)
    }
  }

  /// Lays a picture over cells, of which `clip` can be seen.
  public mutating func place(_ picture: PictureID, in whole: Rect, clip: Rect, _ style: Style) {
    let x = max(whole.x, clip.x), y = max(whole.y, clip.y)
    let visible = Rect(x, y, min(whole.maxX, clip.maxX) - x, min(whole.maxY, clip.maxY) - y)
    guard visible.width > 0, visible.height > 0 else { return }
    fill(visible, Self.filler, style)
    placements.append(Placement(picture, whole: whole, visible: visible))
  }

  /// A row's text, for tests.
  public func row(_ y: Int) -> String {
    var text = ""
    for x in 0..<size.width where !self[x, y].isContinuation { text.append(self[x, y].character) }
    return text
  }
}
