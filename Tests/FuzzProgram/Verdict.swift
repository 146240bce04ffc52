import Foundation

/// What is wrong with how a run ended; empty where nothing is.
struct Verdict {
  let start: Start
  let found: Observation
  let line: [[UInt8]]

  /// What it prints is lost.
  private var isUnread: Bool { isJSON && start.output == "/dev/null" }
  private var isJSON: Bool { line.prefix { $0 != Array("--".utf8) }.contains(Array("--json".utf8)) }
  private var errors: [Substring] {
    // libgomp complains of its variables before the program begins.
    String(decoding: found.errors, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .dropLast().filter { !$0.isEmpty && !$0.hasPrefix("libgomp: ") }
  }

  var faults: [String] {
    var list: [String] = []
    if found.hung { list.append("it hangs") }
    if !found.hung, found.signal != 0, !(found.wasInterrupted && found.signal == SIGINT) {
      list.append("ended by signal \(found.signal)")
    }
    if found.signal == 0, ![0, 1, 2, 130].contains(found.status) {
      list.append("exit status \(found.status)")
    }
    if found.peakKilobytes > start.memory { list.append("took \(found.peakKilobytes / 1000) MB") }
    return list + textFaults + (found.signal == 0 && !found.wasInterrupted ? failureFaults : []) + leftovers
  }

  /// What must not be read in any message.
  private var textFaults: [String] {
    let text = String(decoding: found.errors, as: UTF8.self)
    var list = [
      "Fatal error", "Stack trace", "Backtrace", "The operation couldn", "The operation could not",
      "Error Domain=", "DecodingError", "keyNotFound", "typeMismatch", "dataCorrupted", "Optional(",
      "NSCocoa",
      "swift_",
    ].filter(text.contains).map { "standard error says '\($0)'" }
    if String(validating: found.errors, as: UTF8.self) == nil { list.append("standard error is no UTF-8") }
    let isControl = text.unicodeScalars.contains { scalar in
      scalar != "\n" && (scalar.value < 32 || (127..<160).contains(scalar.value))
    }
    if isControl { list.append("control characters on standard error") }
    if errors.contains(where: { $0.utf8.count > 8000 }) {
      list.append("a message of \(text.utf8.count) bytes")
    }
    return list
  }

  /// A failure says so: in one line, or with `--json` in one object.
  private var failureFaults: [String] {
    let isUsage = found.status == 2
    guard found.status == 1 || isUsage else { return okFaults }
    if isUnread { return [] }
    if isJSON, start.output == nil {
      let last = found.output.split(separator: 10).last.map { Data($0) } ?? Data()
      let object = try? JSONSerialization.jsonObject(with: last) as? [String: Any]
      if object == nil { return ["--json: the failure is no object on standard output"] }
      return object?["error"] == nil && isUsage ? ["--json: no error in the object"] : []
    }
    // Where standard output takes no object, it is said on the other, but not how the command is used.
    let isHelped = isUsage && !isJSON
    let marked = errors.filter { $0.hasPrefix("vugen: ") }
    if marked.isEmpty { return ["a failure without a word"] }
    if isHelped { return marked.count == 1 ? repeated(marked[0]) : ["\(marked.count) errors"] }
    if marked.count != errors.count { return ["\(errors.count - marked.count) lines that are no message"] }
    return marked.flatMap(repeated)
  }

  /// A path is named once.
  private func repeated(_ message: Substring) -> [String] {
    if message.hasPrefix("vugen: : ") { return ["an empty path is named"] }
    let paths = line.map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("in/") }
    return paths.filter { message.components(separatedBy: $0 + ":").count > 2 }.map { "\($0) is named twice" }
  }

  private var okFaults: [String] {
    guard found.status == 0, isJSON, start.output == nil,
      !line.contains(where: { ["--help", "-h", "--version"].map { Array($0.utf8) }.contains($0) })
    else { return [] }
    let bad = found.output.split(separator: 10).contains {
      (try? JSONSerialization.jsonObject(with: Data($0), options: .fragmentsAllowed)) == nil
    }
    return bad ? ["--json: standard output is not JSON"] : []
  }

  /// Temporary files.
  private var leftovers: [String] {
    var list: [String] = []
    let names = FileManager.default.enumerator(atPath: start.folder)
    while let name = names?.nextObject() as? String {
      let isPartial = name.hasSuffix(".partial") || name.hasSuffix(".old")
      if isPartial || name.hasPrefix("tmp/") { list.append(name) }
    }
    return list.first.map { ["left behind: \(list.count) files, such as \($0)"] } ?? []
  }
}
