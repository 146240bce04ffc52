import Requests

/// What a person can turn, and where in the inspector they are.
public struct InspectorState: Equatable, Sendable {
  /// The values that it shows.
  public var controls = Controls()
  /// Whether it is away until F3 is pressed.
  public var isHidden = false
  /// The row that has the focus; nil for the prompt.
  public var row: Int? {
    didSet { if row != oldValue { entry = "" } }
  }
  /// Until when the slider is shown on the prompt's rule, where there is no inspector beside it.
  var sliderUntil: Double?
  /// The values that the settings file has, those that the open session's log has, and what is to be written there once it
  /// stands still until `recordDue`.
  var configured = Controls(), recorded = Controls()
  var turned: Turned?
  var recordDue: Double?
  /// Digits that were typed at the row.
  var entry = ""

  static let rows = ["guidance", "steps", "seed", "count", "decoder steps", "temperature"]
}

/// What a session takes up again: what can be turned, and what the prompt does.
struct Turned: Equatable {
  var controls: Controls
  /// nil where it is not known.
  var mode: StudioMode?
}

/// What a person can turn in the inspector.
public struct Controls: Equatable, Sendable {
  /// w of classifier-free guidance; 1 is none.
  public var guidance = DrawingDefaults.guidance
  /// Of the sampler.
  public var steps = 50
  /// nil draws a new one for each request.
  public var seed: UInt64?
  /// Pictures a request.
  public var count = 1
  /// Of the pixel decoder.
  public var decoderSteps = 1
  /// Of answers; 0 takes the likeliest word each time.
  public var temperature: Float = 0
  /// What the unconditional side reads.
  public var negative = ""
  /// How each step is made.
  public var solver = Solver.euler
  /// Times, 0 = noise → 1 = data, in which guidance works.
  public var guidanceStart: Float = 0
  /// The last time in which guidance works, 0 = noise → 1 = picture.
  public var guidanceEnd: Float = 1

  /// The defaults.
  public init() {}

  /// What the slider spans.
  public static let guidanceRange = DrawingDefaults.guidanceRange

  /// Takes a picture's settings, as far as they can be turned here. Returns what was set to the nearest value, in words.
  mutating func take(_ settings: ImageSettings) -> [String] {
    guidance = settings.guidanceScale.clamped(to: Self.guidanceRange)
    steps = settings.steps.clamped(to: DrawingLimits.steps)
    decoderSteps = settings.decoderSteps.clamped(to: DrawingLimits.shownDecoderSteps)
    (negative, solver) = (settings.negative, settings.solver)
    (guidanceStart, guidanceEnd) = (settings.guidanceStart, settings.guidanceEnd)
    var changed: [String] = []
    if guidance != settings.guidanceScale {
      changed.append("guidance \(Format.scale(settings.guidanceScale)) became \(Format.scale(guidance))")
    }
    if steps != settings.steps { changed.append("\(settings.steps) steps became \(steps)") }
    if decoderSteps != settings.decoderSteps {
      changed.append("\(settings.decoderSteps) decoder steps became \(decoderSteps)")
    }
    return changed
  }
}
