import Frames
import SessionLog

extension StudioState {
  /// Lays something over what is there; Esc goes back to that.
  mutating func lay(_ new: Overlay) {
    if let overlay { below.append(overlay) }
    overlay = new
  }

  /// One level back.
  mutating func goBack() { overlay = below.popLast() }

  mutating func takeOverlayKey(_ key: Key, _ overlay: Overlay) -> [Effect] {
    if case .list(let list) = overlay { return takeListKey(key, list) }
    if key == .escape || key == .control("c") || key == .character("q") {
      goBack()
      return []
    }
    switch overlay {
    case .help(let scroll):
      let last = HelpLayout(size).lastScroll
      self.overlay = .help(scroll: max(0, min(last, min(last, scroll) + Self.lines(key))))
    case .gallery(let selected, let isOfAll): return takeGalleryKey(key, selected, isOfAll)
    case .compare(let pair): return takeCompareKey(key, pair)
    case .viewer(let picture): return takeViewerKey(key, picture)
    case .tour(let page):
      switch key {
      case .right, .enter, .character(" "), .pageDown:
        self.overlay = page + 1 < Tour.pages.count ? .tour(page: page + 1) : nil
      case .left, .pageUp: self.overlay = .tour(page: max(0, page - 1))
      default: break
      }
    case .list: break
    }
    return []
  }

  private mutating func takeCompareKey(_ key: Key, _ before: Comparison) -> [Effect] {
    var pair = before
    switch key {
    case .left, .character("h"): pair.divider = max(0, pair.divider - 0.05)
    case .right, .character("l"): pair.divider = min(1, pair.divider + 0.05)
    case .character(" "), .tab, .enter: pair.isFlipped.toggle()
    case .character("d"): pair.showsDifference.toggle()
    case .character("c"): (pair.left, pair.right) = (pair.right, pair.left)
    case .mouse(let mouse) where mouse.kind == .press || mouse.kind == .drag:
      let area = CompareLayout(self).area
      if area.width > 0 { pair.divider = max(0, min(1, Double(mouse.x - area.x) / Double(area.width))) }
    default: break
    }
    return compare(pair)
  }

  private static func lines(_ key: Key) -> Int {
    switch key {
    case .up, .character("k"): -1
    case .down, .character("j"): 1
    case .pageUp: -10
    case .pageDown, .character(" "): 10
    case .home: -10_000
    case .mouse(let mouse): mouse.kind == .wheelUp ? -3 : mouse.kind == .wheelDown ? 3 : 0
    default: 0
    }
  }

  // MARK: Lists

  private mutating func takeListKey(_ key: Key, _ before: ListOverlay) -> [Effect] {
    var list = before
    func moved(_ by: Int) { list.selected = max(0, min(list.shown.count - 1, list.selected + by)) }
    var effects: [Effect] = []
    switch key {
    case .escape, .control("c"):
      if list.purpose == .themes, let themeBefore { theme = themeBefore }
      goBack()
      return []
    case .up, .control("p"): moved(-1)
    case .down, .control("n"): moved(1)
    case .pageUp: moved(-10)
    case .pageDown: moved(10)
    case .mouse(let mouse): moved(mouse.kind == .wheelUp ? -1 : mouse.kind == .wheelDown ? 1 : 0)
    case .backspace:
      if !list.filter.isEmpty { list.filter.removeLast() }
      list.selected = 0
      if list.purpose == .search { effects = [.search(list.filter)] }
    case .character(let c):
      list.filter.append(c)
      list.selected = 0
      if list.purpose == .search { effects = [.search(list.filter)] }
    case .enter, .tab:
      guard list.shown.indices.contains(list.selected) else { return [] }
      return choose(list.shown[list.selected], list.purpose)
    default: break
    }
    overlay = .list(list)
    if let file = list.selectedFile, file != before.selectedFile { effects.append(.preview(path: file)) }
    // Themes are tried on as the selection moves.
    if list.purpose == .themes, list.shown.indices.contains(list.selected),
      let tried = themes.first(where: { $0.name == list.shown[list.selected].value })
    {
      theme = tried
    }
    return effects
  }

  private mutating func choose(_ choice: Choice, _ purpose: ListOverlay.Purpose) -> [Effect] {
    overlay = nil
    switch purpose {
    case .palette:
      let needsArgument = Command.all.first { "/\($0.name)" == choice.value }.map {
        !$0.argument.isEmpty && !$0.argument.hasPrefix("[")
      }
      guard needsArgument != true else {
        prompt.set(choice.value + " ")
        return []
      }
      return run(command: choice.value)
    case .themes: return [.theme(choice.value)]
    case .sessions, .search: return [.openSession(choice.value)]
    case .files:
      // A folder is opened, a picture attached.
      return choice.value.hasSuffix("/") ? [.readFolder(choice.value)] : [.attach(path: choice.value)]
    }
  }

  // MARK: Gallery

  private mutating func takeGalleryKey(_ key: Key, _ selected: Int, _ isOfAll: Bool) -> [Effect] {
    if key == .tab {
      if !isOfAll { return [.readPictures] }
      overlay =
        transcript.gallery.isEmpty ? nil : .gallery(selected: transcript.gallery.count - 1, isOfAll: false)
      return []
    }
    let pictures = galleryPictures(isOfAll: isOfAll), columns = GalleryLayout(self).columns
    guard pictures.indices.contains(selected) else {
      overlay = nil
      return []
    }
    func go(_ by: Int) -> [Effect] {
      overlay = .gallery(selected: max(0, min(pictures.count - 1, selected + by)), isOfAll: isOfAll)
      return []
    }
    let picture = pictures[selected], settings = origin(of: picture)?.settings
    switch key {
    case .left, .character("h"): return go(-1)
    case .right, .character("l"): return go(1)
    case .up, .character("k"): return go(-columns)
    case .down, .character("j"): return go(columns)
    case .home: return go(-pictures.count)
    case .end: return go(pictures.count)
    case .enter, .character("a"): return recall(settings, prompt: true, seed: true)
    case .character("s"): return recall(settings, prompt: false, seed: true)
    case .character("p"): return recall(settings, prompt: true, seed: false)
    case .character("r"): return recall(settings, prompt: true, seed: false)
    case .character(" "), .character("i"): lay(.viewer(picture))
    case .character("m"):
      let other = selected > 0 ? pictures[selected - 1] : pictures[pictures.count - 1]
      return compare(Comparison(left: other, right: picture))
    case .character("."):
      return recording(.starred(picture: picture, isStarred: !transcript.starred.contains(picture)))
    case .control("a"): return attachFromOverlay(picture)
    case .character("w"): return save(picture)
    default: break
    }
    return []
  }

  /// Brings a picture's prompt and settings back.
  private mutating func recall(_ settings: DrawingSettings?, prompt wantsPrompt: Bool, seed wantsSeed: Bool)
    -> [Effect]
  {
    guard let settings else { return fail("this picture was not drawn here; it has no settings") }
    overlay = nil
    if wantsPrompt { prompt.set(settings.prompt) }
    if wantsSeed { controls.seed = settings.seed }
    let changed = wantsPrompt || !wantsSeed ? controls.take(settings) : []
    mode = .imagine
    say(
      ([wantsPrompt ? "prompt and settings restored" : "seed \(settings.seed)"] + changed).joined(
        separator: "; "))
    return []
  }

  private mutating func attachFromOverlay(_ picture: String) -> [Effect] {
    guard picture != Self.testCardName else {
      return fail("the test card is for your eyes, not for the model's")
    }
    attachments.append(Attachment(picture: picture, name: "picture"))
    (mode, overlay) = (.ask, nil)
    // One of another session becomes this one's, with the settings that drew it.
    guard !transcript.gallery.contains(picture), let origin = otherOrigins[picture], !isReadOnly,
      replay == nil
    else { return [] }
    return [
      .record(.attached(picture: picture, name: "a picture of another session", settings: origin.settings))
    ]
  }

  /// Saves a picture of a session.
  private mutating func save(_ picture: String) -> [Effect] {
    guard picture != Self.testCardName else { return fail("the test card is no picture of this session") }
    return [.save(picture: picture, path: "")]
  }

  private mutating func takeViewerKey(_ key: Key, _ picture: String) -> [Effect] {
    let list = galleryPictures(isOfAll: !transcript.gallery.contains(picture))
    switch key {
    case .left, .right:
      guard let at = list.firstIndex(of: picture) else { return [] }
      overlay = .viewer(list[max(0, min(list.count - 1, at + (key == .left ? -1 : 1)))])
    case .control("a"): return attachFromOverlay(picture)
    case .character("w"): return save(picture)
    case .enter, .character("a"):
      return recall(origin(of: picture)?.settings, prompt: true, seed: true)
    case .mouse(let mouse): if mouse.kind == .press { goBack() }
    default: break
    }
    return []
  }
}
