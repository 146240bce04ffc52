/// A question about pictures; a conversation goes on while its pictures stay the same.
///
/// - Note: `Image` is what stands for a picture: its id before it is looked up, its pixels behind.
public struct Question<Image: Sendable>: Sendable {
  /// What is asked.
  public var text: String
  /// What it is asked about; none where the conversation goes on.
  public var pictures: [Image]
  /// 0 takes the likeliest token each time.
  public var temperature: Float
  /// Of the tokens that are drawn by lot.
  public var seed: UInt64
  /// What a person wrote, where the model is asked in other words: files that are named in it are pictures there.
  public var written: String?

  /// About nothing new, and answered by the likeliest tokens, where no more is said.
  public init(
    _ text: String, pictures: [Image] = [], temperature: Float = 0, seed: UInt64 = 0, written: String? = nil
  ) {
    (self.text, self.pictures, self.temperature, self.seed) = (text, pictures, temperature, seed)
    self.written = written == text ? nil : written
  }
}

extension Question: Equatable where Image: Equatable {}

/// What a person asks of the model: one name from the prompt to the engine and the log.
public enum Request<Image: Sendable>: Sendable {
  case ask(Question<Image>)
  /// So many pictures with following seeds. `parent` is the picture that they vary.
  case imagine(ImageSettings, count: Int, parent: PictureID?)

  /// The same with other stand-ins for its pictures; what `change` throws is thrown on.
  public func replacingPictures<Other>(_ change: (Image) throws -> Other) rethrows -> Request<Other> {
    switch self {
    case .ask(let question):
      .ask(
        Question<Other>(
          question.text, pictures: try question.pictures.map(change), temperature: question.temperature,
          seed: question.seed, written: question.written))
    case .imagine(let settings, let count, let parent): .imagine(settings, count: count, parent: parent)
    }
  }
}

extension Request: Equatable where Image: Equatable {}

/// What comes of a request, in order. Each ends: with an answer or its pictures, with `failed` or `cancelled`, and then,
/// whichever it was, with `ended`.
public enum RequestEvent<Image: Sendable>: Sendable {
  case started
  /// More of an answer.
  case token(String)
  /// Step `step` of `steps` of the picture `picture`, from 0, with a preview now and then.
  case step(Int, of: Int, picture: Int, preview: Image?)
  /// A text that is longer than the model reads (the prompt, the negative prompt) was cut, in a drawing of `prompt`.
  case shortened(String, prompt: String)
  /// The conversation became longer than the model reads: its oldest turns are left out from here on.
  case forgotten
  /// A picture that is whole, or as far as it came.
  case drawn(Image, ImageSettings, stepsDone: Int, seconds: Double, isPartial: Bool)
  case answered(text: String, tokens: Int, seconds: Double, isPartial: Bool)
  case failed(String)
  case cancelled
  /// Nothing more comes of it.
  case ended
}

extension RequestEvent: Equatable where Image: Equatable {}
