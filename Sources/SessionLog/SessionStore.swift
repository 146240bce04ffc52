import Files
import Foundation
import Requests

/// What keeps a session from being read or written, in one line.
public struct SessionError: Error, CustomStringConvertible, Equatable {
  /// What and where.
  public let reason: String
  /// What to do, where that is not the reason's part.
  public let advice: String?
  /// What and where, and what to do.
  public var description: String { advice.map { "\(reason); \($0)" } ?? reason }
  /// Whether another program writes the session now.
  public let isLocked: Bool

  /// An error in one line.
  public init(_ reason: String, advice: String? = nil, isLocked: Bool = false) {
    (self.reason, self.advice, self.isLocked) = (reason, advice, isLocked)
  }
}

/// All sessions of a person: a folder each.
///
///     SESSIONS/20261124-101530-k3f9/log.jsonl        an entry a line, appended
///                                   pictures/HASH.png
///                                   lock
public struct SessionStore: Sendable {
  /// Where the sessions' folders lie; it need not be there yet.
  public let folder: String

  /// The sessions of a folder.
  public init(folder: String) { self.folder = folder }

  /// `$XDG_DATA_HOME/vugen/sessions`.
  public static func standard(environment: [String: String] = ProcessInfo.processInfo.environment)
    -> SessionStore
  {
    SessionStore(folder: Paths.data(environment) + "/sessions")
  }

  /// The folder of a session, whether it is there or not.
  public func folder(of id: String) -> String { "\(folder)/\(id)" }

  /// One line of a list of sessions.
  public struct Summary: Codable, Sendable, Equatable {
    /// The folder's name; ids sort by the time at which sessions began.
    public var id: String
    /// The name that a person gave it, or how it begins.
    public var title: String
    /// Seconds since 1970 of the first entry, and of the last that is a use.
    public var begun, changed: Double
    /// Requests, and different pictures that are shown: drawn, attached or asked about, as in the gallery.
    public var messages, pictures: Int
    /// Lines of its log that cannot be read.
    public var damaged: Int
    /// Pictures whose files are not there.
    public var missing: Int
    /// Prompts that a studio left which was killed, as long as nobody has asked them again or dropped them.
    public var unfinished = 0
    /// The first that was drawn or attached.
    public var firstPicture: PictureID?
    /// Words of its prompts, each once and in lower case: what a list can be searched for beside the title.
    public var words: [String] = []

    private enum CodingKeys: String, CodingKey {
      case id, title, begun, changed, messages, pictures, damaged, missing, unfinished, firstPicture
    }

    /// When it was used last, as clocks here say it: "2026-11-24 10:15".
    public var changedText: String { Self.text(of: changed) }

    /// When it was begun, in the same way.
    public var begunText: String { Self.text(of: begun) }

    private static func text(of time: Double) -> String {
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.dateFormat = "yyyy-MM-dd HH:mm"
      return formatter.string(from: Date(timeIntervalSince1970: time))
    }

    /// "3 prompts, 1 picture", how many of those prompts were not finished, how many lines are damaged, and how many
    /// pictures are missing.
    public var contents: String {
      func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
      let damage = damaged > 0 ? ", damaged: \(counted(damaged, "line"))" : ""
      let gone = missing > 0 ? ", missing: \(counted(missing, "picture"))" : ""
      let left = unfinished > 0 ? ", unfinished: \(counted(unfinished, "prompt"))" : ""
      return "\(counted(messages, "prompt")), \(counted(pictures, "picture"))\(left)\(damage)\(gone)"
    }
  }

  /// Ids, the one that was used last first: whatever lists sessions does so in this order.
  public func ids() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let used = names.compactMap { name -> (Double, String)? in
      let log = "\(folder)/\(name)/log.jsonl"
      // One without a byte is what a full disk left of a session that could not be begun.
      guard let status = FileName.status(log), status.st_mode & S_IFMT != S_IFREG || status.st_size > 0 else {
        return nil
      }
      return (LastUse.of(log), name)
    }
    return used.sorted(by: >).map(\.1)
  }

  /// Sessions, the one that was used last first; one that cannot be read is left out.
  public func summaries() -> [Summary] { ids().compactMap { try? summary(of: $0) } }

  /// What a list says of a session. Throws `SessionError` where there is none of this id.
  public func summary(of id: String) throws -> Summary {
    let found = try contents(of: id), goesOn = found.isNewer || isOpen(id)
    let entries = found.entries.told(whileOpen: goesOn)
    let changed = found.isDated ? found.lastTime : LastUse.written("\(folder(of: id))/log.jsonl")
    var title = "", messages = 0, first: PictureID?, pictures: Set<PictureID> = []
    let repeated = entries.repeatedPrompts
    var words = PromptWords()
    for entry in entries.shown {
      first = first ?? entry.event.pictures.first
      pictures.formUnion(entry.event.pictures)
      switch entry.event {
      case .renamed(let name): if !name.isEmpty { title = name }
      case .asked(_, let asked, _, _, let written):
        let text = written ?? asked
        messages += 1
        words.note(text)
        if title.isEmpty { title = SessionTitle.cleaned(text) }
      case .drawingAsked(let request, let settings, _, _, _):
        if !repeated.contains(request) { messages += 1 }
        words.note(settings.prompt)
        if title.isEmpty { title = SessionTitle.cleaned(settings.prompt) }
      default: break
      }
    }
    return Summary(
      id: id,
      title: title.isEmpty ? found.lost > 0 ? "damaged session" : "empty session" : String(title.prefix(80)),
      begun: entries.first?.time ?? changed, changed: changed, messages: messages,
      pictures: pictures.count, damaged: found.lost,
      missing: pictures.compactMap(\.stored).count { !holds($0, of: id) },
      unfinished: goesOn ? 0 : UnfinishedRequests(found.entries).promptsLeft,
      firstPicture: first, words: words.all.map(String.init).sorted())
  }

  /// The id that a person means: whole, or an unambiguous beginning or end, or "last"; or by the whole title that only one
  /// session has. Throws `SessionError`.
  ///
  /// - Parameter byEnd: whether an end will do; not for what deletes.
  public func resolve(_ name: String, byEnd: Bool = true) throws -> String {
    try resolve(name, byEnd: byEnd, "session", listedBy: "sessions list")
  }

  /// - Parameters:
  ///   - kind: what a session of this store is called.
  ///   - list: the command that shows them.
  private func resolve(_ name: String, byEnd: Bool, _ kind: String, listedBy list: String) throws -> String {
    let all = ids()
    guard !name.allSatisfy(\.isWhitespace) else {
      throw SessionError(
        "no \(kind) is named; 'vugen \(list)' shows them all, and 'last' is the one used last")
    }
    if name == "last" {
      guard let first = all.first else {
        throw SessionError("\(folder): there are no sessions yet; vugen begins one")
      }
      // One in which nothing was said is nobody's last.
      return all.first { (try? contents(of: $0).hasContent) ?? false } ?? first
    }
    if all.contains(name) { return name }
    var fitting = all.filter { $0.hasPrefix(name) || byEnd && $0.hasSuffix(name) }
    // What a list shows beside the id, whole.
    if fitting.isEmpty { fitting = summaries().filter { $0.title == name }.map(\.id) }
    guard fitting.count == 1 else {
      throw SessionError(
        fitting.isEmpty
          ? "no \(kind) has the id or the title '\(name)'; vugen \(list) shows them all"
          : "'\(name)' matches \(fitting.count) \(kind)s: \(fitting.prefix(4).joined(separator: ", "))"
            + (fitting.count > 4 ? ", …" : "") + "; type more of one")
    }
    return fitting[0]
  }

  /// Where the session lies that a person names to have it played: a folder that holds one's files, wherever it is, or one
  /// of the person's own, as `resolve` finds it. Throws `SessionError`.
  public static func located(_ name: String, among own: SessionStore = .standard()) throws -> (
    store: SessionStore, id: String
  ) {
    if FileName.exists(name + "/log.jsonl"), FileName.isFolder(name) {
      let url = URL(fileURLWithPath: name).standardizedFileURL
      return (SessionStore(folder: url.deletingLastPathComponent().path), url.lastPathComponent)
    }
    return (own, try own.resolve(name))
  }

  /// A session's entries. A line that cannot be read is left out and counted: a cut or damaged line costs itself
  /// alone. Throws `SessionError` where there is no such session.
  public func read(_ id: String) throws -> (entries: [SessionEntry], lost: Int) {
    let found = try contents(of: id)
    return (found.entries, found.lost)
  }

  /// All that a session's log holds. Throws `SessionError` where there is no such session.
  public func contents(of id: String) throws -> SessionContents {
    let path = "\(folder(of: id))/log.jsonl"
    guard FileName.exists(path) else {
      throw SessionError("\(path): no such session; vugen sessions list shows them all")
    }
    if let kind = FileName.status(path)?.st_mode, kind & S_IFMT != S_IFREG {
      let what = kind & S_IFMT == S_IFDIR ? "a folder" : "not a plain file"
      throw SessionError("\(path): this is \(what), where the session's log should be; move it away")
    }
    do { return SessionContents(try FileName.contents(ofPlain: path)) } catch {
      throw SessionError("\(error)")
    }
  }

  /// Why no session can be written here, in one line; nil where one can.
  public var obstacle: String? {
    do {
      try FileName.makeFolder(folder)
    } catch {
      return Self.obstacle(error, folder)
    }
    if access(folder, W_OK | X_OK) != 0 { return "\(folder): \(String(cString: strerror(errno)))" }
    return isFull ? "\(folder): \(String(cString: strerror(ENOSPC)))" : nil
  }

  /// Whether there is no room at all where sessions are kept, as far as the system tells.
  public var isFull: Bool {
    var place = folder
    while !place.isEmpty, !FileName.exists(place), FileName.parent(of: place) != place {
      place = FileName.parent(of: place)
    }
    var disk = statvfs()
    guard FileName.withPath(place, { statvfs($0, &disk) }) == 0, disk.f_blocks > 0 else { return false }
    let blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail
    return blocks == 0 || disk.f_files > 0 && disk.f_ffree == 0
  }

  /// Why a folder cannot be made, in words: what stands in its way, where it is known.
  static func obstacle(_ error: any Error, _ folder: String) -> String {
    guard let error = error as? FileAccessError else {
      return "\(folder): cannot be created: \(FileName.reason(of: error))"
    }
    return FileName.exists(error.path) ? "\(error.path): this is no folder" : "\(error)"
  }

  /// The bytes of a picture. Throws `SessionError`.
  public func picture(_ hash: String, of id: String) throws -> Data {
    let path = "\(folder(of: id))/pictures/\(hash).png"
    guard hash.allSatisfy(\.isHexDigit), let data = try? FileName.contents(ofPlain: path) else {
      throw SessionError("\(path): the picture is missing")
    }
    return data
  }

  /// Whether a picture's file is there.
  public func holds(_ hash: String, of id: String) -> Bool {
    FileName.exists("\(folder(of: id))/pictures/\(hash).png")
  }

  /// Days for which a deleted session can be brought back.
  public static let daysKept = 30
  private var deleted: String { folder + "/.deleted" }

  /// Lays a session aside, and removes for good what has lain there for `daysKept`. Throws `SessionError`.
  public func delete(_ id: String, now: Date = Date()) throws {
    let manager = FileManager.default
    let place = "\(deleted)/\(id)"
    for old in (try? manager.contentsOfDirectory(atPath: deleted)) ?? [] {
      let attributes = try? manager.attributesOfItem(atPath: "\(deleted)/\(old)")
      guard let laid = attributes?[.modificationDate] as? Date else { continue }
      if now.timeIntervalSince(laid) > Double(Self.daysKept) * 86_400 {
        try? manager.removeItem(atPath: "\(deleted)/\(old)")
      }
    }
    do {
      try FileName.makeFolder(deleted, mode: 0o700)
      // One of the same name that was deleted earlier stays, under another: the name means the newest.
      if manager.fileExists(atPath: place) {
        var number = 2
        while manager.fileExists(atPath: "\(place).\(number)") { number += 1 }
        try manager.moveItem(atPath: place, toPath: "\(place).\(number)")
      }
      try manager.moveItem(atPath: folder(of: id), toPath: place)
      // The days count from now.
      try? manager.setAttributes([.modificationDate: now], ofItemAtPath: place)
    } catch {
      throw SessionError("\(folder(of: id)): cannot be removed: \(FileName.reason(of: error))")
    }
  }

  /// Deleted sessions that can be brought back, the newest first.
  public func deletedIDs() -> [String] { SessionStore(folder: deleted).ids() }

  /// What a list says of a deleted session; nil for one that cannot be read.
  public func deletedSummary(of id: String) -> Summary? { try? SessionStore(folder: deleted).summary(of: id) }

  /// The session that was laid aside last.
  public var lastDeleted: String? { deletedIDs().max { laid($0) < laid($1) } }

  /// When a session was laid aside.
  private func laid(_ id: String) -> Date {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(deleted)/\(id)")
    return attributes?[.modificationDate] as? Date ?? .distantPast
  }

  /// Sessions of the same name that were deleted one after the other, as they are listed, the last one first; one alone
  /// where the name was deleted once.
  public func deletedAlike(_ id: String) -> [String] {
    let alike = deletedIDs().filter { other in
      other == id || other.hasPrefix(id + ".") && Int(other.dropFirst(id.count + 1)) != nil
    }
    return alike.sorted { (laid($0), $1) > (laid($1), $0) }
  }

  /// Brings a deleted session back; its id may be shortened as in `resolve`, and means the one that was deleted last where
  /// several had it. Throws `SessionError`.
  public func undelete(_ name: String) throws -> String {
    guard !deletedIDs().isEmpty else {
      throw SessionError(
        "\(deleted): holds no deleted session; vugen sessions list shows those that are there")
    }
    let id = try resolveDeleted(name), newest = deletedAlike(id).first ?? id
    guard !FileManager.default.fileExists(atPath: folder(of: id)) else {
      throw SessionError("\(id): a session of this name exists; delete it first")
    }
    do {
      try FileManager.default.moveItem(atPath: "\(deleted)/\(newest)", toPath: folder(of: id))
    } catch {
      throw SessionError("\(deleted)/\(newest): cannot be brought back: \(FileName.reason(of: error))")
    }
    return id
  }

  /// The beginning or the end of one name names it, however often it was deleted; that of several is refused with all of
  /// them.
  private func resolveDeleted(_ name: String) throws -> String {
    let all = deletedIDs()
    let fitting = all.filter { $0.hasPrefix(name) || $0.hasSuffix(name) }
    let newest = fitting.filter { id in !fitting.contains { $0 != id && deletedAlike($0).contains(id) } }
    guard newest.count == 1, !name.allSatisfy(\.isWhitespace), name != "last" else {
      return try SessionStore(folder: deleted).resolve(
        name, byEnd: true, "deleted session", listedBy: "sessions undelete")
    }
    return newest[0]
  }
}

/// Words of a session's prompts: as many as a list needs, of however long a session.
private struct PromptWords {
  private(set) var all: Set<Substring> = []

  mutating func note(_ prompt: String) {
    guard all.count < 2000 else { return }
    all.formUnion(prompt.prefix(2000).lowercased().split { !$0.isLetter && !$0.isNumber })
  }
}
