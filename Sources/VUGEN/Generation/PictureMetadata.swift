import Files
import Foundation
import Pictures
import Requests

/// What a drawn picture says of itself: `parameters` for AUTOMATIC1111's readers, and JSON of our own that repeats it.
public struct PictureMetadata: Codable, Sendable, Equatable {
  /// What it was drawn from.
  public var settings: ImageSettings
  /// Steps of the sampler that were really done: fewer than asked for where it was cancelled.
  public var stepsDone: Int
  /// The model folder's name.
  public var model: String

  /// The name of our own text in a picture's file.
  public static let key = "vugen"

  /// Each argument is the property of its name.
  public init(_ settings: ImageSettings, stepsDone: Int, model: String) {
    (self.settings, self.stepsDone, self.model) = (settings, stepsDone, model)
  }

  /// A file names each setting: no program need know what one that is left out means.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(WholeSettings(settings), forKey: .settings)
    try values.encode(stepsDone, forKey: .stepsDone)
    try values.encode(model, forKey: .model)
  }

  private struct WholeSettings: Encodable {
    let prompt, negative: String
    let seed: UInt64
    let guidanceScale, guidanceStart, guidanceEnd: Float
    let steps, decoderSteps: Int
    let solver: Solver

    init(_ s: ImageSettings) {
      (prompt, negative, seed, solver) = (s.prompt, s.negative, s.seed, s.solver)
      (guidanceScale, guidanceStart, guidanceEnd) = (s.guidanceScale, s.guidanceStart, s.guidanceEnd)
      (steps, decoderSteps) = (s.steps, s.decoderSteps)
    }
  }

  /// The picture's bytes as PNG. Nothing in them depends on the time or the place.
  public func png(of picture: Picture) throws -> [UInt8] { try data(of: picture, .png) }

  /// The same in any format that is written. Throws `PictureError`, also where the settings do not fit into a JPEG.
  public func data(of picture: Picture, _ format: WrittenFormat) throws -> [UInt8] {
    let json = String(decoding: try JSONText.line(self), as: UTF8.self)
    let text = settings.parametersText(side: picture.width, model: model, stepsDone: stepsDone)
    return try picture.data(format, texts: [PNGText("parameters", text), PNGText(Self.key, json)])
  }

  /// Reads a picture file's own settings. Throws `ModelFileError` or `GenerationError`.
  public init(file path: String) throws {
    let file = try MappedFile(path: path)
    try self.init(texts: withExtendedLifetime(file) { Picture.texts(of: file.bytes) }, name: path)
  }

  /// The same of its bytes; `name` stands in errors.
  public init(bytes: [UInt8], name path: String) throws {
    try self.init(texts: Picture.texts(bytes: bytes), name: path)
  }

  private init(texts: [PNGText], name path: String) throws {
    guard let json = texts.first(where: { $0.key == Self.key })?.value else {
      throw GenerationError(
        "\(path): has no settings that vugen can read; name a picture by vugen imagine, or by "
          + TextToImageSettings.programs.replacing("VUGEN Studio, ", with: ""))
    }
    guard let found = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      throw GenerationError("\(path): its settings are damaged; draw the picture again from its prompt")
    }
    self = found
    do { try settings.check() } catch { throw GenerationError("\(path): its settings say \(error)") }
  }
}
