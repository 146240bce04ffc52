import Foundation
import Requests

/// Where a picture comes from.
public struct PictureOrigin: Codable, Sendable, Equatable {
  /// What it was drawn from.
  public var settings: ImageSettings
  /// Steps of the sampler that were really done.
  public var stepsDone: Int
  /// The picture that this one varies.
  public var parent: PictureID?

  /// Each argument is the property of its name.
  public init(_ settings: ImageSettings, stepsDone: Int, parent: PictureID? = nil) {
    (self.settings, self.stepsDone, self.parent) = (settings, stepsDone, parent)
  }
}

/// What happens in a session. The transcript is a function of these; whatever was seen can be replayed.
public enum SessionEvent: Codable, Sendable, Equatable {
  /// The session begins, or is taken up again.
  case opened(model: String, modelHash: String, program: String)
  case renamed(String)
  /// A question about pictures. `written` is what the person wrote, where the model was asked in other words.
  case asked(
    request: Int, text: String, pictures: [PictureID], sampling: Sampling, written: String? = nil)
  case answered(request: Int, text: String, tokens: Int, seconds: Double, isPartial: Bool)
  /// A drawing is asked for; several pictures have following seeds. `sweep` is the first request of those that draw one
  /// prompt and seed at several guidance scales.
  case drawingAsked(
    request: Int, settings: ImageSettings, count: Int, parent: PictureID?, sweep: Int? = nil)
  case drawn(request: Int, picture: PictureID, origin: PictureOrigin, seconds: Double, isPartial: Bool)
  case failed(request: Int, reason: String)
  case cancelled(request: Int)
  /// Something the studio says, such as what a command found.
  case note(String)
  /// A picture brought in from a file, with the settings that the file told, if any, and what else it told, in lines.
  case attached(picture: PictureID, name: String, settings: ImageSettings?, details: [String]? = nil)
  /// What a picture's file was called that a question brings with it.
  case named(picture: PictureID, name: String)
  case starred(picture: PictureID, isStarred: Bool)
  /// A request and what came of it are taken back.
  case undone(request: Int)
  /// One that was taken back is there again.
  case redone(request: Int)
  /// A picture is not shown any more, or again. Its file stays.
  case deleted(picture: PictureID, isDeleted: Bool)
  /// What the next request is made with, where something was turned since the last one.
  case settings(SessionSettings)
  /// Requests that wait for the model, each as the event that it will begin with, and models that take over between them,
  /// as `opened`. With one that was begun before, it is all that an earlier studio left and that can be asked again.
  case queued([SessionEvent])
  /// Requests that wait no more and were not begun: a person took them back. Models do not wait any more, either.
  case unqueued([Int])

  /// How the words of an answer are chosen.
  public struct Sampling: Codable, Sendable, Equatable {
    /// 0 takes the likeliest word each time.
    public var temperature: Float
    /// Of the draws, where there are any.
    public var seed: UInt64

    /// Greedy unless told otherwise.
    public init(temperature: Float = 0, seed: UInt64 = 0) {
      (self.temperature, self.seed) = (temperature, seed)
    }
  }

  /// A request begins.
  ///
  /// - Parameter sweep: the first request of the sweep that it belongs to.
  public static func began(_ id: Int, _ request: Request<PictureID>, sweep: Int? = nil) -> SessionEvent {
    switch request {
    case .ask(let question):
      .asked(
        request: id, text: question.text, pictures: question.pictures,
        sampling: Sampling(temperature: question.temperature, seed: question.seed), written: question.written)
    case .imagine(let settings, let count, let parent):
      .drawingAsked(request: id, settings: settings, count: count, parent: parent, sweep: sweep)
    }
  }

  /// What is asked by an event with which a request begins; nil for others.
  public var requested: Request<PictureID>? {
    switch self {
    case .asked(_, let text, let pictures, let sampling, let written):
      .ask(
        Question(
          text, pictures: pictures, temperature: sampling.temperature, seed: sampling.seed, written: written))
    case .drawingAsked(_, let settings, let count, let parent, _):
      .imagine(settings, count: count, parent: parent)
    default: nil
    }
  }

  /// Whether it can stand in a queue.
  var canWait: Bool {
    if case .opened = self { true } else { requested != nil }
  }

  /// The first request of the sweep that it belongs to.
  public var sweep: Int? { if case .drawingAsked(_, _, _, _, let sweep) = self { sweep } else { nil } }

  /// The pictures that it names.
  public var pictures: [PictureID] {
    switch self {
    case .queued(let waiting): waiting.flatMap(\.pictures)
    case .asked(_, _, let pictures, _, _): pictures
    case .drawn(_, let picture, _, _, _): [picture]
    case .attached(let picture, _, _, _): [picture]
    default: []
    }
  }

  /// Whether the session was used by it. Opening it, its name, stars and settings are no use: they leave it where it is in
  /// lists.
  public var isUse: Bool { other == nil }

  /// Kinds that are no use, as they are called in a log.
  enum Other: String, CaseIterable { case opened, renamed, starred, settings }

  private var other: Other? {
    switch self {
    case .opened: .opened
    case .renamed: .renamed
    case .starred: .starred
    case .settings: .settings
    default: nil
    }
  }

  /// What of it can be searched.
  public var text: String? {
    switch self {
    case .renamed(let text), .answered(_, let text, _, _, _), .note(let text): text
    case .asked(_, let text, _, _, let written): written ?? text
    case .failed(_, let reason): reason
    case .drawingAsked(_, let settings, _, _, _): settings.prompt
    case .attached(_, let name, let settings, _): settings.map { "\(name) \($0.prompt)" } ?? name
    default: nil
    }
  }

  /// The number of the request that it belongs to; nil for what belongs to none.
  public var request: Int? {
    switch self {
    case .asked(let id, _, _, _, _), .answered(let id, _, _, _, _), .drawingAsked(let id, _, _, _, _),
      .drawn(let id, _, _, _, _), .failed(let id, _), .cancelled(let id), .undone(let id), .redone(let id):
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
  /// What happened.
  public var event: SessionEvent

  /// The version that this program writes.
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
