/// How questions begin in English, to say so where one is drawn.
enum QuestionWords {
  /// Words that ask, each with what may follow it; nothing for anything.
  private static let asking: [String: Set<String>] = {
    let verbs: Set = [
      "is", "are", "was", "were", "do", "does", "did", "can", "could", "has", "have", "am", "will", "would",
      "should", "isn't", "aren't",
    ]
    let subjects: Set = [
      "there", "this", "that", "these", "those", "it", "the", "they", "you", "he", "she", "any", "anything",
      "anyone", "anybody", "something", "someone", "a", "an", "i", "we",
    ]
    let kinds: Set = [
      "color", "colour", "colors", "colours", "kind", "sort", "type", "shape", "time", "animal", "animals",
      "object", "objects", "thing", "things", "number", "else",
    ]
    let pictures: Set = ["this", "that", "the", "these", "what", "it", "me"]
    var words = ["what": verbs.union(kinds).union(["what's"]), "where": verbs, "why": verbs, "when": verbs]
    words["who"] = ["is", "are", "was", "were", "does", "did", "can"]
    words["whose"] = []
    words["which"] = kinds.union(verbs).union(["one", "of", "side"])
    words["how"] = verbs.union(["many", "much", "old", "big", "large", "tall", "far", "long", "often"])
    for verb in ["is", "are", "was", "were", "does", "did", "isn't", "aren't"] { words[verb] = subjects }
    // "can of beans", "do not disturb", "has been".
    for verb in ["can", "could", "do", "has", "have", "would", "will"] {
      words[verb] = subjects.subtracting(["a", "an"])
    }
    for contracted in ["what's", "where's", "who's", "how's", "whats", "wheres"] { words[contracted] = [] }
    words["describe"] = pictures
    words["tell"] = ["me", "us"]
    words["count"] = ["the", "these", "those", "all", "how"]
    return words
  }()

  /// Whether a text reads as a question: by its first words, or by the mark at its end.
  static func begins(_ text: String) -> Bool {
    // No question is longer, and a prompt may be.
    let text = String(text.prefix(400)).lowercased().replacing("\u{2019}", with: "'")
    let words = text.split { !$0.isLetter && $0 != "'" }.map(String.init)
    guard words.count >= 2 else { return false }
    if text.trimmingWhitespace().last == "?" { return true }
    guard let following = asking[words[0]] else { return false }
    return following.isEmpty || following.contains(words[1])
  }
}
