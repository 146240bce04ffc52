import Requests

/// One thing in the transcript.
public struct Message: Equatable, Sendable {
  /// Who said something.
  public enum Speaker: Sendable { case person, model, studio }

  /// Its place in the transcript, for good.
  public let id: Int
  /// The message that it stands behind, by its id: its own where it stands where it was said.
  var behind: Int
  /// Who says it.
  public var speaker: Speaker
  /// The model that says it, as the session tells; empty where it does not.
  var model = ""
  /// What was said: a question, a prompt, an answer, a note.
  public var text: String
  /// What it shows, without what was deleted.
  public internal(set) var pictures: [PictureID] = []
  /// All that ever belonged to it.
  var allPictures: [PictureID] = []
  /// The dim line below: speed, or seed, guidance, steps and time.
  public var facts = ""
  /// Whether it tells of something that failed.
  public var isError = false
  /// Whether it asks for a drawing.
  var isDrawing = false
  /// The request that it belongs to; nil for none.
  public var request: Int?
  /// Pictures of one prompt side by side, each with what is its own: its scale or its seed.
  public internal(set) var isStrip = false
  var labels: [PictureID: String] = [:]
  /// What it shows was shown before: small is enough.
  public internal(set) var isRepeated = false
  /// What its pictures took together.
  var seconds = 0.0

  init(id: Int, _ speaker: Speaker, _ text: String) {
    (self.id, self.speaker, self.text, behind) = (id, speaker, text, id)
  }

  mutating func add(_ picture: PictureID, isDeleted: Bool) {
    allPictures.append(picture)
    if !isDeleted { pictures.append(picture) }
  }
}
