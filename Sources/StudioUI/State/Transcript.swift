import Frames
import Requests
import SessionLog

/// The conversation as it is shown: a function of the session's events.
public struct Transcript: Equatable, Sendable {
  /// From the oldest to the newest; what comes of a request stands with it, whatever was asked meanwhile.
  public private(set) var messages: [Message] = []
  /// What the session was named; empty for nothing.
  public private(set) var title = ""
  /// Origin of every drawn picture.
  public private(set) var origins: [PictureID: PictureOrigin] = [:]
  /// What files told of pictures beyond the settings that mean something here.
  public private(set) var details: [PictureID: [String]] = [:]
  /// What attached pictures were called.
  private(set) var names: [PictureID: String] = [:]
  /// Drawn and attached pictures, in order.
  public private(set) var gallery: [PictureID] = []
  /// Pictures that a person marked.
  public private(set) var starred: Set<PictureID> = []
  /// Pictures that are not shown any more.
  public private(set) var deleted: Set<PictureID> = []
  /// What was taken back and can be brought back, the last last.
  private(set) var takenBack: [TakenBack] = []
  /// The highest request number.
  public private(set) var lastRequest = 0
  /// The pictures that were shown last: those that a question brought with it, or the last that was drawn or attached.
  /// Kept, because each frame asks for them.
  private(set) var shownLast: [PictureID] = []
  private var nextID = 0
  /// The model by which the session was opened last.
  private var model = ""
  /// Every picture that was ever there, in order.
  private var known: [PictureID] = []
  /// The first request of the sweep that a request belongs to.
  private var sweeps: [Int: Int] = [:]
  /// Requests of several pictures.
  private var grids: Set<Int> = []
  /// Requests that were taken back, and the messages that went with them.
  private var undone: Set<Int> = []
  private var removed: [Message] = []
  /// Requests that were begun.
  private var begun: Set<Int> = []
  /// Requests of which not all has come.
  private var pending: [Int: Pending] = [:]

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

  /// All requests that one is undone with: those of its sweep.
  func requests(with request: Int) -> [Int] {
    let first = sweeps[request] ?? request
    let others = sweeps.filter { $0.value == first && $0.key != first }.keys.sorted()
    return [first] + others
  }

  /// The last strip or grid.
  var lastStrip: Message? { messages.last { $0.isStrip && !$0.pictures.isEmpty } }

  /// The picture that was shown last and, before it, the last other one; nil where there are no two.
  var lastTwo: (before: PictureID, last: PictureID)? {
    var last: PictureID?
    for message in messages.reversed() {
      for picture in message.pictures.reversed() {
        if let last, picture != last { return (picture, last) }
        last = picture
      }
    }
    return nil
  }

  private mutating func add(_ speaker: Message.Speaker, _ text: String, request: Int? = nil) -> Int {
    var message = Message(id: nextID, speaker, text), at = messages.count
    (message.request, message.model) = (request, model)
    if speaker != .person, let request, let own = messages.lastIndex(where: { $0.request == request }) {
      // By the model that was asked, and above what was asked next.
      message.model = messages[own].model
      if let next = messages[own...].firstIndex(where: { $0.speaker == .person && $0.request != request }) {
        (at, message.behind) = (next, messages[next - 1].behind)
      }
    }
    messages.insert(message, at: at)
    nextID += 1
    return at
  }

  /// The answer's message of a request, made when it is needed.
  private mutating func answer(_ request: Int) -> Int {
    let request = sweeps[request] ?? request
    // Answers stand near the end.
    if let at = messages.lastIndex(where: { $0.request == request && $0.speaker == .model }) { return at }
    return add(.model, "", request: request)
  }

  /// Whether something came of a request.
  func hasAnswer(_ request: Int) -> Bool {
    let request = sweeps[request] ?? request
    return messages.last { $0.request == request }?.speaker == .model
  }

  /// Takes one event in.
  public mutating func apply(_ event: SessionEvent) {
    noteQueue(event)
    if let request = event.request {
      lastRequest = max(lastRequest, request)
      if undone.contains(request) {
        if case .redone = event { restore(request) }
        return
      }
    }
    notePending(event)
    switch event.readable {
    case .opened(let name, _, _): model = name
    case .redone, .settings, .queued, .unqueued: break
    case .renamed(let name): if !name.isEmpty { title = name }
    case .asked(let request, let text, let pictures, _, let written):
      addQuestion(request, written ?? text, pictures)
    case .answered(let request, let text, let tokens, let seconds, let isPartial):
      addAnswer(request, text, tokens, seconds, isPartial)
    case .drawingAsked(let request, let settings, let count, _, let sweep):
      addDrawing(request, settings, count, sweep)
    case .drawn(let request, let picture, let origin, let seconds, let isPartial):
      addPicture(request, picture, origin, seconds, isPartial)
    case .failed(let request, let reason):
      let at = add(.studio, reason, request: sweeps[request] ?? request)
      messages[at].isError = true
    case .cancelled(let request):
      // Of a sweep it is said once.
      let first = sweeps[request] ?? request
      let isSaid = messages.contains { $0.request == first && $0.speaker == .studio && !$0.isError }
      if !hasAnswer(request), !isSaid { _ = add(.studio, "cancelled", request: first) }
    case .note(let text): _ = add(.studio, text)
    case .attached(let picture, let name, let settings, let told):
      addAttachment(picture, name, settings, told)
    case .named(let picture, let name): names[picture] = name
    case .starred(let picture, let isStarred):
      if isStarred { starred.insert(picture) } else { starred.remove(picture) }
    case .undone(let request): remove(request)
    case .deleted(let picture, let isDeleted): setDeleted(picture, isDeleted)
    }
  }

  private mutating func noteQueue(_ event: SessionEvent) {
    switch event {
    case .queued(let waiting): lastRequest = max(lastRequest, waiting.compactMap(\.request).max() ?? 0)
    // What was taken back before it was done was asked for anew.
    case .unqueued(let requests): takenBack.removeAll { $0.isOf(requests) }
    default: break
    }
  }

  private mutating func show(_ pictures: [PictureID], at message: Int) {
    for picture in pictures {
      messages[message].add(picture, isDeleted: deleted.contains(picture))
      guard !known.contains(picture) else { continue }
      known.append(picture)
      if !deleted.contains(picture) { gallery.append(picture) }
    }
    if !pictures.isEmpty { noteShown() }
  }

  private mutating func noteShown() {
    guard let last = messages.last(where: { !$0.pictures.isEmpty }) else { return shownLast = [] }
    shownLast = last.speaker == .person ? last.pictures : Array(last.pictures.suffix(1))
  }

  private mutating func addQuestion(_ request: Int, _ text: String, _ pictures: [PictureID]) {
    let at = add(.person, text, request: request)
    messages[at].isRepeated = !pictures.isEmpty && pictures.allSatisfy(gallery.contains)
    show(pictures, at: at)
  }

  private mutating func addDrawing(_ request: Int, _ settings: ImageSettings, _ count: Int, _ sweep: Int?) {
    if count > 1 { grids.insert(request) }
    if let sweep {
      sweeps[request] = sweep
      // One message for all of them.
      if messages.contains(where: { $0.request == sweep && $0.speaker == .person }) {
        // It goes on: it is not cut off any more, and does not wait.
        messages.removeAll {
          $0.request == sweep && $0.isError && UnfinishedRequests.reasons.contains($0.text)
        }
        return
      }
    }
    let at = add(.person, settings.prompt, request: sweep ?? request)
    messages[at].isDrawing = true
    messages[at].facts =
      (sweep == nil
        ? "draw\(count > 1 ? " \(count)" : "") · guidance \(Format.scale(settings.guidanceScale))"
        : "sweep of guidance · seed \(settings.seed)")
      + (settings.negative.isEmpty ? "" : " · without \(settings.negative)")
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
    let at = answer(request), s = origin.settings, isSweep = sweeps[request] != nil
    show([picture], at: at)
    origins[picture] = origin
    let steps = isPartial ? "\(origin.stepsDone) of \(s.steps) steps, partial" : "\(s.steps) steps"
    messages[at].seconds += seconds
    messages[at].isStrip = isSweep || grids.contains(request)
    let own = isSweep ? "guidance \(Format.scale(s.guidanceScale))" : "seed \(s.seed)"
    var facts = ["seed \(s.seed)", "guidance \(Format.scale(s.guidanceScale))", steps]
    if messages[at].isStrip {
      messages[at].labels[picture] = isPartial ? "partial" : own
      facts.remove(at: isSweep ? 1 : 0)
    }
    messages[at].facts =
      facts.joined(separator: " · ")
      + Format.behind(Format.sampler(s.solver, s.guidanceStart, s.guidanceEnd))
      + " · \(Format.seconds(messages[at].seconds))"
  }

  private mutating func addAttachment(
    _ picture: PictureID, _ name: String, _ settings: ImageSettings?, _ told: [String]?
  ) {
    details[picture] = told
    names[picture] = name
    if let settings { origins[picture] = PictureOrigin(settings, stepsDone: settings.steps) }
    show([picture], at: add(.studio, "attached \(name)"))
  }

  // MARK: What is taken back

  /// Follows what has come of requests.
  private mutating func notePending(_ event: SessionEvent) {
    guard let request = event.request else { return }
    switch event {
    case .asked, .drawingAsked:
      begun.insert(request)
      pending[request] = Pending(began: event)
    case .drawn(_, _, _, _, let isPartial):
      pending[request]?.drawn += 1
      if isPartial || pending[request]?.isDone ?? false { pending[request] = nil }
    case .answered, .failed, .cancelled: pending[request] = nil
    default: break
    }
  }

  /// What was taken back last, as the log tells: a request with the others of its sweep, and those of them that were not
  /// done by then, or requests that waited; nil where nothing is.
  ///
  /// - Parameter earlier: what earlier studios took back of what had not been done.
  func lastTakenBack(_ earlier: TakenBackRequests) -> Undone? {
    for one in takenBack.reversed() {
      switch one {
      case .picture(let picture): return .picture(picture)
      case .request(let request):
        let all = requests(with: request).filter(undone.contains)
        guard !earlier.askedAnew.contains(where: all.contains) else { continue }
        let left = Left.all(earlier.left).filter {
          all.contains($0.job.id) || $0.job.options.sweep.map { $0 == all.first } ?? false
        }
        let again = all.filter { id in !left.contains { $0.job.id == id } }
        return .requests(
          all, again: again.compactMap { pending[$0].flatMap { Job($0.began) } }, left: left)
      case .waited(let request):
        let group = earlier.waited.first { $0.contains { $0.request == request } }
        if let group { return .jobs(group.compactMap { Job($0) }) }
      }
    }
    return nil
  }

  /// What was asked and what came of it is taken back.
  private mutating func remove(_ request: Int) {
    undone.insert(request)
    guard requests(with: request).first == request else { return }
    let own = messages.filter { $0.request == request }
    removed += own
    if !own.isEmpty {
      takenBack.append(.request(request))
    } else if !begun.contains(request) {
      takenBack.append(.waited(request))
    }
    messages.removeAll { $0.request == request }
    listPictures()
  }

  /// It is there again, at its old place.
  private mutating func restore(_ request: Int) {
    undone.remove(request)
    messages = (messages + removed.filter { $0.request == request }).sorted {
      ($0.behind, $0.id) < ($1.behind, $1.id)
    }
    removed.removeAll { $0.request == request }
    takenBack.removeAll { $0 == .request(request) }
    listPictures()
  }

  private mutating func setDeleted(_ picture: PictureID, _ isDeleted: Bool) {
    if isDeleted { deleted.insert(picture) } else { deleted.remove(picture) }
    takenBack.removeAll { $0 == .picture(picture) }
    if isDeleted { takenBack.append(.picture(picture)) }
    for i in messages.indices where messages[i].allPictures.contains(picture) {
      messages[i].pictures = messages[i].allPictures.filter { !deleted.contains($0) }
    }
    listPictures()
  }

  private mutating func listPictures() {
    let shown = Set(messages.flatMap(\.pictures))
    gallery = known.filter(shown.contains)
    noteShown()
  }
}

/// Something that a log has as taken back.
enum TakenBack: Equatable, Sendable {
  /// A request; of a sweep the first.
  case request(Int)
  /// One that waited and was not begun.
  case waited(Int)
  case picture(PictureID)

  /// Whether it is one of these requests.
  func isOf(_ requests: [Int]) -> Bool {
    switch self {
    case .request(let own), .waited(let own): requests.contains(own)
    case .picture: false
    }
  }
}

/// A request of which not all has come.
struct Pending: Equatable, Sendable {
  let began: SessionEvent
  /// Pictures that have come.
  var drawn = 0

  init(began: SessionEvent) { self.began = began }

  var isDone: Bool {
    if case .drawingAsked(_, _, let count, _, _) = began { drawn >= count } else { true }
  }
}

extension SessionEvent {
  /// The same without marks that nobody can read: a log may come from anywhere.
  fileprivate var readable: SessionEvent {
    func bounded(_ text: String) -> String { TextWidth.bounded(text) }
    switch self {
    case .renamed(let text): return .renamed(bounded(text))
    case .asked(let request, let text, let pictures, let sampling, let written):
      return .asked(
        request: request, text: bounded(text), pictures: pictures, sampling: sampling,
        written: written.map(bounded))
    case .answered(let request, let text, let tokens, let seconds, let isPartial):
      return .answered(
        request: request, text: bounded(text), tokens: tokens, seconds: seconds, isPartial: isPartial)
    case .drawingAsked(let request, var settings, let count, let parent, let sweep):
      (settings.prompt, settings.negative) = (bounded(settings.prompt), bounded(settings.negative))
      return .drawingAsked(request: request, settings: settings, count: count, parent: parent, sweep: sweep)
    case .drawn(let request, let picture, var origin, let seconds, let isPartial):
      let settings = origin.settings
      (origin.settings.prompt, origin.settings.negative) = (
        bounded(settings.prompt), bounded(settings.negative)
      )
      return .drawn(
        request: request, picture: picture, origin: origin, seconds: seconds, isPartial: isPartial)
    case .failed(let request, let reason): return .failed(request: request, reason: bounded(reason))
    case .note(let text): return .note(bounded(text))
    case .attached(let picture, let name, let settings, let details):
      return .attached(
        picture: picture, name: bounded(name), settings: settings, details: details?.map { bounded($0) })
    case .named(let picture, let name): return .named(picture: picture, name: bounded(name))
    default: return self
    }
  }
}
