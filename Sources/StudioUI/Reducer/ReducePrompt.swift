import Frames
import Requests
import SessionLog

extension StudioState {
  mutating func performPrompt(_ command: Command) -> [Effect] {
    switch command {
    case .send: return send()
    case .complete: return complete()
    case .switchMode: if work.canDraw { prompt.mode = prompt.mode == .ask ? .imagine : .ask }
    case .attachLast:
      guard let picture = conversation.transcript.gallery.last else { break }
      prompt.attachments.append(Attachment(picture: picture, name: name(of: picture) ?? "the last picture"))
      prompt.mode = .ask
    case .detach:
      if conversation.scroll != nil { conversation.scroll = nil } else { _ = prompt.attachments.popLast() }
    case .copyAnswer:
      guard
        let last = conversation.transcript.messages.last(where: { $0.speaker == .model && !$0.text.isEmpty })
      else { return fail("no answer to copy yet") }
      say("copied")
      return [.copy(last.text)]
    case .editorPrefix: prompt.isAfterControlX = true
    case .openEditor: return [.openEditor(prompt.editor.string)]
    case .changeSubject: return changeSubject()
    case .takeSuggestion: takeSuggestion()
    case .olderFound, .newerFound:
      let isFound = command == .olderFound ? prompt.editor.searchOlder() : prompt.editor.searchNewer()
      if !isFound { say("no \(command == .olderFound ? "older" : "newer") prompt fits") }
    case .nextCompletion, .previousCompletion, .takeCompletion, .closeCompletions:
      return performCompletion(command)
    default: break
    }
    return []
  }

  // MARK: Sending

  private mutating func send() -> [Effect] {
    let text = prompt.editor.string.trimmingWhitespace()
    let isOfPictures = text.isEmpty && prompt.mode == .ask && !prompt.attachments.isEmpty
    guard isOfPictures || text.contains(where: \.isVisible) else { return [] }
    _ = prompt.editor.take()
    let remember: [Effect] = text.isEmpty ? [] : [.rememberPrompt(text)]
    if text.hasPrefix("/") { return remember + runOrKeep(text) }
    if PastedPaths.beginsAsPath(text) { return remember + [.lookUp(text, isSurelyPath: true)] }
    let mentions = Mentions(in: text)
    if !mentions.words.isEmpty { return remember + [.attachMentioned(mentions)] }
    return remember + send(text)
  }

  /// Runs a command; one that is refused is there again, to be mended.
  private mutating func runOrKeep(_ text: String) -> [Effect] {
    let before = toast
    toast = nil
    let effects = run(command: text)
    // Whether a path is one is seen where it is looked up.
    let isPath = effects.contains { if case .lookUp(_, true) = $0 { true } else { false } }
    if toast?.isError == true, !isPath, KeyTable.canBeMended(text), prompt.editor.isEmpty {
      prompt.editor.set(text)
      prompt.filled = text
    }
    toast = toast ?? before
    return effects
  }

  private mutating func send(_ text: String, written: String? = nil) -> [Effect] {
    if case .failed(let reason) = work.model { return fail(reason) }
    guard prompt.mode == .imagine else {
      return ask(text.isEmpty ? "Describe this picture." : text, written: written)
    }
    guard QuestionWords.begins(text) else { return draw(text) }
    toast = nil
    let effects = draw(text)
    if toast?.isError != true {
      let said = toast.map { $0.text + "\n" } ?? ""
      toast = Toast(
        text: said + "this looks like a question and is drawn; Tab switches to Ask", isError: false,
        until: now + 6)
    }
    return effects
  }

  /// Which words of a prompt are files is known now; the others are what they say.
  mutating func take(_ mentions: Mentions, _ found: [Int: Attachment]) -> [Effect] {
    guard !found.isEmpty else { return send(mentions.text) }
    let text = mentions.sentence(attached: found.keys.sorted())
    for attachment in found.values { album.names[attachment.picture] = attachment.name }
    prompt.attachments += found.sorted { $0.key < $1.key }.map(\.value)
    prompt.mode = .ask
    if !text.isEmpty { return send(text, written: mentions.text) }
    say("attached \(found.sorted { $0.key < $1.key }.map(\.value.name).joined(separator: ", "))")
    return []
  }

  /// A question's picture: the one before, and behind the oldest the newest again.
  private mutating func changeSubject() -> [Effect] {
    let gallery = conversation.transcript.gallery
    guard gallery.count > 1 else { return fail("there is no other picture to ask about") }
    prompt.mode = .ask
    let now = prompt.subject.picture ?? conversation.transcript.shownLast.last
    guard let now, let at = gallery.firstIndex(of: now), at > 0 else {
      prompt.subject = .newest
      return []
    }
    prompt.subject = .picture(gallery[at - 1])
    return []
  }

  // MARK: Completing

  private mutating func complete() -> [Effect] {
    if let selected = prompt.completion, completions.indices.contains(selected) {
      prompt.editor.set("/\(completions[selected].name) ")
      return []
    }
    if let word = mentionAtCursor { return [.completePath(word.path)] }
    if let typed = argumentPath { return [.completePath(typed)] }
    if mendWord() { return [] }
    completeWord()
    return []
  }

  /// The path behind `@` that the cursor stands behind.
  private var mentionAtCursor: Mentions.Word? {
    let editor = prompt.editor
    return Mentions(in: String(editor.text.prefix(editor.cursor))).words.last {
      $0.range.upperBound == editor.cursor
    }
  }

  /// The path behind a slash command that takes one, blanks and all.
  private var argumentPath: String? {
    let parts = prompt.editor.string.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let binding = KeyTable.slash.first(where: { "/\($0.name)" == parts[0] }),
      binding.argument.contains("PATH") || binding.argument.contains("FOLDER")
    else { return nil }
    return String(parts[1])
  }

  /// What a half-typed path may become.
  mutating func takeCompletion(of typed: String, _ path: String, _ names: [String]) -> [Effect] {
    if names.isEmpty { return fail("no file begins with \(typed)") }
    if let word = mentionAtCursor, word.path == typed {
      prompt.editor.replace(word.range, with: Mentions.written(path))
    } else if argumentPath == typed {
      let start = prompt.editor.string.prefix { $0 != " " }.count + 1
      prompt.editor.replace(start..<prompt.editor.text.count, with: path)
    }
    if names.count > 1 { say(names.prefix(8).joined(separator: "  ") + (names.count > 8 ? "  …" : "")) }
    return []
  }

  /// A command's name, or one of the few words that may follow it.
  private mutating func completeWord() {
    let text = prompt.editor.string, parts = text.split(separator: " ", maxSplits: 1)
    var fitting = KeyTable.completing(text).map(\.name), head = "/"
    if fitting.isEmpty, let name = parts.first?.dropFirst(), let command = KeyTable.slash(named: String(name))
    {
      let begun = parts.count > 1 ? String(parts[1]) : ""
      (head, fitting) = ("/\(name) ", KeyTable.words(for: command, self).filter { $0.hasPrefix(begun) })
    }
    guard var common = fitting.first else { return }
    for name in fitting { while !name.hasPrefix(common) { common.removeLast() } }
    let takesMore = fitting.count == 1 && head == "/" && KeyTable.takesArgument(common)
    prompt.editor.set(head + common + (takesMore ? " " : ""))
    if fitting.count > 1, head != "/" { say(fitting.joined(separator: "  ")) }
  }

  // MARK: The list of commands that fit

  /// Slash commands that fit what was typed; none where it came from the history.
  var completions: [Binding] {
    guard !prompt.hidesCompletions, prompt.editor.search == nil, inspector.row == nil, overlays.top == nil
    else { return [] }
    // No command's name is longer.
    let text = prompt.editor.text
    return text.first == "/" && text.count < 40 ? KeyTable.completing(prompt.editor.string) : []
  }

  /// Whether the arrows are the list's: of what came from the history they walk on there.
  var showsCompletions: Bool { prompt.editor.isWritten && !completions.isEmpty }

  /// A selected command is run, or waits for what it needs.
  mutating func take(_ completion: Binding) -> [Effect] {
    let needsMore = !completion.argument.isEmpty && !completion.argument.hasPrefix("[")
    prompt.editor.set("/\(completion.name)" + (needsMore ? " " : ""))
    return needsMore ? [] : send()
  }

  private mutating func performCompletion(_ command: Command) -> [Effect] {
    let fitting = completions
    guard !fitting.isEmpty else { return [] }
    switch command {
    case .nextCompletion: prompt.completion = ((prompt.completion ?? -1) + 1) % fitting.count
    case .previousCompletion:
      prompt.completion = ((prompt.completion ?? 0) - 1 + fitting.count) % fitting.count
    case .closeCompletions: (prompt.hidesCompletions, prompt.completion) = (true, nil)
    case .takeCompletion:
      guard let selected = prompt.completion, fitting.indices.contains(selected) else { return send() }
      return take(fitting[selected])
    default: break
    }
    return []
  }
}

extension KeyTable {
  /// Whether another argument would make something else of a command.
  fileprivate static func canBeMended(_ line: String) -> Bool {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
    guard let name = parts.first?.lowercased() else { return true }
    guard let command = slash(named: name) else { return true }
    let argument = slash.first { $0.command == command }?.argument ?? ""
    return parts.count > 1 || !argument.isEmpty && !argument.hasPrefix("[")
  }

  /// Whether a command means nothing without what follows it.
  static func takesArgument(_ name: String) -> Bool {
    slash.first { $0.name == name }.map { !$0.argument.isEmpty } ?? false
  }
}
