import Requests

/// A model as a log names it.
public struct RecordedModel: Hashable, Sendable {
  /// What it is called: its folder's own name.
  public var name: String
  /// Tells models of one name apart.
  public var hash: String

  /// Each argument is the property of its name.
  public init(name: String, hash: String) { (self.name, self.hash) = (name, hash) }
}

/// What a person took back before it was done, as a log has it: the next studio can bring it back.
public struct TakenBackRequests: Sendable, Equatable {
  /// What begins requests that waited; those that went together stand together.
  public var waited: [[SessionEvent]] = []
  /// The same of what an earlier studio had left.
  public var left: [SessionEvent] = []
  /// Requests that were asked anew since, and are not to be brought back once more.
  public var askedAnew: Set<Int> = []

  /// Of a log without any.
  public init() {}
}

/// Requests that had not come to their end when a log ended: the one that was worked on, and those that waited. A studio
/// that is left says of all of them what became of them; one that is killed cannot.
public struct UnfinishedRequests: Sendable {
  /// What begins those that are to be asked again, in order: what was left before and not asked again since, the last that
  /// was begun, and all that waited. A model that was to take over stands before what it is for, as `opened`.
  public private(set) var again: [SessionEvent] = []
  /// The model that worked when the log ended; where nothing was cut off or waits then, the one that worked when that was
  /// asked which was left before; nil where nothing is.
  public private(set) var model: RecordedModel?
  /// What begins those that waited.
  public private(set) var waiting: [SessionEvent] = []
  /// The request that was worked on when the log ended; nil where that had ended.
  public private(set) var running: Int?
  /// The session as it is shown: what was cut off says so, and so does what was not begun.
  public private(set) var entries: [SessionEntry] = []
  /// What was taken back before it was done, and can be brought back.
  public private(set) var takenBack = TakenBackRequests()
  /// What the log lacks to say so by itself.
  public private(set) var owed: [SessionEntry] = []

  /// Why nothing came of a request that was begun.
  public static let cutOff = "not finished: the studio ended before it was done"
  /// The same of one that was not.
  public static let notBegun = "was waiting when the studio ended"
  /// Both.
  public static let reasons: Set<String> = [cutOff, notBegun]

  /// Pictures that are missing of the drawings that are to be asked again; those of a sweep as its first request.
  public var missingPictures: [Int: Int] {
    again.reduce(into: [:]) { missing, event in
      guard case .drawingAsked(let request, _, let count, _, let sweep) = event else { return }
      missing[sweep ?? request, default: 0] += count
    }
  }

  /// Prompts that are to be asked again: a sweep is one.
  public var promptsLeft: Int {
    Set(again.compactMap { $0.request == nil ? nil : $0.sweep ?? $0.request }).count
  }

  /// - Parameter log: a whole log, which nobody writes now.
  public init(_ log: [SessionEntry]) {
    var reading = Reading()
    for (place, entry) in log.enumerated() { reading.take(entry.event, place) }
    reading.endGroup()
    takenBack = reading.takenBack
    waiting = reading.waiting.map(\.began).filter { $0.request != nil }
    running = reading.last.flatMap { reading.open[$0] == nil ? nil : $0 }
    let last = [reading.last.flatMap { reading.open[$0]?.rest }].compactMap(\.self)
    again = Self.withoutNeedless(reading.left + last + reading.waiting.map(\.began))
    model = !(last + waiting).isEmpty ? reading.model : again.isEmpty ? nil : reading.leftModel
    let cut = reading.open.sorted { $0.value.place < $1.value.place }
    var marks = Dictionary(grouping: reading.cut + cut.map { ($0.value.place, $0.key) }, by: \.0)
      .mapValues { $0.map { Self.ended($0.1, Self.cutOff) } }
    var ends = cut.map { Self.ended($0.key, Self.cutOff) }
    for (place, events) in reading.ends(log.count - 1) {
      marks[place, default: []] += events
      ends += events
    }
    // What was set after that holds on.
    if !waiting.isEmpty { ends += [reading.settings].compactMap(\.self) }
    if reading.waiting.count > waiting.count { ends.append(.unqueued([])) }
    // They are there to be asked again, whatever is done before.
    if !(last + waiting).isEmpty { ends.append(.queued(again)) }
    owed = ends.map { SessionEntry(time: log.last?.time ?? 0, event: $0) }
    for (place, entry) in log.enumerated() {
      let shown = [entry.event] + (marks[place] ?? [])
      entries += shown.filter { !$0.isOfQueue }.map { SessionEntry(time: entry.time, event: $0) }
    }
  }

  /// Models behind which nothing waits are not needed.
  fileprivate static func withoutNeedless(_ events: [SessionEvent]) -> [SessionEvent] {
    Array(events.prefix((events.lastIndex { $0.request != nil } ?? -1) + 1))
  }

  fileprivate static func ended(_ request: Int, _ reason: String) -> SessionEvent {
    .failed(request: request, reason: reason)
  }
}

/// A log up to some entry.
private struct Reading {
  /// One that was begun.
  struct Open {
    let began: SessionEvent
    let count: Int
    var drawn = 0
    /// Its last entry.
    var place: Int

    init(_ began: SessionEvent, _ place: Int) {
      (self.began, self.place) = (began, place)
      if case .imagine(_, let count, _) = began.requested { self.count = count } else { count = 1 }
    }

    /// What is still to be done.
    var rest: SessionEvent {
      guard drawn > 0, case .drawingAsked(let request, let settings, _, let parent, let sweep) = began else {
        return began
      }
      return .drawingAsked(
        request: request, settings: settings.numbered(drawn), count: count - drawn, parent: parent,
        sweep: sweep)
    }
  }

  var open: [Int: Open] = [:]
  /// Requests whose number came again, as it does in logs of old, and the place of their last entry.
  var cut: [(Int, Int)] = []
  /// Requests and models that wait.
  var waiting: [(began: SessionEvent, place: Int)] = []
  /// What an earlier studio left: it is shown where it was asked, and can be asked again.
  var left: [SessionEvent] = []
  /// By which the session was opened last.
  var model: RecordedModel?
  /// The same when what was left was asked.
  var leftModel: RecordedModel?
  /// The request that was begun last.
  var last: Int?
  /// What was set since then.
  var settings: SessionEvent?
  /// What a person took back of it all.
  var takenBack = TakenBackRequests()
  /// Requests that wait no more and were taken out one after the other: they went together.
  private var group: [SessionEvent] = []
  private var undone: Set<Int> = []
  private var begun: Set<Int> = []
  /// The same without sweeps.
  private var known: Set<Int> = []
  /// The last entry of the request that was begun last.
  private var lastPlace = 0

  mutating func take(_ event: SessionEvent, _ place: Int) {
    noteTakenBack(event)
    switch event {
    case .opened(let name, let hash, _):
      model = RecordedModel(name: name, hash: hash)
      if let next = waiting.firstIndex(where: { $0.began.request == nil }) { waiting.remove(at: next) }
    // What was begun waits no more: it was left.
    case .queued(let events) where events.contains { $0.request.map(known.contains) ?? false }:
      // By whom the session is taken up stands behind it.
      (left, leftModel) = (events, leftModel ?? model)
    case .queued(let events): waiting += events.map { ($0, place) }
    case .unqueued(let requests):
      waiting.removeAll { $0.began.request.map(requests.contains) ?? true }
      leave { requests.contains($0.request ?? 0) }
    case .asked(let request, _, _, _, _), .drawingAsked(let request, _, _, _, _):
      if let old = open[request] { cut.append((old.place, request)) }
      open[request] = Open(event, place)
      waiting.removeAll { $0.began.request == request }
      begun.insert(event.sweep ?? request)
      known.insert(request)
      (last, lastPlace, settings) = (request, place, nil)
    case .drawn(let request, _, _, _, let isPartial):
      if request == last { lastPlace = place }
      guard var one = open[request] else { return }
      (one.drawn, one.place) = (one.drawn + 1, place)
      open[request] = isPartial || one.drawn >= one.count ? nil : one
    case .answered(let request, _, _, _, _), .failed(let request, _), .cancelled(let request),
      .undone(let request):
      open[request] = nil
      waiting.removeAll { $0.began.request == request }
      if request == last { lastPlace = place }
      if case .undone = event { leave { $0.request == request || $0.sweep == request } }
    case .settings: settings = event
    default: break
    }
  }

  /// Follows what a person took back and brought back.
  private mutating func noteTakenBack(_ event: SessionEvent) {
    switch event {
    case .undone(let request):
      undone.insert(request)
      group += waiting.map(\.began).filter { $0.request == request }
      takenBack.left += left.filter { $0.request == request || $0.sweep == request }
      return
    case .redone(let request):
      undone.remove(request)
      let back = takenBack.left.filter { $0.request == request || $0.sweep == request }
      takenBack.left.removeAll(where: back.contains)
      left = (left + back).inOrder
      if !back.isEmpty { leftModel = leftModel ?? model }
    case .unqueued(let requests):
      // The first behind them says only that they wait no more; a later one, that they were asked anew.
      if !group.isEmpty, group.allSatisfy({ requests.contains($0.request ?? 0) }) { break }
      takenBack.askedAnew.formUnion(undone.intersection(requests))
      takenBack.waited.removeAll { $0.contains { requests.contains($0.request ?? 0) } }
    case .queued(let events): takenBack.left.removeAll(where: events.contains)
    default: break
    }
    endGroup()
  }

  /// What is taken back from here on goes by itself.
  mutating func endGroup() {
    if !group.isEmpty { takenBack.waited.append(group) }
    group = []
  }

  /// Of what was left some is there no more.
  private mutating func leave(_ isGone: (SessionEvent) -> Bool) {
    left.removeAll { $0.request != nil && isGone($0) }
    left = UnfinishedRequests.withoutNeedless(left)
    if left.isEmpty { leftModel = nil }
  }

  /// What ends those that waited, and where that is shown: where they were sent, yet behind all that was begun, as they
  /// would have been. A sweep is one prompt, of which it is said once.
  func ends(_ end: Int) -> [(place: Int, events: [SessionEvent])] {
    var told = Set(open.map { $0.value.began.sweep ?? $0.key })
    return waiting.compactMap { began, place in
      guard let request = began.request else { return nil }
      let prompt = began.sweep ?? request, isBegun = begun.contains(prompt)
      guard told.insert(prompt).inserted else { return (place, [.unqueued([request])]) }
      let reason = isBegun ? UnfinishedRequests.cutOff : UnfinishedRequests.notBegun
      return (isBegun ? end : max(place, lastPlace), [began, UnfinishedRequests.ended(request, reason)])
    }
  }
}

extension [SessionEvent] {
  /// As they were asked; a model that takes over stays before what it is for.
  fileprivate var inOrder: [SessionEvent] {
    contains { $0.request == nil } ? self : sorted { ($0.request ?? 0) < ($1.request ?? 0) }
  }
}

extension [SessionEntry] {
  /// A whole log as it is listed, printed and exported. What a studio left that was killed says so as it does where the
  /// session is taken up again.
  ///
  /// - Parameter isOpen: whether a studio works on it: what still waits stands at the end then.
  public func told(whileOpen isOpen: Bool) -> [SessionEntry] {
    let found = UnfinishedRequests(self)
    guard isOpen else { return found.entries.withoutEndsThatWentOn }
    let time = last?.time ?? 0
    return withoutEndsThatWentOn + found.waiting.map { SessionEntry(time: time, event: $0) }
  }

  /// The same without its queue. A sweep that went on is not cut off any more.
  fileprivate var withoutEndsThatWentOn: [SessionEntry] {
    var sweeps: [Int: Int] = [:], begun: [Int: Int] = [:]
    for (place, entry) in enumerated() {
      guard let request = entry.event.request, let sweep = entry.event.sweep else { continue }
      (sweeps[request], begun[sweep]) = (sweep, place)
    }
    return enumerated().filter { place, entry in
      if case .failed(let request, let reason) = entry.event, UnfinishedRequests.reasons.contains(reason),
        let sweep = sweeps[request], begun[sweep].map({ $0 > place }) ?? false
      {
        return false
      }
      return !entry.event.isOfQueue
    }.map(\.element)
  }
}

extension SessionEvent {
  /// Whether it tells of what waits, and of nothing that a person sees in a session.
  fileprivate var isOfQueue: Bool {
    switch self {
    case .queued, .unqueued: true
    default: false
    }
  }
}
