/// What a person did at the keyboard or with the mouse.
public enum Key: Hashable, Sendable {
  case character(Character)
  case enter
  /// A line break inside the prompt: Alt-Return or Ctrl-J.
  case lineBreak
  case tab, backTab, backspace, delete, escape
  case up, down, left, right, wordLeft, wordRight, home, end, pageUp, pageDown
  case function(Int)
  case control(Character)
  case alt(Character)
  case paste(String)
  /// A text of so many bytes was pasted, which is more than is taken: nothing of it was kept.
  case overlongPaste(bytes: Int)
  case mouse(Mouse)

  /// Bytes of the longest text that a paste brings: several times what any model reads.
  public static let longestPaste = 1 << 20

  /// What the mouse did, and over which cell.
  public struct Mouse: Hashable, Sendable {
    /// What the mouse did.
    public enum Kind: Hashable, Sendable { case press, drag, release, wheelUp, wheelDown }

    /// What the mouse did.
    public var kind: Kind
    /// The cell.
    public var x, y: Int

    /// - Parameters:
    ///   - x, y: as the terminal says them; no screen is wider than a million cells.
    public init(_ kind: Kind, _ x: Int, _ y: Int) {
      func cell(_ number: Int) -> Int { max(-1, min(1_000_000, number)) }
      (self.kind, self.x, self.y) = (kind, cell(x), cell(y))
    }
  }
}
