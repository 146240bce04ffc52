import Requests
import SessionLog

/// The open session as it is shown.
public struct ConversationState: Equatable, Sendable {
  /// What was said and drawn.
  public var transcript = Transcript()
  /// The line at the bottom of the screen; nil for the end, whatever comes there.
  public internal(set) var scroll: ScrollPlace?
  /// Whether another program writes the session, or it was opened to be read only.
  public var isReadOnly = false
  /// What the last drawing was asked with: what the slider draws again.
  public var lastDrawing: ImageSettings?
  /// What `/retry` does again: of a sweep all of its requests.
  var lastAsked: [Job] = []
  /// What was asked last.
  public var lastRequest: Request<PictureID>? { lastAsked.last?.request }
  /// What `/retry` does before that: requests that had not ended when the session was left.
  var unfinished: [Left] = []
  /// The model that they were asked of; nil where that is not known.
  var unfinishedModel: RecordedModel?
  /// Whether that is not found here.
  var lacksUnfinishedModel = false
  /// Whether they are asked again as soon as a model is there.
  var retriesUnfinished = false
  /// The recorded session that is being played; nil for none.
  public var replay: Replay?
  /// Whether the session has something from before it was opened.
  var isTakenUp = false
  /// What was taken back, the last last.
  var undone: [Undone] = []
  /// What earlier studios took back of what had not been done.
  var takenBack = TakenBackRequests()

  /// Prompts that were not finished, as lists count them: a sweep is one.
  var promptsLeft: Int { Set(unfinished.map { $0.job.options.sweep ?? $0.job.id }).count }

  /// The same screen with nothing on it. Messages' ids go on: none is ever taken for another.
  func emptied(isReadOnly: Bool) -> ConversationState {
    var fresh = ConversationState()
    (fresh.transcript, fresh.isReadOnly) = (transcript.emptied(), isReadOnly)
    return fresh
  }

  /// Lets a recorded session take the place of the open one.
  mutating func begin(_ playing: Replay, now: Double) {
    var playing = playing
    playing.due = now
    if !playing.staysWhenClosed {
      playing.before = Replay.Before(
        transcript: transcript, scroll: scroll, lastDrawing: lastDrawing, lastAsked: lastAsked)
    }
    (transcript, scroll, replay) = (transcript.emptied(), nil, playing)
  }

  /// What the replay took the place of comes back.
  mutating func endReplay() {
    let before = replay?.before
    replay = nil
    guard let before else { return }
    (transcript, scroll) = (before.transcript.withIDs(after: transcript), before.scroll)
    (lastDrawing, lastAsked) = (before.lastDrawing, before.lastAsked)
  }

  /// It is what was asked last; with what was asked before of the same sweep, each scale once.
  mutating func noteAsked(_ job: Job) {
    guard let sweep = job.options.sweep, lastAsked.last?.options.sweep == sweep else {
      lastAsked = [job]
      return
    }
    if !lastAsked.contains(where: { $0.request == job.request }) { lastAsked.append(job) }
  }
}

/// A line of the transcript.
public struct ScrollPlace: Equatable, Sendable {
  /// The message's index.
  var message: Int
  /// Lines of it that lie below the screen.
  var below: Int
}

/// Something that can be brought back.
enum Undone: Equatable, Sendable {
  /// A request, with the others of its sweep; and the one of them that was not done yet, which is asked for again; and
  /// those that an earlier studio had left.
  case requests([Int], again: [Job], left: [Left])
  /// Requests that waited.
  case jobs([Job])
  case picture(PictureID)

  /// What is asked for again where it is brought back.
  var jobs: [Job] {
    switch self {
    case .requests(_, let jobs, _), .jobs(let jobs): jobs
    case .picture: []
    }
  }
}

/// A request that had not ended when the studio did.
struct Left: Equatable, Sendable {
  var job: Job
  /// The model that was to take over before it; nil for the one that was there.
  var model: String?

  /// Those of a log.
  static func all(_ events: [SessionEvent]) -> [Left] {
    var model: String?, left: [Left] = []
    for event in events {
      if case .opened(let folder, _, _) = event { model = folder }
      if let job = Job(event) { left.append(Left(job: job, model: model)) }
    }
    return left
  }

  /// As a log has them.
  static func events(_ left: [Left]) -> [SessionEvent] {
    let changes = changes(left)
    return left.flatMap { one in
      [changes[one.job.id].map(SessionEvent.wanted)].compactMap(\.self) + [one.job.began]
    }
  }

  /// Which models take over, by the request before which they do.
  static func changes(_ left: [Left]) -> [Int: String] {
    var changes: [Int: String] = [:], before: String?
    for one in left where one.model != before {
      changes[one.job.id] = one.model
      before = one.model
    }
    return changes
  }
}

extension SessionEvent {
  /// A model that is to take over.
  static func wanted(_ folder: String) -> SessionEvent {
    .opened(model: folder, modelHash: "", program: "")
  }
}

/// A session that is being played.
public struct Replay: Equatable, Sendable {
  /// What is played.
  public var entries: [SessionEntry]
  /// The next entry.
  public var place = 0
  /// Whether it waits for a key.
  public var isPaused = false
  /// 2 is twice as fast as it happened.
  public var speed = 1.0
  /// When the next entry is due, in seconds of the studio's clock.
  var due = 0.0
  /// Longest wait between two entries.
  public var idleLimit: Double
  /// Whether what was played goes on being shown: nothing else was there before.
  var staysWhenClosed: Bool
  /// What comes back when it is closed.
  fileprivate var before: Before?

  /// Before its first entry.
  public init(
    _ entries: [SessionEntry], speed: Double = 1, idleLimit: Double = 2, isPaused: Bool = false,
    staysWhenClosed: Bool = false
  ) {
    (self.entries, self.speed, self.idleLimit) = (entries, speed, idleLimit)
    (self.isPaused, self.staysWhenClosed) = (isPaused, staysWhenClosed)
  }

  fileprivate struct Before: Equatable {
    var transcript: Transcript
    var scroll: ScrollPlace?
    var lastDrawing: ImageSettings?
    var lastAsked: [Job]
  }
}
