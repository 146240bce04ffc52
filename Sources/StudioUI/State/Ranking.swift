extension StringProtocol {
  /// Whether a text stands somewhere in this one, byte for byte. Foundation's `contains`, which is what a search is where
  /// it is linked, traps on what ends in a NUL.
  public func holds(_ part: some StringProtocol) -> Bool {
    let text = Array(utf8), part = Array(part.utf8)
    guard let first = part.first else { return true }
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains { text[$0] == first && text[$0...].starts(with: part) }
  }
}

/// How well a name fits what was typed: the whole of it, its beginning, a word's beginning, anywhere in it, and last what
/// is said of it.
struct Ranking {
  private let text: String
  private let words: [Substring]

  /// nil where nothing was typed.
  init?(_ text: String) {
    let words = text.lowercased().split(separator: " ")
    guard !words.isEmpty else { return nil }
    (self.words, self.text) = (words, words.joined(separator: " "))
  }

  /// 0 for the best; nil where one of the words is nowhere.
  ///
  /// - Parameter others: words that it can be found by beside its name and what is said of it.
  func rank(_ name: String, _ detail: String = "", others: [String] = []) -> Int? {
    let name = name.lowercased(), detail = detail.lowercased()
    let nameWords = name.split { !$0.isLetter && !$0.isNumber }
    var worst = 2
    for word in words {
      if nameWords.contains(where: { $0.hasPrefix(word) }) || name.hasPrefix(word) { continue }
      if name.holds(word) {
        worst = max(worst, 3)
      } else if detail.holds(word) || others.contains(where: { $0.hasPrefix(word) }) {
        worst = 4
      } else {
        return nil
      }
    }
    return name == text ? 0 : name.hasPrefix(text) ? 1 : worst
  }

  func rank(_ choice: Choice) -> Int? {
    // A command is called without its slash and what follows it.
    guard choice.value.hasPrefix("/"), choice.title.hasPrefix(choice.value), !text.hasPrefix("/") else {
      return rank(choice.title, choice.detail, others: choice.words)
    }
    let argument = choice.title.dropFirst(choice.value.count)
    return rank(String(choice.value.dropFirst()), "\(argument) \(choice.detail)")
  }

  /// The best first; equals stay in their order.
  static func sorted<T>(_ ranked: [(T, Int)]) -> [T] {
    ranked.enumerated().sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }.map(\.element.0)
  }
}
