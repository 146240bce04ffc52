import Frames
import Requests
import SessionLog

extension StudioState {
  /// Runs a slash command. What it cannot make sense of becomes a toast.
  mutating func run(command line: String) -> [Effect] {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
    let name = parts.first.map { $0.lowercased() } ?? ""
    let argument = parts.count > 1 ? parts[1].trimmingCharacters() : ""
    if let command = KeyTable.slash(named: name) { return perform(command, argument) }
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

  /// Describes a file, what is attached, or the last picture.
  private mutating func caption(_ path: String) -> [Effect] {
    let question = "Describe this picture."
    if !path.isEmpty {
      prompt.questionForNextAttachment = question
      return [.attach(path: path)]
    }
    if prompt.attachments.isEmpty, let picture = currentPicture {
      prompt.attachments = [Attachment(picture: picture, name: name(of: picture) ?? "the last picture")]
    }
    return prompt.attachments.isEmpty ? fail("attach a picture first: /image PATH") : ask(question)
  }

  mutating func performSetting(_ command: Command, _ argument: String) -> [Effect] {
    func number<T: LosslessStringConvertible & Comparable>(_ range: ClosedRange<T>) -> T? {
      T(argument).flatMap { range.contains($0) ? $0 : nil }
    }
    switch command {
    case .cfg:
      guard let value: Float = number(Controls.guidanceRange) else {
        return fail("/cfg takes \(DrawingDefaults.guidanceLimits)")
      }
      let effects = setGuidance(value)
      // Another picture is meant only where the last thing was one.
      if case .imagine = conversation.lastRequest {} else { work.sliderDue = nil }
      let told = work.sliderDue == nil ? "" : "; the picture is drawn again"
      say("guidance \(Format.scale(inspector.controls.guidance))\(told)")
      return effects
    case .steps:
      guard let value = number(1...1000) else { return fail("/steps takes 1 to 1000") }
      inspector.controls.steps = value
    case .count:
      guard let value = number(1...16) else { return fail("/count takes 1 to 16") }
      inspector.controls.count = value
    case .seed:
      // −1 is what other programs call it.
      if argument == "random" || argument.isEmpty || argument == "-1" {
        inspector.controls.seed = nil
        say("seed random: a new one for each request")
        return []
      }
      guard let value = UInt64(argument) else {
        return fail("/seed takes 0 to \(UInt64.max), or random (also -1)")
      }
      inspector.controls.seed = value
    case .negative: inspector.controls.negative = argument
    case .solver, .interval:
      if let problem = inspector.controls.setSampler(command, argument) { return fail(problem) }
    default: return []
    }
    say("\(command.rawValue) \(argument.isEmpty ? "cleared" : argument)")
    return []
  }

  /// What concerns the session and the model.
  mutating func performSession(_ command: Command, _ argument: String) -> [Effect] {
    switch command {
    case .undo: return undo()
    case .redo: return redo()
    case .edit:
      guard let text = conversation.transcript.messages.last(where: { $0.speaker == .person })?.text else {
        return fail("there is no prompt yet")
      }
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
    case .rename: return argument.isEmpty ? fail("/rename takes a title") : recording(.renamed(argument))
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

  /// Asks again what was not finished when the session was left; else the last question, or draws the last prompt with the settings that are shown now.
  private mutating func retry() -> [Effect] {
    if let effects = askUnfinished() { return effects }
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

  /// "1..9", with a step behind a comma: "1..9,2".
  private mutating func sweep(_ argument: String) -> [Effect] {
    guard let settings = conversation.lastDrawing.map(asShown) ?? drawingFromPrompt() else {
      return fail("draw something first, then sweep")
    }
    let parts = (argument.isEmpty ? "1..9" : argument).split(separator: ",")
    let ends = (parts.first ?? "").replacing("..", with: "~").split(separator: "~").compactMap { Float($0) }
    let step = parts.count > 1 ? Float(parts[1]) ?? 0 : max(1, ((ends.last ?? 0) - (ends.first ?? 0)) / 8)
    guard ends.count == 2, ends[0] < ends[1], step > 0, Controls.guidanceRange.contains(ends[0]),
      Controls.guidanceRange.contains(ends[1]), (ends[1] - ends[0]) / step <= 32
    else { return fail("/sweep takes two scales from \(DrawingDefaults.guidanceLimits), as in /sweep 1..9") }
    var effects: [Effect] = []
    let first = work.nextRequest
    for scale in stride(from: ends[0], through: ends[1] + step / 100, by: step) {
      var one = settings
      one.guidanceScale = min(scale, ends[1])
      effects += submit(.imagine(one, count: 1, parent: nil), .init(sweep: first))
    }
    return effects
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

extension Controls {
  /// Sets the solver, or the times in which guidance works; returns what is wrong with the argument.
  fileprivate mutating func setSampler(_ command: Command, _ argument: String) -> String? {
    if command == .solver {
      guard let solver = Solver(rawValue: argument.lowercased()) else { return "/solver takes euler or heun" }
      self.solver = solver
      return nil
    }
    let ends = argument.replacing("..", with: "~").split(separator: "~").compactMap { Float($0) }
    guard ends.count == 2, 0 <= ends[0], ends[0] <= ends[1], ends[1] <= 1 else {
      return "/interval takes two times from 0 to 1, as in /interval 0.2..0.8"
    }
    (guidanceStart, guidanceEnd) = (ends[0], ends[1])
    return nil
  }
}
