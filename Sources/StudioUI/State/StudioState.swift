import Frames
import Requests
import SessionLog

/// What the prompt does when it is sent.
public enum StudioMode: String, Sendable, Equatable { case ask = "Ask", imagine = "Imagine" }

/// What a person can turn in the inspector.
public struct Controls: Equatable, Sendable {
  public var guidance = DrawingDefaults.guidance
  public var steps = 50
  /// nil draws a new one for each request.
  public var seed: UInt64?
  public var count = 1
  public var decoderSteps = 1
  public var temperature: Float = 0
  public var negative = ""

  public init() {}

  public static let guidanceRange = DrawingDefaults.guidanceRange

  /// Takes a picture's settings, as far as they can be turned here. Returns what was set to the nearest value, in words.
  mutating func take(_ settings: DrawingSettings) -> [String] {
    guidance = settings.guidanceScale.clamped(to: Self.guidanceRange)
    steps = settings.steps.clamped(to: DrawingLimits.steps)
    decoderSteps = settings.decoderSteps.clamped(to: DrawingLimits.shownDecoderSteps)
    negative = settings.negative
    var changed: [String] = []
    if guidance != settings.guidanceScale {
      changed.append("guidance \(Format.scale(settings.guidanceScale)) became \(Format.scale(guidance))")
    }
    if steps != settings.steps { changed.append("\(settings.steps) steps became \(steps)") }
    if decoderSteps != settings.decoderSteps {
      changed.append("\(settings.decoderSteps) decoder steps became \(decoderSteps)")
    }
    return changed
  }
}

/// The model behind the studio.
public enum ModelStatus: Equatable, Sendable {
  case loading
  case ready(name: String, parameters: Int, bytes: Int, canDraw: Bool)
  case failed(String)
}

/// The request that the model works on.
public struct Running: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case asking, drawing }

  public var request: Int
  public var kind: Kind
  /// Tokens so far.
  public var text = ""
  public var step = 0
  public var steps = 0
  /// The picture of several that is being drawn, from 0.
  public var picture = 0
  public var count = 1
  /// The newest preview's name.
  public var preview: String?
  public var began: Double
  public var isCancelling = false
  /// Cancelling throws away what there is.
  public var isDiscarded = false
}

/// A request that waits for the model.
public enum Request: Equatable, Sendable {
  case ask(text: String, pictures: [String], temperature: Float, seed: UInt64)
  case draw(DrawingSettings, count: Int, parent: String?)
}

/// A picture that goes with the next question.
public struct Attachment: Equatable, Sendable {
  public var picture: String
  public var name: String

  public init(picture: String, name: String) { (self.picture, self.name) = (picture, name) }
}

/// What is checked about a drawn picture.
public struct Critique: Equatable, Sendable {
  public struct Part: Equatable, Sendable {
    public var phrase, question: String
    /// The word that a true picture's answer has in it.
    public var expected: String
    public var said: String?

    public var holds: Bool? { said.map { $0.lowercased().contains(expected) } }
  }

  public var picture: String
  public var parts: [Part]
}

/// One thing to choose from a list that lies over the screen.
public struct Choice: Equatable, Sendable {
  public var title, detail: String
  /// What choosing it types or names.
  public var value: String

  public init(title: String, detail: String, value: String) {
    (self.title, self.detail, self.value) = (title, detail, value)
  }
}

/// What lies over the screen and takes the keys.
public enum Overlay: Equatable, Sendable {
  case help(scroll: Int)
  case list(ListOverlay)
  /// Pictures of this session, or of all.
  case gallery(selected: Int, isOfAll: Bool)
  case compare(Comparison)
  /// One picture as large as the screen.
  case viewer(String)
  case tour(page: Int)
}

/// Two pictures in one place.
public struct Comparison: Equatable, Sendable {
  public var left, right: String
  /// Share of the left one, 0…1.
  public var divider = 0.5
  /// Whether the right one is shown alone.
  public var isFlipped = false
  /// Whether the heat map of their difference is shown.
  public var showsDifference = false

  public init(left: String, right: String) { (self.left, self.right) = (left, right) }

  /// The heat map's name.
  public var heatMap: String { "difference \(left) \(right)" }
}

/// A list with a line to filter it.
public struct ListOverlay: Equatable, Sendable {
  public enum Purpose: Equatable, Sendable {
    case palette, themes, sessions, files(folder: String), search
  }

  public var purpose: Purpose
  public var title: String
  public var choices: [Choice]
  public var filter = ""
  public var selected = 0

  public init(_ purpose: Purpose, _ title: String, _ choices: [Choice]) {
    (self.purpose, self.title, self.choices) = (purpose, title, choices)
  }

  /// Under which a file's small picture is known.
  public static func previewName(_ path: String) -> String { "file \(path)" }

  /// The selected picture's file, where this is a list of files.
  var selectedFile: String? {
    guard case .files = purpose, shown.indices.contains(selected) else { return nil }
    let path = shown[selected].value
    return path.hasSuffix("/") ? nil : path
  }

  /// What the filter leaves: every word must be there.
  public var shown: [Choice] {
    let words = filter.lowercased().split(separator: " ")
    guard !words.isEmpty, purpose != .search else { return choices }
    return choices.filter { choice in
      let text = "\(choice.title) \(choice.detail)".lowercased()
      return words.allSatisfy { text.contains($0) }
    }
  }
}

/// A session that is being played.
public struct Replay: Equatable, Sendable {
  public var entries: [SessionEntry]
  /// The next entry.
  public var place = 0
  public var isPaused = false
  public var speed = 1.0
  /// When the next entry is due, in seconds of the studio's clock.
  public var due: Double
  /// Longest wait between two entries.
  public var idleLimit: Double

  public init(_ entries: [SessionEntry], speed: Double = 1, idleLimit: Double = 2, now: Double = 0) {
    (self.entries, self.speed, self.idleLimit, due) = (entries, speed, idleLimit, now)
  }
}

/// What a replay took the place of, and what comes back when it is closed.
struct BeforeReplay: Sendable {
  var transcript: Transcript
  var scroll: Int
  var lastDrawing: DrawingSettings?
  var lastRequest: Request?
}

/// A short message in the status line.
public struct Toast: Equatable, Sendable {
  public var text: String
  public var isError: Bool
  public var until: Double

  public init(text: String, isError: Bool, until: Double) {
    (self.text, self.isError, self.until) = (text, isError, until)
  }
}

/// Everything that the screen shows.
public struct StudioState: Equatable, Sendable {
  public var size = Size(80, 24)
  /// A cell in pixels.
  public var cell = Size(8, 16)
  /// Seconds since the studio began.
  public var now = 0.0
  public var theme = Theme.builtIn
  public var themes: [Theme] = [.builtIn]
  public var hasPictures = true
  public var mode = StudioMode.imagine
  public var model = ModelStatus.loading
  /// The model that goes on working where the one that is being loaded does not.
  var modelBefore: ModelStatus?
  public var controls = Controls()
  public var prompt = PromptEditor()
  public var attachments: [Attachment] = []
  public var transcript = Transcript()
  /// Width and height in pixels of pictures that are known.
  public var pictureSizes: [String: Size] = [:]
  /// Pictures whose files are gone or damaged.
  public var missingPictures: Set<String> = []
  /// Pictures of other sessions, the newest session's last, with what is known of their making.
  public var otherPictures: [String] = []
  public var otherOrigins: [String: PictureOrigin] = [:]
  /// Under which the test card is known.
  public static let testCardName = "test card"
  /// How two pictures differ, in words, by the heat map's name.
  public var differences: [String: String] = [:]
  /// Lines that lie below the screen.
  public var scroll = 0
  public var running: Running?
  public var queue: [(id: Int, request: Request)] = []
  public var overlay: Overlay? {
    didSet { if overlay == nil { below = [] } }
  }
  /// What Esc goes back to, the nearest last.
  var below: [Overlay] = []
  /// The theme before others were tried on.
  var themeBefore: Theme?
  public var isInspectorHidden = false
  /// The row of the inspector that has the focus; nil for the prompt.
  public var inspectorRow: Int? {
    didSet { if inspectorRow != oldValue { inspectorEntry = "" } }
  }
  /// Digits that were typed at the inspector's row.
  var inspectorEntry = ""
  public var toast: Toast?
  public var isMouseCaptured = true
  /// What the last drawing was asked with: what the slider draws again.
  public var lastDrawing: DrawingSettings?
  public var lastRequest: Request?
  /// Drawings that the next move of the slider takes the place of: its own, and the one that it moves.
  var sliderRequests: Set<Int> = []
  /// The drawings of sweeps, each with the first of its sweep.
  var sweepRequests: [Int: Int] = [:]
  /// When the slider's change is drawn.
  public var sliderDue: Double?
  public var critique: Critique?
  public var replay: Replay?
  var beforeReplay: BeforeReplay?
  public var isReadOnly = false
  /// The question that goes with the next picture that is attached, and is asked at once.
  var questionForNextAttachment: String?
  /// Ctrl-X was pressed: the first half of Ctrl-X Ctrl-E.
  var isAfterControlX = false
  public var isLeaving = false
  /// Requests in flight that belong to the critique.
  var critiqueRequest: Int?
  var nextRequest = 1

  public init() {}

  public static func == (a: StudioState, b: StudioState) -> Bool {
    a.size == b.size && a.cell == b.cell && a.now == b.now && a.theme == b.theme && a.mode == b.mode
      && a.model == b.model && a.controls == b.controls && a.prompt == b.prompt
      && a.attachments == b.attachments
      && a.transcript == b.transcript && a.scroll == b.scroll && a.running == b.running
      && a.queue.map(\.id) == b.queue.map(\.id) && a.overlay == b.overlay && a.toast == b.toast
      && a.isInspectorHidden == b.isInspectorHidden && a.inspectorRow == b.inspectorRow
      && a.sliderDue == b.sliderDue && a.critique == b.critique && a.replay == b.replay
  }

  /// Pixels that a side of a cell, and of a picture, can have.
  static let cells = 1...1000
  static let pixels = 1...1_000_000
  /// The smallest screen that shows the studio.
  public static let smallest = Size(60, 16)
  /// How a picture was drawn, here or in another session.
  public func origin(of picture: String) -> PictureOrigin? {
    transcript.origins[picture] ?? otherOrigins[picture]
  }

  /// Another session: what belongs to the person, the screen and the model stays. Numbers of requests go on.
  mutating func beginSession(isReadOnly: Bool) {
    var fresh = self
    (fresh.transcript, fresh.scroll, fresh.isReadOnly) = (transcript.emptied(), 0, isReadOnly)
    (fresh.running, fresh.queue, fresh.overlay, fresh.inspectorRow) = (nil, [], nil, nil)
    (fresh.lastDrawing, fresh.lastRequest, fresh.sliderDue) = (nil, nil, nil)
    (fresh.critique, fresh.critiqueRequest) = (nil, nil)
    (fresh.sliderRequests, fresh.sweepRequests) = ([], [:])
    (fresh.replay, fresh.beforeReplay) = (nil, nil)
    (fresh.attachments, fresh.questionForNextAttachment) = ([], nil)
    self = fresh
  }

  /// What a gallery shows.
  func galleryPictures(isOfAll: Bool) -> [String] {
    guard isOfAll else { return transcript.gallery }
    let own = Set(transcript.gallery)
    return otherPictures.filter { !own.contains($0) } + transcript.gallery
  }

  public var isTooSmall: Bool { size.width < Self.smallest.width || size.height < Self.smallest.height }
  public var showsInspector: Bool { !isInspectorHidden && size.width >= 100 }
  public var canDraw: Bool {
    if case .ready(_, _, _, let canDraw) = model { return canDraw }
    return true
  }
}
