/// Captions, questions and answers, worked out from a scene's record and true of it.
enum SceneText {
  static func write(_ record: inout SceneRecord, others: [ObjectClass], _ random: inout SceneRandom) {
    let subject = subject(of: record), background = record.background.phrase
    record.caption = "\(subject) on \(background)"
    record.captions = wordings(record, subject, &random)
    record.questions = questions(record, others, &random)
  }

  /// "a red apple", "three dogs", "a cat left of a dog", "two apples and a car".
  static func subject(of record: SceneRecord) -> String {
    let first = record.objects[0]
    if record.kind == .wide { return first.name }
    if record.kind == .count || record.kind == .assortment {
      return English.list(record.groups.map(amount))
    }
    guard let relation = record.relation else { return first.phrase }
    return "\(first.phrase) \(relation.rawValue) \(record.objects[1].phrase)"
  }

  /// "a red apple", "three dogs".
  private static func amount(of group: [SceneObject]) -> String {
    group.count == 1 ? group[0].phrase : "\(English.numbers[group.count]) \(group[0].plurals)"
  }

  // MARK: Captions

  private static func wordings(_ record: SceneRecord, _ subject: String, _ random: inout SceneRandom)
    -> [String]
  {
    let first = record.objects[0], verb = record.groups[0].count > 1 ? "there are" : "there is"
    var list = [subject, "a picture of \(subject)", "an image of \(subject)", "\(verb) \(subject)"]
    switch record.kind {
    case .count: list += ["a group of \(subject)", "\(subject) together"]
    case .pair, .colourPair:
      let second = record.objects[1], inverse = (record.relation ?? .leftOf).inverse
      let loose = looser(record.relation ?? .leftOf, &random)
      list += [
        "\(second.phrase) \(inverse.rawValue) \(first.phrase)", "\(first.phrase) \(loose) \(second.phrase)",
        "\(first.phrase) and \(second.phrase)",
      ]
    case .assortment:
      let names = record.groups.map(amount)
      list.append(English.list(random.shuffled(names)))
    case .wide: list.append("this is \(subject)")
    case .single, .colour: list += ["this is \(subject)", "This is an image of \(first.phrase)."]
    }
    let chosen = random.shuffled(list).prefix(3)
    return chosen.map {
      !$0.hasSuffix(".") && random.chance(0.4) ? "\($0) on \(record.background.phrase)" : $0
    }
  }

  private static func looser(_ relation: Relation, _ random: inout SceneRandom) -> String {
    switch relation {
    case .leftOf: "to the left of"
    case .rightOf: "to the right of"
    case .above: random.pick(["over", "higher than"])
    case .below: random.pick(["under", "lower than"])
    }
  }

  /// Several sentences: what, how large, where, on what.
  static func detail(_ record: SceneRecord) -> String {
    var parts = ["The picture shows \(subject(of: record)) on \(record.background.phrase)."]
    let isCounted = record.kind == .count || record.kind == .assortment
    for (i, object) in record.objects.enumerated() where !isCounted {
      let noun = record.kind == .wide ? "picture" : object.singular
      let side = max(object.box[2] - object.box[0], object.box[3] - object.box[1])
      let share = Double(side) / Double(record.size)
      let size = share > 0.6 ? "large" : share < 0.35 ? "small" : "of medium size"
      parts.append("The \(noun) is \(size) and \(place(of: object, record.size)).")
      if i == 0, let relation = record.relation {
        let (a, b) = (record.objects[0].singular, record.objects[1].singular)
        parts.append("The \(b) is \(relation.inverse.rawValue) the \(a).")
      }
    }
    let number = English.numbers[record.objects.count]
    if record.kind == .count { parts.append("There are \(number) of them.") }
    if record.kind == .assortment { parts.append("There are \(number) things.") }
    return parts.joined(separator: " ")
  }

  /// "at the top left", "in the middle".
  static func place(of object: SceneObject, _ size: Int) -> String {
    func third(_ a: Int, _ b: Int) -> Int { min(2, 3 * (a + b) / (2 * size)) }
    let column = third(object.box[0], object.box[2]), row = third(object.box[1], object.box[3])
    let rows = ["top", "", "bottom"], columns = ["left", "", "right"]
    if row == 1, column == 1 { return "in the middle" }
    if row == 1 { return "on the \(columns[column])" }
    return column == 1 ? "at the \(rows[row])" : "at the \(rows[row]) \(columns[column])"
  }

  // MARK: Questions

  private static func questions(
    _ record: SceneRecord, _ others: [ObjectClass], _ random: inout SceneRandom
  ) -> [QuestionAnswer] {
    var list = questionsOfTheWhole(record, &random)
    if record.objects.count == 1 { list += questionsOfOne(record, record.objects[0], &random) }
    if record.kind == .wide { return list }
    let asked = random.pick(record.objects)
    list += counts(record, asked, &random)
    if let relation = record.relation { list += relations(record, relation, &random) }
    return list + [
      .init(task: .exists, question: "Is there \(asked.phrase) in the picture?", answer: "yes"),
      .init(
        task: .exists, question: "Is there \(absent(record, others, &random)) in the picture?", answer: "no"),
    ]
  }

  private static func questionsOfTheWhole(
    _ record: SceneRecord, _ random: inout SceneRandom
  ) -> [QuestionAnswer] {
    [
      .init(
        task: .describe,
        question: random.pick([
          "Describe this picture.", "What does the picture show?", "Describe the image.",
        ]),
        answer: record.caption),
      .init(
        task: .detail,
        question: random.pick(["Describe this picture in detail.", "Tell me everything about this picture."]),
        answer: detail(record)),
      .init(
        task: .background, question: random.pick(["What is the background?", "What is behind it?"]),
        answer: record.background.phrase),
    ]
  }

  /// What a picture of a single thing is asked.
  private static func questionsOfOne(
    _ record: SceneRecord, _ thing: SceneObject, _ random: inout SceneRandom
  ) -> [QuestionAnswer] {
    let what = QuestionAnswer(
      task: .what, question: random.pick(["What is this?", "What is in the picture?", "What do you see?"]),
      answer: record.kind == .wide ? thing.name : thing.phrase)
    // Without its colour, so that a thing's name is not learnt from which colours it comes in.
    let kind = QuestionAnswer(
      task: .what, question: "What kind of thing is this?", answer: English.withArticle(thing.singular))
    let place = QuestionAnswer(task: .place, question: "Where is it?", answer: place(of: thing, record.size))
    return record.kind == .wide ? [what, place] : [what, kind, place]
  }

  /// How many there are, of `asked` and of all things, and the colour where they share one.
  private static func counts(
    _ record: SceneRecord, _ asked: SceneObject, _ random: inout SceneRandom
  ) -> [QuestionAnswer] {
    let same = record.objects.filter { $0.name == asked.name }
    var list = [
      QuestionAnswer(
        task: .count,
        question: random.pick(["How many \(asked.plural) are there?", "How many \(asked.plural) do you see?"]
        ),
        answer: English.numbers[same.count]),
      QuestionAnswer(
        task: .count,
        question: random.pick(["How many things are there?", "How many things are in the picture?"]),
        answer: English.numbers[record.objects.count]),
    ]
    if let colour = asked.colour, Set(same.map(\.colour)).count == 1 {
      let thing = same.count > 1 ? "are the \(asked.plural)" : "is the \(asked.singular)"
      list.append(.init(task: .colour, question: "What color \(thing)?", answer: colour.rawValue))
    }
    return list
  }

  private static func relations(_ record: SceneRecord, _ relation: Relation, _ random: inout SceneRandom)
    -> [QuestionAnswer]
  {
    let (a, b) = (record.objects[0], record.objects[1])
    return [
      .init(task: .relation, question: "What is \(relation.rawValue) the \(b.singular)?", answer: a.phrase),
      .init(
        task: .relation, question: "What is \(relation.inverse.rawValue) the \(a.singular)?", answer: b.phrase
      ),
      random.chance(0.5)
        ? .init(
          task: .relation, question: "Where is the \(a.singular)?",
          answer: "\(relation.rawValue) the \(b.singular)")
        : .init(
          task: .relation, question: "Where is the \(b.singular)?",
          answer: "\(relation.inverse.rawValue) the \(a.singular)"),
    ]
  }

  /// Something that is not there: another class, or the right one in a wrong colour.
  private static func absent(_ record: SceneRecord, _ others: [ObjectClass], _ random: inout SceneRandom)
    -> String
  {
    let present = random.pick(record.objects)
    if present.namesColour, let colour = present.colour, random.chance(0.35) {
      let wrong = ColourName.allCases.filter { name in
        name != colour && !record.objects.contains { $0.name == present.name && $0.colour == name }
      }
      return English.withArticle(English.coloured(present.singular, random.pick(wrong).rawValue))
    }
    let names = Set(record.objects.map(\.name))
    while true {
      let other = random.pick(others)
      guard !names.contains(other.name) else { continue }
      return English.withArticle(English.singular(name: other.name, plural: other.plural))
    }
  }
}
