import CNCurses
import Foundation
import Frames
import Pictures

/// The terminal as a screen for frames. Belongs to one thread.
///
/// ncurses does not know about pictures. Cells below one hold a filler; a stale picture is cleared by rewriting exactly
/// those cells (`CoveredCells`); pictures are written in one piece after the update, and again only when they were damaged.
public final class Screen {
  /// What the terminal has told so far.
  public private(set) var facts = TerminalFacts()
  /// How many pictures the terminal keeps at a time; nil for any number.
  public var mostPictures: Int? {
    facts.isXterm && facts.graphics == .sixel ? PicturePlaces.count : nil
  }
  private let wanted: Graphics?
  private let cache: EncodedPictureCache
  private let usesColours: Bool
  private var shown: [Placement: EncodingKey] = [:]
  private var last: Frame?
  private var covered = CoveredCells()
  private var places = PicturePlaces()
  /// The cursor's colour as it was asked for; nil for the terminal's own.
  private var cursorColour: Colour?
  private var isStarted = false
  /// Whether the mouse is the studio's; else the terminal selects text with it.
  private var isMouseCaptured = true
  private var throttle = OutputThrottle()
  /// The theme's colours where the terminal has few.
  private var few: (theme: Theme, colours: FewColours)?

  /// - Parameters:
  ///   - graphics: what the person demands; nil to find out.
  ///   - usesColours: false for `NO_COLOR`.
  public init(graphics: Graphics?, usesColours: Bool, cache: EncodedPictureCache) {
    (wanted, self.usesColours, self.cache) = (graphics, usesColours, cache)
    facts.usesColours = usesColours
  }

  /// Throws `TerminalError` where there is no terminal or it is not known.
  public static func check(environment: [String: String]) throws {
    guard isatty(0) == 1, isatty(1) == 1 else {
      throw TerminalError(
        "the studio needs a terminal on its input and output; in scripts use vugen ask or imagine")
    }
    let term = environment["TERM"] ?? ""
    guard term != "dumb" else {
      throw TerminalError("nothing can be drawn on TERM=dumb; use vugen ask or imagine, or set TERM")
    }
    guard !term.isEmpty, vt_knows(term) else {
      throw TerminalError("the terminal '\(term)' is not known here; set TERM, for example to xterm-256color")
    }
  }

  /// What is said, in one line, where a signal kills the program.
  public static func setLastWords(_ text: String) { vt_last_words(text) }

  /// Gives the terminal back, from any thread, because the program ends: `vugen`, these words and the last words are
  /// said in one line, and nothing is drawn any more.
  public static func giveBack(saying words: String) { vt_guard_give_back(words) }

  /// Makes the calling thread give the terminal back even where its stack overflows.
  public static func guardThread() { vt_guard_thread() }

  /// Takes the terminal. Throws as `check` does.
  public func start(environment: [String: String]) throws {
    try Self.check(environment: environment)
    let term = environment["TERM"] ?? ""
    facts.isTruecolor = ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
    let name = OwnDescription.name(for: term, isTruecolor: facts.isTruecolor, environment) ?? term
    defer { OwnDescription.forget(environment) }
    guard vt_start(name) else { throw TerminalError("the terminal '\(name)' cannot be used") }
    isStarted = true
    facts.colours = Int(vt_colours())
    if let wanted {
      facts.graphics = wanted
    }
    facts.chooseCharacters(term)
    if !usesColours, wanted == nil { facts.graphics = .blocks }
    facts.measureWindow()
    ask()
  }

  /// Asks what the terminal can do; the replies come through `take`. Mouse and pasting are switched on.
  private func ask() {
    // The throttle's first question comes before any picture: whether it is answered is known when it matters.
    write(TerminalFacts.queries(environment: ProcessInfo.processInfo.environment) + throttle.sending(at: now))
    enterModes()
  }

  private func enterModes() {
    write(TerminalModes.enter)
    if isMouseCaptured { write(TerminalModes.mouse(true)) }
  }
  private func leaveModes() { write(TerminalModes.leave) }

  /// Takes the mouse, or leaves it to the terminal; before `start`, and while another program has the terminal, this is
  /// what comes.
  public func captureMouse(_ isCaptured: Bool) {
    isMouseCaptured = isCaptured
    if isStarted { write(TerminalModes.mouse(isCaptured)) }
  }

  /// Learns from a reply. True where the screen must be drawn anew.
  public func take(_ reply: TerminalReply) -> Bool {
    if reply == .ready { throttle.answered(at: now) }
    let before = facts
    facts.learn(reply, wanted: wanted)
    guard facts != before else { return false }
    if facts.graphics != before.graphics || facts.cell != before.cell { forget() }
    return true
  }

  /// The window has another size: everything is drawn anew.
  public func resize() -> Size {
    let size = Self.windowSize() ?? (80, 24, 0, 0)
    vt_resize(Int32(size.rows), Int32(size.columns))
    facts.measureWindow()
    forget()
    return Size(size.columns, size.rows)
  }

  private func forget() {
    removeKitty(shown.map { ($0, $1) })
    (shown, last) = ([:], nil)
    covered.forget()
    vt_invalidate()
  }

  // MARK: Drawing

  /// Shows a frame. Sends nothing where it is the one that is shown.
  public func draw(_ frame: Frame, theme: Theme) {
    guard isStarted else { return }
    let keys = encodingKeys(frame, theme)
    let isComplete = frame.placements.allSatisfy { shown[$0] != nil && shown[$0] == keys[$0] }
    if let last, last == frame, isComplete { return }
    var damaged = damage(frame)
    for placement in shown.keys where keys[placement] == nil {
      let old = shown.removeValue(forKey: placement)
      // An opaque picture of the same place covers the old one by itself, without a flicker; until it is there, the
      // old one is what is seen.
      let next = frame.placements.first {
        $0.visible == placement.visible && $0.whole == placement.whole && keys[$0] != nil && shown[$0] == nil
          && cache.haveOneShape($0.picture, placement.picture)
      }
      if let next {
        shown[next] = old
      } else {
        covered.uncover(placement.visible, frame.size)
        damaged.formUnion(frame.placements.filter { $0.visible.intersects(placement.visible) })
        removeKitty(old.map { [(placement, $0)] } ?? [])
      }
    }
    chooseColours(theme)
    put(frame)
    vt_update()
    showCursor(in: theme)
    send(frame, keys, damaged)
    last = frame
  }

  /// Sends the pictures that are new or were damaged, as far as they are encoded.
  private func send(_ frame: Frame, _ keys: [Placement: EncodingKey], _ damaged: Set<Placement>) {
    var ready = frame.placements.filter { placement in
      guard let key = keys[placement], shown[placement] != key || damaged.contains(placement) else {
        return false
      }
      // One that is shown already and was damaged is mended at once.
      return !placement.isPreview || shown[placement] == key || throttle.allowsPreview(at: now)
    }
    ready = ready.filter { placement in keys[placement].map { cache.encoded($0) != nil } ?? false }
    guard !ready.isEmpty else { return }
    if mostPictures != nil {
      func sixels(_ of: [Placement]) -> Int { of.count { keys[$0]?.graphics == .sixel } }
      // A picture that is made of characters from now on: the terminal would show the old one's pixels through them.
      let leavesPixels = ready.contains {
        shown[$0]?.graphics == .sixel && keys[$0]?.graphics != .sixel
      }
      if leavesPixels || places.lacks(sixels(ready), of: sixels(frame.placements)) {
        write(places.free(rows: frame.size.height))
        vt_redraw_rows(Int32(max(0, frame.size.height - 2)), 2)
        vt_update()
        ready = frame.placements.filter { placement in
          ready.contains(placement) || shown[placement] != nil && shown[placement] == keys[placement]
        }
      }
      places.take(sixels(ready))
    }
    var bytes: [UInt8] = []
    for placement in ready {
      guard let key = keys[placement], let encoded = cache.encoded(key) else { continue }
      if let old = shown.updateValue(key, forKey: placement), old != key { removeKitty([(placement, old)]) }
      bytes += positioned(encoded, placement, key)
    }
    // Without its cursor: a terminal that shows it at a picture's first cell takes it away again by drawing that
    // cell's text, over the picture.
    let (sync, hasCursor) = (facts.hasSynchronizedUpdates, frame.cursor != nil)
    let before = (sync ? "\u{1B}[?2026h" : "") + (hasCursor ? "\u{1B}[?25l" : "") + "\u{1B}7"
    let after = "\u{1B}8" + (hasCursor ? "\u{1B}[?25h" : "") + (sync ? "\u{1B}[?2026l" : "")
    write(Array(before.utf8) + bytes + Array(after.utf8) + throttle.sending(at: now))
  }

  /// A theme with a ground of its own has a cursor that is seen on it, where the terminal knows of colours by name.
  private func showCursor(in theme: Theme) {
    let hasGround = usesColours && theme.colours[.background] != nil && facts.background != nil
    let wanted = hasGround ? theme.colours[.text].map(shownColour) : nil
    guard wanted != cursorColour else { return }
    cursorColour = wanted
    vt_guard_colours_cursor(wanted != nil)
    write(Array((wanted.map { "\u{1B}]12;\($0.hex)\u{07}" } ?? "\u{1B}]112\u{07}").utf8))
  }

  /// The cursor is the terminal's own again.
  private func resetCursorColour() {
    if cursorColour != nil { write(Array("\u{1B}]112\u{07}".utf8)) }
    cursorColour = nil
    vt_guard_colours_cursor(false)
  }

  /// Seconds, for the throttle.
  private var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Answers that are still on their way are read here, so that whoever has the terminal next does not find them typed.
  /// Keys among them are lost.
  private func awaitAnswers() {
    let end = now + 0.5
    var parser = InputParser(), bytes = [UInt8](repeating: 0, count: 4096)
    while throttle.awaitsAnswer(at: now), now < end {
      var watched = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, 50) > 0 else { continue }
      let count = Glibc.read(0, &bytes, bytes.count)
      guard count > 0 else { return }
      for case .reply(.ready) in parser.take(bytes[..<count]) { throttle.answered(at: now) }
    }
  }

  private func encodingKeys(_ frame: Frame, _ theme: Theme) -> [Placement: EncodingKey] {
    guard facts.graphics != .none else { return [:] }
    var keys: [Placement: EncodingKey] = [:]
    let most = mostPictures ?? .max
    for p in frame.placements where p.visible.maxY < frame.size.height {
      // What has no place is made of characters, rather than shown with holes.
      let graphics = keys.count < most ? facts.graphics : .blocks
      keys[p] = EncodingKey(
        picture: p.picture, graphics: graphics, isTruecolor: facts.isTruecolor,
        characters: facts.characters, cell: facts.cell,
        whole: Size(p.whole.width, p.whole.height),
        part: Rect(p.visible.x - p.whole.x, p.visible.y - p.whole.y, p.visible.width, p.visible.height),
        background: theme.colours[.background].map(shownColour) ?? facts.background)
    }
    return keys
  }

  /// Pictures whose cells were written over since they were sent.
  private func damage(_ frame: Frame) -> Set<Placement> {
    guard let last, last.size == frame.size else { return Set(frame.placements) }
    return Set(
      frame.placements.filter { p in
        for y in p.visible.y..<p.visible.maxY {
          for x in p.visible.x..<p.visible.maxX where last[x, y] != frame[x, y] { return true }
        }
        return false
      })
  }

  private func positioned(_ encoded: EncodedPicture, _ p: Placement, _ key: EncodingKey) -> [UInt8] {
    var bytes: [UInt8] = []
    for (i, row) in encoded.rows.enumerated() where p.visible.y + i < p.visible.maxY {
      bytes += Array("\u{1B}[\(p.visible.y + i + 1);\(p.visible.x + 1)H".utf8)
      bytes += key.graphics == .kitty ? PictureEncoding.named(row, key, at: p.visible) : row
    }
    return bytes
  }

  private func removeKitty(_ pictures: [(Placement, EncodingKey)]) {
    for (placement, key) in pictures where key.graphics == .kitty {
      let name = PictureEncoding.identity(key, at: placement.visible)
      write(Array("\u{1B}_Ga=d,d=I,q=2,i=\(name)\u{1B}\\".utf8))
    }
  }

  private func put(_ frame: Frame) {
    let size = frame.size
    for y in 0..<size.height {
      for x in 0..<size.width {
        let cell = frame[x, y]
        if cell.isContinuation { continue }
        // ncurses keeps what it was given.
        if let last, last.size == size, last[x, y] == cell, cell.character != Frame.filler { continue }
        let isHeld = covered.wasCovered(x, y, size) && frame.isGap(x, y)
        var style = cell.style
        if cell.character == Frame.filler || isHeld, covered.isTurned(x, y, size) {
          // Looks the same and is another cell to ncurses: neither weight nor foreground of an empty one is seen. Where
          // colours are few the nearest one may be what it was.
          style.foreground = Colour(1, 2, 3)
          style.isBold.toggle()
        }
        put(isHeld ? Frame.filler : cell.character, style, x, y)
      }
    }
    if let cursor = frame.cursor {
      vt_cursor(Int32(cursor.y), Int32(cursor.x))
    } else {
      vt_cursor(-1, 0)
    }
  }

  private func put(_ character: Character, _ style: Style, _ x: Int, _ y: Int) {
    var attributes: Int32 = 0
    let (foreground, background, isBold) = numbers(style)
    if isBold { attributes |= Int32(VT_BOLD) }
    if style.isDim { attributes |= Int32(VT_DIM) }
    if style.isItalic { attributes |= Int32(VT_ITALIC) }
    if style.isUnderlined { attributes |= Int32(VT_UNDERLINE) }
    if style.isReversed { attributes |= Int32(VT_REVERSE) }
    var scalars = character == Frame.filler ? [0xA0] : TextWidth.shown(character)
    if scalars.isEmpty { scalars = [32] }
    vt_put(
      Int32(y), Int32(x), scalars, Int32(scalars.count), attributes, Int32(foreground ?? -1),
      Int32(background ?? -1))
  }

  private func chooseColours(_ theme: Theme) {
    guard usesColours, facts.colours < 256, !vt_is_direct() else { return few = nil }
    if few?.theme != theme { few = (theme, FewColours(theme, count: facts.colours)) }
  }

  /// The terminal's numbers for a style's colours, nil for its own, and whether its letters are bold.
  private func numbers(_ style: Style) -> (Int?, Int?, isBold: Bool) {
    guard usesColours else { return (nil, nil, style.isBold) }
    if let pair = few?.colours.pair(style) { return (pair.foreground, pair.background, pair.isBold) }
    func number(_ colour: Colour) -> Int { vt_is_direct() ? colour.value : colour.palette256 }
    return (style.foreground.map(number), style.background.map(number), style.isBold)
  }

  /// The colour that a cell of this colour really has: the palette's nearest where there are no direct colours.
  private func shownColour(_ colour: Colour) -> Colour {
    vt_is_direct() || facts.colours < 256 ? colour : Colour(palette256: colour.palette256)
  }

  // MARK: Leaving

  /// Copies text to the terminal's clipboard (OSC 52).
  public func copy(_ text: String) {
    write(Array("\u{1B}]52;c;\(Data(text.utf8).base64EncodedString())\u{07}".utf8))
  }

  /// Leaves the screen to another program, or to the shell.
  public func suspend() {
    awaitAnswers()
    resetCursorColour()
    leaveModes()
    vt_suspend()
  }

  /// Takes the screen back after `suspend`, and returns its size: nobody is told of one that changed meanwhile.
  public func resume() -> Size {
    vt_resume()
    enterModes()
    return resize()
  }

  /// Gives the terminal back as it was.
  public func end() {
    guard isStarted else { return }
    isStarted = false
    removeKitty(shown.map { ($0, $1) })
    awaitAnswers()
    resetCursorColour()
    leaveModes()
    vt_end()
  }

  private func write(_ bytes: [UInt8]) {
    fflush(nil)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { Glibc.write(1, $0 + done, bytes.count - done) } ?? -1
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        usleep(1000)
        continue
      }
      guard count > 0 else { return }
      done += count
    }
  }
}
