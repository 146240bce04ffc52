import Digests
import Engine
import Files
import Foundation
import Frames
import Requests
import SessionLog
import SessionSearch
import StudioUI
import Terminal

/// The session that is written, and those that can be opened in its place.
final class SessionRecorder {
  let store: SessionStore
  let source: PictureSource
  private(set) var session: SessionFile?
  /// The session that is shown and only read; nil where it is written.
  private var readID: String?
  /// The session that is shown.
  var openID: String? { session?.id ?? readID }
  /// Sessions that were left before the disk took all of them; it is tried again with whatever comes.
  private var unfinished: [SessionFile] = []
  /// By which model sessions are opened.
  private var opening: SessionEvent?
  /// The model that is loaded; nil before one is.
  var modelName: String? { if case .opened(let name, _, _)? = opening { name } else { nil } }
  private var loggedFullDisk = false
  /// How often it was said that the open session's log was taken away.
  private var toldRenewals = 0
  /// Pictures whose size the state knows.
  private var announced: Set<PictureID> = []

  /// - Parameters:
  ///   - session: nil where nothing is written.
  ///   - id: of the session that is shown.
  init(_ store: SessionStore, _ session: SessionFile?, _ source: PictureSource, id: String? = nil) {
    (self.store, self.session, self.source, readID) = (store, session, source, id)
    if let session { source.use(session.id) }
    // It is said where it is opened.
    loggedFullDisk = session.map { !$0.isBegun } ?? false && store.obstacle != nil
    noteLastWords()
  }

  /// What is said where no session can be written: why, and what to do; nil where one can.
  static func advice(_ store: SessionStore) -> String? {
    if store.isFull {
      return "the disk is full: what is new stays in memory until there is room in \(store.folder)"
    }
    return store.obstacle.map {
      "what is new stays in memory, since nothing can be written; set XDG_DATA_HOME to a folder that can be: \($0)"
    }
  }

  // MARK: Writing

  /// Writes an event and gives it back to be shown.
  func record(_ event: SessionEvent) -> [Action] {
    let entry = SessionEntry(time: Date().timeIntervalSince1970, event: event)
    var actions: [Action] = []
    if let session {
      adopt(entry.event, into: session)
      let isWritten = session.append(entry)
      if session.renewals > toldRenewals {
        toldRenewals = session.renewals
        actions.append(.toast(session.renewal, isError: true))
      }
      if !isWritten, !loggedFullDisk || entry.event.isResult {
        // Said again with each result: whoever goes on working is to know that it goes on.
        let text =
          loggedFullDisk
          ? "not written yet, and in memory only: \(Self.unwritten(of: session)); \(session.obstacle)"
          : "what is new stays in memory until it can be written: \(session.obstacle)"
        actions.append(.toast(text, isError: true))
      }
      if session.isBegun || !isWritten { loggedFullDisk = !isWritten }
      noteLastWords()
    }
    unfinished.removeAll { $0.end() }
    noteWaiting()
    return actions + [.session(entry.event)]
  }

  /// Keeps a picture's file where there is a session. Its content's hash is its name. Throws `DigestError`.
  func keep(_ png: [UInt8]) throws -> PictureID {
    // Where the disk is full the next event says so.
    let hash = try Digest.sha256(png)
    session?.keep(Data(png), as: hash)
    noteWaiting()
    return .hash(hash)
  }

  /// A model is there: with it the session is taken up.
  func opened(by facts: ModelFacts) -> [Action] {
    let event = SessionEvent.opened(
      model: facts.name, modelHash: facts.hash, program: "VUGEN Studio")
    opening = event
    return session == nil ? [] : record(event)
  }

  /// Pictures of other sessions, and new ones, become this one's with the first event that names them, so that it is
  /// whole by itself.
  private func adopt(_ event: SessionEvent, into session: SessionFile) {
    var named = event.pictures
    if case .starred(let picture, _) = event { named.append(picture) }
    for picture in named {
      guard let hash = picture.stored, !session.holds(hash) else { continue }
      // One that was altered meanwhile is no longer what the name says.
      if let png = source.bytes(of: picture), (try? Digest.sha256(png)) == hash {
        session.keep(png, as: hash)
      }
    }
  }

  private func noteWaiting() {
    var waiting: [PictureID: Data] = [:]
    for file in unfinished + [session].compactMap(\.self) {
      for (hash, png) in file.waitingPictures { waiting[.hash(hash)] = png }
    }
    source.setWaiting(waiting)
  }

  // MARK: The end

  /// What is said of the session where a signal kills the program.
  private func noteLastWords() {
    guard let session else { return Screen.setLastWords("nothing was being recorded") }
    guard session.isBegun || !session.waiting.isEmpty else {
      return Screen.setLastWords("nothing had been recorded yet")
    }
    let path = session.folder + "/log.jsonl"
    Screen.setLastWords(
      session.waiting.isEmpty
        ? "the session is safe in \(path)"
        : "\(Self.entries(session.waiting.count)) could not be written to \(path)")
  }

  /// What is said once the terminal is given back: that a signal ended the studio, and how to go on; that somebody took the
  /// session away meanwhile. A line each.
  func farewell(_ status: Int32) -> [String] {
    let renewed = session.flatMap { $0.renewals > toldRenewals ? $0.renewal : nil }
    return [renewed, ending(status)].compactMap(\.self)
  }

  private func ending(_ status: Int32) -> String? {
    let names = [SIGTERM: "SIGTERM", SIGHUP: "SIGHUP", SIGQUIT: "SIGQUIT"]
    guard let name = names[status - 128] else { return nil }
    guard let session else { return "ended by \(name); nothing was being recorded" }
    guard session.isBegun || !session.waiting.isEmpty else {
      return "ended by \(name); nothing had been recorded yet"
    }
    let isWhole = session.waiting.isEmpty && session.waitingPictures.isEmpty
    return "ended by \(name)"
      + (isWhole ? "; the session is saved: vugen studio \(session.id) takes it up" : "")
  }

  private static func unwritten(of file: SessionFile) -> String {
    let pictures = file.waitingPictures.count
    return "\(entries(file.waiting.count)), \(pictures) picture\(pictures == 1 ? "" : "s")"
  }

  static func entries(_ count: Int) -> String { "\(count) entr\(count == 1 ? "y" : "ies")" }

  /// What of the sessions the disk does not take, even now; nil where all is written.
  var unwritten: String? {
    let left = (unfinished + [session].compactMap(\.self)).filter { !$0.flush() }
    let lines = left.compactMap { file -> String? in
      guard file.waiting.count + file.waitingPictures.count > 0 else { return nil }
      return "not written: \(Self.unwritten(of: file)); \(file.obstacle)"
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  /// What is lost where the studio is left now, and what to do; nil where all is written.
  var leftInMemory: String? {
    let left = (unfinished + [session].compactMap(\.self)).filter { !$0.flush() }
    let pictures = left.reduce(0) { $0 + $1.waitingPictures.count }
    let entries = left.reduce(0) { $0 + $1.waiting.count }
    guard pictures + entries > 0 else { return nil }
    let isOne = max(pictures, 1) == 1 && (pictures > 0 || entries == 1)
    let what = pictures > 0 ? "\(pictures) picture\(isOne ? "" : "s")" : Self.entries(entries)
    // There is no room to make where no folder can be.
    let ways = [
      store.obstacle == nil || store.isFull ? "make room" : nil,
      pictures > 0 ? "/save \(isOne ? "it" : "them")" : nil,
    ].compactMap(\.self)
    let all = [ways.joined(separator: ", or ")].filter { !$0.isEmpty } + ["Ctrl-D again leaves"]
    return "\(what) \(isOne ? "is" : "are") not written; " + all.joined(separator: "; ")
  }

  // MARK: Another session

  /// Makes another session the open one; nil for one that is only read.
  ///
  /// - Parameters:
  ///   - request: the one that runs; the old session says that it was cancelled.
  ///   - told: what the person should know.
  ///   - id: of one that is only read.
  private func use(
    _ file: SessionFile?, _ entries: [SessionEntry], leaving request: Int?, _ told: String,
    isError: Bool = false, reading id: String? = nil
  ) -> [Action] {
    if let request {
      session?.append(
        SessionEntry(time: Date().timeIntervalSince1970, event: .cancelled(request: request)))
    }
    // Its lock goes with it.
    if let session, !session.end() { unfinished.append(session) }
    unfinished.removeAll { $0 === file }
    (session, readID, toldRenewals) = (file, id, file?.renewals ?? 0)
    if let file { source.use(file.id) }
    noteLastWords()
    noteWaiting()
    let isLeft = !unfinished.isEmpty
    let text = told + (isLeft ? "\nwhat could not be written of the one before is tried again" : "")
    let left = UnfinishedRequests(entries)
    file?.owe(left.owed)
    let isNew = file.map { !$0.isBegun && entries.isEmpty } ?? false
    return [.sessionOpened(isReadOnly: file == nil, text, isError: isError || isLeft, isNew: isNew)]
      + shown(file == nil ? entries : left.entries)
      + (file == nil ? [] : [.leftUnfinished(left.again, model: left.model, takenBack: left.takenBack)])
      + (file == nil ? [] : opening.map(record) ?? [])
  }

  func begin(leaving request: Int?) -> [Action] {
    let advice = Self.advice(store)
    loggedFullDisk = advice != nil
    return use(
      SessionFile(new: StudioSession.newID(), in: store), [], leaving: request, advice ?? "new session",
      isError: advice != nil)
  }

  func open(_ id: String, leaving request: Int?) -> [Action] {
    if let session, session.id == id { return [.toast("this session is open already", isError: false)] }
    do {
      let found = try store.contents(of: id)
      source.use(id)
      guard !found.isNewer else {
        let told = "read-only: a newer version of this program wrote it"
        return use(nil, found.entries, leaving: request, told, isError: true, reading: id)
      }
      // One that was left with something unwritten is still held.
      if let file = unfinished.first(where: { $0.id == id }) {
        let waiting = SessionContents(Data(file.waiting.joined())).entries
        return use(file, found.entries + waiting, leaving: request, "opened")
      }
      do {
        let file = try SessionFile(store, id: id)
        let damaged = "\(found.lost) \(found.lost == 1 ? "is" : "are") damaged"
        let lost = found.lost == 0 ? "" : ": \(Self.entries(found.entries.count)); \(damaged)"
        return use(file, found.entries, leaving: request, "opened\(lost)", isError: found.lost > 0)
      } catch let error as SessionError where error.isLocked {
        let told = "read-only: \(error.reason); leave it there and open it here again to write"
        return use(nil, found.entries, leaving: request, told, isError: true, reading: id)
      } catch {
        return use(nil, found.entries, leaving: request, "read-only: \(error)", isError: true, reading: id)
      }
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  // MARK: Reading

  /// What shows a session's entries, its pictures' sizes first.
  func shown(_ entries: [SessionEntry]) -> [Action] {
    entries.flatMap { entry in entry.event.pictures.compactMap(announced) + [.session(entry.event)] }
  }

  /// A picture's size, or that there is no such picture; nil where the state knows.
  func announced(_ hash: PictureID) -> Action? {
    guard !announced.contains(hash) else { return nil }
    guard let size = source.size(of: hash) else { return .pictureMissing(hash) }
    announced.insert(hash)
    return .pictureKnown(hash, Size(size.width, size.height))
  }

  /// A session that another studio does not write gets one more entry. Throws `SessionError`.
  func append(_ event: SessionEvent, to id: String) throws {
    let entry = SessionEntry(time: Date().timeIntervalSince1970, event: event)
    if let file = unfinished.first(where: { $0.id == id }) {
      file.append(entry)
      return
    }
    let file = try SessionFile(existing: id, in: store)
    defer { _ = file.end() }
    guard file.append(entry) else { throw SessionError(file.obstacle) }
  }

  func play(_ name: String) -> [Action] {
    do {
      let own = session.flatMap { $0.isBegun ? $0.id : nil }
      let id = try store.resolve(name == "last" ? own ?? "last" : name)
      source.use(id)
      return played(Replay(try store.contents(of: id).played(whileOpen: id != openID && store.isOpen(id))))
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  func played(_ replay: Replay) -> [Action] {
    replay.entries.flatMap(\.event.pictures).compactMap(announced) + [.played(replay)]
  }

  /// Writes the session that is shown to a file.
  ///
  /// - Parameters:
  ///   - typed: where to; empty for a name of the session's own.
  ///   - running: the request that the model works on.
  func export(_ format: String, to typed: String, running: Int?) -> [Action] {
    guard let openID, session.map(\.isBegun) ?? true else {
      return [.toast("there is nothing on the disk of this session yet", isError: true)]
    }
    var path = typed.isEmpty ? nil : TypedPath.resolve(typed)
    let isPlace = path.map(FileName.isFolder) ?? true
    if !isPlace, let given = path, SessionExport.format(ofName: given) == nil { path = "\(given).\(format)" }
    if !isPlace, let path, let objection = TypedPath.objection(toWriting: path) {
      return [.toast(objection, isError: true)]
    }
    do {
      let export = try SessionExport(store, openID) { _ in running }
      let place = isPlace ? export.name(format, in: path.map(TypedPath.folder) ?? "") : path ?? ""
      let written = try FileReservation.withName(place) { try export.write(format, to: $0) }
      let name = FileName.escaped(written)
      let told = (["wrote \(name)"] + export.damage).joined(separator: "\n")
      return [.toast(told, isError: !export.damage.isEmpty)]
    } catch {
      return [.toast(FileName.escaped("\(error)"), isError: true)]
    }
  }
}

/// Names for new sessions.
enum StudioSession {
  static func newID() -> String {
    SessionFile.newID(at: Date().timeIntervalSince1970, random: UInt32.random(in: 0..<1_679_616))
  }
}

extension SessionEvent {
  /// Whether a person has waited for it.
  fileprivate var isResult: Bool {
    switch self {
    case .drawn, .answered: true
    default: false
    }
  }
}
