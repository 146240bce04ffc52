import Foundation
import Frames
import Pictures
import Requests
import Terminal
import Testing

/// The card by which a person judges a terminal: what looks wrong in it is the terminal's fault.
@Suite struct TestCardTests {
  /// Sixel data as colours, a number each; the rows of a band one below the other.
  private func decoded(_ bytes: [UInt8]) -> [[Int]] {
    var rows: [[Int]] = [], numbers: [Int] = [], command: Character = " ", colour = 0, count = 1, x = 0,
      band = 0
    func end() {
      if command == "#", let first = numbers.first { colour = first }
      if command == "!", let first = numbers.first { count = first }
    }
    for c in String(decoding: bytes.drop { $0 != UInt8(ascii: "q") }.dropFirst(), as: UTF8.self) {
      if c == "\u{1B}" { break }
      if let digit = c.wholeNumberValue {
        if numbers.isEmpty { numbers = [0] }
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + digit
        continue
      }
      if c == ";" {
        numbers.append(0)
        continue
      }
      end()
      (command, numbers) = (c, [])
      switch c {
      case "$": x = 0
      case "-": (x, band) = (0, band + 1)
      case "?"..."~":
        let bits = Int(c.asciiValue ?? 63) - 63
        while rows.count < 6 * (band + 1) { rows.append([]) }
        for row in 0..<6 where bits >> row & 1 == 1 {
          let y = 6 * band + row
          while rows[y].count < x + count { rows[y].append(-1) }
          for column in x..<x + count { rows[y][column] = colour }
        }
        (x, count) = (x + count, 1)
      default: break
      }
    }
    return rows
  }

  /// However large it is shown, no dots of other colours stand in its fields.
  @Test(arguments: [Size(29, 8), Size(43, 12), Size(50, 14), Size(20, 6)]) func fieldsAreFlat(_ cells: Size) {
    let cell = Size(9, 19), part = Rect(0, 0, cells.width, cells.height)
    let key = EncodingKey(.testCard, .sixel, cell: cell, whole: cells, part: part, background: nil)
    let rows = decoded(PictureEncoding.encode(TestCard.picture(), key).rows.flatMap(\.self))
    let width = rows.map(\.count).max() ?? 0, scale = Double(width) / Double(TestCard.width)
    #expect(scale > 0.6 && rows.count > 60)
    for bar in 0..<8 {
      // Not where two of them meet.
      let columns = Int(Double(32 * bar + 8) * scale)..<Int(Double(32 * bar + 24) * scale)
      let lines = Int(14 * scale)..<Int(42 * scale)
      #expect(Set(lines.flatMap { rows[$0][columns] }).count == 1, "bar \(bar) at \(cells)")
    }
  }

  /// In the studio and on paper it is shown pixel by pixel where there is room: fine lines are what they are.
  @Test func linesOfOnePixelAreThere() {
    var facts = TerminalFacts()
    facts.cell = Size(9, 19)
    let bytes = TestCard.bytes(.sixel, isTruecolor: true, on: facts), rows = decoded(bytes)
    #expect(rows.map(\.count).max() == TestCard.width)
    let line = Array(rows[90][4..<80])
    #expect(zip(line, line.dropFirst()).allSatisfy { $0 != $1 } && Set(line).count == 2)
  }
}
