import Foundation

/// Values that no person means, and that a program must refuse or bear.
enum Absurd {
  static let numbers: [[UInt8]] =
    [
      "0", "-1", "1", "2", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2147483648",
      "4294967296", "1e19", "1e308", "1e-320", "nan", "inf", "-inf", "-0", "0.5", "", " ", " 1", "1 ", "+1",
      "1,5", "0x10", "١", "1_000", "abc", "true", "[]", "18446744073709551615", "18446744073709551616",
      "1000000",
      "65536", "2048", "32", "-", "1e3",
    ].map { Array($0.utf8) } + oddities

  /// Those that arithmetic fails on.
  static let edges = [
    "9223372036854775807", "-9223372036854775808", "18446744073709551615", "2147483647", "4294967296",
    "1e308", "nan",
    "inf", "0", "-1",
  ].map { Array($0.utf8) }

  /// Texts that are no sensible words either.
  static let texts: [[UInt8]] =
    ["", " ", "\n", "-", "--", "--json", "null", "'", "\"", "%s%n", "\u{200D}", "\u{202E}abc", "🐌", "a=b"]
    .map { Array($0.utf8) } + oddities

  /// Not UTF-8, with control characters, very long.
  static let oddities: [[UInt8]] = [
    [0xFF], [0x63, 0x61, 0x66, 0xE9], [0xC3], [0xF4, 0x8F, 0xBA, 0xA9], [0x1B, 0x5B, 0x33, 0x31, 0x6D, 0x78],
    [0x07, 0x08, 0x0D, 0x09], Array("a\nb".utf8), Array("\u{9B}31mx".utf8), [0x7F],
    [UInt8](repeating: 0x39, count: 400), [UInt8](repeating: 0x78, count: 100_000),
  ]

  /// In the place of numbers in texts that the program reads.
  static let storedNumbers = [
    "0", "-1", "1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e19", "1e308",
    "-1e308",
    "1e400", "18446744073709551615", "4294967296", "65537", "3.5", "null", "true", "\"x\"", "[]", "{}", "NaN",
    "-0",
    "1e-320", "inf", "nan", "", "000000001", "999999999999999999999999999999",
  ]
}

/// A way to damage a text that the program reads.
enum TextDamage {
  /// One of a text's numbers made absurd; nil where it has none.
  static func number(_ text: [UInt8], _ dice: inout Dice) -> [UInt8]? {
    var places: [Range<Int>] = [], start: Int?
    for (i, byte) in (text + [0]).enumerated() {
      let isDigit = (48...57).contains(byte) || (byte == 46 && start != nil)
      if isDigit, start == nil { start = i }
      if !isDigit, let begun = start {
        places.append(begun..<i)
        start = nil
      }
    }
    guard let place = dice.pick(places) else { return nil }
    let number = dice.pick(Absurd.storedNumbers, else: "0")
    return text[..<place.lowerBound] + Array(number.utf8) + text[place.upperBound...]
  }

  /// One of the texts in quotes made absurd; nil where there is none.
  static func quoted(_ text: [UInt8], _ dice: inout Dice) -> [UInt8]? {
    let marks = text.indices.filter { text[$0] == 0x22 }
    guard marks.count > 1 else { return nil }
    let i = dice.number(below: marks.count - 1)
    return text[...marks[i]] + dice.pick(Absurd.texts, else: []) + text[marks[i + 1]...]
  }
}
