import Frames
import Requests
import SessionLog

extension StudioState {
  mutating func performOverlay(_ command: Command) -> [Effect] {
    if command == .back { return goBack() }
    switch overlays.top {
    case .list(let list): return perform(command, in: list)
    case .gallery(let selected, let isOfAll): return perform(command, inGalleryAt: selected, isOfAll)
    case .viewer(let picture): return perform(command, on: picture)
    case .compare(let pair): return perform(command, comparing: pair)
    case .help(let scroll):
      let last = HelpLayout(terminal.size).lastScroll
      overlays.top = .help(scroll: max(0, min(last, min(last, scroll) + Self.lines(command))))
    case .tour(let page):
      if command == .nextPage {
        overlays.top = page + 1 < Tour.pages.count ? .tour(page: page + 1) : nil
      } else if command == .previousPage {
        overlays.top = .tour(page: max(0, page - 1))
      }
    case nil: break
    }
    return []
  }

  /// One level back; themes that were only tried on go.
  private mutating func goBack() -> [Effect] {
    if case .list(let list) = overlays.top, list.purpose == .themes, let before = terminal.themeBefore {
      terminal.theme = before
    }
    overlays.goBack()
    return []
  }

  private static func lines(_ command: Command) -> Int {
    switch command {
    case .lineUp: -1
    case .lineDown: 1
    case .pageUp: -10
    case .pageDown: 10
    case .toTop: -10_000
    default: 0
    }
  }

  mutating func takeMouseOverOverlay(_ mouse: Key.Mouse) -> [Effect] {
    let turn = mouse.kind == .wheelUp ? -1 : mouse.kind == .wheelDown ? 1 : 0
    switch overlays.top {
    case .list(var list):
      let before = list.selectedFile
      list.select(list.selected + turn)
      return show(list, before: before)
    case .help(let scroll):
      let last = HelpLayout(terminal.size).lastScroll
      overlays.top = .help(scroll: max(0, min(last, min(last, scroll) + 3 * turn)))
    case .compare(var pair) where mouse.kind == .press || mouse.kind == .drag:
      let area = CompareLayout(self).area
      if area.width > 0 { pair.divider = (Double(mouse.x - area.x) / Double(area.width)).clamped(to: 0...1) }
      return compare(pair)
    case .viewer where mouse.kind == .press: overlays.goBack()
    default: break
    }
    return []
  }

  // MARK: Compare

  private mutating func perform(_ command: Command, comparing before: Comparison) -> [Effect] {
    var pair = before
    switch command {
    case .dividerLeft: pair.divider = max(0, pair.divider - 0.05)
    case .dividerRight: pair.divider = min(1, pair.divider + 0.05)
    case .flip: pair.isFlipped.toggle()
    case .showDifference: pair.showsDifference.toggle()
    case .swapPictures: (pair.left, pair.right) = (pair.right, pair.left)
    default: break
    }
    return compare(pair)
  }

  mutating func compare(_ pair: Comparison) -> [Effect] {
    if case .compare = overlays.top { overlays.top = .compare(pair) } else { overlays.lay(.compare(pair)) }
    return album.differences[pair.heatMap] == nil ? [.measureDifference(pair)] : []
  }

  // MARK: Lists

  /// What is typed over the screen filters a list.
  mutating func typeIntoList(_ c: Character) -> [Effect] {
    guard case .list(var list) = overlays.top else { return [] }
    list.filter.append(c)
    return showFiltered(list)
  }

  private mutating func perform(_ command: Command, in before: ListOverlay) -> [Effect] {
    var list = before
    switch command {
    case .selectionUp: list.select(list.selected - 1)
    case .selectionDown: list.select(list.selected + 1)
    case .selectionPageUp: list.select(list.selected - 10)
    case .selectionPageDown: list.select(list.selected + 10)
    case .eraseFilter:
      list.filter = String(list.filter.dropLast())
      return showFiltered(list)
    case .choose:
      guard list.shown.indices.contains(list.selected) else { return [] }
      return choose(list.shown[list.selected], list.purpose)
    default: break
    }
    return show(list, before: before.selectedFile)
  }

  private mutating func showFiltered(_ list: ListOverlay) -> [Effect] {
    var list = list
    list.selected = 0
    let effects = show(list, before: nil)
    return list.purpose == .search ? [.search(list.filter)] + effects : effects
  }

  /// - Parameter before: the file that was selected.
  private mutating func show(_ list: ListOverlay, before: String?) -> [Effect] {
    overlays.top = .list(list)
    // Themes are tried on as the selection moves.
    if list.purpose == .themes, list.shown.indices.contains(list.selected),
      let tried = terminal.themes.first(where: { $0.name == list.shown[list.selected].value })
    {
      terminal.theme = tried
    }
    guard let file = list.selectedFile, file != before else { return [] }
    return album.sizes[.file(file)] == nil ? [.preview(path: file)] : []
  }

  private mutating func choose(_ choice: Choice, _ purpose: ListOverlay.Purpose) -> [Effect] {
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
    case .sessions, .search: return [.openSession(choice.value)]
    case .files:
      // A folder is opened, a picture attached.
      return choice.value.hasSuffix("/") ? [.readFolder(choice.value)] : [.attach(path: choice.value)]
    }
  }
}

extension ListOverlay {
  /// Selects a line, or the nearest that there is.
  mutating func select(_ line: Int) { selected = max(0, min(shown.count - 1, line)) }
}
