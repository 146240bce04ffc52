import Foundation

/// Numbers as programs and people write them in whatever language: `7,5` is 7.5, `1.234,5` is 1234.5, `٧٫٥` is 7.5.
enum ForeignNumber {
  /// nil for what is no number, or none that has an end.
  static func decimal(_ text: String) -> Double? {
    Double(plain(text, isWhole: false)).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The same of a number of steps, which is whole: what stands before three digits at the end, as in `1.000`, parts
  /// thousands.
  static func count(_ text: String) -> Double? {
    Double(plain(text, isWhole: true)).flatMap { $0.isFinite && $0.rounded() == $0 ? $0 : nil }
  }

  /// The same of a seed, with all its bits.
  static func whole(_ text: String) -> UInt64? {
    let text = plain(text, isWhole: true)
    return UInt64(text) ?? Double(text).flatMap(exact)
  }

  /// 5.0 is 5, but nothing is that a number of this kind does not hold exactly.
  static func exact(_ number: Double) -> UInt64? { abs(number) < 0x1p53 ? UInt64(exactly: number) : nil }

  /// As Swift reads it: digits of ASCII, a point, no groups.
  private static func plain(_ text: String, isWhole: Bool) -> String {
    var plain = ""
    for c in text.trimmingCharacters(in: .whitespacesAndNewlines) {
      switch c {
      case "\u{66B}", "\u{FF0C}": plain.append(",")
      case "\u{FF0E}": plain.append(".")
      case "\u{2212}": plain.append("-")
      // Between thousands.
      case " ", "\u{A0}", "\u{202F}", "\u{2009}", "'", "\u{2019}", "\u{66C}", "_": plain.append(" ")
      default:
        let digit = c.isASCII ? nil : c.wholeNumberValue.flatMap { (0...9).contains($0) ? $0 : nil }
        plain += digit.map(String.init) ?? String(c)
      }
    }
    return ungrouped(plain, isWhole: isWhole)
  }

  private static func ungrouped(_ text: String, isWhole: Bool) -> String {
    var text = text
    if text.contains(" "), isGrouped(text, by: " ") { text = text.replacing(" ", with: "") }
    let marks = text.filter { $0 == "," || $0 == "." }
    guard let last = marks.last else { return text }
    if marks.count == 1 {
      let parts = text.split(separator: last, omittingEmptySubsequences: false)
      let isThousand = isWhole && parts[1].count == 3 && !parts[0].isEmpty && isGrouped(text, by: last)
      return text.replacing(String(last), with: isThousand ? "" : ".")
    }
    if Set(marks).count == 1 {
      return isGrouped(text, by: last) ? text.replacing(String(last), with: "") : text
    }
    // Of two kinds the last is the point, and stands once.
    guard marks.count(where: { $0 == last }) == 1 else { return text }
    let first = String(last == "," ? "." : ",")
    return text.replacing(first, with: "").replacing(String(last), with: ".")
  }

  /// Whether digits stand in threes behind the first group.
  private static func isGrouped(_ text: String, by mark: Character) -> Bool {
    let whole = text.split(separator: mark == "," ? "." : ",", omittingEmptySubsequences: false)
    let groups = (mark == " " ? whole[0] : text[...]).split(separator: mark, omittingEmptySubsequences: false)
    return groups.dropFirst().allSatisfy { $0.count == 3 && $0.allSatisfy(\.isNumber) }
      && (groups.first?.last?.isNumber ?? false)
  }
}
