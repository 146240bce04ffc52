import Requests

/// What a person has turned: what the next request is made with.
public struct SessionSettings: Codable, Sendable, Equatable {
  /// w of classifier-free guidance.
  public var guidanceScale: Float
  /// Of the sampler.
  public var steps: Int
  /// nil draws a new one for each request.
  public var seed: UInt64?
  /// Pictures a request.
  public var count: Int
  /// Of the pixel decoder.
  public var decoderSteps: Int
  /// Of answers.
  public var temperature: Float
  /// What the unconditional side reads.
  public var negative: String
  /// How each step is made.
  public var solver: Solver
  /// Times, 0 = noise → 1 = data, in which guidance works.
  public var guidanceStart, guidanceEnd: Float
  /// Whether what is typed is asked, and not drawn; nil in logs that do not say.
  public var asks: Bool?

  /// Those of a drawing.
  public init(
    _ drawing: ImageSettings, seed: UInt64?, count: Int, temperature: Float, asks: Bool? = nil
  ) {
    (guidanceScale, steps, decoderSteps) = (drawing.guidanceScale, drawing.steps, drawing.decoderSteps)
    (negative, solver) = (drawing.negative, drawing.solver)
    (guidanceStart, guidanceEnd) = (drawing.guidanceStart, drawing.guidanceEnd)
    (self.seed, self.count, self.temperature, self.asks) = (seed, count, temperature, asks)
  }

  /// As a drawing without a prompt has them.
  public var drawing: ImageSettings {
    var settings = ImageSettings(
      prompt: "", negative: negative, seed: seed ?? 0, guidanceScale: guidanceScale, steps: steps,
      decoderSteps: decoderSteps)
    settings.solver = solver
    (settings.guidanceStart, settings.guidanceEnd) = (guidanceStart, guidanceEnd)
    return settings
  }

  /// With numbers that can be.
  var bounded: SessionSettings {
    SessionSettings(
      drawing.bounded, seed: seed, count: count.clamped(to: DrawingLimits.count),
      temperature: temperature.clamped(to: SessionBounds.temperature), asks: asks)
  }
}
