import Frames
import Requests
import Testing

@Suite struct TextWidthTests {
  @Test(arguments: [
    ("a", 1), ("é", 1), ("e\u{301}", 1), ("東", 2), ("😀", 2), ("👨‍👩‍👧", 2), ("❤\u{FE0F}", 1), ("\u{7}", 1),
  ])
  func charactersTakeColumns(_ text: String, _ columns: Int) { #expect(TextWidth.columns(text) == columns) }

  @Test func linesBreakAtSpacesAndKeepTheirBreaks() {
    #expect(TextWidth.wrapped("the quick brown fox", 10) == ["the quick", "brown fox"])
    #expect(TextWidth.wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"])
    #expect(TextWidth.wrapped("a\n\nb", 10) == ["a", "", "b"])
    #expect(TextWidth.wrapped("東京都庁", 5) == ["東京", "都庁"])
    #expect(TextWidth.wrapped("", 5) == [""])
    for width in 1...30 {
      let lines = TextWidth.wrapped("naïve 東京 👨‍👩‍👧 words and a-very-long-unbroken-word", width)
      #expect(lines.allSatisfy { TextWidth.columns($0) <= max(2, width) })
    }
  }

  @Test func theEndOfATextIsAsMuchAsFits() {
    #expect(TextWidth.end(of: "hello", 5) == "hello" && TextWidth.end(of: "hello", 2) == "lo")
    #expect(TextWidth.end(of: "東京都", 3) == "都" && TextWidth.end(of: "x東", 3) == "x東")
    #expect(TextWidth.end(of: "", 4) == "" && TextWidth.end(of: "e\u{301}", 1) == "e\u{301}")
    #expect(TextWidth.end(of: "x", 0) == "" && TextWidth.end(of: "x", -3) == "")
  }

  @Test func cutTextEndsInAnEllipsis() {
    #expect(TextWidth.fitted("hello", 5) == "hello" && TextWidth.fitted("hello", 4) == "hel…")
    #expect(TextWidth.fitted("東京", 3) == "東…" && TextWidth.fitted("x", 0) == "")
  }
}

@Suite struct FrameTests {
  @Test func textIsCutAtTheEdgeAndWideCharactersStayWhole() {
    var frame = Frame(Size(6, 2), style: Style())
    frame.put("abcdefgh", 3, 0, Style())
    frame.put("a東b", 0, 1, Style())
    #expect(frame.row(0) == "   abc" && frame.row(1) == "a東b  ")
    // Half of a wide character that is written over leaves a space.
    frame.put("x", 2, 1, Style())
    #expect(frame.row(1) == "a xb  ")
    frame.put("ab東", 3, 0, Style())
    #expect(frame.row(0) == "   abc")
    frame.put("out", 0, 9, Style())
  }

  @Test func picturesAreClippedAndFillTheirCells() {
    var frame = Frame(Size(10, 6), style: Style())
    frame.place("p", in: Rect(2, -2, 4, 5), clip: Rect(0, 0, 10, 6), Style())
    #expect(frame.placements == [Placement("p", whole: Rect(2, -2, 4, 5), visible: Rect(2, 0, 4, 3))])
    #expect(frame[2, 0].character == Frame.filler && frame[2, 3].character == " ")
    frame.place("q", in: Rect(20, 0, 4, 4), clip: Rect(0, 0, 10, 6), Style())
    #expect(frame.placements.count == 1)
  }

  @Test(arguments: [
    (Colour(255, 0, 0), 196, 9), (Colour(0, 0, 0), 16, 0), (Colour(255, 255, 255), 231, 15),
    (Colour(128, 128, 128), 244, 7), (Colour(0x2e, 0x34, 0x40), 237, 8),
  ])
  func coloursFindTheirNeighbours(_ colour: Colour, _ of256: Int, _ of16: Int) {
    #expect(
      colour.palette256 == of256 && colour.palette16 == of16, "\(colour.palette256) \(colour.palette16)")
    #expect(Colour(hex: "#12ab9F") == Colour(0x12, 0xab, 0x9f))
    #expect(Colour(hex: "12ab9f") == nil && Colour(hex: "#12ab9") == nil && Colour(hex: "#12ab9g") == nil)
  }
}

/// In tests a text is a stored picture's hash.
extension PictureID: ExpressibleByStringLiteral {
  public init(stringLiteral hash: String) { self = .hash(hash) }
}
