import Frames
import Requests

extension StudioState {
  /// A key, by the table; what stands in none of its lines is typed, or means nothing here.
  mutating func take(_ key: Key) -> [Effect] {
    // Another text has another list of what fits. Where there is no list, a long text is neither copied nor compared.
    let before = prompt.completion != nil || prompt.hidesCompletions ? prompt.editor.text : nil
    let told = work.toldOfLeaving
    defer {
      if case .mouse = key {} else { takeBackLeaving(toldBefore: told) }
      if let before, prompt.editor.text != before {
        (prompt.completion, prompt.hidesCompletions) = (nil, false)
      }
    }
    switch key {
    case .mouse(let mouse): return take(mouse)
    case .paste(let text): return takePaste(text)
    case .overlongPaste(let bytes): return refusePaste(bytes)
    default: break
    }
    let found = binding(of: key)
    // A terminal says Alt by an Esc before the key, and so does a person who presses Esc and types on.
    if found == nil, let typed = key.behindEscape { return take(Key.escape) + take(typed) }
    prompt.isAfterControlX = false
    guard let found, let command = found.command else {
      if case .character(let c) = key { return type(c) }
      return []
    }
    // What went wrong before is over with the next thing that is done; writing does nothing yet.
    let complaint = toast.flatMap { $0.isError ? $0 : nil }
    if complaint != nil { toast = nil }
    defer { if toast == nil, found.isWriting { toast = complaint } }
    // What is done at the prompt is seen there.
    if found.context.heading == KeyContext.prompt.heading, command != .goToInspector { inspector.row = nil }
    // "Alt-3" says which.
    if case .alt(let c) = key, command == .chooseOfStrip { return perform(command, String(c)) }
    return perform(command)
  }

  /// Does what a key or a slash command says.
  mutating func perform(_ command: Command, _ argument: String = "") -> [Effect] {
    switch command {
    case .imagine, .image, .caption, .vary, .retry, .grid, .sweep, .critique, .stop, .stopAll, .queue,
      .chooseOfStrip:
      performDrawing(command, argument)
    case .cfg, .steps, .seed, .count, .negative, .solver, .interval:
      performSetting(command, argument) + settingsAtOnce()
    case .undo, .redo, .edit, .save, .model, .export, .replay, .search, .sessions, .new, .rename:
      performSession(command, argument)
    case .gallery, .compare, .theme, .doctor, .tour, .help, .quit, .size, .things:
      performScreen(command, argument)
    case .send, .complete, .switchMode, .attachLast, .detach, .copyAnswer, .editorPrefix, .openEditor,
      .changeSubject, .takeSuggestion, .nextCompletion, .previousCompletion, .takeCompletion,
      .closeCompletions, .olderFound, .newerFound:
      performPrompt(command)
    case .lineBreak, .left, .right, .up, .down, .wordLeft, .wordRight, .lineStart, .lineEnd, .deleteBackward,
      .deleteForward, .killWordBackward, .killWordForward, .killToEnd, .killToStart, .yank, .searchHistory,
      .eraseSearch, .acceptSearch, .abandonSearch:
      prompt.editor.perform(command)
    case .clearPrompt, .palette, .pickFile, .guidanceDown, .guidanceUp, .scrollUp, .scrollDown,
      .toggleInspector, .redraw, .suspend, .toggleMouse, .larger, .smaller:
      performAnywhere(command)
    case .goToInspector, .leaveInspector, .rowUp, .rowDown, .less, .more, .lessByTen, .moreByTen,
      .classGuidance, .descriptionGuidance, .eraseDigit:
      performInspector(command)
    case .removeLine, .lineEarlier, .lineLater, .renameLine, .bringBackLine, .back, .selectionUp,
      .selectionDown, .selectionPageUp, .selectionPageDown, .eraseFilter, .choose,
      .previousPicture, .nextPicture, .pictureAbove, .pictureBelow, .firstPicture, .lastPicture, .reuseAll,
      .reuseSeed, .reusePrompt, .viewPicture, .comparePrevious, .star, .askAbout, .saveShown, .switchAlbum,
      .filterGallery, .eraseGalleryFilter, .endGalleryFilter, .clearGalleryFilter, .starsOnly, .sortGallery,
      .mark, .deletePicture, .dividerLeft, .dividerRight, .flip, .showDifference, .swapPictures, .lineUp,
      .lineDown, .pageUp,
      .pageDown, .toTop, .toBottom, .nextPage, .previousPage:
      performOverlay(command)
    case .pause, .nextEntry, .previousEntry, .firstEntry, .lastEntry, .faster, .slower, .closeReplay:
      performReplay(command)
    }
  }

  /// A character that is no key of the table here.
  private mutating func type(_ c: Character) -> [Effect] {
    if isTooSmall { return [] }
    if overlays.top != nil { return typeIntoOverlay(c) }
    if conversation.replay != nil { return [] }
    if prompt.editor.search != nil {
      prompt.editor.search(c)
      return []
    }
    if let row = inspector.row, c.isASCII && c.isNumber || c == "." && !inspector.entry.isEmpty {
      return enter(inspector.entry + String(c), row)
    }
    // Typing always goes to the prompt.
    inspector.row = nil
    if c == "/", let filled = prompt.filled, prompt.editor.string == filled,
      prompt.editor.cursor == prompt.editor.text.count
    {
      prompt.editor.set("")
    }
    prompt.filled = nil
    return prompt.editor.insert(String(c)) ? [] : fail(PromptEditor.isFull)
  }

  /// Paths to pictures that are dropped or pasted are attached.
  private mutating func takePaste(_ text: String) -> [Effect] {
    guard text.utf8.count <= Key.longestPaste else { return refusePaste(text.utf8.count) }
    let text = TextWidth.bounded(text)
    if !isTooSmall, overlays.top != nil { return pasteIntoOverlay(text) }
    guard !isTooSmall, conversation.replay == nil else { return [] }
    if prompt.editor.search != nil {
      TextWidth.bounded(text).oneRow.prefix(200).forEach { prompt.editor.search($0) }
      return []
    }
    inspector.row = nil
    // Terminals send a line break of a name as Return.
    let isShort = text.utf8.count <= PastedPaths.longest
    let trimmed = isShort ? PromptEditor.withLineFeeds(text).trimmingWhitespace() : ""
    let paths = PastedPaths.pictures(in: trimmed)
    guard paths.isEmpty else { return paths.map { .attach(path: $0) } }
    let isAlone = prompt.editor.isEmpty
    guard prompt.editor.insert(text) else { return fail(PromptEditor.isFull) }
    // A folder, a file that is called like no picture, or a name of several lines.
    guard isAlone, PastedPaths.beginsAsPath(trimmed), trimmed.count < 5000,
      !trimmed.contains("\n") || PastedPaths.isPictureName(trimmed),
      KeyTable.slash(named: String(trimmed.dropFirst().prefix { $0 != " " })) == nil
    else { return [] }
    return [.lookUp(trimmed, isSurelyPath: false)]
  }

  /// What was at the prompt stays.
  private mutating func refusePaste(_ bytes: Int) -> [Effect] {
    fail(PromptEditor.refusal(of: "the pasted text", bytes: bytes) + "; paste a part of it")
  }

  // MARK: Anywhere

  private mutating func performAnywhere(_ command: Command) -> [Effect] {
    switch command {
    case .toggleInspector:
      // On a narrow screen it lies over the transcript as long as it has the focus.
      guard hasRoomForInspector else {
        inspector.row = inspector.row == nil ? 0 : nil
        return []
      }
      inspector.isHidden.toggle()
      if inspector.isHidden { inspector.row = nil }
    case .redraw: return [.repaint]
    case .palette: openPalette()
    case .pickFile: return [.readFolder("")]
    case .suspend: return [.suspend]
    case .clearPrompt:
      if prompt.editor.isEmpty {
        say("Ctrl-D quits; F1 lists every key")
      } else {
        prompt.editor.remember(prompt.editor.string)
        prompt.editor.set("")
      }
    case .scrollUp: scroll(up: max(1, transcriptHeight - 2))
    case .scrollDown: scroll(up: -max(1, transcriptHeight - 2))
    case .larger: return resizePictures(to: terminal.pictureSize + 1)
    case .smaller: return resizePictures(to: terminal.pictureSize - 1)
    case .toggleMouse:
      terminal.isMouseCaptured.toggle()
      let isCaptured = terminal.isMouseCaptured
      say(isCaptured ? "the studio has the mouse" : "the terminal has the mouse: select and copy")
      return [.captureMouse(isCaptured)]
    case .guidanceDown: return setGuidance(inspector.controls.guidance - 0.1)
    case .guidanceUp: return setGuidance(inspector.controls.guidance + 0.1)
    default: break
    }
    return []
  }

  /// So many lines towards the beginning, as far as there are any.
  mutating func scroll(up lines: Int) {
    conversation.scroll =
      TranscriptLayout(self, LayoutCache(), at: conversation.scroll, up: lines).scroll
  }

  mutating func resizePictures(to size: Int) -> [Effect] {
    guard TerminalState.pictureSizes.contains(size) else {
      return fail(
        "pictures have a size of \(TerminalState.pictureSizes.lowerBound) to "
          + "\(TerminalState.pictureSizes.upperBound)")
    }
    terminal.pictureSize = size
    say("pictures of size \(size) of \(TerminalState.pictureSizes.upperBound)")
    return []
  }

  private mutating func openPalette() {
    let choices = KeyTable.slash.map { binding in
      Choice(title: "/\(binding.name) \(binding.argument)", detail: binding.help, value: "/\(binding.name)")
    }
    overlays.top = .list(ListOverlay(.palette, "Commands", choices))
  }
}

extension PromptEditor {
  /// Moves, deletes, and walks through the history.
  mutating func perform(_ command: Command) -> [Effect] {
    switch command {
    case .lineBreak: _ = insert("\n")
    case .left: move(-1)
    case .right: move(1)
    case .up: up()
    case .down: down()
    case .wordLeft: moveWord(forward: false)
    case .wordRight: moveWord(forward: true)
    case .lineStart: moveToLineStart()
    case .lineEnd: moveToLineEnd()
    case .deleteBackward: deleteBackward()
    case .deleteForward: deleteForward()
    case .killWordBackward: killWord(forward: false)
    case .killWordForward: killWord(forward: true)
    case .killToEnd: killToLineEnd()
    case .killToStart: killToLineStart()
    case .yank: yank()
    case .searchHistory: _ = searchOlder()
    case .eraseSearch: search(nil)
    case .acceptSearch: endSearch(accepting: true)
    case .abandonSearch: endSearch(accepting: false)
    default: break
    }
    return []
  }
}
