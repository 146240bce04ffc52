import Requests

/// What the numbers of a log can be. A log may come from anywhere; behind this gate arithmetic trusts them.
enum SessionBounds {
  /// Seconds since 1970, to the year 5138.
  static let time = 0.0...1e11
  /// Seconds that a request took: thirty years.
  static let seconds = 0.0...1e9
  static let tokens = 0...1_000_000_000
  /// Far beyond what anybody asks, and far from where counting on would overflow.
  static let request = 0...1 << 48
  static let temperature: ClosedRange<Float> = 0...100
}

extension ImageSettings {
  /// With numbers that a drawing can have.
  var bounded: ImageSettings {
    var settings = self
    settings.guidanceScale = guidanceScale.clamped(to: DrawingLimits.recordedGuidance)
    settings.guidanceStart = guidanceStart.clamped(to: 0...1)
    settings.guidanceEnd = guidanceEnd.clamped(to: settings.guidanceStart...1)
    settings.steps = steps.clamped(to: DrawingLimits.steps)
    settings.decoderSteps = decoderSteps.clamped(to: DrawingLimits.decoderSteps)
    return settings
  }
}

extension SessionEvent {
  /// The same with numbers that can be; every entry passes here.
  var bounded: SessionEvent {
    func id(_ request: Int) -> Int { request.clamped(to: SessionBounds.request) }
    switch self {
    case .asked(let request, let text, let pictures, var sampling, let written):
      sampling.temperature = sampling.temperature.clamped(to: SessionBounds.temperature)
      return .asked(
        request: id(request), text: text, pictures: pictures, sampling: sampling, written: written)
    case .answered(let request, let text, let tokens, let seconds, let isPartial):
      return .answered(
        request: id(request), text: text, tokens: tokens.clamped(to: SessionBounds.tokens),
        seconds: seconds.clamped(to: SessionBounds.seconds), isPartial: isPartial)
    case .drawingAsked(let request, let settings, let count, let parent, let sweep):
      return .drawingAsked(
        request: id(request), settings: settings.bounded, count: count.clamped(to: SessionBounds.tokens),
        parent: parent, sweep: sweep.map(id))
    case .drawn(let request, let picture, var origin, let seconds, let isPartial):
      origin.settings = origin.settings.bounded
      origin.stepsDone = origin.stepsDone.clamped(to: 0...DrawingLimits.steps.upperBound)
      return .drawn(
        request: id(request), picture: picture, origin: origin,
        seconds: seconds.clamped(to: SessionBounds.seconds), isPartial: isPartial)
    case .attached(let picture, let name, let settings, let details):
      return .attached(picture: picture, name: name, settings: settings?.bounded, details: details)
    case .failed(let request, let reason): return .failed(request: id(request), reason: reason)
    case .cancelled(let request): return .cancelled(request: id(request))
    case .undone(let request): return .undone(request: id(request))
    case .redone(let request): return .redone(request: id(request))
    case .settings(let settings): return .settings(settings.bounded)
    case .queued(let waiting): return .queued(waiting.filter(\.canWait).map(\.bounded))
    case .unqueued(let requests): return .unqueued(requests.map(id))
    case .renamed(let title): return .renamed(SessionTitle.cleaned(title))
    case .opened, .note, .named, .starred, .deleted: return self
    }
  }
}
