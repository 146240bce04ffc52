import Frames
import Requests
import SessionLog

/// The next state and the work to start: the one writer of the state. No I/O, clock or randomness in here.
public func reduce(_ state: inout StudioState, _ action: Action) -> [Effect] {
  let effects = state.take(action)
  // What is read of a session comes by the thousand, and changes nothing of this.
  if case .session = action { return effects }
  // What lies over the screen follows what it shows.
  state.refreshQueue()
  state.refreshGallery()
  // What begins is in the log before what waits behind it; what waits for another session is in that one's.
  let isLeft = effects.contains { $0 == state.work.leaving?.next }
  let notes = isLeft ? [] : state.noteQueue() + state.noteSettings()
  return effects + notes + state.lookForFiles() + state.startAside()
}

/// Applies an action, and what its effects answer at once, in order.
///
/// - Parameters:
///   - now: the studio's clock, in seconds.
///   - perform: does what an effect says.
public func settle(
  _ action: Action, in state: inout StudioState, now: () -> Double,
  perform: (Effect, StudioState) -> [Action]
) {
  var waiting = [action][...]
  while let next = waiting.popFirst() {
    for effect in reduce(&state, next) {
      let answers = perform(effect, state)
      // A slow disk took its time: what is said of that is said now, and not over before it was seen.
      if !answers.isEmpty, now() - state.now > 0.5 { waiting.append(.tick(now())) }
      waiting += answers
    }
  }
}

extension StudioState {
  fileprivate mutating func take(_ action: Action) -> [Effect] {
    switch action {
    case .key(let key): return take(key)
    case .tick(let now): return tick(now)
    case .ended: return leaveUnasked()
    case .resized, .graphicsKnown, .backgroundKnown, .themesRead: return takeTerminal(action)
    case .configured, .historyRead, .complaints: return takeBeginning(action)
    case .modelReady, .modelFailed, .modelUnfit, .modelFound, .vocabularyKnown: return takeModel(action)
    case .request(let id, let event): return take(event, of: id)
    case .session(let event): return take(event)
    case .sessionOpened, .played, .sessionsRead, .modelsRead, .searched, .picturesRead, .placeWanted,
      .leftUnfinished:
      return takeSessions(action)
    case .pictureKnown, .pictureMissing, .differenceKnown, .testCardDrawn: return takePicture(action)
    case .agreementKnown, .moveKnown, .asideEnded:
      takeAside(action)
      return []
    case .mentionsLookedUp(let mentions, let absent):
      takeLookedUp(mentions, absent: absent)
      return []
    case .attached, .mentionsFound, .folderRead, .pathCompleted, .edited, .toast: return takeAnswer(action)
    }
  }

  mutating func say(_ text: String) {
    toast = Toast(text: text, isError: false, until: now + 3, said: now)
  }

  mutating func fail(_ text: String) -> [Effect] {
    toast = Toast(text: text, isError: true, until: now + 5, said: now)
    return []
  }

  /// Says something that came from outside. What was said in the same moment, and what went wrong, stands above it: two
  /// messages are two.
  mutating func tell(_ text: String, isError: Bool, for seconds: Double) {
    let until = now + seconds
    guard let before = toast, before.isError || before.said == now, before.text != text else {
      toast = Toast(text: text, isError: isError, until: until, said: now)
      return
    }
    let lines = before.text.split(separator: "\n").suffix(3).map(String.init) + [text]
    toast = Toast(
      text: lines.joined(separator: "\n"), isError: isError || before.isError,
      until: max(before.until, until), said: now)
  }

  fileprivate mutating func tick(_ now: Double) -> [Effect] {
    self.now = now
    if let toast, toast.until <= now { self.toast = nil }
    if let until = inspector.sliderUntil, until <= now { inspector.sliderUntil = nil }
    var effects: [Effect] = []
    if let due = work.sliderDue, due <= now { effects += drawForSlider() }
    if let due = work.leaving?.due, due <= now { effects += leaveNow() }
    return effects + playDue() + startNext()
  }

  /// When the next tick matters; nil while nothing moves by itself.
  public var nextTick: Double? {
    let replayDue = conversation.replay.flatMap { $0.isPaused ? nil : $0.due }
    let spinner = work.running == nil && work.model != .loading ? nil : now + 0.1
    return [
      toast?.until, inspector.sliderUntil, work.sliderDue, work.leaving?.due, inspector.recordDue, replayDue,
      spinner, work.startsNext || work.changesModel ? now : nil,
    ].compactMap { $0 }.min()
  }

  // MARK: The terminal

  fileprivate mutating func takeTerminal(_ action: Action) -> [Effect] {
    switch action {
    case .resized(let size, let cell):
      (terminal.size, terminal.cell) = (size, cell.clamped(to: TerminalState.cells))
      if !showsInspector { inspector.row = nil }
    case .graphicsKnown(let hasPictures, let most):
      (terminal.hasPictures, terminal.mostPictures) = (hasPictures, max(1, most))
    case .backgroundKnown(let isLight):
      guard terminal.followsBackground, isLight,
        let light = terminal.themes.first(where: { $0.appearance == .light })
      else { return [] }
      terminal.theme = light
      return [.repaint]
    case .themesRead(let themes, let chosen):
      terminal.themes = themes
      terminal.followsBackground = chosen == nil
      let name = chosen ?? Theme.builtIn.name
      let found = themes.first { $0.name == name }
      terminal.theme = found ?? themes.first { $0.name == Theme.builtIn.name } ?? .builtIn
      if found == nil { return fail("unknown theme '\(name)'; using the built-in one") }
    default: break
    }
    return []
  }

  fileprivate mutating func takeBeginning(_ action: Action) -> [Effect] {
    switch action {
    case .configured(let preferences):
      (inspector.controls, inspector.isHidden) = (preferences.controls, preferences.isInspectorHidden)
      (inspector.configured, inspector.recorded) = (preferences.controls, preferences.controls)
      (prompt.mode, prompt.suggestion) = (preferences.mode, preferences.suggestion)
      (prompt.configuredMode, prompt.recordedMode) = (preferences.mode, preferences.mode)
      terminal.isMouseCaptured = preferences.isMouseCaptured
      return [.captureMouse(preferences.isMouseCaptured)]
    case .historyRead(let prompts): prompt.editor.history = prompts
    case .complaints(let lines):
      guard !lines.isEmpty else { return [] }
      // Another one that came before stays with them.
      let all = (toast.map { [$0.text] } ?? []) + lines
      let text = all.joined(separator: "\n")
      toast = Toast(text: text, isError: true, until: now + 8 + 4 * Double(all.count - 1))
    default: break
    }
    return []
  }

  // MARK: Pictures and files

  fileprivate mutating func takePicture(_ action: Action) -> [Effect] {
    switch action {
    case .pictureKnown(let picture, let size):
      album.sizes[picture] = size.clamped(to: AlbumState.pixels)
      album.missing.remove(picture)
    case .pictureMissing(let picture): album.missing.insert(picture)
    case .differenceKnown(let pair, let text): album.differences[pair] = text
    case .testCardDrawn(let size):
      album.sizes[.testCard] = size.clamped(to: AlbumState.pixels)
      overlays.lay(.viewer(.testCard))
    default: break
    }
    return []
  }

  /// What looked like a wrong command was a path.
  private mutating func forgetRefused() {
    if prompt.filled?.first == "/", prompt.filled == prompt.editor.string { prompt.editor.set("") }
  }

  fileprivate mutating func takeAnswer(_ action: Action) -> [Effect] {
    switch action {
    case .attached(let attachment):
      forgetRefused()
      prompt.attachments.append(attachment)
      album.names[attachment.picture] = attachment.name
      prompt.mode = .ask
      if let question = prompt.questionForNextAttachment {
        prompt.questionForNextAttachment = nil
        return ask(question)
      }
      tell("attached \(attachment.name)", isError: false, for: 3)
    case .mentionsFound(let mentions, let found): return take(mentions, found)
    case .pathCompleted(let typed, let path, let names): return takeCompletion(of: typed, path, names)
    case .toast(let text, let isError):
      if isError { prompt.questionForNextAttachment = nil }
      tell(text, isError: isError, for: isError ? 6 : 3)
    case .edited(let text): prompt.editor.set(text)
    case .folderRead(let folder, let choices):
      forgetRefused()
      overlays.top = .list(ListOverlay(.files(folder: folder), folder, choices))
    default: break
    }
    return []
  }
}
