import Requests
import SessionLog

extension StudioState {
  /// Whether the session takes what is turned.
  private var takesSettings: Bool { !conversation.isReadOnly && conversation.replay == nil }

  /// What the log has. A session in which nothing was said or set knows the settings file alone.
  private var known: Turned {
    let isNew =
      conversation.transcript.messages.isEmpty && !conversation.isTakenUp && work.logged.isEmpty
    return isNew
      ? Turned(controls: inspector.configured, mode: prompt.configuredMode)
      : Turned(controls: inspector.recorded, mode: prompt.recordedMode)
  }

  /// What is shown; of a prompt that only asks because the model cannot draw, what it does with one that can.
  private var shown: Turned {
    Turned(controls: inspector.controls, mode: prompt.asksForWant ? .imagine : prompt.mode)
  }

  /// What the prompt does, or will do once there is a model that draws.
  mutating func turn(to mode: StudioMode) {
    (prompt.mode, prompt.asksForWant) = (work.canDraw ? mode : .ask, mode == .imagine && !work.canDraw)
  }

  /// What is set is written into the session at once, so that whoever takes it up again finds it so, though the studio be
  /// killed; what is turned step by step, and the mode, once it stands still: a request says its mode by itself.
  mutating func noteSettings() -> [Effect] {
    let shown = shown, known = known
    guard takesSettings, shown != known else {
      (inspector.turned, inspector.recordDue) = (nil, nil)
      return []
    }
    guard shown == inspector.turned else {
      let isTurned =
        shown.controls == known.controls || inspector.row != nil
        || inspector.sliderUntil.map { $0 > now } ?? false
      guard isTurned else { return recordSettings() }
      (inspector.turned, inspector.recordDue) = (shown, now + Self.standstill)
      return []
    }
    guard let due = inspector.recordDue, due <= now else { return [] }
    return recordSettings()
  }

  /// For so long nothing is turned that stands still: the slider's drawing begins then, too.
  static let standstill = 0.25

  /// What a command sets is not turned.
  mutating func settingsAtOnce() -> [Effect] {
    takesSettings && inspector.controls != known.controls ? recordSettings() : []
  }

  /// The same at once, where somebody leaves the session.
  ///
  /// - Parameter behind: whether requests stand before it in the log, which say some of it by themselves.
  mutating func settingsBeforeLeaving(behindRequests behind: Bool) -> [Effect] {
    let known = behind ? Turned(controls: inspector.recorded, mode: prompt.recordedMode) : known
    return takesSettings && shown != known ? recordSettings() : []
  }

  /// What a drawing does not say by itself of the settings that it is made with.
  mutating func settingsBeside(_ drawing: ImageSettings) -> [Effect] {
    var said = known.controls
    _ = said.take(drawing)
    let own = inspector.controls, isSaid = said.seed == own.seed && said.count == own.count
    guard takesSettings, !isSaid || said.temperature != own.temperature else { return [] }
    return recordSettings()
  }

  private mutating func recordSettings() -> [Effect] {
    let shown = shown
    (inspector.recorded, prompt.recordedMode) = (shown.controls, shown.mode)
    (inspector.turned, inspector.recordDue) = (shown, nil)
    var settings = shown.controls.asRecorded
    settings.asks = shown.mode == .ask
    return [.record(.settings(settings))]
  }
}

extension Controls {
  /// As a log has them.
  var asRecorded: SessionSettings {
    var drawing = ImageSettings(
      prompt: "", negative: negative, guidanceScale: guidance, steps: steps, decoderSteps: decoderSteps)
    drawing.solver = solver
    (drawing.guidanceStart, drawing.guidanceEnd) = (guidanceStart, guidanceEnd)
    return SessionSettings(drawing, seed: seed, count: count, temperature: temperature)
  }

  /// Those of a log, as far as they can be turned here.
  mutating func take(_ settings: SessionSettings) {
    _ = take(settings.drawing)
    (seed, count) = (settings.seed, settings.count.clamped(to: DrawingLimits.count))
    temperature = settings.temperature.clamped(to: 0...2)
  }
}
