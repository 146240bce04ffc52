/// How the path's differential equation is followed from noise to data.
public enum Solver: String, Sendable, Codable, CaseIterable {
  /// One velocity a step.
  case euler
  /// Two velocities a step, the second at its end: their mean is taken (the last step too).
  case heun
}

/// Everything that decides a drawn picture, beside the model: the same settings give the same bytes.
///
/// Written as JSON, what stands as a log of the first version has it (no solver but Euler's, guidance at all times) is
/// left out, so that such logs stay what they were; what is left out is read so.
public struct ImageSettings: Sendable, Equatable {
  /// What is drawn.
  public var prompt: String
  /// What the unconditional side reads; empty for nothing.
  public var negative: String
  /// Of the noise that the picture grows from.
  public var seed: UInt64
  /// 1 is no guidance.
  public var guidanceScale: Float
  /// Times, 0 = noise → 1 = data, in which guidance works.
  public var guidanceStart: Float = 0
  /// The last of those times.
  public var guidanceEnd: Float = 1
  /// Of the sampler; a picture of more is not better at some point, and takes longer.
  public var steps: Int
  /// Of the pixel decoder.
  public var decoderSteps: Int
  /// How each step is made.
  public var solver = Solver.euler

  /// Guided at all times, in Euler's steps.
  public init(
    prompt: String, negative: String = "", seed: UInt64 = 0,
    guidanceScale: Float = DrawingDefaults.guidance, steps: Int = 50, decoderSteps: Int = 1
  ) {
    (self.prompt, self.negative, self.seed) = (prompt, negative, seed)
    (self.guidanceScale, self.steps, self.decoderSteps) = (guidanceScale, steps, decoderSteps)
  }

  /// What is not as it is where nobody says otherwise, beside seed, guidance and steps: a fact each, for people.
  public var unusual: [String] {
    [
      solver == .euler ? nil : solver.rawValue,
      guidanceStart == 0 && guidanceEnd == 1 ? nil : "guided from \(guidanceStart) to \(guidanceEnd)",
      decoderSteps == 1 ? nil : "\(decoderSteps) decoder steps",
      negative.isEmpty ? nil : "without '\(negative)'",
    ].compactMap(\.self)
  }

  /// Those of picture `number` of a request, from 0: the seeds follow each other, so that each can be drawn again alone.
  public func numbered(_ number: Int) -> ImageSettings {
    var settings = self
    settings.seed = seed &+ UInt64(number)
    return settings
  }
}

extension ImageSettings: Codable {
  private enum CodingKeys: String, CodingKey {
    case prompt, negative, seed, guidanceScale, guidanceStart, guidanceEnd, steps, decoderSteps, solver
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      prompt: try values.decode(String.self, forKey: .prompt),
      negative: try values.decode(String.self, forKey: .negative),
      seed: try values.decode(UInt64.self, forKey: .seed),
      guidanceScale: try values.decode(Float.self, forKey: .guidanceScale),
      steps: try values.decode(Int.self, forKey: .steps),
      decoderSteps: try values.decode(Int.self, forKey: .decoderSteps))
    guidanceStart = try values.decodeIfPresent(Float.self, forKey: .guidanceStart) ?? 0
    guidanceEnd = try values.decodeIfPresent(Float.self, forKey: .guidanceEnd) ?? 1
    solver = try values.decodeIfPresent(Solver.self, forKey: .solver) ?? .euler
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(prompt, forKey: .prompt)
    try values.encode(negative, forKey: .negative)
    try values.encode(seed, forKey: .seed)
    try values.encode(guidanceScale, forKey: .guidanceScale)
    if guidanceStart != 0 { try values.encode(guidanceStart, forKey: .guidanceStart) }
    if guidanceEnd != 1 { try values.encode(guidanceEnd, forKey: .guidanceEnd) }
    try values.encode(steps, forKey: .steps)
    try values.encode(decoderSteps, forKey: .decoderSteps)
    if solver != .euler { try values.encode(solver, forKey: .solver) }
  }
}
