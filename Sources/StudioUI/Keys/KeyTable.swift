import Frames

/// One line of the table: what a key, or a word behind a slash, does in a context.
public struct Binding: Equatable, Sendable {
  /// Where it works.
  public let context: KeyContext
  /// Keys that do it.
  public let keys: [Key]
  /// What is typed or turned where it is no key of the table: "wheel", "@PATH".
  public let gesture: String
  /// nil where what is typed is text.
  public let command: Command?
  /// What a slash command takes.
  public let argument: String
  /// What it does, in a few words.
  public let help: String
  /// A word or two for the status line, where it is shown there.
  public let hint: String

  /// A key's line.
  init(_ context: KeyContext, _ keys: [Key], _ command: Command, _ help: String, hint: String = "") {
    (self.context, self.keys, self.command, self.help) = (context, keys, command, help)
    (gesture, argument, self.hint) = ("", "", hint)
  }

  /// A line about what is typed or turned.
  init(_ context: KeyContext, gesture: String, _ help: String) {
    (self.context, self.gesture, self.help) = (context, gesture, help)
    (keys, command, argument, hint) = ([], nil, "", "")
  }

  /// A slash command's line.
  init(_ command: Command, _ argument: String, _ help: String) {
    (context, self.command, self.argument, self.help) = (.slash, command, argument, help)
    (keys, gesture, hint) = ([], "", "")
  }

  /// Whether it only moves or changes what is being written.
  var isWriting: Bool {
    switch command {
    case .lineBreak, .left, .right, .up, .down, .wordLeft, .wordRight, .lineStart, .lineEnd, .deleteBackward,
      .deleteForward, .killWordBackward, .killWordForward, .killToEnd, .killToStart, .yank, .complete,
      .editorPrefix, .nextCompletion, .previousCompletion:
      true
    default: false
    }
  }

  /// A slash command's name, without the slash.
  public var name: String { command?.rawValue ?? "" }
}

/// The one table of keys and commands. Dispatch, completion, palette, help, hints and manual page are made from it.
public enum KeyTable {
  /// Every line of the table, by context.
  public static let bindings =
    promptKeys + anywhereKeys + inspectorKeys + galleryKeys + overlayKeys + replayKeys + slashCommands

  private static let byKey: [KeyContext: [Key: Binding]] = {
    var found: [KeyContext: [Key: Binding]] = [:]
    for binding in bindings {
      for key in binding.keys { found[binding.context, default: [:]][key] = binding }
    }
    return found
  }()

  /// What a key does in the first of these contexts that knows it.
  static func binding(of key: Key, in contexts: [KeyContext]) -> Binding? {
    for context in contexts {
      if let found = byKey[context]?[key] { return found }
    }
    return nil
  }

  /// Slash commands, in the order in which they are listed.
  public static var slash: [Binding] { slashCommands }

  /// Those that begin with what has been typed.
  static func completing(_ text: String) -> [Binding] {
    guard text.hasPrefix("/"), !text.contains(" "), !text.contains("\n") else { return [] }
    let name = text.dropFirst(), begun = slashCommands.filter { $0.name.hasPrefix(name) }
    return begun.filter { $0.name == name } + begun.filter { $0.name != name }
  }

  /// What may follow a slash command, where it is one of a few words.
  static func words(for command: Command, _ state: StudioState) -> [String] {
    if command == .theme { return state.terminal.themes.map(\.name) }
    if command == .things, let vocabulary = state.vocabulary {
      return vocabulary.kinds.map { $0.lowercased() } + vocabulary.things.map(\.name)
    }
    let argument = slashCommands.first { $0.command == command }?.argument ?? ""
    let words = argument.filter { !"[]".contains($0) }.split(separator: "|").map(String.init)
    return words.filter { $0 == $0.lowercased() && $0.allSatisfy(\.isLetter) }
  }

  /// A slash command by its name or a short form of it.
  static func slash(named name: String) -> Command? {
    let short = ["exit": Command.quit, "q": .quit]
    return short[name] ?? slashCommands.first { $0.name == name }?.command
  }
}

extension StudioState {
  /// Where a key is looked up, the nearest first.
  public var keyContexts: [KeyContext] {
    if isTooSmall { return [.tooSmall] }
    switch overlays.top {
    case .list(let list):
      let own: [KeyContext] =
        list.purpose == .queue
        ? [.queueList] : list.purpose == .sessions && list.newTitle == nil ? [.sessionList] : []
      return own + [.list, .everywhere]
    case .gallery(let gallery):
      return gallery.isFiltering ? [.galleryFilter, .everywhere] : [.gallery, .overlay, .everywhere]
    case .viewer: return [.viewer, .overlay, .everywhere]
    case .compare: return [.compare, .overlay, .everywhere]
    case .help: return [.help, .overlay, .everywhere]
    case .tour: return [.tour, .overlay, .everywhere]
    case nil: break
    }
    if conversation.replay != nil { return [.replay, .view, .everywhere] }
    if prompt.editor.search != nil { return [.history, .screen, .view, .everywhere] }
    var contexts: [KeyContext] = []
    if inspector.row != nil {
      contexts += inspector.entry.isEmpty ? [.inspector] : [.inspectorEntry, .inspector]
    }
    if prompt.isAfterControlX { contexts.append(.afterControlX) }
    if showsCompletions { contexts.append(.completions) }
    if work.isBusy { contexts += work.isStopping(at: now) ? [.stopping, .running] : [.running] }
    if prompt.editor.isEmpty { contexts.append(.emptyPrompt) }
    return contexts + [.prompt, .screen, .view, .everywhere]
  }

  /// What a key would do now; nil for what is typed.
  public func binding(of key: Key) -> Binding? { KeyTable.binding(of: key, in: keyContexts) }

  /// The three keys that matter now, those of the nearest context first; two beside what a request says of itself.
  var keyHints: [(String, String)] {
    var hints: [(String, String)] = []
    for context in keyContexts {
      for binding in KeyTable.bindings where binding.context == context {
        // Not a key that a nearer context takes.
        guard let hint = hint(of: binding), let key = binding.keys.first, self.binding(of: key) == binding
        else { continue }
        if let last = hints.last, last.1 == hint {
          hints[hints.count - 1].0 += " " + key.shortName
        } else {
          hints.append((key.shortName, hint))
        }
      }
    }
    return Array(hints.prefix(work.running == nil ? 3 : 2))
  }

  private func hint(of binding: Binding) -> String? {
    switch binding.command {
    case .switchMode: work.canDraw ? prompt.mode == .ask ? "imagine" : "ask" : nil
    case .pickFile: work.canDraw ? nil : "attach"
    case .stopAll: work.queue.isEmpty ? nil : binding.hint
    // Not where it is read.
    case .help: if case .help = overlays.top { nil } else { binding.hint }
    default: binding.hint.isEmpty ? nil : binding.hint
    }
  }
}

extension Key {
  /// What was typed behind Esc, where the two may have been pressed one after the other.
  var behindEscape: Key? {
    guard case .alt(let c) = self else { return nil }
    return c == "\u{7F}" ? .backspace : .character(c)
  }

  /// As help calls it.
  public var name: String {
    switch self {
    case .character(" "): "Space"
    case .character(let c): String(c)
    case .enter: "Return"
    case .lineBreak: "Alt-Return"
    case .tab: "Tab"
    case .backTab: "Shift-Tab"
    case .backspace: "Backspace"
    case .delete: "Delete"
    case .escape: "Esc"
    case .up: "↑"
    case .down: "↓"
    case .left: "←"
    case .right: "→"
    case .wordLeft: "Ctrl-←"
    case .wordRight: "Ctrl-→"
    case .home: "Home"
    case .end: "End"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    case .function(let number): "F\(number)"
    case .control(let c): "Ctrl-\(c.uppercased())"
    case .alt("\u{7F}"): "Alt-Backspace"
    // A sign in a row of names is taken for what stands between them.
    case .alt(","): "Alt-Comma"
    case .alt("."): "Alt-Period"
    case .alt("+"): "Alt-Plus"
    case .alt("-"): "Alt-Minus"
    case .alt("="): "Alt-Equals"
    case .alt(let c): "Alt-\(c.uppercased())"
    case .paste, .overlongPaste: "paste"
    case .mouse: "mouse"
    }
  }

  /// As the status line calls it.
  var shortName: String {
    if case .control(let c) = self { return "^\(c.uppercased())" }
    return name
  }

  /// What of a name those beside it share, such as `Ctrl-`; nil where each is written whole.
  private var prefix: String? {
    switch self {
    case .up, .down, .left, .right: return ""
    case .wordLeft, .wordRight: return "Ctrl-"
    default: return nil
    }
  }

  /// "← →, Ctrl-B, Ctrl-F": names in a row; arrows beside each other, digits as a range.
  static func names(_ keys: [Key]) -> String {
    var text = "", last: String?
    let digits = keys.filter { if case .alt(let c) = $0 { c.isNumber } else { false } }
    if digits.count > 2, digits.count == keys.count, let first = keys.first, let end = keys.last?.name.last {
      return "\(first.name)…\(end)"
    }
    for key in keys {
      let prefix = key.prefix
      if text.isEmpty {
        text = key.name
      } else if let prefix, prefix == last {
        text += " " + key.name.dropFirst(prefix.count)
      } else {
        text += ", " + key.name
      }
      last = prefix
    }
    return text
  }
}
