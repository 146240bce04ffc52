import Flow
import Foundation
import Requests

extension ImageSettings {
  /// The most steps of the sampler.
  public static let mostSteps = DrawingLimits.steps.upperBound
  /// The most steps of the pixel decoder.
  public static let mostDecoderSteps = DrawingLimits.decoderSteps.upperBound
  /// The highest guidance scale.
  public static let mostGuidance = DrawingDefaults.guidanceRange.upperBound
  /// The longest prompt that is read at all; the model reads less of it.
  public static let mostPromptCharacters = 100_000

  var guidance: Guidance { Guidance(scale: guidanceScale, interval: guidanceStart...guidanceEnd) }

  /// Throws `GenerationError` naming the value that is out of range, and the range.
  ///
  /// - Parameter needsPrompt: whether there must be words to draw.
  public func check(needsPrompt: Bool = true) throws {
    func fits(_ holds: Bool, _ text: String) throws { if !holds { throw GenerationError(text) } }
    try fits(!needsPrompt || !prompt.allSatisfy(\.isWhitespace), "the prompt is empty; say what to draw")
    try fits(
      prompt.count + negative.count <= Self.mostPromptCharacters,
      "the prompt has \(prompt.count + negative.count) characters; at most \(Self.mostPromptCharacters) are read"
    )
    try fits((1...Self.mostSteps).contains(steps), "\(steps) steps; give 1 to \(Self.mostSteps)")
    try fits(
      (1...Self.mostDecoderSteps).contains(decoderSteps),
      "\(decoderSteps) decoder steps; give 1 to \(Self.mostDecoderSteps)")
    try fits(
      DrawingDefaults.guidanceRange.contains(guidanceScale),
      "a guidance scale of \(guidanceScale.formatted()); give \(DrawingDefaults.guidanceLimits) (1 is none, \(Int(DrawingDefaults.guidance)) is usual)"
    )
    try fits(
      !(0 <= guidanceEnd && guidanceEnd < guidanceStart && guidanceStart <= 1),
      "guidance works from \(guidanceStart.formatted()) to \(guidanceEnd.formatted()); the first time is to be the smaller one"
    )
    try fits(
      guidanceStart.isFinite && guidanceEnd.isFinite && 0 <= guidanceStart && guidanceStart <= guidanceEnd
        && guidanceEnd <= 1,
      "guidance works from \(guidanceStart.formatted()) to \(guidanceEnd.formatted()); give two times in 0…1"
    )
  }

  /// What a person is told where a text was cut: see `Imaginer.fitted`.
  public static func shortened(_ name: String) -> String {
    "the \(name) is longer than the model reads; its end is left out"
  }

  /// As AUTOMATIC1111 and its readers write it.
  public func parametersText(side: Int, model: String, stepsDone: Int? = nil) -> String {
    let scale = guidanceScale.rounded() == guidanceScale ? "\(Int(guidanceScale))" : "\(guidanceScale)"
    return """
      \(prompt)
      \(negative.isEmpty ? "" : "Negative prompt: \(negative)\n")\
      Steps: \(stepsDone ?? steps), Sampler: \(solver == .euler ? "Euler" : "Heun"), CFG scale: \(scale), \
      Seed: \(seed), Size: \(side)x\(side), Model: \(model), Version: VUGEN Studio
      """
  }
}
