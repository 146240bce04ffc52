import Frames
import Requests

extension StudioState {
  /// A key, by the table; what stands in none of its lines is typed, or means nothing here.
  mutating func take(_ key: Key) -> [Effect] {
    switch key {
    case .mouse(let mouse): return take(mouse)
    case .paste(let text): return takePaste(text)
    default: break
    }
    let found = binding(of: key)
    prompt.isAfterControlX = false
    guard let found, let command = found.command else {
      if case .character(let c) = key { return type(c) }
      return []
    }
    // What is done at the prompt is seen there.
    if found.context.heading == KeyContext.prompt.heading, command != .goToInspector { inspector.row = nil }
    return perform(command)
  }

  /// Does what a key or a slash command says.
  mutating func perform(_ command: Command, _ argument: String = "") -> [Effect] {
    switch command {
    case .imagine, .image, .caption, .vary, .retry, .grid, .sweep, .critique, .stop:
      performDrawing(command, argument)
    case .cfg, .steps, .seed, .count, .negative, .solver, .interval: performSetting(command, argument)
    case .undo, .edit, .save, .model, .export, .replay, .search, .sessions, .new, .rename:
      performSession(command, argument)
    case .gallery, .compare, .theme, .doctor, .tour, .help, .quit: performScreen(command, argument)
    case .send, .complete, .switchMode, .attachLast, .detach, .copyAnswer, .editorPrefix, .openEditor:
      performPrompt(command)
    case .lineBreak, .left, .right, .up, .down, .wordLeft, .wordRight, .lineStart, .lineEnd, .deleteBackward,
      .deleteForward, .killWordBackward, .killWordForward, .killToEnd, .killToStart, .yank, .searchHistory,
      .eraseSearch, .acceptSearch, .abandonSearch:
      prompt.editor.perform(command)
    case .clearPrompt, .palette, .pickFile, .guidanceDown, .guidanceUp, .scrollUp, .scrollDown,
      .toggleInspector, .redraw, .suspend, .toggleMouse:
      performAnywhere(command)
    case .goToInspector, .leaveInspector, .rowUp, .rowDown, .less, .more, .lessByTen, .moreByTen,
      .classGuidance, .descriptionGuidance, .eraseDigit:
      performInspector(command)
    case .back, .selectionUp, .selectionDown, .selectionPageUp, .selectionPageDown, .eraseFilter, .choose,
      .previousPicture, .nextPicture, .pictureAbove, .pictureBelow, .firstPicture, .lastPicture, .reuseAll,
      .reuseSeed, .reusePrompt, .viewPicture, .comparePrevious, .star, .askAbout, .saveShown, .switchAlbum,
      .dividerLeft, .dividerRight, .flip, .showDifference, .swapPictures, .lineUp, .lineDown, .pageUp,
      .pageDown, .toTop, .nextPage, .previousPage:
      performOverlay(command)
    case .pause, .nextEntry, .previousEntry, .firstEntry, .lastEntry, .faster, .slower, .closeReplay:
      performReplay(command)
    }
  }

  /// A character that is no key of the table here.
  private mutating func type(_ c: Character) -> [Effect] {
    if isTooSmall { return [] }
    if overlays.top != nil { return typeIntoList(c) }
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
    prompt.editor.insert(String(c))
    return []
  }

  /// Paths to pictures that are dropped or pasted are attached.
  private mutating func takePaste(_ text: String) -> [Effect] {
    guard !isTooSmall, overlays.top == nil, conversation.replay == nil, prompt.editor.search == nil else {
      return []
    }
    inspector.row = nil
    let paths = PastedPaths.pictures(in: text.trimmingWhitespace())
    if paths.isEmpty { prompt.editor.insert(text) }
    return paths.map { .attach(path: $0) }
  }

  // MARK: Anywhere

  private mutating func performAnywhere(_ command: Command) -> [Effect] {
    switch command {
    case .toggleInspector:
      inspector.isHidden.toggle()
      if inspector.isHidden { inspector.row = nil }
      if terminal.size.width < 100 { say("the inspector needs 100 columns") }
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
    case .scrollUp: conversation.scroll += max(1, transcriptHeight - 2)
    case .scrollDown: conversation.scroll = max(0, conversation.scroll - max(1, transcriptHeight - 2))
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

  private mutating func openPalette() {
    let choices = KeyTable.slash.map { binding in
      Choice(title: "/\(binding.name) \(binding.argument)", detail: binding.help, value: "/\(binding.name)")
    }
    overlays.top = .list(ListOverlay(.palette, "Commands", choices))
  }

  // MARK: The prompt

  private mutating func performPrompt(_ command: Command) -> [Effect] {
    switch command {
    case .send: return send()
    case .complete: return complete()
    case .switchMode: if work.canDraw { prompt.mode = prompt.mode == .ask ? .imagine : .ask }
    case .attachLast:
      guard let picture = conversation.transcript.gallery.last else { break }
      prompt.attachments.append(Attachment(picture: picture, name: "the last picture"))
      prompt.mode = .ask
    case .detach: _ = prompt.attachments.popLast()
    case .copyAnswer:
      guard
        let last = conversation.transcript.messages.last(where: { $0.speaker == .model && !$0.text.isEmpty })
      else { return fail("no answer to copy yet") }
      say("copied")
      return [.copy(last.text)]
    case .editorPrefix: prompt.isAfterControlX = true
    case .openEditor: return [.openEditor(prompt.editor.string)]
    default: break
    }
    return []
  }

  private mutating func complete() -> [Effect] {
    let word = prompt.editor.wordBeforeCursor
    if word.hasPrefix("@") { return [.completePath(String(word.dropFirst()))] }
    let fitting = KeyTable.completing(prompt.editor.string)
    if fitting.count == 1 {
      prompt.editor.set("/\(fitting[0].name)" + (fitting[0].argument.isEmpty ? "" : " "))
    } else if let first = fitting.first {
      var common = first.name
      for binding in fitting {
        while !binding.name.hasPrefix(common) { common.removeLast() }
      }
      prompt.editor.set("/\(common)")
    }
    return []
  }

  private mutating func send() -> [Effect] {
    let text = prompt.editor.string.trimmingWhitespace()
    guard !text.isEmpty || (prompt.mode == .ask && !prompt.attachments.isEmpty) else { return [] }
    _ = prompt.editor.take()
    let remember: [Effect] = text.isEmpty ? [] : [.rememberPrompt(text)]
    if text.hasPrefix("/") { return remember + run(command: text) }
    if let path = text.split(separator: " ").first(where: { $0.hasPrefix("@") && $0.count > 1 }) {
      let rest = text.replacing(path, with: "").trimmingWhitespace()
      prompt.questionForNextAttachment = rest.isEmpty ? nil : rest
      return remember + [.attach(path: String(path.dropFirst()))]
    }
    if case .failed(let reason) = work.model { return remember + fail(reason) }
    if prompt.mode == .imagine { return remember + draw(text) }
    return remember + ask(text.isEmpty ? "Describe this picture." : text)
  }

  // MARK: The mouse

  private mutating func take(_ mouse: Key.Mouse) -> [Effect] {
    if isTooSmall { return [] }
    if overlays.top != nil { return takeMouseOverOverlay(mouse) }
    switch mouse.kind {
    case .wheelUp: conversation.scroll += 3
    case .wheelDown: conversation.scroll = max(0, conversation.scroll - 3)
    case .press, .drag:
      if showsInspector, let slider = InspectorLayout(self).slider,
        slider.contains(mouse.x, mouse.y)
          || (mouse.kind == .drag && inspector.row == 0 && mouse.x >= slider.x)
      {
        inspector.row = 0
        let share = Float(mouse.x - slider.x) / Float(max(1, slider.width - 1))
        return setGuidance(share * Controls.guidanceRange.upperBound)
      }
      if mouse.kind == .drag { return [] }
      if showsInspector, let row = InspectorLayout(self).row(at: mouse.x, mouse.y) {
        inspector.row = row
      } else if let picture = TranscriptLayout.picture(at: mouse.x, mouse.y, self) {
        overlays.lay(.viewer(picture))
      } else {
        inspector.row = nil
      }
    case .release: break
    }
    return []
  }
}

extension PromptEditor {
  /// Moves, deletes, and walks through the history.
  mutating func perform(_ command: Command) -> [Effect] {
    switch command {
    case .lineBreak: insert("\n")
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
    case .searchHistory: beginSearch()
    case .eraseSearch: search(nil)
    case .acceptSearch: endSearch(accepting: true)
    case .abandonSearch: endSearch(accepting: false)
    default: break
    }
    return []
  }
}
