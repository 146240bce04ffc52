import Frames
import Requests
import SessionLog

extension StudioState {
  /// What is typed over the screen filters a list or a gallery, or is a session's new title.
  mutating func typeIntoOverlay(_ c: Character) -> [Effect] {
    switch overlays.top {
    case .list(var list):
      if let title = list.newTitle {
        list.newTitle = title + String(c)
        overlays.top = .list(list)
        return []
      }
      let selected = list.choice
      list.filter.append(c)
      return showFiltered(list, selected: selected)
    case .gallery(let gallery) where gallery.isFiltering:
      change { $0.filter.append(c) }
    default: break
    }
    return []
  }

  /// A pasted text filters, too.
  mutating func pasteIntoOverlay(_ text: String) -> [Effect] {
    text.oneRow.prefix(200).flatMap { typeIntoOverlay($0) }
  }

  mutating func perform(_ command: Command, in before: ListOverlay) -> [Effect] {
    var list = before
    switch command {
    case .selectionUp: list.select(list.selected - 1)
    case .selectionDown: list.select(list.selected + 1)
    case .selectionPageUp: list.select(list.selected - 10)
    case .selectionPageDown: list.select(list.selected + 10)
    case .eraseFilter:
      if let title = list.newTitle {
        list.newTitle = String(title.dropLast())
      } else {
        list.filter = String(list.filter.dropLast())
        return showFiltered(list, selected: before.choice)
      }
    case .choose, .removeLine, .lineEarlier, .lineLater, .renameLine:
      guard let choice = list.choice else { return [] }
      return perform(command, on: choice, of: list)
    case .bringBackLine: return [.undeleteSession]
    default: break
    }
    return show(list, before: before.picture)
  }

  private mutating func perform(_ command: Command, on choice: Choice, of list: ListOverlay) -> [Effect] {
    switch command {
    case .choose:
      if let title = list.newTitle { return rename(choice, title, list) }
      return choose(choice, list.purpose)
    case .lineEarlier: moveWaiting(choice, by: -1)
    case .lineLater: moveWaiting(choice, by: 1)
    case .renameLine:
      var list = list
      list.newTitle = choice.title
      overlays.top = .list(list)
    case .removeLine:
      if list.purpose == .queue { return removeWaiting(choice) }
      if choice.isCurrent { return fail("this session is open; /new leaves it, and then it can be deleted") }
      return [.deleteSession(choice.value)]
    default: break
    }
    return []
  }

  private mutating func rename(_ choice: Choice, _ title: String, _ before: ListOverlay) -> [Effect] {
    var list = before
    list.newTitle = nil
    overlays.top = .list(list)
    let title = SessionTitle.cleaned(title)
    guard !title.isEmpty else { return fail("a title needs something that can be seen; the old one stays") }
    guard title != choice.title else { return [] }
    return [.renameSession(choice.value, title: title)]
  }

  /// The best line is selected; of sessions the one that was, as long as it is there.
  private mutating func showFiltered(_ list: ListOverlay, selected: Choice?) -> [Effect] {
    var list = list
    if list.purpose != .sessions || !list.select(value: selected?.value) { list.selected = 0 }
    let effects = show(list, before: nil)
    return list.purpose == .search ? [.search(list.filter)] + effects : effects
  }

  /// - Parameter before: the picture that was shown of it.
  private mutating func show(_ list: ListOverlay, before: PictureID?) -> [Effect] {
    overlays.top = .list(list)
    // Themes are tried on as the selection moves.
    if list.purpose == .themes, let tried = terminal.themes.first(where: { $0.name == list.choice?.value }) {
      terminal.theme = tried
    }
    guard let file = list.selectedFile, .file(file) != before else { return [] }
    return album.sizes[.file(file)] == nil ? [.preview(path: file)] : []
  }

  private mutating func choose(_ choice: Choice, _ purpose: ListOverlay.Purpose) -> [Effect] {
    if purpose == .queue { return editWaiting(choice) }
    let isSession = purpose == .sessions || purpose == .search
    let session = Effect.openSession(choice.value, at: choice.place)
    // The list stays: the same key again is the answer. The open session goes on as it is.
    if isSession, !choice.isCurrent, asksFirst(before: session) { return [] }
    overlays.top = nil
    switch purpose {
    case .palette:
      let binding = KeyTable.slash.first { "/\($0.name)" == choice.value }
      if let binding, !binding.argument.isEmpty, !binding.argument.hasPrefix("[") {
        prompt.editor.set(choice.value + " ")
        return []
      }
      return run(command: choice.value)
    case .themes: return choose(theme: choice.value)
    case .sessions, .search: return choice.isCurrent ? [session] : endWork(then: session)
    case .models: return run(command: "/model \(choice.value)")
    case .things: return choose(thing: choice.value)
    case .queue: return []
    case .files:
      // A folder is opened, a picture attached.
      return choice.value.hasSuffix("/") ? [.readFolder(choice.value)] : [.attach(path: choice.value)]
    }
  }

  mutating func takeMouse(_ mouse: Key.Mouse, _ turn: Int, over before: ListOverlay) -> [Effect] {
    var list = before
    if mouse.kind == .press {
      let layout = ListLayout(list, self)
      guard layout.box.contains(mouse.x, mouse.y) else { return perform(.back) }
      guard let line = layout.line(at: mouse.x, mouse.y) else { return [] }
      list.selected = line
      overlays.top = .list(list)
      // What waits is edited by Return alone: a click is too soon done.
      return list.purpose == .queue ? [] : perform(.choose)
    }
    list.select(list.selected + turn)
    return show(list, before: before.picture)
  }
}
