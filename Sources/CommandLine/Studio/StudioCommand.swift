import ArgumentParser
import Foundation
import Frames
import ModelFiles
import SessionLog
import StudioUI
import Tensors
import Terminal
import VUGEN

struct Studio: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Open the studio: ask, draw, compare, replay (the default command).",
    discussion: """
      Settings are read from $XDG_CONFIG_HOME/vugen/config.toml: \
      \(StudioConfiguration.keys.map { "\($0.0) (\($0.1))" }.joined(separator: "; ")). \
      Put themes of your own into $XDG_CONFIG_HOME/vugen/themes.

      Example: vugen studio --theme nord
      """)

  @Option(
    help: "Model folder (default: nano, the built-in model).", completion: .models, transform: folderPath)
  var model: String?
  @Option(help: "Theme name.", completion: .themes) var theme: String?
  @Option(help: "Folder with additional themes.", completion: .directory, transform: namedPath)
  var themes: String?
  @Option(
    help: "How pictures are shown: auto, sixel, kitty, blocks or none.",
    completion: .list(["auto"] + Graphics.allCases.map(\.rawValue)))
  var graphics: String?
  @Option(help: "Number of threads (default: one per physical core).") var threads: Int32?
  @Flag(help: "Open the session without writing to it.") var readOnly = false
  @Argument(
    help: "Session to resume: its id, the start of one, or last (default: a new session).",
    completion: .sessions)
  var session: String?

  func validate() throws {
    if let graphics, graphics != "auto", Graphics(rawValue: graphics) == nil {
      throw ValidationError("--graphics must be auto, sixel, kitty, blocks or none.")
    }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  func run() async throws {
    Self.leave(with: try launch(replay: nil))
  }

  /// Ends the process at once: the model may be at work on its thread, and the libraries' destructors must not pull
  /// its memory from under it. Sessions are flushed at each entry.
  static func leave(with status: Int32) -> Never {
    fflush(nil)
    _exit(status)
  }

  /// - Parameters:
  ///   - replay: entries to play instead of resuming a session.
  ///   - store: where the played session is kept.
  func launch(replay: Replay?, store given: SessionStore? = nil, pictures id: String? = nil) throws -> Int32 {
    // Before anything is written: a start that is refused leaves no session.
    try Screen.check(environment: ProcessInfo.processInfo.environment)
    let settings = StudioConfiguration(path: Paths.configuration() + "/config.toml")
    let store = given ?? SessionStore.standard()
    let (file, entries, notice) = try opened(in: store, isReplay: replay != nil)
    let usesColours = (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    let source = PictureSource(store), recorder = SessionRecorder(store, file, source)
    if let session, let found = try? store.resolve(session) { source.use(found) }
    if let id { source.use(id) }
    let loop = StudioLoop(
      StudioEffects(
        recorder: recorder, source: source, modelFolder: EmbeddedModel.folder(for: model),
        graphics: graphics.map(Graphics.init(rawValue:)) ?? settings.graphics, usesColours: usesColours),
      usesColours: usesColours,
      beginning: beginning(settings, notice, isReadOnly: file == nil, usesColours: usesColours)
        + recorder.shown(entries) + (replay.map(recorder.played) ?? []))
    MemoryPool.shared.whenExhausted {
      Screen.giveBack(saying: "ran \($0)")
      PartialOutput.removeAll()
      Self.leave(with: 1)
    }
    let status = try loop.run()
    guard let lost = recorder.unwritten else { return status }
    note("\(lost)")
    return status == 0 ? 1 : status
  }

  /// The session that is taken up or begun, what it holds, and what the person should know of it. Where it can only be
  /// read there is no file.
  private func opened(in store: SessionStore, isReplay: Bool) throws -> (
    SessionFile?, [SessionEntry], notice: String?
  ) {
    guard let session else {
      if isReplay { return (nil, [], nil) }
      if let obstacle = store.obstacle { return (nil, [], "read-only: \(obstacle)") }
      return (SessionFile(new: StudioSession.newID(), in: store), [], nil)
    }
    let id = try store.resolve(session), found = try store.contents(of: id)
    var notice: String?
    if found.lost > 0 { notice = "recovered \(found.entries.count) entries; \(found.lost) were damaged" }
    if readOnly { return (nil, found.entries, notice) }
    if found.isNewer {
      return (nil, found.entries, "read-only: a newer version of this program wrote this session")
    }
    do {
      return (try SessionFile(store, id: id), found.entries, notice)
    } catch let error as SessionError where !error.isLocked {
      return (nil, found.entries, "read-only: \(error)")
    }
  }

  /// What the studio is told before it is shown.
  private func beginning(
    _ settings: StudioConfiguration, _ notice: String?, isReadOnly: Bool, usesColours: Bool
  ) -> [Action] {
    let (themes, complaints) = ThemeFile.all(extra: self.themes)
    let problems = [notice].compactMap(\.self) + settings.complaints + complaints
    return [
      .sessionOpened(isReadOnly: isReadOnly, "", isError: false),
      .configured(settings.preferences),
      .historyRead(PromptHistory.read()),
      .themesRead(
        usesColours ? themes : themes.map(\.withoutColours), chosen: self.theme ?? settings.theme),
      .complaints(problems.map(\.oneLine)),
    ]
  }
}
