import Foundation
import ModelFiles
import Pictures

/// What a drawn PNG says of itself: `parameters` for AUTOMATIC1111's readers, and JSON of our own that repeats it.
public struct PictureMetadata: Codable, Sendable, Equatable {
  public var settings: ImagineSettings
  /// Steps of the sampler that were really done: fewer than asked for where it was cancelled.
  public var stepsDone: Int
  /// The model folder's name.
  public var model: String

  public static let key = "vugen"

  public init(_ settings: ImagineSettings, stepsDone: Int, model: String) {
    (self.settings, self.stepsDone, self.model) = (settings, stepsDone, model)
  }

  /// The picture's bytes as PNG. Nothing in them depends on the time or the place.
  public func png(of picture: Picture) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(self), as: UTF8.self)
    let text = settings.parametersText(side: picture.width, model: model, stepsDone: stepsDone)
    return try picture.pngData(texts: [PNGText("parameters", text), PNGText(Self.key, json)])
  }

  /// Reads a PNG file's own settings. Throws `PictureError`, `ModelFileError` or `GenerationError`.
  public init(png path: String) throws {
    let bytes = [UInt8](try MappedFile.contents(of: path))
    let texts = try Picture.pngTexts(bytes: bytes, name: path)
    guard let json = texts.first(where: { $0.key == Self.key })?.value else {
      throw GenerationError(
        "\(path): holds no settings of VUGEN Studio; name a picture that vugen imagine made")
    }
    guard let found = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      throw GenerationError("\(path): its settings are damaged; draw the picture again from its prompt")
    }
    self = found
    try settings.check()
  }
}
