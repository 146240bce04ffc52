import Requests

/// What lies over the screen and takes the keys.
public enum Overlay: Equatable, Sendable {
  case help(scroll: Int)
  case list(ListOverlay)
  /// Pictures of this session, or of all.
  case gallery(selected: Int, isOfAll: Bool)
  case compare(Comparison)
  /// One picture as large as the screen.
  case viewer(PictureID)
  case tour(page: Int)
}

/// One thing to choose from a list that lies over the screen.
public struct Choice: Equatable, Sendable {
  /// What it is called, and what stands beside it.
  public var title, detail: String
  /// What choosing it types or names.
  public var value: String

  /// Each argument is the property of its name.
  public init(title: String, detail: String, value: String) {
    (self.title, self.detail, self.value) = (title, detail, value)
  }
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
    case palette, themes, sessions, files(folder: String), search
  }

  /// What choosing from it does.
  public var purpose: Purpose
  /// In its border.
  public var title: String
  /// All of them, whatever the filter.
  public var choices: [Choice]
  /// What was typed to narrow it down.
  public var filter = ""
  /// The place among those that are shown.
  public var selected = 0

  /// Unfiltered, with the first one selected.
  public init(_ purpose: Purpose, _ title: String, _ choices: [Choice]) {
    (self.purpose, self.title, self.choices) = (purpose, title, choices)
  }

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
