import Frames
import Requests

extension StudioState {
  /// Where words stand in the prompt that the model was never taught; none where that is not known.
  var unknownWords: [Range<Int>] {
    guard let vocabulary, prompt.mode == .imagine, !prompt.editor.isEmpty, prompt.editor.search == nil,
      prompt.isLookedThrough, prompt.editor.text.first != "/"
    else { return [] }
    let mentions = knownAbsent?.mentions.words ?? self.mentions
    // With a picture it will be asked, and not drawn.
    guard !mentions.contains(where: Mentions.isPath) else { return [] }
    let unknown = vocabulary.unknown(in: prompt.editor.string, cursor: prompt.editor.cursor)
    // Both in their order.
    var rest = mentions.map(\.range)[...]
    return unknown.filter { word in
      rest = rest.drop { $0.upperBound <= word.lowerBound }
      return rest.first.map { !$0.overlaps(word) } ?? true
    }
  }

  /// The unknown word at the cursor or before it, else the last one, and a known one that is near it. One that has such a
  /// word goes before those that have none.
  var unknownWord: (range: Range<Int>, text: String, near: String?)? {
    let unknown = unknownWords, cursor = prompt.editor.cursor
    let before = unknown.prefix { $0.lowerBound <= cursor }.count
    let inOrder = unknown[..<before].reversed() + unknown[before...].reversed()
    guard let first = inOrder.first else { return nil }
    func text(_ range: Range<Int>) -> String { String(prompt.editor.text[range]) }
    var seen: Set<String> = []
    // More are not looked up at each key.
    for range in inOrder where seen.count < 12 && seen.insert(text(range)).inserted {
      if let near = vocabulary?.nearest(to: text(range)) { return (range, text(range), near) }
    }
    return (first, text(first), nil)
  }

  /// Puts the nearest known word in the place of one that is not known; false where there is none.
  mutating func mendWord() -> Bool {
    guard let (range, word, near) = unknownWord else { return false }
    guard let near else {
      say("nothing like '\(Vocabulary.shown(word))' is known to \(modelName); /things lists what is")
      return true
    }
    let cursor = prompt.editor.cursor
    prompt.editor.replace(range, with: near)
    if cursor > range.upperBound { prompt.editor.moveCursor(to: cursor + near.count - range.count) }
    return true
  }

  // MARK: Things

  /// - Parameter text: the beginning of a kind's or a thing's name; all of them for nothing.
  mutating func openThings(_ text: String) -> [Effect] {
    guard let vocabulary else { return fail("\(modelName) has no list of what it knows in its folder") }
    let things = vocabulary.things(like: text)
    guard !things.isEmpty else {
      let kinds = vocabulary.kinds.map { $0.lowercased() }.joined(separator: ", ")
      return fail("nothing that begins with '\(Vocabulary.shown(text))'; \(modelName) knows \(kinds)")
    }
    let choices = things.map { thing in
      var choice = Choice(
        title: thing.name, detail: thing.kind + (thing.isColourable ? " · any colour" : ""),
        value: thing.name)
      choice.picture = .thing(thing.name)
      return choice
    }
    let isAll = things.count == vocabulary.things.count
    let title = "What \(modelName) knows" + (isAll ? "" : ": \(Vocabulary.shown(text).oneRow)")
    let list = ListOverlay(.things, title, choices)
    overlays.top = .list(list)
    return []
  }

  /// It is drawn next.
  mutating func choose(thing name: String) -> [Effect] {
    prompt.mode = .imagine
    prompt.editor.set(Vocabulary.withArticle(name))
    return []
  }

  // MARK: Suggestions

  /// A prompt that comes out well, another one each time.
  var suggestion: String {
    let number = prompt.suggestion
    return vocabulary?.suggestion(number) ?? "a red car on a white background"
  }

  mutating func takeSuggestion() {
    prompt.editor.set(suggestion)
    prompt.mode = .imagine
    prompt.suggestion &+= 1
  }

  // MARK: What the model does when nobody asks for anything

  /// Where nothing runs or waits: the picture of the thing that is looked at, and what a sweep shows.
  mutating func startAside() -> [Effect] {
    guard case .ready = work.model, !work.isBusy, work.aside == nil, work.sliderDue == nil, !isTooSmall else {
      return []
    }
    if case .list(let list) = overlays.top, list.purpose == .things, let picture = list.picture,
      case .thing(let name) = picture, album.sizes[picture] == nil, terminal.hasPictures, work.canDraw
    {
      work.aside = picture
      return [.drawThing(name)]
    }
    guard showsInspector, conversation.replay == nil else { return [] }
    let points = sweep
    guard points.count >= 3 else { return [] }
    for (left, right) in zip(points, points.dropFirst()) {
      let pair = Comparison(left: left.picture, right: right.picture)
      guard album.moves[pair.heatMap] == nil else { continue }
      work.aside = pair.heatMap
      return [.measureMove(pair)]
    }
    for point in points where album.agreements[point.picture] == nil {
      let parts = CritiqueParts.of(origin(of: point.picture)?.settings.prompt ?? "")
      guard !parts.isEmpty else { return [] }
      work.aside = point.picture
      return [.judge(point.picture, parts)]
    }
    return []
  }

  mutating func takeAside(_ action: Action) {
    work.aside = nil
    switch action {
    case .agreementKnown(let picture, let share): album.agreements[picture] = share.clamped(to: 0...1)
    case .moveKnown(let pair, let share): album.moves[pair] = share.clamped(to: 0...1)
    default: break
    }
  }
}
