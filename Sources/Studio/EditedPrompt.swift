import Files
import Foundation
import StudioUI

/// The prompt in an editor of the person's choice.
extension StudioEffects {
  func edit(_ text: String) -> [Action] {
    let environment = ProcessInfo.processInfo.environment
    let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? "vi"
    // A name that nobody can guess, and a file of one's own: temporary folders are shared.
    var name = Array((NSTemporaryDirectory() + "vugen-prompt-XXXXXX.txt").utf8CString)
    let file = mkstemps(&name, 4),
      path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if file >= 0 { close(file) }
    var isKept = false
    defer { if keptDraft == nil, !isKept { try? FileManager.default.removeItem(atPath: path) } }
    guard file >= 0, (try? text.write(toFile: path, atomically: false, encoding: .utf8)) != nil else {
      return [.toast("\(path): cannot be written", isError: true)]
    }
    StudioSignals.lendTerminal(true)
    defer { StudioSignals.lendTerminal(false) }
    screen.suspend()
    let status = ForegroundProgram.run("exec \(editor) \"$1\"", [path])
    let size = resized(screen.resume())
    let (found, overlong) = Self.text(in: path)
    isKept = overlong != nil
    let edited = found ?? text
    // Whatever the editor says of its end, it was ended.
    if StudioSignals.endSignal != 0 {
      keep(edited, in: path)
      return [size]
    }
    guard let status else { return [size, .toast("'\(editor)' cannot be run; set EDITOR", isError: true)] }
    if let problem = ForegroundProgram.problem(status) {
      return [size, .toast("'\(editor)' \(problem)", isError: true)]
    }
    guard let found else {
      let told = overlong ?? "'\(editor)' left no text that can be read; the prompt is as it was"
      return [size, .toast(told, isError: true)]
    }
    return [size, .edited(found.trimmingCharacters(in: .newlines))]
  }

  /// What an editor left; nil where that cannot be read, or is more than a prompt holds, with what is said of it.
  private static func text(in path: String) -> (found: String?, overlong: String?) {
    let bytes = FileName.status(path).map { Int($0.st_size) } ?? 0
    // What is surely too long is not read.
    if bytes <= 4 * PromptEditor.longest {
      let found = FileName.isSpecial(path) ? nil : try? String(contentsOfFile: path, encoding: .utf8)
      if found.map(PromptEditor.holds) ?? true { return (found, nil) }
    }
    let told = PromptEditor.refusal(of: "the text", bytes: bytes)
    return (nil, "\(told); it is kept in \(path), and the prompt is as it was")
  }

  /// The studio ends with its editor: what was written stays where that left it, beside what it saved itself, and Up brings
  /// it back.
  private func keep(_ text: String, in path: String) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines), name = FileName.last(of: path)
    let beside = (try? FileName.names(in: FileName.parent(of: path)))?.filter { $0.contains(name) } ?? []
    guard !text.isEmpty || beside.count > 1 else { return }
    if !text.isEmpty { PromptHistory.append(text) }
    keptDraft = "what was being written is kept in \(path)" + (text.isEmpty ? "" : ", and Up brings it back")
  }
}
