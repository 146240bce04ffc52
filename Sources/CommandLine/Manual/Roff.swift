/// Lines of a manual page, with everything that means something to roff escaped.
struct Roff {
  private(set) var text = ""

  mutating func title(_ line: String) { text += line + "\n" }
  mutating func section(_ name: String) { text += ".SH \(name)\n" }
  mutating func subsection(_ name: String) { text += ".SS \"\(Self.escaped(name))\"\n" }

  /// A paragraph of running text.
  mutating func paragraph(_ prose: String) { text += ".PP\n" + Self.filled(prose) }

  /// What follows the heading of a section at once.
  mutating func prose(_ prose: String) { text += Self.filled(prose) }

  /// A term in bold, with its value's name in italics behind it, and below it what it means.
  mutating func entry(_ term: String, value: String = "", _ meaning: String) {
    text += ".TP\n"
    text +=
      value.isEmpty
      ? ".B \(Self.escaped(term))\n" : ".BI \"\(Self.escaped(term)) \" \(Self.escaped(value))\n"
    text += Self.filled(meaning)
  }

  /// Lines as they are typed.
  mutating func example(_ lines: [String]) {
    text += ".PP\n.nf\n.RS 4\n" + lines.map { Self.line($0) + "\n" }.joined() + ".RE\n.fi\n"
  }

  /// Words in lines of less than 80 columns.
  private static func filled(_ prose: String) -> String {
    var lines: [String] = [], current = ""
    for word in prose.split(whereSeparator: \.isWhitespace) {
      if !current.isEmpty, current.utf8.count + word.utf8.count > 70 {
        lines.append(current)
        current = ""
      }
      current += (current.isEmpty ? "" : " ") + word
    }
    if !current.isEmpty { lines.append(current) }
    return lines.map { line($0) + "\n" }.joined()
  }

  /// A dot or an apostrophe at its beginning would be a request.
  private static func line(_ text: String) -> String {
    let line = escaped(text)
    return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("\"", with: "\\(dq")
      .replacing("'", with: "\\(aq").replacing("`", with: "\\(ga")
  }
}
