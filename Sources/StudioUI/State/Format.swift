import Requests

/// Numbers as the studio writes them.
public enum Format {
  /// The nearest whole number, however large or odd the value is: what a damaged log says may have none.
  static func whole(_ value: Double) -> Int { Int(value.rounded().clamped(to: -1e15...1e15)) }

  static func seconds(_ seconds: Double) -> String {
    seconds < 10
      ? decimal(seconds, 1) + " s"
      : seconds < 100 ? "\(whole(seconds)) s" : "\(whole((seconds / 60).rounded(.down))) min"
  }

  /// What is unusual about a drawing's sampler; nothing for Euler's steps that are guided all the way.
  static func sampler(_ solver: Solver, _ start: Float, _ end: Float) -> String {
    let words = [
      solver == .heun ? "Heun" : nil,
      start > 0 || end < 1 ? "guided \(decimal(Double(start), 2))…\(decimal(Double(end), 2))" : nil,
    ]
    return words.compactMap(\.self).joined(separator: ", ")
  }

  /// A further fact of a line, where there is one.
  static func behind(_ fact: String) -> String { fact.isEmpty ? "" : " · \(fact)" }

  static func scale(_ value: Float) -> String { decimal(Double(value), 1) }

  /// Without a nought behind the point: "3", "4.5".
  static func shortScale(_ value: Float) -> String {
    let text = scale(value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func decimal(_ value: Double, _ places: Int) -> String {
    let factor = places == 1 ? 10.0 : 100.0
    let all = whole(value * factor)
    let digits = String(abs(all) % Int(factor))
    let padded = String(repeating: "0", count: places - digits.count) + digits
    return "\(all < 0 ? "-" : "")\(abs(all) / Int(factor)).\(padded)"
  }

  static func percent(_ share: Double) -> String { "\(whole(share.clamped(to: 0...1) * 100)) %" }

  /// "1 picture", "3 pictures".
  static func number(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

  /// A number of bytes as a person says it: "38 MB".
  public static func bytes(_ count: Int) -> String {
    // Decimal, as everywhere where files are measured.
    count < 1_000_000
      ? "\(count / 1000) kB"
      : count < 10_000_000_000 ? "\((count + 500_000) / 1_000_000) MB" : "\(count / 1_000_000_000) GB"
  }

  /// A large number of numbers as a person says it: "18.3 M".
  public static func count(_ count: Int) -> String {
    count < 1_000_000
      ? "\(count / 1000) k"
      : count < 1_000_000_000
        ? decimal(Double(count) / 1e6, 1) + " M"
        : decimal(Double(count) / 1e9, 1) + " B"
  }
}

extension String {
  /// Without line breaks.
  var oneRow: String {
    // Most have none: their bytes tell that soon.
    guard utf8.contains(where: { (10...13).contains($0) || $0 >= 0x80 }) else { return self }
    return split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
