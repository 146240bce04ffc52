/// The little grammar that captions and questions need.
enum English {
  static let numbers = ["zero", "one", "two", "three", "four", "five", "six"]

  /// "an apple", "a cat".
  static func withArticle(_ noun: String) -> String {
    let first = noun.first.map(String.init) ?? ""
    let isVowel = "aeiou".contains(first) && !noun.hasPrefix("uni") && !noun.hasPrefix("eu")
    return (isVowel ? "an " : "a ") + noun
  }

  private static let containers = [
    "bunches": "bunch", "pairs": "pair", "loaves": "loaf", "heads": "head", "pieces": "piece",
    "bulbs": "bulb",
    "stacks": "stack", "boxes": "box",
  ]

  /// One of what `plural` names: "grapes" of which there are "bunches of grapes" is "bunch of grapes".
  static func singular(name: String, plural: String) -> String {
    guard let of = plural.range(of: " of "), let unit = containers[String(plural[..<of.lowerBound])] else {
      return name
    }
    return unit + String(plural[of.lowerBound...])
  }

  /// "red apple", "pair of blue trousers".
  static func coloured(_ noun: String, _ colour: String?) -> String {
    guard let colour else { return noun }
    guard let of = noun.range(of: " of ") else { return "\(colour) \(noun)" }
    return "\(noun[..<of.upperBound])\(colour) \(noun[of.upperBound...])"
  }

  /// "a cat, a dog and a car".
  static func list(_ items: [String]) -> String {
    guard items.count > 1, let last = items.last else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + last
  }

  static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
