import Frames

/// The studio's keys, as F1 and the manual page list them.
public enum HelpText {
  /// Keys that belong together.
  public struct Section: Sendable {
    /// Where they work.
    public let heading: String
    public let keys: [(key: String, help: String)]
  }

  public static let sections: [Section] = [
    Section(
      heading: "Prompt",
      keys: [
        ("Return", "send"), ("Alt-Return, Ctrl-J", "line break"),
        ("Tab", "switch between Ask and Imagine, or complete a command"),
        ("Up, Down, Ctrl-R", "earlier prompts; search them"),
        ("Ctrl-A", "on an empty prompt: attach the last picture"),
        ("Ctrl-O", "attach a picture from a list of files"),
        ("@PATH", "attach a picture by its path; Tab completes it"),
        ("Backspace", "on an empty prompt: remove the last attachment"),
        ("Ctrl-A E B F, Alt-B F", "move the cursor"),
        ("Ctrl-W U K Y, Alt-D", "delete words and lines; bring them back"),
        ("Ctrl-X Ctrl-E, Ctrl-G", "edit the prompt in $VISUAL or $EDITOR"), ("Alt-C", "copy the last answer"),
      ]),
    Section(
      heading: "Anywhere",
      keys: [
        ("Esc, Ctrl-C", "stop the running request and keep the result so far"),
        ("Ctrl-D", "quit, on an empty prompt"),
        ("PgUp, PgDn, wheel", "scroll"), ("Ctrl-P", "all commands"), ("F1", "this help"),
        ("F2, Shift-Tab", "inspector: show or hide; go there"),
        ("Alt-, Alt-.", "guidance down and up by 0.1"),
        ("F3, F4", "gallery; compare the last two pictures"), ("Ctrl-L, F5", "redraw the screen"),
        ("Alt-M", "toggle mouse capture"),
        ("Ctrl-Z", "suspend; the shell's fg resumes"),
      ]),
    Section(
      heading: "Inspector",
      keys: [
        ("← →", "change a value; Ctrl-← → by tens"), ("↑ ↓", "select a row"),
        ("0…9", "type a value"), ("Home, End", "guidance 1.8 and 5, the paper's"),
        ("Esc, Tab", "back to the prompt"),
      ]),
    Section(
      heading: "Gallery",
      keys: [
        ("Return, a", "use prompt, seed and settings again"), ("s", "use the seed only"),
        ("p, r", "use prompt and settings with a new seed"),
        ("i, Space", "view it full-size"), ("m", "compare with the one before"), (".", "star"), ("w", "save"),
        ("Ctrl-A", "ask about it"),
        ("Tab", "switch between this session and all sessions"),
      ]),
    Section(
      heading: "Compare",
      keys: [
        ("← →", "move the divider"), ("Space", "flip between the two"), ("d", "show the difference"),
        ("c", "swap the two"), ("Esc, q", "close"),
      ]),
    Section(
      heading: "Lists",
      keys: [
        ("any letter", "filter"), ("↑ ↓, PgUp, PgDn", "move"), ("Return, Tab", "select"), ("Esc", "close"),
      ]),
    Section(
      heading: "Replay",
      keys: [
        ("Space", "pause"), (". and →, [ and ←", "one entry forward, one back"),
        ("Home, End", "to the beginning, to the end"),
        ("+ -", "faster, slower"), ("Esc", "close"),
      ]),
  ]

  /// One line of the screen; nothing in it is a blank one.
  struct Line { var heading, key, text: String? }

  /// - Parameter width: columns that what a key does may take.
  static func lines(width: Int, besideKeys: Bool) -> [Line] {
    func entry(_ key: String, _ text: String) -> [Line] {
      var lines = TextWidth.wrapped(text, width).map { Line(text: $0) }
      if besideKeys, !lines.isEmpty { lines[0].key = key } else { lines.insert(Line(key: key), at: 0) }
      return lines
    }
    var list: [Line] = []
    for section in sections {
      list.append(Line(heading: section.heading))
      list += section.keys.flatMap { entry($0.key, $0.help) }
      list.append(Line())
    }
    list.append(Line(heading: "Commands"))
    return list + Command.all.flatMap { entry("/\($0.name) \($0.argument)", $0.help) }
  }
}
