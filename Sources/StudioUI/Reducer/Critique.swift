import Requests
import SessionLog

extension StudioState {
  mutating func beginCritique() -> [Effect] {
    let transcript = conversation.transcript
    let drawn = [currentPicture].compactMap(\.self) + transcript.gallery.reversed()
    guard let picture = drawn.first(where: { transcript.origins[$0] != nil }),
      let origin = transcript.origins[picture]
    else { return fail("draw a picture first, then /critique it") }
    let parts = CritiqueParts.of(origin.settings.prompt)
    guard !parts.isEmpty else { return fail("the prompt names nothing that can be checked") }
    work.critique = Critique(picture: picture, parts: parts)
    return askNextPart()
  }

  private mutating func askNextPart() -> [Effect] {
    guard let critique = work.critique, let part = critique.parts.first(where: { $0.said == nil }) else {
      return endCritique()
    }
    work.critique?.request = work.nextRequest
    return submit(.ask(Question(part.question, pictures: [critique.picture])))
  }

  private mutating func endCritique() -> [Effect] {
    guard let critique = work.critique else { return [] }
    let lines = critique.parts.map { part in
      "\(part.holds == true ? "✓" : "✗") \(part.phrase)\(part.holds == true ? "" : " (\(part.said ?? "no answer"))")"
    }
    let right = critique.parts.count { $0.holds == true }
    work.critique = nil
    return [
      .record(
        .note(
          "Critique: \(right) of \(Format.number(critique.parts.count, "part")) correct, according to the model that drew it\n"
            + lines.joined(separator: "\n")))
    ]
  }

  /// An answer came: it may be one of the critique's.
  mutating func takeCritiqueAnswer(_ request: Int, _ text: String) -> [Effect] {
    guard let critique = work.critique, request == critique.request,
      let at = critique.parts.firstIndex(where: { $0.said == nil })
    else { return [] }
    work.critique?.parts[at].said = text
    return askNextPart()
  }
}

/// Cuts a prompt into what can be asked about its picture.
enum CritiqueParts {
  private static let numbers = ["two", "three", "four", "five"]
  private static let relations = ["left of", "right of", "above", "below"]

  static func of(_ prompt: String) -> [Critique.Part] {
    var text = " " + prompt.lowercased().filter { $0 != "." } + " "
    for opening in [" on ", " with "] {
      if let at = text.range(of: opening) { text = String(text[..<at.lowerBound]) + " " }
    }
    let phrase = text.trimmingWhitespace()
    guard !phrase.isEmpty else { return [] }
    for relation in relations {
      guard let at = phrase.range(of: " \(relation) ") else { continue }
      let first = String(phrase[..<at.lowerBound]), second = String(phrase[at.upperBound...])
      return [exists(first), exists(second), related(first, relation, second)]
    }
    let things = phrase.replacing(" and ", with: ", ").split(separator: ",").map {
      String($0).trimmingWhitespace()
    }
    return things.filter { !$0.isEmpty }.map { thing in
      let words = thing.split(separator: " ")
      guard let number = words.first.map(String.init), numbers.contains(number), words.count > 1 else {
        return exists(thing)
      }
      let plural = words.dropFirst().joined(separator: " ")
      return Critique.Part(phrase: thing, question: "How many \(plural) are there?", expected: number)
    }
  }

  private static func exists(_ phrase: String) -> Critique.Part {
    let words = phrase.split(separator: " ").map(String.init)
    let bare = ["a", "an", "the"].contains(words.first ?? "") ? phrase : "a \(phrase)"
    return Critique.Part(phrase: phrase, question: "Is there \(bare) in the picture?", expected: "yes")
  }

  /// "What is left of the cat?" would take for granted what is to be found out: it is asked where the first thing is.
  private static func related(_ first: String, _ relation: String, _ second: String) -> Critique.Part {
    let noun = first.split(separator: " ").last.map(String.init) ?? first
    return Critique.Part(
      phrase: "\(first) \(relation) \(second)", question: "Where is the \(noun)?", expected: relation)
  }
}
