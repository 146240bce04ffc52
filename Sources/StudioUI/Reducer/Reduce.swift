import Frames
import SessionLog

/// The next state and the work to start. No I/O, clock or randomness in here.
public func reduce(_ state: inout StudioState, _ action: Action) -> [Effect] {
  switch action {
  case .key(let key): return state.take(key)
  case .resized(let size, let cell):
    (state.size, state.cell) = (size, cell.clamped(to: StudioState.cells))
    if !state.showsInspector { state.inspectorRow = nil }
    return []
  case .tick(let now): return state.tick(now)
  case .session(let event): return state.take(event)
  case .modelReady(let name, let parameters, let bytes, let canDraw):
    state.model = .ready(name: name, parameters: parameters, bytes: bytes, canDraw: canDraw)
    state.modelBefore = nil
    if !canDraw { state.mode = .ask }
    return state.startNext()
  case .modelFailed(let reason):
    guard let before = state.modelBefore else {
      state.model = .failed(reason)
      return state.fail(reason)
    }
    (state.model, state.modelBefore) = (before, nil)
    return state.fail("\(reason); \(state.modelName) stays") + state.startNext()
  default: return state.takeNews(action)
  }
}

extension StudioState {
  mutating func tick(_ now: Double) -> [Effect] {
    self.now = now
    if let toast, toast.until <= now { self.toast = nil }
    var effects: [Effect] = []
    if let due = sliderDue, due <= now { effects += drawForSlider() }
    return effects + playDue()
  }

  /// When the next tick matters; nil while nothing moves by itself.
  public var nextTick: Double? {
    let replayDue = replay.flatMap { $0.isPaused ? nil : $0.due }
    let spinner = running == nil && model != .loading ? nil : now + 0.1
    return [toast?.until, sliderDue, replayDue, spinner].compactMap { $0 }.min()
  }

  mutating func take(_ event: SessionEvent) -> [Effect] {
    transcript.apply(event)
    // A damaged log may hold the largest of numbers.
    nextRequest = max(nextRequest, min(transcript.lastRequest, 1 << 60) + 1)
    switch event {
    case .drawn(let request, _, let origin, _, _):
      if lastDrawing == nil || running == nil { lastDrawing = origin.settings }
      if running?.request == request { running?.picture += 1 }
    case .answered(let request, let text, _, _, _): return takeCritiqueAnswer(request, text)
    default: break
    }
    return []
  }

  mutating func takeNews(_ action: Action) -> [Effect] {
    switch action {
    case .token(let request, let text):
      if running?.request == request { running?.text += text }
    case .step(let request, let step, let steps, let picture, let preview):
      guard var one = running, one.request == request else { break }
      (one.step, one.steps, one.picture) = (step, steps, picture)
      one.preview = preview ?? one.preview
      running = one
    case .ended(let request):
      if running?.request == request { running = nil }
      return startNext()
    case .pictureKnown(let picture, let size):
      pictureSizes[picture] = size.clamped(to: Self.pixels)
      missingPictures.remove(picture)
    case .pictureMissing(let picture): missingPictures.insert(picture)
    case .sessionOpened(let isReadOnly): beginSession(isReadOnly: isReadOnly)
    case .differenceKnown(let pair, let text): differences[pair] = text
    case .attached(let attachment):
      attachments.append(attachment)
      mode = .ask
      if let question = questionForNextAttachment {
        questionForNextAttachment = nil
        return ask(question)
      }
      say("attached \(attachment.name)")
    case .pathCompleted(let typed, let path, let names):
      if prompt.wordBeforeCursor == "@" + typed { prompt.replaceWordBeforeCursor(with: "@" + path) }
      if names.count > 1 { say(names.prefix(8).joined(separator: "  ") + (names.count > 8 ? "  …" : "")) }
      if names.isEmpty { return fail("no file begins with \(typed)") }
    case .toast(let text, let isError):
      if isError { questionForNextAttachment = nil }
      toast = Toast(text: text, isError: isError, until: now + (isError ? 6 : 3))
    case .edited(let text): prompt.set(text)
    case .folderRead(let folder, let choices):
      overlay = .list(ListOverlay(.files(folder: folder), folder, choices))
    case .sessionsRead(let choices): overlay = .list(ListOverlay(.sessions, "Sessions", choices))
    case .picturesRead(let pictures, let origins):
      (otherPictures, otherOrigins) = (pictures, origins)
      let count = galleryPictures(isOfAll: true).count
      overlay = count == 0 ? nil : .gallery(selected: count - 1, isOfAll: true)
      if count == 0 { return fail("no session has any pictures yet") }
    case .searched(let choices):
      guard case .list(var list) = overlay, list.purpose == .search else { break }
      (list.choices, list.selected) = (choices, 0)
      overlay = .list(list)
    case .played(let entries, let speed, let idleLimit):
      guard running == nil, queue.isEmpty else {
        return fail("wait for the running request to finish, then replay")
      }
      beforeReplay = BeforeReplay(
        transcript: transcript, scroll: scroll, lastDrawing: lastDrawing, lastRequest: lastRequest)
      transcript = transcript.emptied()
      (overlay, scroll, sliderDue) = (nil, 0, nil)
      replay = Replay(entries, speed: speed, idleLimit: idleLimit, now: now)
    case .themesRead(let list):
      themes = list
      theme = list.first { $0.name == theme.name } ?? theme
    default: break
    }
    return []
  }

  // MARK: Replay

  mutating func playDue() -> [Effect] {
    while let playing = replay, !playing.isPaused, playing.due <= now { playNext() }
    return []
  }

  /// Shows the next entry and sets when the one after it is due.
  mutating func playNext() {
    guard var playing = replay else { return }
    guard playing.place < playing.entries.count else {
      playing.isPaused = true
      replay = playing
      say("end of the session; Esc closes the replay")
      return
    }
    let entry = playing.entries[playing.place]
    _ = take(entry.event)
    scroll = 0
    playing.place += 1
    if playing.place < playing.entries.count {
      let wait = max(0, playing.entries[playing.place].time - entry.time)
      playing.due = now + min(wait, playing.idleLimit) / playing.speed
    } else {
      playing.due = now + 0.5
    }
    replay = playing
  }

  /// Keys while a session plays; nil where the key means something else.
  mutating func takeReplayKey(_ key: Key) -> [Effect]? {
    guard var playing = replay else { return nil }
    switch key {
    case .character(" "):
      playing.isPaused.toggle()
      playing.due = now
    case .character("."), .right:
      playing.isPaused = true
      replay = playing
      playNext()
      return []
    case .character("["), .left: return seek(to: max(0, playing.place - 1))
    case .home: return seek(to: 0)
    case .end: return seek(to: playing.entries.count)
    case .character("+"): playing.speed = min(64, playing.speed * 2)
    case .character("-"): playing.speed = max(0.125, playing.speed / 2)
    case .escape, .control("c"), .control("d"):
      replay = nil
      if let before = beforeReplay {
        (transcript, scroll) = (before.transcript, before.scroll)
        (lastDrawing, lastRequest) = (before.lastDrawing, before.lastRequest)
        beforeReplay = nil
      }
      say("replay closed")
      return []
    case .pageUp, .pageDown, .mouse, .function: return nil
    default: return []
    }
    replay = playing
    return []
  }

  private mutating func seek(to place: Int) -> [Effect] {
    guard var playing = replay else { return [] }
    transcript = transcript.emptied()
    for entry in playing.entries.prefix(place) { transcript.apply(entry.event) }
    (playing.place, playing.isPaused, playing.due) = (place, true, now)
    replay = playing
    return []
  }
}
