import Frames
import Requests

extension StudioState {
  mutating func take(_ key: Key) -> [Effect] {
    if isTooSmall {
      if key == .control("c") || key == .control("d") { return leave() }
      return []
    }
    if key == .function(1) {
      if case .help = overlay { return [] }
      lay(.help(scroll: 0))
      return []
    }
    if let overlay { return takeOverlayKey(key, overlay) }
    if let effects = takeReplayKey(key) { return effects }
    if let effects = takeGlobalKey(key) { return effects }
    if prompt.search != nil { return takeSearchKey(key) }
    if inspectorRow != nil, let effects = takeInspectorKey(key) { return effects }
    return takePromptKey(key)
  }

  /// Keys that mean the same wherever the focus is.
  private mutating func takeGlobalKey(_ key: Key) -> [Effect]? {
    switch key {
    case .function(2):
      isInspectorHidden.toggle()
      if isInspectorHidden { inspectorRow = nil }
      if size.width < 100 { say("the inspector needs 100 columns") }
    case .function(3): return run(command: "/gallery")
    case .function(4): return run(command: "/compare")
    case .function(5): return [.repaint]
    case .control("p"): openPalette()
    case .control("o"): return [.readFolder("")]
    case .control("l"): return [.repaint]
    case .control("z"): return [.suspend]
    case .control("c"):
      if running != nil || !queue.isEmpty { return cancelRunning(discarding: false) }
      if !prompt.isEmpty {
        prompt.remember(prompt.string)
        prompt.set("")
      } else {
        say("Ctrl-D quits; F1 lists every key")
      }
    case .control("d") where prompt.isEmpty && prompt.search == nil: return leave()
    case .escape where prompt.search == nil:
      if inspectorRow != nil {
        inspectorRow = nil
      } else if running != nil {
        return cancelRunning(discarding: false)
      } else if !attachments.isEmpty {
        attachments.removeLast()
      }
    case .pageUp: scroll += max(1, transcriptHeight - 2)
    case .pageDown: scroll = max(0, scroll - max(1, transcriptHeight - 2))
    case .mouse(let mouse): return takeMouse(mouse)
    case .alt("m"):
      isMouseCaptured.toggle()
      say(isMouseCaptured ? "the studio has the mouse" : "the terminal has the mouse: select and copy")
      return [.captureMouse(isMouseCaptured)]
    default: return nil
    }
    return []
  }

  mutating func openPalette() {
    let choices = Command.all.map {
      Choice(title: "/\($0.name) \($0.argument)", detail: $0.help, value: "/\($0.name)")
    }
    overlay = .list(ListOverlay(.palette, "Commands", choices))
  }

  // MARK: The prompt

  private mutating func takePromptKey(_ key: Key) -> [Effect] {
    if isAfterControlX {
      isAfterControlX = false
      if key == .control("e") { return [.openEditor(prompt.string)] }
    }
    switch key {
    case .character(let c): prompt.insert(String(c))
    case .paste(let text): return takePaste(text)
    case .lineBreak, .control("j"): prompt.insert("\n")
    case .enter: return send()
    case .tab:
      if !prompt.isEmpty { return complete() } else if canDraw { mode = mode == .ask ? .imagine : .ask }
    case .backTab: if showsInspector { inspectorRow = 0 }
    case .backspace:
      if prompt.isEmpty, !attachments.isEmpty { attachments.removeLast() }
      prompt.deleteBackward()
    case .delete, .control("d"): prompt.deleteForward()
    case .left, .control("b"): prompt.move(-1)
    case .right, .control("f"): prompt.move(1)
    case .up: prompt.up()
    case .down: prompt.down()
    case .wordLeft, .alt("b"): prompt.moveWord(forward: false)
    case .wordRight, .alt("f"): prompt.moveWord(forward: true)
    case .home: prompt.moveToLineStart()
    case .end, .control("e"): prompt.moveToLineEnd()
    case .control("a"):
      if prompt.isEmpty, let picture = transcript.gallery.last {
        attachments.append(Attachment(picture: picture, name: "the last picture"))
        mode = .ask
      } else {
        prompt.moveToLineStart()
      }
    case .control("k"): prompt.killToLineEnd()
    case .control("u"): prompt.killToLineStart()
    case .control("w"), .alt("\u{7F}"): prompt.killWord(forward: false)
    case .alt("d"): prompt.killWord(forward: true)
    case .control("y"): prompt.yank()
    case .control("r"): prompt.beginSearch()
    case .control("x"): isAfterControlX = true
    case .control("g"): return [.openEditor(prompt.string)]
    case .alt("c"):
      guard let last = transcript.messages.last(where: { $0.speaker == .model && !$0.text.isEmpty }) else {
        return fail("no answer to copy yet")
      }
      say("copied")
      return [.copy(last.text)]
    case .alt(","): return setGuidance(controls.guidance - 0.1)
    case .alt("."): return setGuidance(controls.guidance + 0.1)
    default: break
    }
    return []
  }

  private mutating func takeSearchKey(_ key: Key) -> [Effect] {
    switch key {
    case .character(let c): prompt.search(c)
    case .backspace: prompt.search(nil)
    case .enter, .right, .tab: prompt.endSearch(accepting: true)
    case .escape, .control("g"), .control("c"): prompt.endSearch(accepting: false)
    default: break
    }
    return []
  }

  private mutating func complete() -> [Effect] {
    if prompt.wordBeforeCursor.hasPrefix("@") {
      return [.completePath(String(prompt.wordBeforeCursor.dropFirst()))]
    }
    let fitting = Command.completing(prompt.string)
    if fitting.count == 1 {
      prompt.set("/\(fitting[0].name)" + (fitting[0].argument.isEmpty ? "" : " "))
    } else if let first = fitting.first {
      var common = first.name
      for command in fitting {
        while !command.name.hasPrefix(common) { common.removeLast() }
      }
      prompt.set("/\(common)")
    }
    return []
  }

  private mutating func send() -> [Effect] {
    let text = prompt.string.trimmingWhitespace()
    guard !text.isEmpty || (mode == .ask && !attachments.isEmpty) else { return [] }
    _ = prompt.take()
    let remember: [Effect] = text.isEmpty ? [] : [.rememberPrompt(text)]
    if text.hasPrefix("/") { return remember + run(command: text) }
    if let path = text.split(separator: " ").first(where: { $0.hasPrefix("@") && $0.count > 1 }) {
      let rest = text.replacing(path, with: "").trimmingWhitespace()
      questionForNextAttachment = rest.isEmpty ? nil : rest
      return remember + [.attach(path: String(path.dropFirst()))]
    }
    if case .failed(let reason) = model { return remember + fail(reason) }
    if mode == .imagine { return remember + draw(text) }
    return remember + ask(text.isEmpty ? "Describe this picture." : text)
  }

  /// Paths to pictures that are dropped or pasted are attached.
  private mutating func takePaste(_ text: String) -> [Effect] {
    let paths = PastedPaths.pictures(in: text.trimmingWhitespace())
    if paths.isEmpty { prompt.insert(text) }
    return paths.map { .attach(path: $0) }
  }

  // MARK: The inspector

  static let inspectorRows = ["guidance", "steps", "seed", "count", "decoder steps", "temperature"]

  private mutating func takeInspectorKey(_ key: Key) -> [Effect]? {
    guard let row = inspectorRow else { return nil }
    let last = Self.inspectorRows.count - 1
    switch key {
    case .up: inspectorRow = max(0, row - 1)
    case .down: inspectorRow = min(last, row + 1)
    case .tab, .backTab, .enter: inspectorRow = nil
    case .left: return turn(row, -1)
    case .right: return turn(row, 1)
    case .wordLeft: return turn(row, -10)
    case .wordRight: return turn(row, 10)
    case .home: return row == 0 ? setGuidance(1.8) : []
    case .end: return row == 0 ? setGuidance(5) : []
    case .backspace where !inspectorEntry.isEmpty: return enter(String(inspectorEntry.dropLast()), row)
    case .character(let c) where c.isASCII && c.isNumber || c == "." && !inspectorEntry.isEmpty:
      return enter(inspectorEntry + String(c), row)
    case .alt(","), .alt("."): return nil
    default:
      // Typing always goes to the prompt.
      inspectorRow = nil
      return nil
    }
    inspectorEntry = ""
    return []
  }

  /// Digits typed at a row are its value, as far as it can have it.
  private mutating func enter(_ text: String, _ row: Int) -> [Effect] {
    inspectorEntry = String(text.prefix(20))
    guard let value = Double(inspectorEntry) else { return [] }
    let whole = Format.whole(value)
    switch row {
    case 0: return setGuidance(Float(value))
    case 1: controls.steps = whole.clamped(to: DrawingLimits.steps)
    case 2: controls.seed = UInt64(inspectorEntry) ?? .max
    case 3: controls.count = whole.clamped(to: DrawingLimits.count)
    case 4: controls.decoderSteps = whole.clamped(to: DrawingLimits.shownDecoderSteps)
    default: controls.temperature = Float(value).clamped(to: 0...2)
    }
    return []
  }

  private mutating func turn(_ row: Int, _ by: Int) -> [Effect] {
    inspectorEntry = ""
    func moved(_ value: Int, _ range: ClosedRange<Int>) -> Int { (value + by).clamped(to: range) }
    switch row {
    case 0: return setGuidance(controls.guidance + Float(by) / 10)
    case 1: controls.steps = moved(controls.steps, DrawingLimits.steps)
    case 2:
      if let seed = controls.seed {
        let far = UInt64(by.magnitude)
        controls.seed = by > 0 ? seed + min(far, .max - seed) : seed < far ? nil : seed - far
      } else if by > 0 {
        controls.seed = lastDrawing?.seed ?? 0
      }
    case 3: controls.count = moved(controls.count, DrawingLimits.count)
    case 4: controls.decoderSteps = moved(controls.decoderSteps, DrawingLimits.shownDecoderSteps)
    default:
      controls.temperature = Float(max(0, min(20, Int((controls.temperature * 10).rounded()) + by))) / 10
    }
    return []
  }

  // MARK: The mouse

  private mutating func takeMouse(_ mouse: Key.Mouse) -> [Effect] {
    switch mouse.kind {
    case .wheelUp: scroll += 3
    case .wheelDown: scroll = max(0, scroll - 3)
    case .press, .drag:
      if showsInspector, let slider = InspectorLayout(self).slider,
        slider.contains(mouse.x, mouse.y)
          || (mouse.kind == .drag && inspectorRow == 0 && mouse.x >= slider.x)
      {
        inspectorRow = 0
        let share = Float(mouse.x - slider.x) / Float(max(1, slider.width - 1))
        return setGuidance(share * Controls.guidanceRange.upperBound)
      }
      if mouse.kind == .drag { return [] }
      if showsInspector, let row = InspectorLayout(self).row(at: mouse.x, mouse.y) {
        inspectorRow = row
      } else if let picture = TranscriptLayout.picture(at: mouse.x, mouse.y, self) {
        lay(.viewer(picture))
      } else {
        inspectorRow = nil
      }
    case .release: break
    }
    return []
  }
}
