import Requests
import SessionLog

/// One thing in the transcript.
public struct Message: Equatable, Sendable {
  /// Who says something.
  public enum Speaker: Sendable { case person, model, studio }

  /// Its place in the transcript, for good.
  public let id: Int
  /// Who says it.
  public var speaker: Speaker
  /// What was said: a question, a prompt, an answer, a note.
  public var text: String
  /// Attached to it, or drawn for it.
  public var pictures: [PictureID] = []
  /// The dim line below: speed, or seed, guidance, steps and time.
  public var facts = ""
  /// Whether it tells of something that failed.
  public var isError = false
  /// The request that it belongs to; nil for none.
  public var request: Int?

  init(id: Int, _ speaker: Speaker, _ text: String) {
    (self.id, self.speaker, self.text) = (id, speaker, text)
  }
}

/// The conversation as it is shown: a function of the session's events.
public struct Transcript: Equatable, Sendable {
  /// From the oldest to the newest.
  public private(set) var messages: [Message] = []
  /// What the session was named; empty for nothing.
  public private(set) var title = ""
  /// Origin of every drawn picture.
  public private(set) var origins: [PictureID: PictureOrigin] = [:]
  /// What files told of pictures beyond the settings that mean something here.
  public private(set) var details: [PictureID: [String]] = [:]
  /// Drawn and attached pictures, in order.
  public private(set) var gallery: [PictureID] = []
  /// Pictures that a person marked.
  public private(set) var starred: Set<PictureID> = []
  /// The highest request number.
  public private(set) var lastRequest = 0
  private var nextID = 0

  /// Of no event yet.
  public init() {}

  /// Without anything in it. Ids go on: no message is ever taken for another.
  func emptied() -> Transcript {
    var fresh = Transcript()
    fresh.nextID = nextID
    return fresh
  }

  /// The same, whose next message has an id that another transcript did not give, either.
  func withIDs(after other: Transcript) -> Transcript {
    var same = self
    same.nextID = max(nextID, other.nextID)
    return same
  }

  private mutating func add(_ speaker: Message.Speaker, _ text: String, request: Int? = nil) -> Int {
    var message = Message(id: nextID, speaker, text)
    message.request = request
    messages.append(message)
    nextID += 1
    return messages.count - 1
  }

  /// The answer's message of a request, made when it is needed.
  private mutating func answer(_ request: Int) -> Int {
    // Answers stand near the end.
    if let at = messages.lastIndex(where: { $0.request == request && $0.speaker == .model }) { return at }
    return add(.model, "", request: request)
  }

  /// Takes one event in.
  public mutating func apply(_ event: SessionEvent) {
    if let request = event.request { lastRequest = max(lastRequest, request) }
    switch event {
    case .opened: break
    case .renamed(let name): title = name
    case .asked(let request, let text, let pictures, _):
      let at = add(.person, text, request: request)
      messages[at].pictures = pictures
      for picture in pictures where !gallery.contains(picture) { gallery.append(picture) }
    case .answered(let request, let text, let tokens, let seconds, let isPartial):
      addAnswer(request, text, tokens, seconds, isPartial)
    case .drawingAsked(let request, let settings, let count, _):
      let at = add(.person, settings.prompt, request: request)
      messages[at].facts =
        "draw\(count > 1 ? " \(count)" : "") · guidance \(Format.scale(settings.guidanceScale))"
        + (settings.negative.isEmpty ? "" : " · without \(settings.negative)")
    case .drawn(let request, let picture, let origin, let seconds, let isPartial):
      addPicture(request, picture, origin, seconds, isPartial)
    case .failed(let request, let reason):
      let at = add(.studio, reason, request: request)
      messages[at].isError = true
    case .cancelled(let request):
      if !messages.contains(where: { $0.request == request && $0.speaker == .model }) {
        _ = add(.studio, "cancelled", request: request)
      }
    case .note(let text): _ = add(.studio, text)
    case .attached(let picture, let name, let settings, let told):
      addAttachment(picture, name, settings, told)
    case .starred(let picture, let isStarred):
      if isStarred { starred.insert(picture) } else { starred.remove(picture) }
    case .undone(let request): remove(request)
    }
  }

  private mutating func addAnswer(
    _ request: Int, _ text: String, _ tokens: Int, _ seconds: Double, _ isPartial: Bool
  ) {
    let at = answer(request), rate = Double(tokens) / max(seconds, 1e-3)
    messages[at].text = text
    messages[at].facts =
      "\(tokens) \(tokens == 1 ? "token" : "tokens") · \(Format.seconds(seconds)) · \(Format.whole(rate)) tokens/s"
      + (isPartial ? " · cancelled" : "")
  }

  private mutating func addPicture(
    _ request: Int, _ picture: PictureID, _ origin: PictureOrigin, _ seconds: Double, _ isPartial: Bool
  ) {
    let at = answer(request), s = origin.settings
    messages[at].pictures.append(picture)
    let steps = isPartial ? "\(origin.stepsDone) of \(s.steps) steps, partial" : "\(s.steps) steps"
    messages[at].facts =
      "seed \(s.seed) · guidance \(Format.scale(s.guidanceScale)) · \(steps)"
      + Format.behind(Format.sampler(s.solver, s.guidanceStart, s.guidanceEnd))
      + " · \(Format.seconds(seconds))"
    origins[picture] = origin
    if !gallery.contains(picture) { gallery.append(picture) }
  }

  private mutating func addAttachment(
    _ picture: PictureID, _ name: String, _ settings: ImageSettings?, _ told: [String]?
  ) {
    details[picture] = told
    if let settings { origins[picture] = PictureOrigin(settings, stepsDone: settings.steps) }
    if !gallery.contains(picture) { gallery.append(picture) }
    let at = add(.studio, "attached \(name)")
    messages[at].pictures = [picture]
  }

  /// What was asked and what came of it is taken back.
  private mutating func remove(_ request: Int) {
    let gone = Set(messages.filter { $0.request == request }.flatMap(\.pictures))
    messages.removeAll { $0.request == request }
    let kept = Set(messages.flatMap(\.pictures))
    gallery.removeAll { gone.contains($0) && !kept.contains($0) }
  }
}
