import Requests
import SessionLog

extension StudioState {
  /// Whether the session takes what is turned.
  private var takesSettings: Bool { !conversation.isReadOnly && conversation.replay == nil }

  /// What the log has of the settings. A session in which nothing was said or set knows the settings file alone.
  private var knownSettings: Controls {
    let isNew = conversation.transcript.messages.isEmpty && !conversation.isTakenUp
    return isNew ? inspector.configured : inspector.recorded
  }

  /// What is set is written into the session at once, so that whoever takes it up again finds it so, though the studio be
  /// killed; what is turned step by step, once it stands still.
  mutating func noteSettings() -> [Effect] {
    guard takesSettings, inspector.controls != knownSettings else {
      (inspector.turned, inspector.recordDue) = (nil, nil)
      return []
    }
    guard inspector.controls == inspector.turned else {
      let isTurned = inspector.row != nil || inspector.sliderUntil.map { $0 > now } ?? false
      guard isTurned else { return recordSettings() }
      (inspector.turned, inspector.recordDue) = (inspector.controls, now + Self.standstill)
      return []
    }
    guard let due = inspector.recordDue, due <= now else { return [] }
    return recordSettings()
  }

  /// For so long nothing is turned that stands still: the slider's drawing begins then, too.
  static let standstill = 0.25

  /// What a command sets is not turned.
  mutating func settingsAtOnce() -> [Effect] {
    takesSettings && inspector.controls != knownSettings ? recordSettings() : []
  }

  /// The same at once, where somebody leaves the session.
  mutating func settingsBeforeLeaving() -> [Effect] {
    guard takesSettings, inspector.recordDue != nil, inspector.controls != inspector.recorded else {
      return []
    }
    return recordSettings()
  }

  /// What a drawing does not say by itself of the settings that it is made with.
  mutating func settingsBeside(_ drawing: ImageSettings) -> [Effect] {
    var said = knownSettings
    _ = said.take(drawing)
    let own = inspector.controls, isSaid = said.seed == own.seed && said.count == own.count
    guard takesSettings, !isSaid || said.temperature != own.temperature else { return [] }
    return recordSettings()
  }

  private mutating func recordSettings() -> [Effect] {
    (inspector.recorded, inspector.turned, inspector.recordDue) = (
      inspector.controls, inspector.controls, nil
    )
    return [.record(.settings(inspector.controls.asRecorded))]
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
