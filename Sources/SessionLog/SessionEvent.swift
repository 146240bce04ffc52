import Foundation
import Requests

/// What decides a drawn picture, as a session records it.
public struct DrawingSettings: Codable, Sendable, Equatable {
  public var prompt: String
  public var negative: String
  public var seed: UInt64
  public var guidanceScale: Float
  public var steps: Int
  public var decoderSteps: Int

  public init(
    prompt: String, negative: String = "", seed: UInt64 = 0,
    guidanceScale: Float = DrawingDefaults.guidance, steps: Int = 50, decoderSteps: Int = 1
  ) {
    (self.prompt, self.negative, self.seed) = (prompt, negative, seed)
    (self.guidanceScale, self.steps, self.decoderSteps) = (guidanceScale, steps, decoderSteps)
  }
}

/// Where a picture comes from.
public struct PictureOrigin: Codable, Sendable, Equatable {
  public var settings: DrawingSettings
  /// Steps of the sampler that were really done.
  public var stepsDone: Int
  /// The picture that this one varies.
  public var parent: String?

  public init(_ settings: DrawingSettings, stepsDone: Int, parent: String? = nil) {
    (self.settings, self.stepsDone, self.parent) = (settings, stepsDone, parent)
  }
}

/// What happens in a session. The transcript is a function of these; whatever was seen can be replayed.
public enum SessionEvent: Codable, Sendable, Equatable {
  /// The session begins, or is taken up again.
  case opened(model: String, modelHash: String, program: String)
  case renamed(String)
  /// A question with pictures by content hash.
  case asked(request: Int, text: String, pictures: [String], sampling: Sampling)
  case answered(request: Int, text: String, tokens: Int, seconds: Double, isPartial: Bool)
  /// A drawing is asked for; several pictures have following seeds.
  case drawingAsked(request: Int, settings: DrawingSettings, count: Int, parent: String?)
  case drawn(request: Int, picture: String, origin: PictureOrigin, seconds: Double, isPartial: Bool)
  case failed(request: Int, reason: String)
  case cancelled(request: Int)
  /// Something the studio says, such as what a command found.
  case note(String)
  /// A picture brought in from a file, with the settings that the file told, if any, and what else it told, in lines.
  case attached(picture: String, name: String, settings: DrawingSettings?, details: [String]? = nil)
  case starred(picture: String, isStarred: Bool)
  /// The last request and what came of it are taken back.
  case undone(request: Int)

  public struct Sampling: Codable, Sendable, Equatable {
    public var temperature: Float
    public var seed: UInt64

    public init(temperature: Float = 0, seed: UInt64 = 0) {
      (self.temperature, self.seed) = (temperature, seed)
    }
  }

  /// The pictures that it names.
  public var pictures: [String] {
    switch self {
    case .asked(_, _, let pictures, _): pictures
    case .drawn(_, let picture, _, _, _): [picture]
    case .attached(let picture, _, _, _): [picture]
    default: []
    }
  }

  public var request: Int? {
    switch self {
    case .asked(let id, _, _, _), .answered(let id, _, _, _, _), .drawingAsked(let id, _, _, _),
      .drawn(let id, _, _, _, _), .failed(let id, _), .cancelled(let id), .undone(let id):
      id
    default: nil
    }
  }
}

/// A line of a session's file.
public struct SessionEntry: Codable, Sendable, Equatable {
  /// Version of the vocabulary.
  public var version = Self.currentVersion
  /// Seconds since 1970.
  public var time: Double
  public var event: SessionEvent

  public static let currentVersion = 1

  /// Its numbers are bounded, wherever they come from.
  public init(time: Double, event: SessionEvent) {
    (self.time, self.event) = (time.clamped(to: SessionBounds.time), event.bounded)
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      time: try values.decode(Double.self, forKey: .time),
      event: try values.decode(SessionEvent.self, forKey: .event))
    version = try values.decode(Int.self, forKey: .version)
  }
}
