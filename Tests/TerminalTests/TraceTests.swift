import Foundation
import Frames
import Pictures
import Requests
import Terminal
import Testing

/// What pictures leave behind, and what is seen through them.
struct TraceTests {
  private let size = Size(10, 4)

  /// Cells from which a picture went are written again, each whatever became of it before; and they are never left to be
  /// erased, which takes away what is seen and not what the terminal keeps.
  @Test func whatAPictureLeftBehindIsWrittenAgain() {
    var covered = CoveredCells()
    func row(_ y: Int, _ holds: (Int, Int, Size) -> Bool) -> String {
      String((0..<size.width).map { holds($0, y, size) ? "#" : "." })
    }
    #expect(row(1, covered.isTurned) == ".........." && row(1, covered.wasCovered) == "..........")
    covered.uncover(Rect(2, 1, 4, 2), size)
    #expect(row(1, covered.isTurned) == "..####...." && row(2, covered.isTurned) == "..####....")
    #expect(row(0, covered.isTurned) == ".........." && row(3, covered.wasCovered) == "..........")
    // Another picture that lay over a part of it: where both lay a cell looks as it did first, and is written for all that.
    covered.uncover(Rect(4, 1, 4, 1), size)
    #expect(row(1, covered.isTurned) == "..##..##.." && row(1, covered.wasCovered) == "..######..")
    // A part of it beyond the screen, and a screen of another size, on which nothing lay yet.
    covered.uncover(Rect(8, 3, 5, 5), size)
    #expect(row(3, covered.isTurned) == "........##")
    #expect(!covered.wasCovered(2, 1, Size(11, 4)) && !covered.isTurned(2, 1, Size(11, 4)))
    covered.forget()
    #expect(row(1, covered.isTurned) == ".........." && row(1, covered.wasCovered) == "..........")
  }

  /// Blanks that ncurses may erase: all but one alone between words.
  @Test func gapsAreBlanksThatMayBeErased() {
    var frame = Frame(size, style: Style())
    frame.put("a b  c", 0, 0, Style())
    frame.place(.hash("p"), in: Rect(0, 1, 3, 1), clip: Rect(0, 0, 10, 4), Style())
    #expect(String((0..<10).map { frame.isGap($0, 0) ? "#" : "." }) == "...##.####")
    #expect(String((0..<10).map { frame.isGap($0, 1) ? "#" : "." }) == "...#######")
  }

  /// xterm's sixteen places: they are freed before they run out, and not where that would not be enough.
  @Test func placesAreFreedBeforeTheyRunOut() {
    var places = PicturePlaces()
    #expect(places.lacks(1, of: 1), "whoever had the terminal before may have left some")
    let away = String(decoding: places.free(rows: 24), as: UTF8.self)
    #expect(away.contains("\u{1B}[23;24r") && away.hasSuffix("\u{1B}[r\u{1B}8") && away.contains("\u{1B}[2S"))
    #expect(!places.lacks(16, of: 16))
    places.take(15)
    #expect(!places.lacks(1, of: 16) && places.lacks(2, of: 16) && !places.lacks(2, of: 17))
  }

  /// A transparent picture is shown on white, as the model sees it, whatever the theme's ground is.
  @Test(arguments: [Graphics.blocks, .kitty]) func transparentPicturesLieOnWhite(_ graphics: Graphics)
    throws
  {
    // Clear, half clear black, and red; then the same again.
    let row: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 128, 255, 0, 0, 255],
      picture = Picture(width: 3, height: 2, pixels: row + row)
    let key = EncodingKey(
      .hash("p"), graphics, cell: Size(1, 2), whole: Size(3, 1), part: Rect(0, 0, 3, 1),
      background: Colour(0x16, 0x18, 0x1D))
    let bytes = PictureEncoding.encode(picture, key).rows.joined(),
      text = String(decoding: bytes, as: UTF8.self)
    guard graphics == .kitty else {
      #expect(
        text.contains("38;2;255;255;255;48;2;255;255;255m") && text.contains("38;2;255;0;0;"), "\(text)")
      #expect(text.contains("38;2;127;127;127;"), "\(text)")
      return
    }
    let data = text.split(separator: ";").last?.prefix { $0 != "\u{1B}" } ?? ""
    let shown = try Picture(bytes: [UInt8](Data(base64Encoded: String(data)) ?? Data()), name: "shown")
    #expect(shown.pixels == [255, 255, 255, 255, 127, 127, 127, 255, 255, 0, 0, 255] * 2, "\(shown.pixels)")
  }
}

private func * (part: [UInt8], count: Int) -> [UInt8] {
  Array([[UInt8]](repeating: part, count: count).joined())
}
