extension KeyTable {
  /// What other programs call commands, and where that is done here.
  private static let elsewhere: [([String], String)] = [
    (
      ["delete", "del", "remove", "rm", "trash"],
      "d in the gallery deletes a picture, Delete in /sessions a session, /undo the last request"
    ),
    (["copy", "yank", "clipboard"], "Alt-C copies the last answer; w in the gallery saves a picture"),
    (["clear", "reset", "clean"], "/new starts an empty session"),
    (["open", "load", "attach", "file", "upload"], "/image attaches a picture, /sessions opens a session"),
    (["ask", "chat", "question"], "Tab switches to questions"),
    (["draw", "generate", "paint", "make"], "/imagine draws"),
    (["history", "prompts"], "Ctrl-R searches earlier prompts"),
    (["settings", "config", "options", "set", "inspector"], "F2 shows the settings"),
    (["guidance", "scale"], "/cfg sets the guidance"),
    (["star", "mark", "favourite", "favorite"], "the period key in the gallery stars a picture"),
    (["write", "download"], "/save writes a picture, /export the session"),
    (["list", "ls", "resume", "switch"], "/sessions lists the sessions"),
    (["name", "title"], "/rename gives the session a title"),
    (["cancel", "abort", "kill"], "/stop stops the running request"),
    (["view", "show", "zoom", "pictures", "images"], "/gallery shows the pictures"),
    (["keys", "commands"], "/help lists every key and command"),
    (["describe", "what"], "/caption describes a picture"),
  ]

  /// What may have been meant by a command that there is not: a nearby name, or where such a thing is done.
  static func advice(onUnknown name: String) -> String? {
    // A word that is known from elsewhere says more than a name that looks like it.
    if let found = elsewhere.first(where: { $0.0.contains(name) }) { return found.1 }
    func said(_ binding: Binding) -> String { "did you mean /\(binding.name)?" }
    if let begun = slash.first(where: { $0.name.hasPrefix(name.prefix(3)) }) { return said(begun) }
    guard (3...Vocabulary.longestWord).contains(name.count) else { return nil }
    let near = slash.map { ($0, Vocabulary.slips(from: name, to: $0.name)) }.min { $0.1 < $1.1 }
    if let near, near.1 <= 2, 2 * near.1 < name.count { return said(near.0) }
    return nil
  }
}
