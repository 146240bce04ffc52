import Requests
import SessionLog

/// A slash command, as completion, palette and help show it.
public struct Command: Equatable, Sendable {
  public let name, argument, help: String

  init(_ name: String, _ argument: String, _ help: String) {
    (self.name, self.argument, self.help) = (name, argument, help)
  }

  public static let all: [Command] = [
    Command("imagine", "PROMPT", "Draw a picture from a prompt"),
    Command("image", "PATH", "Attach a picture to the next question"),
    Command("caption", "[PATH]", "Describe the attached picture, or a file"),
    Command(
      "cfg", DrawingDefaults.guidanceLimits.replacing(" to ", with: "…"),
      "Guidance scale: how closely a picture follows its prompt"),
    Command("steps", "1…1000", "Steps of the sampler"),
    Command("seed", "NUMBER|random", "Fix the seed, or use a new one for each request"),
    Command("count", "1…16", "Images per request"),
    Command("negative", "TEXT", "Negative prompt: what not to show; empty clears it"),
    Command("vary", "", "Draw the last picture again with another seed"),
    Command("retry", "", "Repeat the last request with the settings shown"),
    Command("undo", "", "Undo the last request and its results"),
    Command("edit", "", "Put the last prompt back for editing"),
    Command("sweep", "1..9", "A filmstrip of guidance scales for one seed"),
    Command("grid", "NUMBER", "Draw the last prompt with several seeds"),
    Command("compare", "", "Flip between the last two pictures, with a divider"),
    Command("critique", "", "Ask whether the last picture shows what its prompt says"),
    Command("gallery", "", "All pictures of this session; Tab there for all sessions"),
    Command("save", "[PATH]", "Save the last picture, settings included"),
    Command(
      "stop", "[discard|after]", "Stop the running request; discard its picture, or only clear the queue"),
    Command("model", "FOLDER", "Load another model"),
    Command("theme", "[NAME]", "Choose the colours"),
    Command("export", "md|html|json|cast", "Write this session to a file"),
    Command("replay", "[SESSION]", "Play a recorded session"),
    Command("search", "TEXT", "Search all sessions"),
    Command("sessions", "", "Open another session"),
    Command("new", "", "Start a new session"),
    Command("rename", "TITLE", "Give this session a title"),
    Command("doctor", "", "Check the terminal, the machine and the model"),
    Command("tour", "", "A short tour of the studio"),
    Command("help", "", "Every key and command"),
    Command("quit", "", "Leave the studio"),
  ]

  /// Those that begin with what has been typed.
  static func completing(_ text: String) -> [Command] {
    guard text.hasPrefix("/"), !text.contains(" "), !text.contains("\n") else { return [] }
    return all.filter { $0.name.hasPrefix(text.dropFirst()) }
  }
}

extension StudioState {
  /// Runs a slash command. What it cannot make sense of becomes a toast.
  mutating func run(command line: String) -> [Effect] {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
    let name = parts.first.map { $0.lowercased() } ?? ""
    let argument = parts.count > 1 ? parts[1].trimmingCharacters() : ""
    if let effects = runDrawing(name, argument) ?? runSetting(name, argument) ?? runSession(name, argument) {
      return effects
    }
    let near =
      Command.all.first { $0.name.hasPrefix(name.prefix(3)) }.map { "; did you mean /\($0.name)?" } ?? ""
    return fail("unknown command /\(name)\(near)")
  }

  mutating func fail(_ text: String) -> [Effect] {
    toast = Toast(text: text, isError: true, until: now + 5)
    return []
  }

  /// Adds an event to the session, where it can be written.
  mutating func recording(_ event: SessionEvent) -> [Effect] {
    guard replay == nil else { return fail("a replay is running; Esc closes it") }
    guard !isReadOnly else { return fail("this session is read-only; /new starts one of your own") }
    return [.record(event)]
  }

  mutating func say(_ text: String) {
    toast = Toast(text: text, isError: false, until: now + 3)
  }

  private mutating func runDrawing(_ name: String, _ argument: String) -> [Effect]? {
    switch name {
    case "imagine":
      return argument.isEmpty ? fail("say what to draw: /imagine a red apple") : draw(argument)
    case "image":
      return argument.isEmpty ? [.readFolder("")] : [.attach(path: argument)]
    case "caption":
      if !argument.isEmpty {
        questionForNextAttachment = "Describe this picture."
        return [.attach(path: argument)]
      }
      if attachments.isEmpty, let last = transcript.gallery.last {
        attachments = [Attachment(picture: last, name: "the last picture")]
      }
      return attachments.isEmpty ? fail("attach a picture first: /image PATH") : ask("Describe this picture.")
    case "vary":
      guard let last = lastDrawing else { return fail("nothing has been drawn yet") }
      var settings = asShown(last)
      settings.seed = randomSeed(beyond: last.seed)
      return submitForSlider(.draw(settings, count: 1, parent: transcript.gallery.last))
    case "retry":
      return retry()
    case "grid":
      guard let last = lastDrawing else { return fail("nothing has been drawn yet") }
      guard let count = Int(argument.isEmpty ? "4" : argument), (2...16).contains(count) else {
        return fail("/grid takes 2 to 16 pictures")
      }
      return submit(.draw(asShown(last), count: count, parent: nil))
    case "sweep": return sweep(argument)
    case "compare": return openCompare()
    case "critique": return beginCritique()
    case "stop":
      if argument == "after" {
        queue = []
        say("queue cleared; the running request continues")
        return []
      }
      return cancelRunning(discarding: argument == "discard")
    default: return nil
    }
  }

  private mutating func runSetting(_ name: String, _ argument: String) -> [Effect]? {
    func number<T: LosslessStringConvertible & Comparable>(_ range: ClosedRange<T>) -> T? {
      T(argument).flatMap { range.contains($0) ? $0 : nil }
    }
    switch name {
    case "cfg":
      guard let value: Float = number(Controls.guidanceRange) else {
        return fail("/cfg takes \(DrawingDefaults.guidanceLimits)")
      }
      let effects = setGuidance(value)
      // Another picture is meant only where the last thing was one.
      if case .draw = lastRequest {} else { sliderDue = nil }
      say(
        "guidance \(Format.scale(controls.guidance))\(sliderDue == nil ? "" : "; the picture is drawn again")"
      )
      return effects
    case "steps":
      guard let value = number(1...1000) else { return fail("/steps takes 1 to 1000") }
      controls.steps = value
    case "count":
      guard let value = number(1...16) else { return fail("/count takes 1 to 16") }
      controls.count = value
    case "seed":
      if argument == "random" || argument.isEmpty || argument == "-1" {
        controls.seed = nil
      } else {
        guard let value = UInt64(argument) else { return fail("/seed takes a number from 0 up, or random") }
        controls.seed = value
      }
    case "negative": controls.negative = argument
    default: return nil
    }
    say("\(name) \(argument.isEmpty ? "cleared" : argument)")
    return []
  }

  private mutating func runSession(_ name: String, _ argument: String) -> [Effect]? {
    switch name {
    case "undo":
      guard let request = transcript.messages.last(where: { $0.request != nil })?.request else {
        return fail("there is nothing to undo")
      }
      return recording(.undone(request: request))
    case "edit":
      guard let text = transcript.messages.last(where: { $0.speaker == .person })?.text else {
        return fail("there is no prompt yet")
      }
      prompt.set(text)
    case "gallery":
      guard !transcript.gallery.isEmpty else { return fail("no pictures yet; draw one with /imagine") }
      overlay = .gallery(selected: transcript.gallery.count - 1, isOfAll: false)
    case "save":
      guard let picture = transcript.gallery.last else { return fail("no picture to save yet") }
      return [.save(picture: picture, path: argument)]
    case "model":
      guard !argument.isEmpty else { return fail("name a folder: /model FOLDER") }
      if case .ready = model { modelBefore = model }
      model = .loading
      return [.loadModel(argument)]
    case "theme":
      if !argument.isEmpty { return [.theme(argument)] }
      openThemes()
    case "export":
      let format = argument.isEmpty ? "html" : argument
      guard ["md", "html", "json", "cast"].contains(format) else {
        return fail("/export takes md, html, json or cast")
      }
      return [.export(format: format)]
    case "replay": return [.play(session: argument.isEmpty ? "last" : argument)]
    case "search":
      overlay = .list(ListOverlay(.search, "Search all sessions", []))
      if !argument.isEmpty, case .list(var list) = overlay {
        list.filter = argument
        overlay = .list(list)
        return [.search(argument)]
      }
    case "sessions": return [.readSessions]
    case "new": return [.newSession]
    case "rename": return argument.isEmpty ? fail("/rename takes a title") : recording(.renamed(argument))
    case "doctor": return [.reportDoctor]
    case "tour": overlay = .tour(page: 0)
    case "help": lay(.help(scroll: 0))
    case "quit", "exit", "q": return leave()
    default: return nil
    }
    return []
  }

  /// Asks the last question again, or draws the last prompt with the settings that are shown now.
  private mutating func retry() -> [Effect] {
    switch lastRequest {
    case .ask(let text, let pictures, _, let seed):
      return submit(
        .ask(
          text: text, pictures: pictures, temperature: controls.temperature, seed: controls.seed ?? seed))
    case .draw(let settings, let count, let parent):
      return submit(.draw(asShown(settings), count: count, parent: parent))
    case nil: return fail("nothing has been asked yet")
    }
  }

  mutating func openThemes() {
    themeBefore = theme
    var list = ListOverlay(
      .themes, "Themes", themes.map { Choice(title: $0.name, detail: $0.appearance.rawValue, value: $0.name) }
    )
    list.selected = themes.firstIndex { $0.name == theme.name } ?? 0
    overlay = .list(list)
  }

  mutating func leave() -> [Effect] {
    isLeaving = true
    return (running.map { [.cancel(request: $0.request, discarding: false)] } ?? []) + [.leave]
  }

  /// "1..9", with a step behind a comma: "1..9,2".
  private mutating func sweep(_ argument: String) -> [Effect] {
    guard let settings = lastDrawing.map(asShown) ?? drawingFromPrompt() else {
      return fail("draw something first, then sweep")
    }
    let parts = (argument.isEmpty ? "1..9" : argument).split(separator: ",")
    let ends = (parts.first ?? "").replacing("..", with: "~").split(separator: "~").compactMap { Float($0) }
    let step = parts.count > 1 ? Float(parts[1]) ?? 0 : max(1, ((ends.last ?? 0) - (ends.first ?? 0)) / 8)
    guard ends.count == 2, ends[0] < ends[1], step > 0, Controls.guidanceRange.contains(ends[0]),
      Controls.guidanceRange.contains(ends[1]), (ends[1] - ends[0]) / step <= 32
    else { return fail("/sweep takes two scales from \(DrawingDefaults.guidanceLimits), as in /sweep 1..9") }
    var effects: [Effect] = []
    let first = nextRequest
    for scale in stride(from: ends[0], through: ends[1] + step / 100, by: step) {
      var one = settings
      one.guidanceScale = min(scale, ends[1])
      sweepRequests[nextRequest] = first
      effects += submit(.draw(one, count: 1, parent: nil))
    }
    return effects
  }

  mutating func compare(_ pair: Comparison) -> [Effect] {
    if case .compare = overlay { overlay = .compare(pair) } else { lay(.compare(pair)) }
    return differences[pair.heatMap] == nil ? [.measureDifference(pair)] : []
  }

  private mutating func openCompare() -> [Effect] {
    let list = transcript.gallery
    guard list.count >= 2 else { return fail("comparing needs two pictures") }
    return compare(Comparison(left: list[list.count - 2], right: list[list.count - 1]))
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
