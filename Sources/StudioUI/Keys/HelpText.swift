import Frames

/// The table of keys as F1 and the manual page list it.
public enum HelpText {
  /// Keys that belong together.
  public struct Section: Sendable {
    /// Where they work.
    public let heading: String
    /// Keys as they are shown, and what they do.
    public internal(set) var keys: [(key: String, help: String)]
  }

  /// Keys that do much the same stand in one line.
  public static let sections: [Section] = {
    var sections: [Section] = []
    for binding in KeyTable.bindings where binding.context != .slash {
      let heading = binding.context.heading
      if !sections.contains(where: { $0.heading == heading }) {
        sections.append(Section(heading: heading, keys: []))
      }
      guard let at = sections.firstIndex(where: { $0.heading == heading }),
        !sections[at].keys.contains(where: { $0.help == binding.help })
      else { continue }
      sections[at].keys.append((label(heading, binding.help), binding.help))
    }
    return sections
  }()

  /// Every key below a heading that has this line.
  private static func label(_ heading: String, _ help: String) -> String {
    let same = KeyTable.bindings.filter { $0.context.heading == heading && $0.help == help }
    var keys: [Key] = []
    for key in same.flatMap(\.keys) where !keys.contains(key) { keys.append(key) }
    // Of one kind beside each other: arrows, those with Ctrl, those with Alt.
    let sorted = keys.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
    return (same.map(\.gesture).filter { !$0.isEmpty } + [Key.names(sorted.map(\.element))])
      .filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private static func rank(_ key: Key) -> Int {
    switch key {
    case .left, .right, .up, .down: 0
    case .wordLeft, .wordRight: 2
    case .control: 3
    case .alt: 4
    default: 1
    }
  }

  /// One line of the screen; nothing in it is a blank one.
  struct Line { var heading, key, text: String? }

  /// - Parameters:
  ///   - first: headings that come before the others.
  ///   - keyWidth: columns that keys may take.
  ///   - width: columns that what they do may take.
  static func lines(first: [String], keyWidth: Int, width: Int, besideKeys: Bool) -> [Line] {
    func entry(_ keys: String, _ help: String) -> [Line] {
      let keys = TextWidth.wrapped(keys, keyWidth), texts = TextWidth.wrapped(help, width)
      guard besideKeys else { return keys.map { Line(key: $0) } + texts.map { Line(text: $0) } }
      return (0..<max(keys.count, texts.count)).map { i in
        Line(key: i < keys.count ? keys[i] : nil, text: i < texts.count ? texts[i] : nil)
      }
    }
    var list: [Line] = []
    let here = first.filter { $0 != KeyContext.everywhere.heading }
    func rank(_ section: Section) -> Int { here.firstIndex(of: section.heading) ?? here.count }
    let ordered = sections.enumerated().sorted { a, b in
      (rank(a.element), a.offset) < (rank(b.element), b.offset)
    }
    for section in ordered.map(\.element) {
      list.append(Line(heading: section.heading))
      list += section.keys.flatMap { entry($0.key, $0.help) }
      list.append(Line())
    }
    list.append(Line(heading: KeyContext.slash.heading))
    return list + KeyTable.slash.flatMap { entry("/\($0.name) \($0.argument)", $0.help) }
  }
}
