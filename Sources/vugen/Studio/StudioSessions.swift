import Engine
import Foundation
import SessionLog
import StudioUI
import Terminal

/// What of the studio is about the session that is written.
extension StudioApp {
  /// Writes an event and shows it.
  func record(_ event: SessionEvent) {
    let entry = SessionEntry(time: Date().timeIntervalSince1970, event: event)
    if let session {
      adopt(entry.event, into: session)
      let isWritten = session.append(entry)
      if !isWritten, !loggedFullDisk {
        apply(
          .toast(
            "what is new stays in memory until it can be written: \(session.obstacle)", isError: true))
      }
      loggedFullDisk = !isWritten
      pictureSource.hold(session.waitingPictures)
      Screen.setLastWords(Self.lastWords(session))
    }
    unfinished.removeAll { $0.end() }
    apply(.session(entry.event))
  }

  /// Pictures of other sessions that an event names become this one's, so that it is whole by itself.
  private func adopt(_ event: SessionEvent, into session: SessionFile) {
    var named = event.pictures
    if case .starred(let picture, _) = event { named.append(picture) }
    for hash in named where !session.holds(hash) {
      if let png = pictureSource.bytes(of: hash) { _ = session.keep(png) }
    }
  }

  /// What is said of the session where a signal kills the program.
  static func lastWords(_ session: SessionFile?) -> String {
    guard let session else { return "nothing was being recorded" }
    guard session.isBegun || !session.waiting.isEmpty else { return "nothing had been recorded yet" }
    let path = session.folder + "/log.jsonl"
    return session.waiting.isEmpty
      ? "the session is safe in \(path)"
      : "\(entries(session.waiting.count)) could not be written to \(path)"
  }

  private static func entries(_ count: Int) -> String { "\(count) entr\(count == 1 ? "y" : "ies")" }

  /// What of the sessions the disk does not take, even now; nil where all is written.
  var unwritten: String? {
    let left = (unfinished + [session].compactMap(\.self)).filter { !$0.flush() }
    let lines = left.compactMap { file -> String? in
      let (entries, pictures) = (file.waiting.count, file.waitingPictures.count)
      guard entries + pictures > 0 else { return nil }
      return "not written: \(Self.entries(entries)), \(pictures) picture\(pictures == 1 ? "" : "s"); "
        + file.obstacle
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  /// Makes another session the open one; nil for one that is only read. Returns what the person should know.
  private func use(_ file: SessionFile?, entries: [SessionEntry]) -> String {
    let ended = abandonRequests() + state.queue.count
    // Its lock goes with it.
    if let session, !session.end() { unfinished.append(session) }
    unfinished.removeAll { $0 === file }
    session = file
    if let file { pictureSource.use(file.id) }
    Screen.setLastWords(Self.lastWords(file))
    apply(.sessionOpened(isReadOnly: file == nil))
    show(entries)
    recordOpening()
    let engine = self.engine
    Task.detached { await engine.forget() }
    return (ended == 0 ? "" : "; \(ended) request\(ended == 1 ? " was" : "s were") cancelled")
      + (unfinished.isEmpty ? "" : "; what could not be written of the one before is tried again")
  }

  /// Ends what the model works on, of which nothing may reach the session that comes. Returns how much there was.
  private func abandonRequests() -> Int {
    let requests = flags.keys.filter { !abandoned.contains($0) }
    for request in requests {
      flags[request]?.set()
      abandoned.insert(request)
      session?.append(
        SessionEntry(time: Date().timeIntervalSince1970, event: .cancelled(request: request)))
    }
    return requests.count
  }

  func newSession() -> [Action] {
    if let obstacle = store.obstacle { return [.toast(obstacle, isError: true)] }
    let told = use(SessionFile(new: StudioSession.newID(), in: store), entries: [])
    return [.toast("new session\(told)", isError: !unfinished.isEmpty)]
  }

  func open(_ id: String) -> [Action] {
    if let session, session.id == id { return [.toast("this session is open already", isError: false)] }
    do {
      let found = try store.contents(of: id)
      pictureSource.use(id)
      guard !found.isNewer else {
        let told = use(nil, entries: found.entries)
        return [.toast("read-only: a newer version of this program wrote it\(told)", isError: true)]
      }
      // One that was left with something unwritten is still held.
      if let file = unfinished.first(where: { $0.id == id }) {
        let waiting = SessionContents(Data(file.waiting.joined())).entries
        return [.toast("opened\(use(file, entries: found.entries + waiting))", isError: false)]
      }
      do {
        let told = use(try SessionFile(store, id: id), entries: found.entries)
        let lost = found.lost == 0 ? "" : ": \(found.entries.count) entries; \(found.lost) are damaged"
        return [.toast("opened\(lost)\(told)", isError: found.lost > 0)]
      } catch {
        return [.toast("read-only: \(error)\(use(nil, entries: found.entries))", isError: true)]
      }
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  func play(_ name: String) -> [Action] {
    do {
      let own = session.flatMap { $0.isBegun ? $0.id : nil }
      let id = try store.resolve(name == "last" ? own ?? "last" : name)
      let entries = try store.read(id).entries
      pictureSource.use(id)
      for entry in entries { for hash in entry.event.pictures { announce(hash) } }
      return [.played(entries, speed: 1, idleLimit: 2)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }
}
