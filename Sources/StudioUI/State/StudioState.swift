import Frames
import Requests
import SessionLog

/// Everything that the screen shows: small states, each about one thing. `reduce` alone changes them.
public struct StudioState: Equatable, Sendable {
  /// The screen, its theme and what it can show.
  public internal(set) var terminal = TerminalState()
  /// The open session.
  public internal(set) var conversation = ConversationState()
  /// The model and what it works on.
  public internal(set) var work = WorkState()
  /// The settings.
  public internal(set) var inspector = InspectorState()
  /// What is being written.
  public internal(set) var prompt = PromptState()
  /// What lies over the screen.
  public internal(set) var overlays = OverlayState()
  /// What is known of pictures.
  public internal(set) var album = AlbumState()
  /// What the model was taught, where its folder says so.
  public internal(set) var vocabulary: Vocabulary?
  /// The message of the status line.
  public internal(set) var toast: Toast?
  /// Seconds since the studio began.
  public internal(set) var now = 0.0
  /// Whether the person wants to leave.
  public internal(set) var isLeaving = false

  /// A studio before its terminal's size and its model are known.
  public init() {}

  /// The smallest screen that shows the studio.
  public static let smallest = Size(60, 16)

  /// Whether the screen shows no more than that it is too small.
  public var isTooSmall: Bool {
    terminal.size.width < Self.smallest.width || terminal.size.height < Self.smallest.height
  }
  /// Whether the screen is wide enough for the inspector beside the transcript.
  var hasRoomForInspector: Bool { terminal.size.width >= 100 }
  /// Whether the inspector is shown beside the transcript.
  var isInspectorBeside: Bool { !inspector.isHidden && hasRoomForInspector }
  /// Whether it is shown at all: on a narrow screen over the transcript, while it has the focus.
  public var showsInspector: Bool { hasRoomForInspector ? !inspector.isHidden : inspector.row != nil }

  /// How a picture was drawn, here or in another session.
  public func origin(of picture: PictureID) -> PictureOrigin? {
    conversation.transcript.origins[picture] ?? album.otherOrigins[picture]
  }

  /// The picture that a question is about, which is what is saved and described, too; nil where there is none.
  var currentPicture: PictureID? {
    prompt.subject.picture ?? conversation.transcript.shownLast.last ?? conversation.transcript.gallery.last
  }

  /// All pictures of this session, or of all sessions.
  func galleryPictures(isOfAll: Bool) -> [PictureID] {
    let transcript = conversation.transcript, gallery = transcript.gallery
    guard isOfAll else { return gallery }
    let own = Set(gallery).union(transcript.deleted)
    return album.others.filter { !own.contains($0) } + gallery
  }

  /// What a gallery shows.
  func pictures(of gallery: GalleryOverlay) -> [PictureID] {
    var pictures = galleryPictures(isOfAll: gallery.isOfAll)
    func prompt(_ picture: PictureID) -> String {
      origin(of: picture)?.settings.prompt.lowercased() ?? "\u{10FFFD}"
    }
    if gallery.showsStarsOnly { pictures = pictures.filter(conversation.transcript.starred.contains) }
    let words = gallery.filter.lowercased().split(separator: " ")
    if !words.isEmpty {
      pictures = pictures.filter { picture in
        let text = description(of: picture).lowercased()
        return words.allSatisfy { text.contains($0) }
      }
    }
    guard gallery.isByPrompt else { return pictures }
    let keys = Dictionary(uniqueKeysWithValues: pictures.map { ($0, prompt($0)) })
    return pictures.enumerated().sorted { a, b in
      let (first, second) = (keys[a.element, default: ""], keys[b.element, default: ""])
      return first == second ? a.offset < b.offset : first < second
    }.map(\.element)
  }
}

/// What the studio knows of its terminal, and how it looks there.
public struct TerminalState: Equatable, Sendable {
  /// Columns and rows.
  public var size = Size(80, 24)
  /// A cell in pixels.
  public var cell = Size(8, 16)
  /// Whether pictures can be shown.
  public var hasPictures = true
  /// How many it keeps at a time.
  public internal(set) var mostPictures = Int.max
  /// How large pictures are shown, of 1 to 5.
  public internal(set) var pictureSize = 3
  static let pictureSizes = 1...5
  /// Whether the studio takes the mouse; else the terminal selects text with it.
  public var isMouseCaptured = true
  /// The colours that are shown.
  public var theme = Theme.builtIn
  /// Those that can be chosen.
  public var themes: [Theme] = [.builtIn]
  /// Nobody chose a theme: the terminal's background does.
  var followsBackground = false
  /// The theme before others were tried on.
  var themeBefore: Theme?

  /// Pixels that a side of a cell can have.
  static let cells = 1...1000
}

/// What is being written, and what goes with it.
public struct PromptState: Equatable, Sendable {
  /// The text.
  public var editor = PromptEditor()
  /// What sending it does.
  public var mode = StudioMode.imagine
  /// Whether it only asks because the model cannot draw: with one that can it draws again.
  var asksForWant = false
  /// The mode that the settings file has, and that which the open session's log has; nil where that is not known.
  var configuredMode = StudioMode.imagine, recordedMode: StudioMode? = .imagine
  /// Pictures that go with the next question.
  public var attachments: [Attachment] = []
  /// Whether it was said that a drawing does not look at them.
  var toldOfAttachments = false
  /// Which of the prompts that come out well is suggested.
  var suggestion: UInt64 = 0
  /// Which of the slash commands that fit is selected; nil while nobody chose one.
  var completion: Int?
  /// Whether the list of those that fit was closed.
  var hidesCompletions = false
  /// What a question is about that brings no picture.
  var subject = Subject.newest
  /// The question that goes with the next picture that is attached, and is asked at once.
  var questionForNextAttachment: String?
  /// Whether the text is looked through for words and files at each key: not one that is longer than any that a person
  /// writes.
  var isLookedThrough: Bool { editor.text.count <= 10_000 }
  /// The text whose words behind `@` were looked for last.
  var lookedFor: [Character] = []
  /// The words, as far as they reach, and which of them name no file; nil where that is not known.
  var absentFiles: AbsentFiles?
  /// What the studio put there: a command that is typed behind it takes its place.
  var filled: String?
  /// Ctrl-X was pressed: the first half of Ctrl-X Ctrl-E.
  var isAfterControlX = false
}

/// What lies over the screen.
public struct OverlayState: Equatable, Sendable {
  /// What takes the keys; nil for the screen itself.
  public var top: Overlay? {
    didSet { if top == nil { below = [] } }
  }
  /// What Esc goes back to, the nearest last.
  fileprivate(set) var below: [Overlay] = []

  /// Lays something over what is there; Esc goes back to that.
  mutating func lay(_ new: Overlay) {
    if let top { below.append(top) }
    top = new
  }

  /// One level back.
  mutating func goBack() { top = below.popLast() }
}

/// What is known of pictures, whoever drew them.
public struct AlbumState: Equatable, Sendable {
  /// Width and height in pixels of pictures that are known.
  public var sizes: [PictureID: Size] = [:]
  /// What a person called pictures: their files' names.
  public var names: [PictureID: String] = [:]
  /// Pictures whose files are gone or damaged.
  public var missing: Set<PictureID> = []
  /// Pictures of other sessions, the newest session's last, with what is known of their making.
  public var others: [PictureID] = []
  /// What their settings were.
  public var otherOrigins: [PictureID: PictureOrigin] = [:]
  /// How much of its prompt the model finds in a picture, 0…1.
  public var agreements: [PictureID: Double] = [:]
  /// How far two neighbours of a sweep are apart, 0…1, by their heat map's id.
  public var moves: [PictureID: Double] = [:]
  /// How two pictures differ, in words, by the heat map's id.
  public var differences: [PictureID: String] = [:]

  /// Pixels that a side of a picture can have.
  static let pixels = 1...1_000_000
}

/// A short message in the status line.
public struct Toast: Equatable, Sendable {
  /// A line for each thing that is said.
  public var text: String
  /// Whether it is about something that failed.
  public var isError: Bool
  /// The studio's time in seconds at which it goes.
  public var until: Double
  /// The same at which it was said; nil where that does not matter.
  var said: Double?

  /// Each argument is the property of its name.
  public init(text: String, isError: Bool, until: Double) {
    (self.text, self.isError, self.until) = (text, isError, until)
  }

  init(text: String, isError: Bool, until: Double, said: Double) {
    (self.text, self.isError, self.until, self.said) = (text, isError, until, said)
  }
}

/// What the prompt does when it is sent.
public enum StudioMode: String, Sendable, Equatable { case ask = "Ask", imagine = "Imagine" }

/// A picture that goes with the next question.
public struct Attachment: Equatable, Sendable {
  /// Which one.
  public var picture: PictureID
  /// What the person calls it: a file's name.
  public var name: String

  /// Each argument is the property of its name.
  public init(picture: PictureID, name: String) { (self.picture, self.name) = (picture, name) }
}
