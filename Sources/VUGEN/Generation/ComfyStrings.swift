/// What ComfyUI's nodes do to texts, as far as it can be told without running them.
enum ComfyStrings {
  /// What a node does to the text that goes through it.
  enum Work: Equatable {
    /// Hands it on, or nothing is known of it.
    case plain
    /// Puts texts together.
    case join
    /// Puts words in the place of others.
    case replace
    /// Makes a text that cannot be told from its inputs.
    case unread
  }

  static func work(of kind: String, _ inputs: [String: JSONValue]) -> Work {
    let kind = kind.lowercased()
    if unread.contains(where: kind.contains) { return .unread }
    if kind.hasPrefix("stringfunction") {
      return inputs["action"]?.text == "replace" ? .replace : .join
    }
    // Both "Text Replace" and "Find and Replace"; conditions that replace each other have no words to look for.
    if kind.contains("replace") { return pairs(in: inputs).isEmpty ? .unread : .replace }
    let isJoining = ["concat", "join", "combine"].contains(where: kind.contains)
    return isJoining && !parts(of: inputs).isEmpty ? .join : .plain
  }

  /// Nodes that a text leaves as another one: by patterns, cut, in other letters, translated, or written by a model that was
  /// shown a picture or a question.
  private static let unread = [
    "regex", "substring", "stringsplit", "textsplit", "split text", "text split", "caseconver", "translat",
    "ollama", "chatgpt", "openai", "gemini", "claude", "llava", "llm", "florence", "joycaption", "joytag",
    "interrogat", "tagger", "captioner", "blip", "promptgen", "prompt gen", "dynamicprompt", "randomprompt",
  ]

  /// The names of a joining node's texts, in their order.
  static func parts(of inputs: [String: JSONValue]) -> [String] {
    inputs.keys.filter { $0.wholeMatch(of: #/(text|string|prompt)(_[a-z]|_?[0-9]{1,2})/#) != nil }
      .sorted { ($0.count, $0) < ($1.count, $1) }
  }

  /// What stands between the texts of a joining node.
  static func separator(_ kind: String, _ inputs: [String: JSONValue], _ follow: (String) -> String?)
    -> String
  {
    if kind.lowercased().hasPrefix("stringfunction") { return inputs["tidy_tags"]?.text == "yes" ? ", " : "" }
    for name in ["delimiter", "separator"] where inputs[name] != nil {
      return (follow(name) ?? " ").replacing("\\n", with: "\n")
    }
    return " "
  }

  /// The names of the words to look for and of those in their place, in the order in which they are replaced.
  static func pairs(in inputs: [String: JSONValue]) -> [(find: String, replace: String)] {
    let names =
      [("find", "replace"), ("old", "new"), ("search", "replace"), ("text_b", "text_c")]
      + (1...9).flatMap { [("find\($0)", "replace\($0)"), ("find_\($0)", "replace_\($0)")] }
    return names.filter { inputs[$0.0] != nil && inputs[$0.1] != nil }
  }

  /// What is longer is no prompt.
  static let longest = 1 << 16

  /// The text with its words replaced; nil where one of them is a pattern, or comes from where it cannot be read.
  static func replaced(_ text: String, _ inputs: [String: JSONValue], _ follow: (String) -> String?)
    -> String?
  {
    var text = text
    guard text.utf8.count <= longest else { return nil }
    for (find, replace) in pairs(in: inputs) {
      guard let old = follow(find), let new = follow(replace) else { return nil }
      // The node takes what stands between slashes for a pattern.
      if find == "text_b", old.count > 1, old.hasPrefix("/"), old.hasSuffix("/") { return nil }
      guard !old.isEmpty else { continue }
      let growth = text.ranges(of: old).count * max(0, new.utf8.count - old.utf8.count)
      guard text.utf8.count + growth <= longest else { return nil }
      text = text.replacing(old, with: new)
    }
    return text
  }
}
