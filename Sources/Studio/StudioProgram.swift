import Files
import Foundation
import Frames
import SessionLog
import StudioUI
import Terminal

/// The studio from its start to its end: what it begins with, and what becomes of it.
public struct StudioProgram {
  /// What is open when the studio appears.
  public enum Beginning: Sendable {
    case newSession
    /// A session by its id, the start of one, or last.
    case session(String, isReadOnly: Bool)
    /// Entries to play, and the session in the store that has their pictures.
    case replay(Replay, of: String)
  }

  /// How pictures are shown, whatever the settings say.
  public enum GraphicsChoice: Sendable, Equatable {
    /// As the terminal tells.
    case asked
    case fixed(Graphics)
  }

  /// How it ended.
  public struct End: Sendable, Equatable {
    /// The exit status: 0, or 128 and a signal's number.
    public let status: Int32
    /// What of the sessions the disk did not take, in lines for a person; nil where all is written.
    public let unwritten: String?
    /// What ended it where a person did not, and where the session is; that somebody took it away. A line each.
    public let farewell: [String]
  }

  /// The model that is loaded first.
  public var modelFolder: String
  /// Where sessions are kept.
  public var store: SessionStore
  /// A new session, or one that is resumed.
  public var beginning = Beginning.newSession
  /// A theme's name; nil for the settings' own.
  public var theme: String?
  /// Where themes are looked for first.
  public var themeFolder: String?
  /// nil for what the settings say.
  public var graphics: GraphicsChoice?

  /// With a new session in `store`.
  public init(modelFolder: String, store: SessionStore) {
    (self.modelFolder, self.store) = (modelFolder, store)
  }

  /// Runs until the person leaves. Throws `TerminalError` where there is no terminal for it, and `SessionError` where
  /// the session cannot be opened.
  public func run() throws -> End {
    // Before anything is written: a start that is refused leaves no session.
    try Screen.check(environment: ProcessInfo.processInfo.environment)
    let settings = StudioConfiguration(path: StudioConfiguration.standardPath)
    let opened = try open()
    let usesColours = TerminalFacts.usesColours(ProcessInfo.processInfo.environment)
    let source = PictureSource(store), recorder = SessionRecorder(store, opened.file, source, id: opened.id)
    if let id = opened.id { source.use(id) }
    var played: [Action] = []
    if case .replay(let replay, _) = beginning { played = recorder.played(replay) }
    let effects = StudioEffects(
      recorder: recorder, source: source, modelFolder: modelFolder, graphics: graphics(settings),
      usesColours: usesColours)
    let loop = StudioLoop(
      effects, usesColours: usesColours,
      beginning: told(settings, opened, usesColours: usesColours) + recorder.shown(opened.entries)
        + [.leftUnfinished(opened.unfinished, model: opened.model, takenBack: opened.takenBack)] + played)
    let status = try loop.run(), unwritten = recorder.unwritten
    let farewell = recorder.farewell(status) + [effects.keptDraft].compactMap(\.self)
    return End(status: status, unwritten: unwritten, farewell: farewell)
  }

  /// nil where the terminal is to tell.
  private func graphics(_ settings: StudioConfiguration) -> Graphics? {
    switch graphics {
    case nil: settings.graphics
    case .asked: nil
    case .fixed(let graphics): graphics
    }
  }

  /// A session that is taken up or begun. Where it can only be read there is no file.
  private struct Opened {
    var file: SessionFile?
    var id: String?
    var entries: [SessionEntry] = []
    /// Requests that had not ended, each as it begins.
    var unfinished: [SessionEvent] = []
    var takenBack = TakenBackRequests()
    /// The model that they were asked of.
    var model: RecordedModel?
    /// What the person should know of it.
    var notice: String?
  }

  private func open() throws -> Opened {
    switch beginning {
    case .replay(_, let id): return Opened(id: id)
    case .newSession:
      return Opened(
        file: SessionFile(new: StudioSession.newID(), in: store), notice: SessionRecorder.advice(store))
    case .session(let name, let isReadOnly):
      let id = try store.resolve(name), found = try store.contents(of: id)
      var opened = Opened(id: id, entries: found.entries)
      if found.lost > 0 {
        let damaged = "\(found.lost) \(found.lost == 1 ? "was" : "were") damaged"
        opened.notice = "recovered \(SessionRecorder.entries(found.entries.count)); \(damaged)"
      }
      if isReadOnly {
        // What another studio works on is not over.
        if !found.isNewer, !store.isOpen(id) { opened.entries = UnfinishedRequests(found.entries).entries }
        return opened
      }
      guard !found.isNewer else {
        opened.notice = "read-only: a newer version of this program wrote this session"
        return opened
      }
      do {
        let file = try SessionFile(store, id: id), left = UnfinishedRequests(found.entries)
        file.owe(left.owed)
        (opened.file, opened.entries) = (file, left.entries)
        (opened.unfinished, opened.model, opened.takenBack) = (left.again, left.model, left.takenBack)
      } catch let error as SessionError where !error.isLocked {
        opened.notice = "read-only: \(error)"
        opened.entries = UnfinishedRequests(found.entries).entries
      }
      return opened
    }
  }

  /// What the studio is told before it is shown.
  private func told(_ settings: StudioConfiguration, _ opened: Opened, usesColours: Bool) -> [Action] {
    let (themes, complaints) = ThemeFile.all(extra: themeFolder)
    var preferences = settings.preferences
    preferences.suggestion = UInt64.random(in: .min ... .max)
    let problems = [opened.notice].compactMap(\.self) + settings.complaints + complaints
    return [
      .sessionOpened(isReadOnly: opened.file == nil, "", isError: false),
      .configured(preferences),
      .historyRead(PromptHistory.read()),
      .themesRead(usesColours ? themes : themes.map(\.withoutColours), chosen: theme ?? settings.theme),
      .complaints(problems.map(\.oneLine)),
    ]
  }
}
