import Frames
import Requests

/// What lies over the screen and takes the keys.
public enum Overlay: Equatable, Sendable {
  /// Help begins with what can be done where it was opened.
  case help(scroll: Int)
  case list(ListOverlay)
  case gallery(GalleryOverlay)
  case compare(Comparison)
  /// One picture as large as the screen.
  case viewer(PictureID)
  case tour(page: Int)

  /// A gallery as it opens.
  public static func gallery(selected: Int, isOfAll: Bool) -> Overlay {
    .gallery(GalleryOverlay(selected: selected, isOfAll: isOfAll))
  }
}

/// Pictures of this session, or of all.
public struct GalleryOverlay: Equatable, Sendable {
  /// Which of those that are shown.
  public var selected: Int
  /// Whether they are those of all sessions.
  public var isOfAll: Bool
  /// What their prompts must hold.
  public internal(set) var filter = ""
  /// Whether what is typed goes to the filter.
  public internal(set) var isFiltering = false
  /// Whether only starred ones are shown.
  public internal(set) var showsStarsOnly = false
  /// Whether they are sorted by their prompts; else by time.
  public internal(set) var isByPrompt = false
  /// Pictures that are to be compared.
  public internal(set) var marks: [PictureID] = []

  /// As it opens: everything, by time.
  public init(selected: Int, isOfAll: Bool) { (self.selected, self.isOfAll) = (selected, isOfAll) }
}

/// One thing to choose from a list that lies over the screen.
public struct Choice: Equatable, Sendable {
  /// What it is called, and what stands beside it.
  public var title, detail: String
  /// What choosing it types or names.
  public var value: String
  /// What it looks like.
  public var picture: PictureID?
  /// Whether it is the one that is there already.
  public var isCurrent = false
  /// Where in a session it was found.
  public var place: SessionPlace?
  /// What else it can be found by, in lower case: words that are not shown.
  public var words: [String] = []

  /// Each argument is the property of its name.
  public init(title: String, detail: String, value: String) {
    (self.title, self.detail) = (TextWidth.bounded(title), TextWidth.bounded(detail))
    self.value = value
  }
}

/// A message of a session by what it says.
public struct SessionPlace: Equatable, Sendable {
  /// What it says.
  public var text: String
  /// Of those that say the same, from 0.
  public var number: Int

  /// The message that says this, or one of several.
  public init(text: String, number: Int) { (self.text, self.number) = (text, number) }
}

/// Two pictures in one place.
public struct Comparison: Equatable, Sendable {
  /// On each side of the divider.
  public var left, right: PictureID
  /// Share of the left one, 0…1.
  public var divider = 0.5
  /// Whether the right one is shown alone.
  public var isFlipped = false
  /// Whether the heat map of their difference is shown.
  public var showsDifference = false

  /// The divider in the middle.
  public init(left: PictureID, right: PictureID) { (self.left, self.right) = (left, right) }

  /// The heat map of their difference.
  public var heatMap: PictureID { .heatMap(left, right) }
}

/// A list with a line to filter it.
public struct ListOverlay: Equatable, Sendable {
  /// What choosing from it does.
  public enum Purpose: Equatable, Sendable {
    case palette, themes, sessions, files(folder: String), search, queue, models, things
  }

  /// What choosing from it does.
  public var purpose: Purpose
  /// In its border.
  public var title: String
  /// All of them, whatever the filter.
  public var choices: [Choice] { didSet { find() } }
  /// What was typed to narrow it down.
  public var filter = "" { didSet { find() } }
  /// What the filter leaves, the best first where the lines have no order of their own.
  public private(set) var shown: [Choice]
  /// The place among those that are shown.
  public var selected = 0
  /// The new title of the selected session, while it is written.
  public internal(set) var newTitle: String?

  /// Unfiltered, with the first one selected.
  public init(_ purpose: Purpose, _ title: String, _ choices: [Choice]) {
    (self.purpose, self.title, self.choices, shown) = (purpose, title, choices, choices)
  }

  /// What is selected.
  var choice: Choice? { shown.indices.contains(selected) ? shown[selected] : nil }

  /// The selected picture's file, where this is a list of files.
  var selectedFile: String? {
    guard case .files = purpose, let path = choice?.value, !path.hasSuffix("/") else { return nil }
    return path
  }

  /// What the selected line looks like.
  var picture: PictureID? { selectedFile.map { .file($0) } ?? choice?.picture }

  /// Whether a picture of the selected line is shown beside it.
  var hasPictures: Bool {
    switch purpose {
    case .files, .sessions, .things: true
    default: false
    }
  }

  /// Each frame asks several times for what a filter leaves: it is found when either changes.
  private mutating func find() {
    guard purpose != .search, let wanted = Ranking(filter) else { return shown = choices }
    let found = choices.compactMap { choice in wanted.rank(choice).map { (choice, $0) } }
    switch purpose {
    // By their last use, and as they follow each other.
    case .sessions, .queue: shown = found.map(\.0)
    default: shown = Ranking.sorted(found)
    }
  }

  /// Selects a line, or the nearest that there is.
  mutating func select(_ line: Int) { selected = max(0, min(shown.count - 1, line)) }

  /// Selects the line of a value; false where it is not shown.
  mutating func select(value: String?) -> Bool {
    guard let value, let line = shown.firstIndex(where: { $0.value == value }) else { return false }
    selected = line
    return true
  }
}
