/// Names of sessions, wherever they come from: a person, a log, or the first prompt.
public enum SessionTitle {
  /// As much of one as any list shows.
  private static let longest = 1000

  /// The same without what nobody sees: signs without a shape, such as a zero-width space, those that turn the direction
  /// of what follows, and blanks at both ends. What joins or chooses the shapes beside it stays. Empty where nothing is left.
  public static func cleaned(_ title: String) -> String {
    let scalars = Array(title.prefix(longest).unicodeScalars)
    var seen = String.UnicodeScalarView(), last: Unicode.Scalar?
    for (place, scalar) in scalars.enumerated() {
      let next = place + 1 < scalars.count ? scalars[place + 1] : nil
      guard scalar.isVisible || scalar.properties.isWhitespace || scalar.shapes(last, next) else { continue }
      seen.append(scalar)
      last = scalar
    }
    let start = seen.firstIndex(where: \.isVisible) ?? seen.endIndex
    let end = seen.lastIndex { !$0.properties.isWhitespace }.map(seen.index(after:)) ?? start
    return String(seen[start..<max(start, end)])
  }
}

extension Character {
  /// Whether it shows anything.
  public var isVisible: Bool {
    if let byte = asciiValue { return byte > 32 && byte != 127 }
    return unicodeScalars.contains(where: \.isVisible)
  }
}

extension Unicode.Scalar {
  fileprivate var isVisible: Bool {
    // The braille pattern without a dot has no other sign of it.
    value != 0x2800 && !properties.isWhitespace && !properties.isDefaultIgnorableCodePoint
      && properties.generalCategory != .control
  }

  private var isTag: Bool { (0xE0020...0xE007F).contains(value) }

  /// Whether it has a part in what is seen beside it.
  fileprivate func shapes(_ before: Unicode.Scalar?, _ behind: Unicode.Scalar?) -> Bool {
    guard let before else { return false }
    // Of a flag.
    if isTag { return before.value == 0x1F3F4 || before.isTag }
    guard before.isVisible || before.properties.isVariationSelector else { return false }
    if value == 0x200C || value == 0x200D { return behind?.isVisible ?? false }
    return properties.isVariationSelector && before.isVisible
  }
}
