import Foundation
import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What lies below a pop-up, and words that have no room.
@Suite struct PopUpTests {
  private static let sizes = [Size(60, 16), Size(80, 24), Size(100, 30), Size(120, 36), Size(200, 50)]

  private func bench(_ size: Size) -> Bench {
    var b = Bench(size)
    // There the inspector stands beside as a whole, and is none of the words below.
    if size.width >= 200 { b.press(.function(2)) }
    b.act(.session(.opened(model: "nano", modelHash: "h", program: "p")))
    for number in 0..<12 {
      b.act(.pictureKnown(.hash("c\(number)"), Size(128, 128)))
      let words = "many words that go from one side of the screen to the other, as long as it is"
      b.send("a prompt of \(words) \(number)")
      b.finish("c\(number)")
    }
    b.type("some words that are being written")
    b.act(.tick(99))
    return b
  }

  /// The box's cells, from its corners.
  private func outline(of frame: Frame) -> Rect? {
    let rows = (0..<frame.size.height).map { Array(frame.row($0)) }
    guard let top = rows.firstIndex(where: { $0.contains("╭") && $0.contains("╮") }),
      let bottom = rows.lastIndex(where: { $0.contains("╰") && $0.contains("╯") }),
      let left = rows[bottom].firstIndex(of: "╰"), let right = rows[bottom].firstIndex(of: "╯")
    else { return nil }
    return Rect(left, top, right - left + 1, bottom - top + 1)
  }

  /// No word stands beside the box or touches it, nothing is left in a strip too narrow for anything, and the prompt is
  /// there as a whole or not at all.
  @Test(arguments: sizes) func nothingLooksOutFromUnderAPopUp(_ size: Size) throws {
    for keys in [[Key.control("p")], [.function(1)], []] {
      var b = bench(size)
      if keys.isEmpty {
        b.press(.control("u"))
        b.send("/tour")
      }
      keys.forEach { b.press($0) }
      let frame = view(b.state, LayoutCache()), box = try #require(outline(of: frame), "\(b.rows())")
      func isBlank(_ x: Int, _ y: Int) -> Bool { [" ", Frame.filler].contains(frame[x, y].character) }
      for y in max(0, box.y - 1)..<box.maxY {
        for x in 0..<size.width where !box.contains(x, y) {
          #expect(isBlank(x, y), "\(x), \(y):\n\(b.rows().joined(separator: "\n"))")
          let isStrip = box.x < 12 && y >= box.y || box.y <= 3 && y < box.y
          #expect(!isStrip || frame[x, y].character == " ", "a strip of a picture at \(x), \(y)")
        }
      }
      let hasRule = b.rows().contains { $0.contains(" Imagine ─") }
      let hasPrompt = b.rows().contains { $0.hasPrefix(" › ") }
      #expect(hasRule == hasPrompt, "\(b.rows().joined(separator: "\n"))")
      // It goes as far as the screen where nothing stands beside it.
      let rule = b.rows().first { $0.contains(" Imagine ─") }
      #expect(rule.map { $0.hasSuffix("─") } ?? true, "\(rule ?? "")")
    }
  }

  /// What a command does is cut behind a word, and the selected line's is there as a whole.
  @Test(arguments: sizes) func whatACommandDoesCanBeRead(_ size: Size) {
    var b = Bench(size)
    b.press(.control("p"))
    for binding in KeyTable.slash {
      let rows = b.rows()
      let known = Set(binding.help.split(separator: " ").map { $0.filter { !",;:".contains($0) } })
      for row in rows where row.contains("/\(binding.name) ") {
        // Behind the title.
        let tail = row.components(separatedBy: binding.help.prefix(12)).dropFirst().joined()
        let text = tail.prefix { $0 != "│" }.replacing(#/ +$/#, with: "")
        guard text.hasSuffix("…") else { continue }
        let words = (binding.help.prefix(12) + text.dropLast()).split(separator: " ")
        let last = words.last.map { $0.filter { !",;:".contains($0) } }
        #expect(last.map { known.contains($0) } == true, "\(row)")
      }
      let words = rows.joined(separator: " ").replacing("│", with: " ").split(separator: " ")
      #expect(words.joined(separator: " ").contains(binding.help), "\(rows.joined(separator: "\n"))")
      b.press(.down)
    }
  }

  @Test func textsAreCutBehindWords() {
    let text = "Take back the last request and its results"
    #expect(TextWidth.fittedAtWord(text, 100) == text)
    #expect(TextWidth.fittedAtWord(text, 25) == "Take back the last …")
    #expect(TextWidth.fittedAtWord(text, 27) == "Take back the last request…")
    #expect(TextWidth.fittedAtWord("abcdefghijklmnop qrs", 12) == "abcdefghijk…")
    for width in 0..<60 { #expect(TextWidth.columns(TextWidth.fittedAtWord(text, width)) <= width) }
  }
}
