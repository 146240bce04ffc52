import Foundation
import Pictures

// Settings in texts: AUTOMATIC1111's and those of the many programs that write as it does, InvokeAI's first ones,
// and keys of their own.
extension ForeignSettings {
  /// Prompt, then "Negative prompt: …", then a line "Steps: 20, Sampler: …, CFG scale: 7, Seed: 1, …".
  init?(parameters text: String, beside texts: [PNGText]) {
    let lines = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard let last = lines.lastIndex(where: { $0.trimmingCharacters(in: .whitespaces).hasPrefix("Steps: ") })
    else { return nil }
    let values = Self.values(lines[last])
    self.init(program: Self.program(values, beside: texts))
    let mark = "Negative prompt:", body = lines[..<last]
    let negativeLine = body.firstIndex { $0.hasPrefix(mark) }
    prompt = body[..<(negativeLine ?? last)].joined(separator: "\n")
    negative = negativeLine.map { at in
      ([body[at].dropFirst(mark.count)] + body[(at + 1)...]).joined(separator: "\n")
    }
    func value(_ name: String) -> String? { values.first { $0.0.lowercased() == name }?.1 }
    take(seed: value("seed"), scale: value("cfg scale"), steps: value("steps"))
    // Forge's name, and that of stable-diffusion.cpp.
    distilledGuidance = value("distilled cfg scale") ?? value("guidance")
    let used: Set = ["seed", "cfg scale", "steps"]
    others = values.filter { !used.contains($0.0.lowercased()) }
    // What stands below is no prompt either, such as a template that it was made of.
    others += lines[(last + 1)...].compactMap { line in
      let pair = line.split(separator: ":", maxSplits: 1)
      return pair.count == 2 ? (String(pair[0]), pair[1].trimmingCharacters(in: .whitespaces)) : nil
    }
  }

  /// `name: value` by commas; values in quotes may hold both, and so may lists and objects of JSON.
  static func values(_ line: some StringProtocol) -> [(String, String)] {
    var rest = Substring(line), found: [(String, String)] = []
    while let colon = rest.firstIndex(of: ":") {
      // What stands before a comma belongs to nothing: a name holds none.
      let words = rest[..<colon].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      let name = words.last ?? ""
      found += words.dropLast().filter { !$0.isEmpty }.map { ("also", $0) }
      rest = rest[rest.index(after: colon)...].drop { $0 == " " }
      let end = endOfValue(rest)
      let value = rest[..<end].trimmingCharacters(in: .whitespaces)
      found.append((name, unquoted(value)))
      rest = rest[end...].drop { $0 == "," || $0 == " " }
    }
    return found
  }

  private static func endOfValue(_ text: Substring) -> Substring.Index {
    var depth = 0, isQuoted = false, isEscaped = false
    let nests = text.first == "{" || text.first == "[", startsQuoted = text.first == "\""
    for (at, c) in zip(text.indices, text) {
      if isEscaped {
        isEscaped = false
      } else if isQuoted {
        if c == "\\" { isEscaped = true } else if c == "\"" { isQuoted = false }
      } else if c == "\"", nests || (startsQuoted && at == text.startIndex) {
        isQuoted = true
      } else if nests, c == "{" || c == "[" {
        depth += 1
      } else if nests, c == "}" || c == "]" {
        depth -= 1
      } else if c == ",", depth <= 0, !goesOn(text[..<at], behind: text[text.index(after: at)...]) {
        return at
      }
    }
    // A quote that is never closed hides nothing.
    return isQuoted ? (text.firstIndex(of: ",") ?? text.endIndex) : text.endIndex
  }

  /// Whether a comma is a part of the value before it: that of `7,5`, and one that no further `name: value` follows.
  private static func goesOn(_ value: Substring, behind rest: Substring) -> Bool {
    let next = rest.prefix { $0 != "," }
    guard !next.contains(":"), !next.allSatisfy(\.isWhitespace) else { return false }
    let isNumber = value.allSatisfy { $0.isNumber || "+-. ".contains($0) }
    return !isNumber || next.allSatisfy(\.isNumber)
  }

  private static func unquoted(_ value: String) -> String {
    guard value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else { return value }
    return (try? JSONDecoder().decode(String.self, from: Data(value.utf8)))
      ?? String(value.dropFirst().dropLast())
  }

  private static func program(_ values: [(String, String)], beside texts: [PNGText]) -> String {
    func value(_ name: String) -> String { values.first { $0.0 == name }?.1 ?? "" }
    let version = value("Version")
    if let app = values.first(where: { $0.0 == "App" })?.1, !app.isEmpty { return app }
    if texts.contains(where: { $0.key == "parameters-json" || $0.key == "smproj" }) {
      return "Stability Matrix"
    }
    if version.contains("VUGEN Studio") { return "VUGEN Studio" }
    if version.contains("stable-diffusion.cpp") { return "stable-diffusion.cpp" }
    for name in ["ComfyUI", "Fooocus", "SwarmUI", "InvokeAI", "SD.Next"] where version.contains(name) {
      return name
    }
    // Forge numbers itself f2.0.1v1.10.1, or neo.
    if version.wholeMatch(of: #/(f\d.*|neo.*)/#) != nil || version.contains("forge") { return "Forge" }
    if version.isEmpty, values.contains(where: { $0.0.hasPrefix("Civitai") }) { return "Civitai" }
    return "AUTOMATIC1111"
  }

  /// InvokeAI before version 2.3: `"a prompt [what not]" -s 50 -S 1234 -C 7.5 -A k_lms`.
  init?(dream text: String) {
    guard let open = text.firstIndex(of: "\""), let close = text.lastIndex(of: "\""), open < close else {
      return nil
    }
    self.init(program: "InvokeAI")
    (prompt, negative) = Self.bracketed(String(text[text.index(after: open)..<close]))
    let words = text[text.index(after: close)...].split(separator: " ")
    for (i, option) in words.enumerated() where option.hasPrefix("-") {
      // A letter, and its value behind it or as the next word: `-s50`, `-s 50`.
      let letter = option.hasPrefix("--") ? option : option.prefix(2)
      let value = letter.count < option.count ? option.dropFirst(2) : words.dropFirst(i + 1).first ?? ""
      switch letter {
      case "-s": take(steps: String(value))
      case "-S": take(seed: String(value))
      case "-C": take(scale: String(value))
      default: others.append((String(letter.drop { $0 == "-" }), String(value)))
      }
    }
  }

  /// InvokeAI's old way: what a picture should not show stands in brackets.
  static func bracketed(_ text: String) -> (prompt: String, negative: String?) {
    let inside = text.matches(of: #/\[([^\[\]]*)\]/#).map { String($0.1) }
    guard !inside.isEmpty else { return (text, nil) }
    return (text.replacing(#/\s*\[[^\[\]]*\]/#, with: ""), inside.joined(separator: ", "))
  }

  /// A key for each setting, as Easy Diffusion writes them, and NovelAI's `Description`.
  init?(keys texts: [PNGText]) {
    let values = Dictionary(texts.map { ($0.key, JSONValue.text($0.value)) }) { first, _ in first }
    let names = Set(values.keys.map(Self.normalized))
    guard names.contains("prompt"),
      !names.isDisjoint(with: ["seed", "numinferencesteps", "guidancescale", "steps"])
    else { return nil }
    self.init(fields: .object(values))
    program =
      !names.isDisjoint(with: ["numinferencesteps", "usestablediffusionmodel", "stablediffusionmodel"])
      ? "Easy Diffusion" : values["Software"]?.text ?? "another program"
  }
}
