import Frames

/// What has become of the cells that pictures lay over since the screen was last drawn as a whole.
///
/// ncurses knows of characters only. It sends a cell again when its pair of colours changes, which takes away a picture
/// that lay there. Blanks it likes to erase instead (EL, ECH), which takes away what is seen and not always what the
/// terminal keeps: xterm shows that again with whatever is drawn near it. Cells that a picture ever lay over are
/// therefore no blanks but those between two words: they hold the filler, which is sent as text.
package struct CoveredCells {
  private var size = Size(0, 0)
  /// Row by row: whether fillers are shown in the other of two pairs that look the same.
  private var turned: [Bool] = []
  private var covered: [Bool] = []

  package init() {}

  /// A picture that lay there is gone: its fillers change their pair, each from what it was, whichever picture it belonged
  /// to before.
  package mutating func uncover(_ rect: Rect, _ size: Size) {
    if self.size != size {
      self.size = size
      turned = [Bool](repeating: false, count: size.width * size.height)
      covered = turned
    }
    for y in max(0, rect.y)..<max(0, min(size.height, rect.maxY)) {
      for x in max(0, rect.x)..<max(0, min(size.width, rect.maxX)) {
        turned[y * size.width + x].toggle()
        covered[y * size.width + x] = true
      }
    }
  }

  /// Everything was drawn anew.
  package mutating func forget() { self = CoveredCells() }

  package func isTurned(_ x: Int, _ y: Int, _ size: Size) -> Bool {
    size == self.size && turned[y * size.width + x]
  }

  package func wasCovered(_ x: Int, _ y: Int, _ size: Size) -> Bool {
    size == self.size && covered[y * size.width + x]
  }
}

/// The places that xterm has for pictures: sixteen, none of which it frees when a picture is written over. When they are
/// all taken it gives up the picture that stands highest, which is then gone as soon as its cells are shown anew.
///
/// Scrolling moves all of xterm's pictures, whatever part of the screen is scrolled. So before they run out two lines at
/// the bottom are scrolled until every picture has left the screen, where xterm takes their places first; then those two
/// lines and the pictures are sent again. On the screen nothing moves.
package struct PicturePlaces {
  package static let count = 16
  /// Whoever had the terminal before may have left pictures behind.
  private var taken = count

  package init() {}

  /// So many pictures are about to be sent.
  package mutating func take(_ pictures: Int) { taken = min(2 * Self.count, taken + pictures) }

  /// Whether places must be freed before so many are sent; not where even that would not be enough.
  package func lacks(_ pictures: Int, of all: Int) -> Bool {
    taken + pictures > Self.count && all <= Self.count
  }

  /// Every place is free again. What scrolls the pictures away; the last two lines of the screen are lost by it.
  package mutating func free(rows: Int) -> [UInt8] {
    taken = 0
    let away = String(repeating: "\u{1B}[2S", count: rows / 2 + 2)
    return Array("\u{1B}7\u{1B}[0m\u{1B}[\(max(1, rows - 1));\(rows)r\(away)\u{1B}[r\u{1B}8".utf8)
  }
}

extension Frame {
  /// Whether a cell is blank and one of several: one alone is always written.
  package func isGap(_ x: Int, _ y: Int) -> Bool {
    func isBlank(_ x: Int) -> Bool {
      !(0..<size.width).contains(x) || self[x, y].character == " " || self[x, y].character == Frame.filler
    }
    return self[x, y].character == " " && (isBlank(x - 1) || isBlank(x + 1))
  }
}
