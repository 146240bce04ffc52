import ArgumentParser
import SessionLog

/// A command that a mistyped word may have meant.
enum Suggestion {
  /// Throws a `ValidationError` where the first words name no command: `vugen imagin` is not the studio with a session of
  /// that name, unless there is one.
  static func check(_ arguments: [String], sessions: () -> [String]) throws {
    var command: any ParsableCommand.Type = Vugen.self
    for word in arguments {
      let children = command.configuration.subcommands
      guard !children.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      if let child = children.first(where: { self.name(of: $0) == word }) {
        command = child
        continue
      }
      // A session's name, or its beginning or end, is what the studio opens.
      let isRoot = ObjectIdentifier(command) == ObjectIdentifier(Vugen.self), all = isRoot ? sessions() : []
      if isRoot,
        word == "last" || !word.isEmpty && all.contains(where: { $0.hasPrefix(word) || $0.hasSuffix(word) })
      {
        return
      }
      let meant = nearest(to: word, of: children.map { self.name(of: $0) })
      guard isRoot || meant != nil else { return }
      throw ValidationError(
        "there is no command '\(word.message)'; "
          + (meant.map { "did you mean \($0)?" } ?? "vugen --help lists them."))
    }
  }

  private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }

  /// The name that fewest changes lead to; nil where even those are many.
  static func nearest(to word: String, of names: [String]) -> String? {
    let best = names.map { ($0, distance(word.lowercased(), $0)) }.min { $0.1 < $1.1 }
    guard let (name, changes) = best, changes <= 2, 2 * changes < max(word.count, name.count) else {
      return nil
    }
    return name
  }

  /// Letters put in, left out, exchanged for others or swapped with their neighbour.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
