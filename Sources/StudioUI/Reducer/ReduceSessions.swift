import Frames
import Requests
import SessionLog

extension StudioState {
  /// An entry of the open session, or of one that is played.
  mutating func take(_ event: SessionEvent) -> [Effect] {
    conversation.transcript.apply(event)
    // A damaged log may hold the largest of numbers.
    work.nextRequest = max(work.nextRequest, min(conversation.transcript.lastRequest, 1 << 60) + 1)
    switch event {
    case .asked(_, _, _, let sampling, _) where conversation.replay == nil:
      if isReading {
        takeUp(event, in: .ask)
        inspector.controls.temperature = sampling.temperature
        inspector.recorded = inspector.controls
      }
      noteRecorded(event.requested, isOfSweep: false)
    case .drawingAsked(_, let settings, _, _, let sweep) where conversation.replay == nil:
      if isReading {
        takeUp(event, in: .imagine)
        restore(settings, isOfSweep: sweep != nil)
      }
      noteRecorded(event.requested, isOfSweep: sweep != nil)
    case .settings(let settings) where isReading:
      // What was turned before the first request is in the log before it.
      forgetTheOneBefore()
      inspector.controls.take(settings)
      inspector.recorded = inspector.controls
      if let asks = settings.asks {
        let mode = asks ? StudioMode.ask : .imagine
        prompt.recordedMode = mode
        turn(to: mode)
      }
    case .queued, .unqueued:
      if conversation.replay == nil { noteWaiting(event) }
    case .drawn(_, _, let origin, _, _):
      prompt.subject = .newest
      if conversation.lastDrawing == nil || work.running == nil {
        conversation.lastDrawing = origin.settings
      }
    case .answered(let request, let text, _, _, _): return takeCritiqueAnswer(request, text)
    default: break
    }
    return []
  }

  /// What a request that begins says of the settings by itself.
  mutating func noteRecorded(_ request: Request<PictureID>?, isOfSweep: Bool) {
    switch request {
    case .ask: prompt.recordedMode = .ask
    case .imagine(let settings, _, _):
      prompt.recordedMode = .imagine
      inspector.recorded.take(settings, isOfSweep: isOfSweep)
    case nil: break
    }
  }

  /// What waits would be asked if the studio ended now: its mode would be the last one.
  private mutating func noteWaiting(_ event: SessionEvent) {
    switch event {
    case .queued(let events):
      guard let last = events.last(where: { $0.requested != nil }) else { break }
      if case .asked = last { prompt.recordedMode = .ask } else { prompt.recordedMode = .imagine }
    case .unqueued(let requests): if !requests.isEmpty { prompt.recordedMode = nil }
    default: break
    }
  }

  /// Whether entries are those of a session that is being taken up, and not what happens now.
  private var isReading: Bool {
    work.running == nil && work.leaving == nil && conversation.replay == nil
  }

  /// A request of the session that is taken up: it goes on in the mode of the last one, unless the log says another.
  private mutating func takeUp(_ event: SessionEvent, in mode: StudioMode) {
    forgetTheOneBefore()
    if let job = Job(event) { conversation.noteAsked(job) }
    turn(to: mode)
  }

  /// What the session before was turned to is none of the one's that is taken up: of what its log does not say, such as a
  /// seed that is random, the person's own defaults hold.
  private mutating func forgetTheOneBefore() {
    guard !conversation.isTakenUp else { return }
    conversation.isTakenUp = true
    (inspector.controls, inspector.recorded) = (inspector.configured, inspector.configured)
    prompt.recordedMode = prompt.configuredMode
    turn(to: prompt.configuredMode)
  }

  /// A session goes on as it was left: with the settings of its last drawing, and what was turned since.
  private mutating func restore(_ settings: ImageSettings, isOfSweep: Bool) {
    inspector.controls.take(settings, isOfSweep: isOfSweep)
    inspector.recorded = inspector.controls
  }

  mutating func takeSessions(_ action: Action) -> [Effect] {
    switch action {
    case .sessionOpened(let isReadOnly, let text, let isError, let isNew):
      let effects = beginSession(isReadOnly: isReadOnly, text, isError: isError)
      if !isNew { forgetTheOneBefore() }
      // Of a picture of the session before, perhaps.
      if isNew, !isReadOnly { inspector.controls.seed = inspector.configured.seed }
      return effects
    case .sessionsRead(let choices): showSessions(choices)
    case .modelsRead(let choices):
      var list = ListOverlay(.models, "Models", choices)
      list.select(choices.firstIndex(where: \.isCurrent) ?? 0)
      overlays.top = .list(list)
    case .picturesRead(let pictures, let origins, let names): return takePictures(pictures, origins, names)
    case .placeWanted(let place): go(to: place)
    case .leftUnfinished(let events, let model, let takenBack):
      (conversation.unfinished, conversation.unfinishedModel) = (Left.all(events), model)
      conversation.takenBack = takenBack
      let last = conversation.unfinished.map(\.job.id).max() ?? 0
      work.nextRequest = max(work.nextRequest, min(last, 1 << 60) + 1)
    case .searched(let choices):
      guard case .list(var list) = overlays.top, list.purpose == .search else { break }
      (list.choices, list.selected) = (choices, 0)
      overlays.top = .list(list)
    case .played(let replay):
      guard !work.isBusy else { return fail("wait for the running request to finish, then replay") }
      (overlays.top, work.sliderDue) = (nil, nil)
      conversation.begin(replay, now: now)
    default: break
    }
    return []
  }

  /// Another session: what belongs to the person, the screen and the model stays. What ran and waited is cancelled, and
  /// whatever still comes of it belongs to nobody.
  private mutating func beginSession(isReadOnly: Bool, _ text: String, isError: Bool) -> [Effect] {
    let running = work.running, ended = work.leaving?.ended ?? work.requestCount
    conversation = conversation.emptied(isReadOnly: isReadOnly)
    work.abandon()
    if isReadOnly { work.queue = [] }
    (inspector.recorded, prompt.recordedMode) = (inspector.controls, prompt.mode)
    (overlays.top, inspector.row) = (nil, nil)
    (prompt.attachments, prompt.questionForNextAttachment, prompt.subject) = ([], nil, .newest)
    if !text.isEmpty {
      let told = ended == 0 ? "" : "\n\(ended) request\(ended == 1 ? " was" : "s were") cancelled"
      toast = Toast(text: text + told, isError: isError, until: now + (isError ? 6 : 3))
    }
    return (running.map { [.cancel($0.id)] } ?? []) + [.forgetTurns]
  }

  /// The list of sessions; one that is open already keeps what was typed and selected.
  private mutating func showSessions(_ choices: [Choice]) {
    var list = ListOverlay(.sessions, "Sessions by their last use", choices)
    if case .list(let before) = overlays.top, before.purpose == .sessions {
      list.filter = before.filter
      let isThere = before.choice.map { chosen in choices.contains { $0.value == chosen.value } } ?? false
      if !list.select(value: before.choice?.value) {
        // Its new title does not fit the filter: what was renamed is not lost from sight.
        if isThere { list.filter = "" }
        if !list.select(value: before.choice?.value) { list.select(before.selected) }
      }
      overlays.top = .list(list)
      return
    }
    list.select(choices.firstIndex(where: \.isCurrent) ?? 0)
    overlays.top = .list(list)
  }

  /// Shows a message of the open session.
  private mutating func go(to place: SessionPlace) {
    let messages = conversation.transcript.messages
    let fitting = messages.indices.filter {
      messages[$0].text == place.text
        || messages[$0].text.hasPrefix("attached ") && place.text.hasPrefix(messages[$0].text.dropFirst(9))
    }
    guard let message = fitting.dropFirst(place.number).first ?? fitting.last else { return }
    overlays.top = nil
    conversation.scroll = TranscriptLayout.place(of: message, self)
  }

  /// Adds an event to the session, where it can be written.
  mutating func recording(_ event: SessionEvent) -> [Effect] {
    guard conversation.replay == nil else { return fail("a replay is running; Esc closes it") }
    guard !conversation.isReadOnly else {
      return fail("this session is read-only; /new starts one of your own")
    }
    return [.record(event)]
  }

  // MARK: Replay

  mutating func playDue() -> [Effect] {
    while let playing = conversation.replay, !playing.isPaused, playing.due <= now { playNext() }
    return []
  }

  /// Shows the next entry and sets when the one after it is due.
  private mutating func playNext() {
    guard var playing = conversation.replay else { return }
    guard playing.place < playing.entries.count else {
      playing.isPaused = true
      conversation.replay = playing
      say("end of the session; Esc closes the replay")
      return
    }
    let entry = playing.entries[playing.place]
    _ = take(entry.event)
    conversation.scroll = nil
    playing.place += 1
    if playing.place < playing.entries.count {
      let wait = max(0, playing.entries[playing.place].time - entry.time)
      playing.due = now + min(wait, playing.idleLimit) / playing.speed
    } else {
      playing.due = now + 0.5
    }
    conversation.replay = playing
  }

  mutating func performReplay(_ command: Command) -> [Effect] {
    guard var playing = conversation.replay else { return [] }
    switch command {
    case .pause:
      playing.isPaused.toggle()
      playing.due = now
    case .nextEntry:
      conversation.replay?.isPaused = true
      playNext()
      return []
    case .previousEntry: return seek(to: max(0, playing.place - 1))
    case .firstEntry: return seek(to: 0)
    case .lastEntry: return seek(to: playing.entries.count)
    case .faster: playing.speed = min(64, playing.speed * 2)
    case .slower: playing.speed = max(0.125, playing.speed / 2)
    case .closeReplay:
      conversation.endReplay()
      say("replay closed")
      return []
    default: break
    }
    conversation.replay = playing
    return []
  }

  private mutating func seek(to place: Int) -> [Effect] {
    guard var playing = conversation.replay else { return [] }
    conversation.transcript = conversation.transcript.emptied()
    for entry in playing.entries.prefix(place) { conversation.transcript.apply(entry.event) }
    (playing.place, playing.isPaused, playing.due) = (place, true, now)
    conversation.replay = playing
    return []
  }
}

extension Controls {
  /// Takes a recorded drawing's settings. Of a sweep the scales are no setting.
  fileprivate mutating func take(_ settings: ImageSettings, isOfSweep: Bool) {
    let before = guidance
    _ = take(settings)
    if isOfSweep { guidance = before }
  }
}
