import Requests

/// Requests that had not come to their end when a log ended: the one that was worked on, and those that waited. A studio
/// that is left says of all of them what became of them; one that is killed cannot.
public struct UnfinishedRequests: Sendable {
  /// What begins those that are to be asked again, in order: the last that was begun, and all that waited.
  public private(set) var again: [SessionEvent] = []
  /// What begins those that waited.
  public private(set) var waiting: [SessionEvent] = []
  /// The session as it is shown: what was cut off says so, and so does what was not begun.
  public private(set) var entries: [SessionEntry] = []
  /// What the log lacks to say so by itself.
  public private(set) var owed: [SessionEntry] = []

  /// Why nothing came of a request that was begun.
  public static let cutOff = "not finished: the studio ended before it was done"
  /// The same of one that was not.
  public static let notBegun = "was waiting when the studio ended"

  /// - Parameter log: a whole log, which nobody writes now.
  public init(_ log: [SessionEntry]) {
    var reading = Reading()
    for (place, entry) in log.enumerated() { reading.take(entry.event, place) }
    waiting = reading.waiting.map(\.began)
    again = [reading.last.flatMap { reading.open[$0]?.rest }].compactMap(\.self) + waiting
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
    owed = ends.map { SessionEntry(time: log.last?.time ?? 0, event: $0) }
    for (place, entry) in log.enumerated() {
      let shown = [entry.event] + (marks[place] ?? [])
      entries += shown.filter { !$0.isOfQueue }.map { SessionEntry(time: entry.time, event: $0) }
    }
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
  var waiting: [(began: SessionEvent, place: Int)] = []
  /// The request that was begun last.
  var last: Int?
  /// What was set since then.
  var settings: SessionEvent?
  private var begun: Set<Int> = []

  mutating func take(_ event: SessionEvent, _ place: Int) {
    switch event {
    case .queued(let events): waiting += events.map { ($0, place) }
    case .unqueued(let requests): waiting.removeAll { $0.began.request.map(requests.contains) ?? true }
    case .asked(let request, _, _, _, _), .drawingAsked(let request, _, _, _, _):
      if let old = open[request] { cut.append((old.place, request)) }
      open[request] = Open(event, place)
      waiting.removeAll { $0.began.request == request }
      begun.insert(event.sweep ?? request)
      (last, settings) = (request, nil)
    case .drawn(let request, _, _, _, let isPartial):
      guard var one = open[request] else { return }
      (one.drawn, one.place) = (one.drawn + 1, place)
      open[request] = isPartial || one.drawn >= one.count ? nil : one
    case .answered(let request, _, _, _, _), .failed(let request, _), .cancelled(let request),
      .undone(let request):
      open[request] = nil
      waiting.removeAll { $0.began.request == request }
    case .settings: settings = event
    default: break
    }
  }

  /// What ends those that waited, and where that is shown: where they were sent, or behind the sweep that was begun. A
  /// sweep is one prompt, of which it is said once.
  func ends(_ end: Int) -> [(place: Int, events: [SessionEvent])] {
    var told = Set(open.map { $0.value.began.sweep ?? $0.key })
    return waiting.compactMap { began, place in
      guard let request = began.request else { return nil }
      let prompt = began.sweep ?? request, isBegun = begun.contains(prompt)
      guard told.insert(prompt).inserted else { return (place, [.unqueued([request])]) }
      let reason = isBegun ? UnfinishedRequests.cutOff : UnfinishedRequests.notBegun
      return (isBegun ? end : place, [began, UnfinishedRequests.ended(request, reason)])
    }
  }
}

extension [SessionEntry] {
  /// The same for those who print it: what still waits stands at the end, and no queue does.
  public var withWaiting: [SessionEntry] {
    let time = last?.time ?? 0, waiting = UnfinishedRequests(self).waiting
    return filter { !$0.event.isOfQueue } + waiting.map { SessionEntry(time: time, event: $0) }
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
