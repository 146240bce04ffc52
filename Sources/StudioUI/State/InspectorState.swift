import Requests

/// What a person can turn, and where in the inspector they are.
public struct InspectorState: Equatable, Sendable {
  public var controls = Controls()
  public var isHidden = false
  /// The row that has the focus; nil for the prompt.
  public var row: Int? {
    didSet { if row != oldValue { entry = "" } }
  }
  /// Digits that were typed at the row.
  var entry = ""

  static let rows = ["guidance", "steps", "seed", "count", "decoder steps", "temperature"]
}

/// What a person can turn in the inspector.
public struct Controls: Equatable, Sendable {
  public var guidance = DrawingDefaults.guidance
  public var steps = 50
  /// nil draws a new one for each request.
  public var seed: UInt64?
  public var count = 1
  public var decoderSteps = 1
  public var temperature: Float = 0
  public var negative = ""
  public var solver = Solver.euler
  /// Times, 0 = noise → 1 = data, in which guidance works.
  public var guidanceStart: Float = 0
  public var guidanceEnd: Float = 1

  public init() {}

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
