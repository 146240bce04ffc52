extension SceneRecord {
  /// Whether a caption names the right objects, number, colours and relation: it must begin as the record's
  /// own caption does, or say the same pair the other way round; what it says of the background is not judged.
  public func agrees(with caption: String) -> Bool {
    var subjects = [SceneText.subject(of: self)]
    if let relation {
      subjects.append("\(objects[1].phrase) \(relation.inverse.rawValue) \(objects[0].phrase)")
    }
    let said = caption.lowercased()
    return subjects.contains { said == $0 || said.hasPrefix($0 + " on ") || said.hasPrefix($0 + ".") }
  }

  /// What an answer to "What is this?" names, without article and colour.
  public static func noun(in answer: String) -> String {
    var words = answer.lowercased().split(separator: " ").map(String.init)
    if let first = words.first, ["a", "an", "the"].contains(first) { words.removeFirst() }
    let colours = Set(ColourName.allCases.map(\.rawValue))
    // "pair of blue trousers" has its colour inside.
    return words.enumerated().filter { place, word in
      !(colours.contains(word) && words.count > 1 && (place == 0 || words[place - 1] == "of")
        && place + 1 < words.count)
    }.map(\.element).joined(separator: " ")
  }
}
