import Frames
import Requests
import SessionLog

extension StudioState {
  mutating func performOverlay(_ command: Command) -> [Effect] {
    if command == .back { return goBack() }
    switch overlays.top {
    case .list(let list): return perform(command, in: list)
    case .gallery(let gallery): return perform(command, in: gallery)
    case .viewer(let picture): return perform(command, on: picture)
    case .compare(let pair): return perform(command, comparing: pair)
    case .help(let scroll):
      let layout = HelpLayout(self), last = layout.lastScroll
      let lines = Self.lines(command, page: layout.height - 1)
      overlays.top = .help(scroll: max(0, min(last, min(last, scroll) + lines)))
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
    if case .list(var list) = overlays.top {
      if list.newTitle != nil {
        list.newTitle = nil
        overlays.top = .list(list)
        return []
      }
      if case .files = list.purpose { prompt.questionForNextAttachment = nil }
      if list.purpose == .themes, let before = terminal.themeBefore { terminal.theme = before }
    }
    // What narrows the gallery goes before it.
    if case .gallery(let gallery) = overlays.top, !gallery.filter.isEmpty {
      change { $0.filter = "" }
      return []
    }
    overlays.goBack()
    return []
  }

  private static func lines(_ command: Command, page: Int) -> Int {
    switch command {
    case .lineUp: -1
    case .lineDown: 1
    case .pageUp: -page
    case .pageDown: page
    case .toTop: -10_000
    case .toBottom: 10_000
    default: 0
    }
  }

  mutating func takeMouseOverOverlay(_ mouse: Key.Mouse) -> [Effect] {
    let turn = mouse.kind == .wheelUp ? -1 : mouse.kind == .wheelDown ? 1 : 0
    switch overlays.top {
    case .list(let list): return takeMouse(mouse, turn, over: list)
    case .gallery(let gallery): return takeMouse(mouse, over: gallery)
    case .help(let scroll):
      let last = HelpLayout(self).lastScroll
      overlays.top = .help(scroll: max(0, min(last, min(last, scroll) + 3 * turn)))
    case .compare(var pair) where mouse.kind == .press || mouse.kind == .drag:
      let area = CompareLayout(self).area
      if area.width > 1 {
        pair.divider = (Double(mouse.x - area.x) / Double(area.width - 1)).clamped(to: 0...1)
      }
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
}
