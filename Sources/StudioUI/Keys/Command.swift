/// All that a key or a slash command can do. Those of the prompt are typed as `/` and their raw value.
public enum Command: String, CaseIterable, Sendable {
  // Slash commands, some of which keys stand for.
  case imagine, image, caption, cfg, steps, seed, count, negative, vary, retry, undo, edit, sweep, grid
  case compare, critique, gallery, save, stop, model, theme, export, replay, search, sessions, new, rename
  case doctor, tour, help, quit, solver, interval, redo, queue, size, things

  // The prompt.
  case send, lineBreak, complete, switchMode, attachLast, detach, copyAnswer, editorPrefix, openEditor
  case left, right, up, down, wordLeft, wordRight, lineStart, lineEnd
  case deleteBackward, deleteForward, killWordBackward, killWordForward, killToEnd, killToStart, yank
  case searchHistory, olderFound, newerFound, eraseSearch, acceptSearch, abandonSearch
  case changeSubject, takeSuggestion
  case nextCompletion, previousCompletion, takeCompletion, closeCompletions

  // Anywhere.
  case clearPrompt, palette, pickFile, guidanceDown, guidanceUp, scrollUp, scrollDown, toggleInspector
  case redraw, suspend, toggleMouse, stopAll, chooseOfStrip, larger, smaller

  // The inspector.
  case goToInspector, leaveInspector, rowUp, rowDown, less, more, lessByTen, moreByTen
  case classGuidance, descriptionGuidance, eraseDigit

  // What lies over the screen.
  case back, selectionUp, selectionDown, selectionPageUp, selectionPageDown, eraseFilter, choose
  case removeLine, lineEarlier, lineLater, renameLine, bringBackLine
  case previousPicture, nextPicture, pictureAbove, pictureBelow, firstPicture, lastPicture
  case reuseAll, reuseSeed, reusePrompt, viewPicture, comparePrevious, star, askAbout, saveShown, switchAlbum
  case filterGallery, eraseGalleryFilter, endGalleryFilter, clearGalleryFilter, starsOnly, sortGallery, mark
  case deletePicture
  case dividerLeft, dividerRight, flip, showDifference, swapPictures
  case lineUp, lineDown, pageUp, pageDown, toTop, toBottom, nextPage, previousPage

  // A session that is played.
  case pause, nextEntry, previousEntry, firstEntry, lastEntry, faster, slower, closeReplay
}

/// Where a key means something.
public enum KeyContext: String, CaseIterable, Sendable {
  case prompt = "Prompt"
  case emptyPrompt = "Empty prompt"
  case afterControlX = "After Ctrl-X"
  case history = "History search"
  case running = "Running request"
  /// One that is being stopped.
  case stopping = "Stopping"
  /// Slash commands that fit what has been typed.
  case completions = "Slash list"
  case screen = "Screen"
  case view = "View"
  case everywhere = "Anywhere"
  case tooSmall = "Small screen"
  case inspector = "Inspector"
  case inspectorEntry = "Typed value"
  case gallery = "Gallery"
  case galleryFilter = "Gallery's filter"
  case viewer = "Picture"
  case compare = "Compare"
  case list = "Lists"
  case queueList = "Queue"
  case sessionList = "Sessions"
  case help = "Help"
  case tour = "Tour"
  case overlay = "Overlays"
  case replay = "Replay"
  /// Typed behind a slash; not a key.
  case slash = "Commands"

  /// Under what help lists it: contexts that a person need not tell apart stand together.
  public var heading: String {
    switch self {
    case .emptyPrompt, .afterControlX: Self.prompt.rawValue
    case .running, .stopping, .screen, .view, .tooSmall: Self.everywhere.rawValue
    case .inspectorEntry: Self.inspector.rawValue
    default: rawValue
    }
  }
}
