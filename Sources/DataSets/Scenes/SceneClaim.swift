/// What a caption says is in a picture: things with their numbers and colours, and where one lies of the other. What it
/// says of the background is left out.
public struct SceneClaim: Equatable, Sendable {
  /// Things of one kind: "two red apples".
  public struct Thing: Equatable, Sendable {
    /// nil where several are named without a number.
    public var count: Int?
    /// nil where none is said.
    public var colour: ColourName?
    /// As it is said, in plural where there are several.
    public var noun: String

    /// Each argument is the property of its name.
    public init(count: Int? = nil, colour: ColourName? = nil, noun: String) {
      (self.count, self.colour, self.noun) = (count, colour, noun)
    }
  }

  /// In the order in which they are said.
  public var things: [Thing]
  /// Where the first thing lies of the second.
  public var relation: Relation?

  private static let openings = [
    "a picture of ", "an image of ", "the picture shows ", "there is ", "there are ", "this is ",
    "a group of ",
  ]
  /// The longer wordings first: "left of" is part of "to the left of".
  private static let relations: [(String, Relation)] = [
    (" to the left of ", .leftOf), (" to the right of ", .rightOf), (" left of ", .leftOf),
    (" right of ", .rightOf), (" on top of ", .above), (" higher than ", .above), (" lower than ", .below),
    (" above ", .above), (" below ", .below), (" over ", .above), (" under ", .below),
  ]

  /// Takes a caption such as "two red apples on a white background" or "A cat is left of a dog." apart.
  public init(caption: String) {
    var text = caption.lowercased().split(separator: ".", maxSplits: 1).first.map(String.init) ?? ""
    for opening in Self.openings where text.hasPrefix(opening) { text.removeFirst(opening.count) }
    text = text.replacing(" on top of ", with: " above ").replacing(" is ", with: " ")
    text = text.firstRange(of: " on ").map { String(text[..<$0.lowerBound]) } ?? text
    for (words, found) in Self.relations {
      guard let place = text.firstRange(of: words) else { continue }
      things = [Self.thing(text[..<place.lowerBound]), Self.thing(text[place.upperBound...])]
      relation = found
      return
    }
    if text.hasSuffix(" together") { text.removeLast(9) }
    things = text.replacing(" and ", with: ", ").split(separator: ",").map(Self.thing)
      .filter { !$0.noun.isEmpty }
  }

  /// "three"
  public static func word(for count: Int) -> String {
    English.numbers.indices.contains(count) ? English.numbers[count] : "\(count)"
  }

  private static func thing(_ phrase: Substring) -> Thing {
    var words = phrase.split(separator: " ").map(String.init)
    var count: Int?
    if let first = words.first {
      count = ["a", "an", "the", "one"].contains(first) ? 1 : English.numbers.firstIndex(of: first)
      if count != nil { words.removeFirst() }
    }
    let noun = SceneRecord.noun(in: words.joined(separator: " "))
    // The word that is not of the noun: an orange orange has one.
    for word in noun.split(separator: " ") {
      if let place = words.lastIndex(of: String(word)) { words.remove(at: place) }
    }
    let colour = words.first.flatMap(ColourName.init(rawValue:))
    return Thing(count: count, colour: colour, noun: noun)
  }
}

/// In what a claim is true of a scene.
public struct ClaimTruth: Equatable, Sendable {
  /// Every thing is named and nothing else.
  public var things = false
  /// How many there are of each.
  public var numbers = false
  /// The colours of those whose colour captions say.
  public var colours = false
  /// Where one lies of the other; true of scenes without a relation.
  public var relation = false

  /// All right, or all wrong.
  public init(everything isTrue: Bool = false) {
    (things, numbers, colours, relation) = (isTrue, isTrue, isTrue, isTrue)
  }

  init(things: Bool, numbers: Bool, colours: Bool, relation: Bool) {
    (self.things, self.numbers, self.colours, self.relation) = (things, numbers, colours, relation)
  }
}

extension SceneRecord {
  /// Compares what a caption claims with what is there. Numbers, colours and relation are true only where the things are.
  public func truth(of claim: SceneClaim) -> ClaimTruth {
    let groups = self.groups
    guard claim.things.count == groups.count else { return ClaimTruth() }
    let matched = groups.map { group in
      claim.things.first { $0.noun == group[0].singular || $0.noun == group[0].plural }
    }
    guard !matched.contains(where: { $0 == nil }) else { return ClaimTruth() }
    let pairs = zip(groups, matched.compactMap { $0 })
    return ClaimTruth(
      things: true,
      numbers: pairs.allSatisfy { $1.count == $0.count },
      colours: pairs.allSatisfy { !$0[0].namesColour || $1.colour == $0[0].colour },
      relation: isTrueRelation(of: claim))
  }

  private func isTrueRelation(of claim: SceneClaim) -> Bool {
    guard let relation else { return true }
    guard let said = claim.relation, let first = claim.things.first else { return false }
    return said == (first.noun == objects[0].singular ? relation : relation.inverse)
  }
}

/// A way in which a picture of a scene can be wrong.
public enum SceneFault: String, CaseIterable, Sendable {
  case orderSwapped = "order swapped"
  case coloursExchanged = "colours exchanged"
  case oneTooMany = "one too many"
  case oneMissing = "one missing"
}

extension SceneRecord {
  /// What this scene's picture would have been asked to show, had it come out with a fault; nil where a scene of this
  /// kind cannot have it.
  public func asked(beforeFault fault: SceneFault) -> SceneRecord? {
    var record = self
    switch fault {
    case .orderSwapped:
      guard let relation else { return nil }
      record.relation = relation.inverse
    case .coloursExchanged:
      guard relation != nil, objects.allSatisfy(\.namesColour), objects[0].colour != objects[1].colour else {
        return nil
      }
      (record.objects[0].colour, record.objects[1].colour) = (objects[1].colour, objects[0].colour)
    case .oneTooMany:
      guard kind == .count, objects.count > 2 else { return nil }
      record.objects.removeLast()
    case .oneMissing:
      guard kind == .count, let last = objects.last else { return nil }
      record.objects.append(last)
    }
    return record
  }
}
