/// What the studio switches on in a terminal besides ncurses, and off again.
enum TerminalModes {
  /// Pasting in brackets; Alt and a key as Esc and the key, which xterm sends as letters with accents else. What it did
  /// before is kept by itself.
  static let enter = Array("\u{1B}[?2004h\u{1B}[?1036;1039s\u{1B}[?1036h\u{1B}[?1039h".utf8)
  /// Mouse, pasting and Alt as they were.
  static let leave = Array("\u{1B}[?1006l\u{1B}[?1002l\u{1B}[?2004l\u{1B}[?1036;1039r".utf8)

  /// Takes the mouse, or leaves it to the terminal.
  static func mouse(_ isCaptured: Bool) -> [UInt8] {
    Array((isCaptured ? "\u{1B}[?1002h\u{1B}[?1006h" : "\u{1B}[?1006l\u{1B}[?1002l").utf8)
  }
}
