import Files
import Foundation
import Pictures
import Requests
import VUGEN

/// What a picture says of how it was drawn, by this program or another one.
struct ToldSettings {
  let settings: ImageSettings
  let program: String
  /// What else it says: `name: value`.
  let others: [String]
  private let told: TextToImageSettings?
  /// The model that drew it, where that is one of this program's.
  private let model: String?
  /// How large it was drawn, where it tells that.
  private let size: (width: Int, height: Int)?

  /// - Parameter path: of the picture; `-` is standard input.
  ///
  /// Throws `PictureError`, `GenerationError`, or `Patience.Ended` where nobody filled a pipe.
  init(path: String) throws {
    let name = path == "-" ? "standard input" : path
    let bytes =
      try path == "-" ? Picture.file(descriptor: STDIN_FILENO, name: name) : Picture.file(at: path)
    let texts = Picture.texts(bytes: bytes), told = TextToImageSettings(texts: texts)
    size = Self.size(in: texts)
    if let told, told.program != TextToImageSettings.own {
      (settings, program, others, self.told) = (told.settings, told.program, told.others, told)
      model = nil
    } else {
      let own = try PictureMetadata(bytes: bytes, name: name)
      (settings, program, self.told) = (own.settings, TextToImageSettings.own, nil)
      (others, model) = (["model: \(own.model)"], own.model)
    }
  }

  private static func size(in texts: [PNGText]) -> (width: Int, height: Int)? {
    for text in texts where text.key != "workflow" {
      if let found = text.value.firstMatch(of: #/\bSize: ?(\d{1,5})x(\d{1,5})\b/#),
        let width = Int(found.1), let height = Int(found.2)
      {
        return (width, height)
      }
    }
    return nil
  }

  /// Says where a model of another name drew it, or in a size that this one does not draw.
  func tell(drawnNowBy name: String, side: Int) {
    if let model, model != name {
      note(
        "the model \(model) drew this picture, and \(name) draws it now, which gives another one; --model names the first"
          .oneLine)
    }
    if let size, size != (side, side) {
      note("it was \(size.width) × \(size.height) pixels large; this model draws \(side) × \(side)")
    }
  }

  /// Says what of it another program means, and how it was taken, but for what the person gives.
  func tell(besides given: Set<SettingChange.Setting>) {
    guard let told else { return }
    note("the settings come from a picture by \(program); the model is a different one")
    for line in told.changes(besides: given) { note(line) }
  }
}

extension ImageSettings {
  /// For a person, a line each.
  func lines(_ told: ToldSettings?) -> String {
    var lines = [
      "prompt: \(prompt)", "negative: \(negative)", "seed: \(seed)",
      "guidance: \(guidanceScale.formatted())",
      "guidance from: \(guidanceStart.formatted())", "guidance to: \(guidanceEnd.formatted())",
      "steps: \(steps)", "decoder steps: \(decoderSteps)", "solver: \(solver.rawValue)",
    ]
    if let told {
      lines.append("program: \(told.program)")
      lines += told.others
    }
    return lines.map(\.inOneLine).joined(separator: "\n")
  }

  /// By the names that `imagine --json` has for them.
  func report(_ told: ToldSettings?) throws -> String {
    try jsonLine(
      of: SettingsReport(
        prompt: prompt, negative: negative, solver: solver.rawValue, seed: seed,
        guidanceScale: guidanceScale, guidanceStart: guidanceStart, guidanceEnd: guidanceEnd, steps: steps,
        decoderSteps: decoderSteps, program: told?.program, others: told?.others))
  }
}

private struct SettingsReport: Encodable {
  var prompt, negative, solver: String
  var seed: UInt64
  var guidanceScale, guidanceStart, guidanceEnd: Float
  var steps, decoderSteps: Int
  var program: String?
  var others: [String]?
}
