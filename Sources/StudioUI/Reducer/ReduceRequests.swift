import Requests
import SessionLog

extension StudioState {
  /// A seed that differs from the last one, from the clock and a counter: no randomness comes in from outside.
  func randomSeed(beyond last: UInt64) -> UInt64 {
    var x = UInt64(now * 1e6) &+ UInt64(nextRequest) &* 0x9E37_79B9_7F4A_7C15 &+ last
    x = (x ^ x >> 30) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ x >> 27) &* 0x94D0_49BB_1331_11EB
    return (x ^ x >> 31) % 1_000_000_000
  }

  func settings(for text: String) -> DrawingSettings {
    DrawingSettings(
      prompt: text, negative: controls.negative, seed: controls.seed ?? randomSeed(beyond: 0),
      guidanceScale: controls.guidance, steps: controls.steps, decoderSteps: controls.decoderSteps)
  }

  /// A drawing with the settings that are shown now; its prompt, and its seed where none is fixed, stay.
  func asShown(_ drawing: DrawingSettings) -> DrawingSettings {
    var settings = settings(for: drawing.prompt)
    settings.seed = controls.seed ?? drawing.seed
    return settings
  }

  func drawingFromPrompt() -> DrawingSettings? {
    let text = prompt.string.trimmingWhitespace()
    return text.isEmpty || text.hasPrefix("/") ? nil : settings(for: text)
  }

  mutating func draw(_ text: String) -> [Effect] {
    let request = Request.draw(settings(for: text), count: controls.count, parent: nil)
    return controls.count == 1 ? submitForSlider(request) : submit(request)
  }

  /// Starts a drawing that the slider's next move takes the place of.
  mutating func submitForSlider(_ request: Request) -> [Effect] {
    let id = nextRequest, effects = submit(request)
    sliderRequests.insert(id)
    return effects
  }

  mutating func ask(_ text: String) -> [Effect] {
    let pictures = attachments.map(\.picture)
    attachments = []
    let hasOne = transcript.messages.contains { $0.speaker == .person && !$0.pictures.isEmpty }
    if pictures.isEmpty, !hasOne {
      say("no picture attached: Ctrl-O picks a file, Ctrl-A takes the last drawing")
    }
    return submit(
      .ask(text: text, pictures: pictures, temperature: controls.temperature, seed: controls.seed ?? 0))
  }

  /// Starts a request, or lets it wait for the model or for the one before it.
  mutating func submit(_ request: Request) -> [Effect] {
    guard !isReadOnly else { return fail("this session is read-only; /new starts one of your own") }
    guard replay == nil else { return fail("a replay is running; Esc closes it") }
    let id = nextRequest
    nextRequest += 1
    scroll = 0
    if case .draw(let settings, _, _) = request {
      lastDrawing = settings
      sliderRequests = []
    }
    lastRequest = request
    queue.append((id, request))
    return startNext()
  }

  /// Hands the next request to the model when it is free and there.
  mutating func startNext() -> [Effect] {
    guard running == nil, case .ready = model, !queue.isEmpty else { return [] }
    let (id, request) = queue.removeFirst()
    switch request {
    case .ask(let text, let pictures, let temperature, let seed):
      running = Running(request: id, kind: .asking, began: now)
      return [
        .record(
          .asked(
            request: id, text: text, pictures: pictures, sampling: .init(temperature: temperature, seed: seed)
          )),
        .ask(request: id, text: text, pictures: pictures, temperature: temperature, seed: seed),
      ]
    case .draw(let settings, let count, let parent):
      running = Running(request: id, kind: .drawing, steps: settings.steps, count: count, began: now)
      return [
        .record(.drawingAsked(request: id, settings: settings, count: count, parent: parent)),
        .draw(request: id, settings, count: count, parent: parent),
      ]
    }
  }

  mutating func cancelRunning(discarding: Bool) -> [Effect] {
    guard let request = running?.request else {
      if !queue.isEmpty {
        queue = []
        say("queue cleared")
        return []
      }
      return fail("nothing is running")
    }
    if let sweep = sweepRequests[request] {
      queue.removeAll { sweepRequests[$0.id] == sweep }
      say("the sweep ends here")
    }
    running?.isCancelling = true
    running?.isDiscarded = discarding
    return [.cancel(request: request, discarding: discarding)]
  }

  /// Moves the slider; 250 ms after the last move the last prompt is drawn again with its seed.
  mutating func setGuidance(_ value: Float) -> [Effect] {
    let range = Controls.guidanceRange
    controls.guidance = ((value * 10).rounded() / 10).clamped(to: range)
    if lastDrawing != nil, replay == nil, !isReadOnly { sliderDue = now + 0.25 }
    return []
  }

  /// The slider has come to rest: its drawing takes the place of the one in flight.
  mutating func drawForSlider() -> [Effect] {
    sliderDue = nil
    guard let last = lastDrawing, last.guidanceScale != controls.guidance else { return [] }
    // What it asked for before is not waited for; other requests are.
    let superseded = sliderRequests
    queue.removeAll { superseded.contains($0.id) }
    var effects: [Effect] = []
    if let running, superseded.contains(running.request), !running.isCancelling {
      effects += cancelRunning(discarding: true)
    }
    return effects + submitForSlider(.draw(asShown(last), count: 1, parent: transcript.gallery.last))
  }

  // MARK: Critique

  mutating func beginCritique() -> [Effect] {
    guard let picture = transcript.gallery.last(where: { transcript.origins[$0] != nil }),
      let origin = transcript.origins[picture]
    else { return fail("draw a picture first, then /critique it") }
    let parts = CritiqueParts.of(origin.settings.prompt)
    guard !parts.isEmpty else { return fail("the prompt names nothing that can be checked") }
    critique = Critique(picture: picture, parts: parts)
    return askNextPart()
  }

  mutating func askNextPart() -> [Effect] {
    guard let critique, let part = critique.parts.first(where: { $0.said == nil }) else {
      return endCritique()
    }
    critiqueRequest = nextRequest
    return submit(.ask(text: part.question, pictures: [critique.picture], temperature: 0, seed: 0))
  }

  private mutating func endCritique() -> [Effect] {
    guard let critique else { return [] }
    let lines = critique.parts.map { part in
      "\(part.holds == true ? "✓" : "✗") \(part.phrase)\(part.holds == true ? "" : " (\(part.said ?? "no answer"))")"
    }
    let right = critique.parts.count { $0.holds == true }
    self.critique = nil
    critiqueRequest = nil
    return [
      .record(
        .note(
          "Critique: \(right) of \(critique.parts.count) parts correct, according to the model that drew them\n"
            + lines.joined(separator: "\n")))
    ]
  }

  /// An answer came: it may be one of the critique's.
  mutating func takeCritiqueAnswer(_ request: Int, _ text: String) -> [Effect] {
    guard request == critiqueRequest, let at = critique?.parts.firstIndex(where: { $0.said == nil }) else {
      return []
    }
    critique?.parts[at].said = text
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

extension String {
  func trimmingWhitespace() -> String { self[...].trimmingCharacters() }

  /// The first place of a text in this one.
  func range(of text: String) -> Range<Index>? {
    guard !text.isEmpty else { return nil }
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
