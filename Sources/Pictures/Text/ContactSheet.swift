/// Pictures in rows, each with a caption under it.
public struct ContactSheet {
  /// One cell.
  public struct Item {
    /// Of any size; it is fitted into the cell, and keeps its proportions.
    public var picture: Picture
    /// Wrapped below the picture; what does not fit is cut.
    public var caption: String

    /// Each argument is the property of its name.
    public init(_ picture: Picture, _ caption: String) { (self.picture, self.caption) = (picture, caption) }
  }

  /// Cells in a row.
  public var columns: Int
  /// Side of a cell's picture in pixels; larger and smaller ones are resized.
  public var side: Int

  /// Each argument is the property of its name.
  public init(columns: Int = 8, side: Int = 128) { (self.columns, self.side) = (columns, side) }

  private static let margin = 8, textSize = 11, lineHeight = 14, lines = 4

  /// A picture as its cell shows it: all that has to be kept of a large one. Its longer side is the cell's.
  public func thumbnail(_ picture: Picture) -> Picture {
    let longer = max(picture.width, picture.height)
    func scaled(_ length: Int) -> Int {
      max(1, Int((Double(length) * Double(side) / Double(longer)).rounded()))
    }
    return picture.resizedBicubic(width: scaled(picture.width), height: scaled(picture.height))
  }

  /// Throws `PictureError` when no font is found.
  public func draw(_ items: [Item]) throws -> Picture {
    let font = try FontFace.forLabels()
    let cell = (side + Self.margin, side + Self.margin + Self.lines * Self.lineHeight)
    let rows = max(1, (items.count + columns - 1) / columns), wide = min(columns, max(1, items.count))
    var sheet = Picture(
      width: wide * cell.0 + Self.margin, height: rows * cell.1 + Self.margin, red: 245, green: 245, blue: 243
    )
    for (i, item) in items.enumerated() {
      let x = Self.margin + i % columns * cell.0, y = Self.margin + i / columns * cell.1
      let shown = thumbnail(item.picture)
      sheet.lay(shown, x: x + (side - shown.width) / 2, y: y + (side - shown.height) / 2)
      for (n, line) in wrapped(item.caption, font).prefix(Self.lines).enumerated() {
        font.draw(
          line, into: &sheet, x: x, y: y + side + (n + 1) * Self.lineHeight - 2, size: Self.textSize,
          colour: (40, 40, 44))
      }
    }
    return sheet
  }

  private func wrapped(_ text: String, _ font: FontFace) -> [String] {
    var lines = [""]
    var scratch = Picture(width: 1, height: 1, red: 0, green: 0, blue: 0)
    for word in text.split(separator: " ") {
      let longer = lines[lines.count - 1].isEmpty ? String(word) : lines[lines.count - 1] + " " + word
      let width = font.draw(longer, into: &scratch, x: 0, y: 0, size: Self.textSize, colour: (0, 0, 0))
      if width <= side || lines[lines.count - 1].isEmpty {
        lines[lines.count - 1] = longer
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
