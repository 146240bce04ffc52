import Frames
import Requests
import SessionLog

extension StudioState {
  /// Runs a slash command. What it cannot make sense of becomes a toast.
  mutating func run(command line: String) -> [Effect] {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
    let name = parts.first.map { $0.lowercased() } ?? ""
    let argument = parts.count > 1 ? parts[1].trimmingCharacters() : ""
    if let command = KeyTable.slash(named: name) {
      guard argument.isEmpty || KeyTable.takesArgument(command.rawValue) else {
        return fail(
          "/\(command.rawValue) takes nothing behind it: leave '\(Vocabulary.shown(argument.oneRow))' out"
        )
      }
      return perform(command, argument)
    }
    guard !name.isEmpty else { return fail("/ needs a command behind it; Ctrl-P lists them") }
    let near = KeyTable.advice(onUnknown: name).map { "; \($0)" } ?? ""
    // A path that was dropped or typed, perhaps.
    return fail("unknown command /\(Vocabulary.shown(name))\(near)")
      + [.lookUp(line, isSurelyPath: name.contains("/"))]
  }

  mutating func performDrawing(_ command: Command, _ argument: String) -> [Effect] {
    switch command {
    case .imagine:
      return argument.isEmpty ? fail("say what to draw: /imagine a red apple") : draw(argument)
    case .image:
      if Self.namesNothing(argument) { return fail("/image names no file: \(argument) is empty") }
      return argument.isEmpty
        ? [.readFolder("")] : PastedPaths.arguments(argument).map { .attach(path: $0) }
    case .caption: return caption(argument)
    case .vary:
      guard let last = conversation.lastDrawing else { return fail("nothing has been drawn yet") }
      var settings = asShown(last)
      settings.seed = randomSeed(beyond: last.seed)
      let parent = conversation.transcript.gallery.last
      return submit(.imagine(settings, count: 1, parent: parent), .init(followsSlider: true))
    case .retry: return retry()
    case .grid:
      guard let last = conversation.lastDrawing else { return fail("nothing has been drawn yet") }
      guard let count = Int(argument.isEmpty ? "4" : argument), (2...16).contains(count) else {
        return fail("/grid takes 2 to 16 pictures")
      }
      return submit(.imagine(asShown(last), count: count, parent: nil))
    case .sweep: return sweep(argument)
    case .critique: return beginCritique()
    case .stop:
      switch argument {
      case "after": return dropQueue()
      case "all": return stopAll()
      case "", "discard": return cancelRunning(discarding: argument == "discard")
      default: return fail("/stop takes discard, after or all, or nothing")
      }
    case .stopAll: return stopAll()
    case .queue: return openQueue()
    case .chooseOfStrip: return chooseOfStrip(argument)
    default: return []
    }
  }

  /// Whether there is nothing between the quotes of what should name a file.
  private static func namesNothing(_ path: String) -> Bool {
    !path.isEmpty && path.allSatisfy { "'\" ".contains($0) }
  }

  /// Describes a file, what is attached, or the last picture.
  private mutating func caption(_ path: String) -> [Effect] {
    let question = "Describe this picture."
    if Self.namesNothing(path) { return fail("/caption names no file: \(path) is empty") }
    if !path.isEmpty {
      prompt.questionForNextAttachment = question
      return [.attach(path: path)]
    }
    if prompt.attachments.isEmpty, let picture = currentPicture {
      prompt.attachments = [Attachment(picture: picture, name: name(of: picture) ?? "the last picture")]
    }
    return prompt.attachments.isEmpty ? fail("attach a picture first: /image PATH") : ask(question)
  }

  /// What concerns the session and the model.
  mutating func performSession(_ command: Command, _ argument: String) -> [Effect] {
    switch command {
    case .undo: return undo()
    case .redo: return redo()
    case .edit:
      let draws = prompt.mode == .imagine
      let last = conversation.transcript.messages.last { $0.speaker == .person && $0.isDrawing == draws }
      guard let text = last?.text else { return fail("there is no \(draws ? "prompt" : "question") yet") }
      prompt.editor.set(text)
    case .save:
      guard let picture = currentPicture else { return fail("no picture to save yet") }
      return save(picture, path: argument)
    case .model:
      return argument.isEmpty ? [.readModels] : change(model: argument)
    case .export: return export(argument)
    case .replay: return [.play(session: argument.isEmpty ? "last" : argument)]
    case .search:
      var list = ListOverlay(.search, "Search all sessions", [])
      list.filter = argument
      overlays.top = .list(list)
      return argument.isEmpty ? [] : [.search(argument)]
    case .sessions: return [.readSessions]
    case .new: return leave(for: .newSession)
    case .rename:
      let title = SessionTitle.cleaned(argument)
      return title.isEmpty ? fail("/rename takes a title that can be seen") : recording(.renamed(title))
    default: break
    }
    return []
  }

  /// What concerns the screen.
  mutating func performScreen(_ command: Command, _ argument: String) -> [Effect] {
    switch command {
    case .gallery: return openGallery()
    case .compare: return openCompare()
    case .theme:
      if !argument.isEmpty { return choose(theme: argument) }
      openThemes()
    case .doctor:
      return [.reportDoctor(size: terminal.size, work.model, hasPictures: terminal.hasPictures)]
    case .tour: overlays.top = .tour(page: 0)
    case .size:
      guard let size = Int(argument) else { return resizePictures(to: 0) }
      return resizePictures(to: size)
    case .things: return openThings(argument)
    case .help:
      if case .help = overlays.top {} else { overlays.lay(.help(scroll: 0)) }
    case .quit: return leave(for: .leave)
    default: break
    }
    return []
  }

  /// A format, a file's name, or both in either order.
  private mutating func export(_ argument: String) -> [Effect] {
    let formats = ["md", "html", "json", "cast"], words = argument.split(separator: " ").map(String.init)
    func format(_ word: String?) -> String? {
      word.flatMap { formats.contains($0.lowercased()) ? $0.lowercased() : nil }
    }
    guard !words.isEmpty else { return [.export(format: "html")] }
    var name = argument, wanted = format(words.first)
    if wanted != nil {
      name = argument.dropFirst(words[0].count).trimmingCharacters()
    } else if words.count > 1, let last = format(words.last) {
      wanted = last
      name = argument.dropLast(words[words.count - 1].count).trimmingCharacters()
    }
    if let wanted, name.isEmpty { return [.export(format: wanted)] }
    // Behind the last point of the name, whatever stands around it.
    let file = name.split(separator: "/").last.map(String.init) ?? name
    let ending =
      file.contains(".")
      ? file.split(separator: ".").last?.lowercased().filter { !"'\"".contains($0) } ?? "" : ""
    let told = ["htm": "html", "markdown": "md"][ending] ?? ending
    // Whoever looks at the disk sees whether it is a folder, else adds what lacks.
    let isFolder = name.hasSuffix("/") || [".", "..", "~"].contains(file)
    if isFolder || wanted != nil && ending.isEmpty { return [.export(format: wanted ?? "html", path: name)] }
    guard formats.contains(told) else {
      return fail("/export takes md, html, json or cast, a file's name such as notes.html, or both")
    }
    guard wanted == nil || wanted == told else {
      return fail("a .\(ending) file holds no \(wanted ?? ""); leave the format out, or name another file")
    }
    return [.export(format: told, path: name)]
  }

  /// Asks again what was not finished when the session was left; else the last question, or draws the last prompt with the
  /// settings that are shown now: a sweep as a sweep, at its own scales.
  private mutating func retry() -> [Effect] {
    if let effects = askUnfinished() { return effects }
    let last = conversation.lastAsked
    if last.last?.options.sweep != nil {
      let first = work.nextRequest
      return last.flatMap { job -> [Effect] in
        guard case .imagine(let settings, let count, let parent) = job.request else { return [] }
        var one = asShown(settings)
        one.guidanceScale = settings.guidanceScale
        return submit(.imagine(one, count: count, parent: parent), .init(sweep: first))
      }
    }
    switch conversation.lastRequest {
    case .ask(var question):
      question.temperature = inspector.controls.temperature
      question.seed = inspector.controls.seed ?? question.seed
      return submit(.ask(question), .init(subject: question.pictures.isEmpty ? .newest : nil))
    case .imagine(let settings, let count, let parent):
      return submit(.imagine(asShown(settings), count: count, parent: parent))
    case nil: return fail("nothing has been asked yet")
    }
  }

  private mutating func openThemes() {
    terminal.themeBefore = terminal.theme
    let choices = terminal.themes.map {
      Choice(title: $0.name, detail: $0.appearance.rawValue, value: $0.name)
    }
    var list = ListOverlay(.themes, "Themes", choices)
    list.selected = terminal.themes.firstIndex { $0.name == terminal.theme.name } ?? 0
    overlays.top = .list(list)
  }

  mutating func choose(theme name: String) -> [Effect] {
    guard let theme = terminal.themes.first(where: { $0.name == name }) else {
      let names = terminal.themes.map(\.name).joined(separator: ", ")
      return fail("unknown theme '\(name)'; choose from \(names)")
    }
    terminal.theme = theme
    say("theme \(name); theme = \"\(name)\" in config.toml keeps it")
    return [.repaint]
  }

  private mutating func openCompare() -> [Effect] {
    guard let (before, last) = conversation.transcript.lastTwo else {
      return fail("comparing needs two pictures")
    }
    return compare(Comparison(left: before, right: last))
  }
}

extension Substring {
  func trimmingCharacters() -> String {
    var text = self
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
