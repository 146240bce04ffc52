import CNCurses
import Foundation
import Frames

/// What a terminal can do, as far as it is known; replies may change it later.
public struct TerminalFacts: Sendable, Equatable {
  /// The best way of showing pictures.
  public var graphics = Graphics.blocks
  /// Whether it takes colours of 24 bits.
  public var isTruecolor = false
  /// Size of its palette.
  public var colours = 256
  /// Whether it is asked for colours: false for `NO_COLOR`.
  var usesColours = true
  /// What pictures are made of where the terminal shows none and has few colours.
  var characters: CharacterSet { usesColours ? ownCharacters : ownCharacters.withoutColours }
  private var ownCharacters = CharacterSet.many
  /// Pixels of a character's cell.
  public var cell = Size(8, 16)
  /// Whether it shows a frame at once (mode 2026).
  public var hasSynchronizedUpdates = false
  /// Its own background, where it tells.
  public var background: Colour?
  /// What it calls itself; empty where it does not tell.
  public var version = ""
  /// What it answers when asked for device attributes (DA1).
  public var attributes: [Int] = []
  /// Whether it takes Kitty's graphics commands.
  public var hasKitty = false
  /// Whether the cell's size follows from the window's own pixels, which are then believed.
  var knowsWindowPixels = false

  /// What every terminal can do.
  public init() {}

  /// Whether it is xterm itself, which has few places for pictures.
  var isXterm: Bool { version.hasPrefix("XTerm(") }

  /// Whether the device attributes name sixel graphics.
  public var hasSixel: Bool { attributes.dropFirst().contains(4) }

  /// Takes what the system's description of a terminal says.
  private mutating func takeDescription(of term: String) {
    let found = Int(vt_colours_of(term))
    if found >= 0 { colours = found }
    chooseCharacters(term)
  }

  /// Finds the characters for pictures in few colours: those that a terminal's font is sure to have.
  mutating func chooseCharacters(_ term: String) {
    guard colours < 256, !isTruecolor else { return ownCharacters = .many }
    let palette = colours >= 16 ? 16 : colours >= 8 ? 8 : 0
    let hasBlocksOnly = ["linux", "rxvt", "cygwin"].contains { term.hasPrefix($0) }
    let isOld = ["vt", "ansi", "pcansi", "sun", "wyse", "qnx"].contains { term.hasPrefix($0) }
    ownCharacters =
      isOld
      ? .ascii(colours: palette) : hasBlocksOnly ? .halves(colours: palette) : .quadrants(colours: palette)
  }

  /// Terminals that draw sextants themselves, by what they call themselves.
  private mutating func learnCharacters() {
    guard case .quadrants(let palette) = ownCharacters else { return }
    let drawing = ["kitty", "foot", "wezterm", "contour", "ghostty", "vte", "konsole"]
    if drawing.contains(where: version.lowercased().contains) {
      ownCharacters = .sextants(colours: palette)
    }
  }

  /// What asks a terminal for all of it. The device attributes come last: every terminal answers them.
  static func queries(environment: [String: String]) -> [UInt8] {
    var queries = "\u{1B}[>0q\u{1B}[16t\u{1B}[14t\u{1B}[?2026$p\u{1B}]11;?\u{07}"
    // tmux hands a graphics query on as text that would stay on the screen.
    if environment["TMUX"] == nil { queries += "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\" }
    return Array((queries + "\u{1B}[c").utf8)
  }

  /// Takes a reply in.
  ///
  /// - Parameter wanted: the graphics that the person demands, whatever the terminal says.
  mutating func learn(_ reply: TerminalReply, wanted: Graphics?) {
    switch reply {
    case .attributes(let numbers):
      attributes = numbers
      if wanted == nil, graphics != .kitty, hasSixel { graphics = .sixel }
    case .kittyGraphics:
      hasKitty = true
      if wanted == nil { graphics = .kitty }
    case .cell(let width, let height) where (2...200).contains(width) && (4...400).contains(height):
      cell = Size(width, height)
    case .area(let width, let height):
      if !knowsWindowPixels, let size = Screen.windowSize(), (2...200).contains(width / size.columns),
        (4...400).contains(height / size.rows)
      {
        cell = Size(width / size.columns, height / size.rows)
      }
    case .background(let colour): background = colour
    case .synchronizedUpdates: hasSynchronizedUpdates = true
    case .version(let text):
      version = text
      learnCharacters()
    case .cell, .ready, .other: break
    }
  }

  /// Takes a cell's size from the window, where it tells pixels.
  mutating func measureWindow() {
    guard let size = Screen.windowSize(), (2...200).contains(size.width / size.columns),
      (4...400).contains(size.height / size.rows)
    else {
      return
    }
    // Pixels may include padding: round down.
    cell = Size(size.width / size.columns, size.height / size.rows)
    knowsWindowPixels = true
  }

  /// Whether the terminal shows text alone, as an editor's shell does: nothing but lines may be written to it.
  public static func isDumb(environment: [String: String]) -> Bool { environment["TERM"] == "dumb" }

  /// Whether colours are wanted: `NO_COLOR` counts when it is not empty, whatever its value.
  public static func usesColours(_ environment: [String: String]) -> Bool {
    (environment["NO_COLOR"] ?? "").isEmpty
  }

  /// Asks the terminal that this program runs in, without a screen; nil where there is none that could answer.
  ///
  /// - Parameter patience: seconds to wait for the last answer.
  public static func ask(environment: [String: String], patience: Double = 0.5) -> TerminalFacts? {
    guard !isDumb(environment: environment) else { return nil }
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return nil }
    defer { close(terminal) }
    var saved = termios()
    guard tcgetattr(terminal, &saved) == 0 else { return nil }
    var raw = saved
    cfmakeraw(&raw)
    tcsetattr(terminal, TCSAFLUSH, &raw)
    // Whatever comes too late must not reach the shell.
    defer { tcsetattr(terminal, TCSAFLUSH, &saved) }
    var facts = TerminalFacts(), parser = InputParser()
    facts.isTruecolor = ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
    facts.usesColours = usesColours(environment)
    facts.takeDescription(of: environment["TERM"] ?? "")
    facts.measureWindow()
    let queries = queries(environment: environment)
    guard write(terminal, queries, queries.count) == queries.count else { return facts }
    let clock = ContinuousClock(), end = clock.now + .seconds(patience)
    while clock.now < end, facts.attributes.isEmpty {
      var watched = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, 50) > 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(terminal, &bytes, bytes.count)
      guard count > 0 else { break }
      for case .reply(let reply) in parser.take(bytes[..<count]) { facts.learn(reply, wanted: nil) }
    }
    return facts
  }
}

extension Screen {
  /// Rows, columns, and pixels where the terminal gives them.
  public static func windowSize() -> (columns: Int, rows: Int, width: Int, height: Int)? {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
    // No screen is larger; a size that is only said must not take the memory of one.
    return (
      min(Int(size.ws_col), 2000), min(Int(size.ws_row), 1000), Int(size.ws_xpixel), Int(size.ws_ypixel)
    )
  }
}
