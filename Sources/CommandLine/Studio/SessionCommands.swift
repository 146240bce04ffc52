import ArgumentParser
import Engine
import Files
import Foundation
import SessionLog
import SessionSearch
import Studio
import StudioUI
import VUGEN

extension SessionExport.CastPictures: ExpressibleByArgument {}

struct Sessions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, show, search, export, delete and undelete recorded sessions.",
    subcommands: [List.self, Show.self, Search.self, Export.self, Delete.self, Undelete.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List all sessions, the one used last first.",
      discussion: """
        Each line says when the session was used last; 'last' names the first one that holds anything.

        Example: vugen sessions list --json
        """)
    @Flag(help: "Print one JSON object per session.") var json = false

    func run() throws {
      let store = SessionStore.standard(), summaries = store.summaries()
      if summaries.isEmpty, !json { note("no sessions yet; vugen begins one, in \(store.folder)") }
      for summary in summaries {
        if json {
          print(try jsonLine(of: summary))
        } else {
          print(
            "\(summary.id.oneLine)  \(summary.changedText)  \(summary.contents)  \(summary.title.inOneLine)")
        }
      }
      let listed = Set(summaries.map(\.id))
      for id in store.ids() where !listed.contains(id) { note("\(id): cannot be read".oneLine) }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a session's entries.",
      discussion: """
        Each line begins with what it is: a question, its answer, a drawing's prompt, a picture that was attached, a note of \
        the studio, the session's title, or the model that works from there on. What came of a request stands below it.

        Example: vugen sessions show last
        """)
    @Flag(help: "Print one JSON object per entry.") var json = false
    @Argument(help: sessionHelp, completion: .sessions)
    var session = "last"

    func run() throws {
      let store = SessionStore.standard(), id = try store.resolve(session)
      let found = try store.contents(of: id), (entries, lost) = (found.entries, found.lost)
      noteNewer(found, id)
      let goesOn = found.isNewer || store.isOpen(id), shown = entries.told(whileOpen: goesOn)
      let repeated = shown.repeatedPrompts, names = entries.pictureNames
      let deleted = entries.deletedPictures, undone = entries.undoneRequests
      let outcomes = RequestOutcomes(
        entries, whileOpen: goesOn, running: store.runningRequest(of: id, entries))
      var model = ""
      for entry in json ? entries : shown.byRequest {
        if json {
          print(try jsonLine(of: entry))
        } else if case .drawingAsked(let request, _, _, _, _) = entry.event, repeated.contains(request) {
          continue
        } else if case .opened(let name, _, _) = entry.event {
          if name != model { print("model: \(name.oneLine)") }
          model = name
        } else if let text = entry.event.text {
          let label = Self.label(of: entry.event)
          let isUndone = entry.event.request.map(undone.contains) ?? false
          let outcome = isUndone ? " (undone)" : Self.outcome(of: entry.event, outcomes)
          print("\(label)\(text.terminalSafe)" + outcome)
        }
        if !json {
          for picture in entry.event.pictures.compactMap(\.stored) {
            let name = names[.hash(picture)].map { "  \($0.oneLine)" } ?? ""
            let mark =
              deleted.contains(.hash(picture))
              ? "  (deleted)" : store.holds(picture, of: id) ? "" : "  (missing)"
            print("  picture \(picture.oneLine)" + name + Self.origin(of: entry.event) + mark)
          }
        }
      }
      if lost > 0, entries.isEmpty, found.unknown == 0 {
        throw CommandError(
          "\(id): \(lost == 1 ? "its one entry is" : "all \(lost) entries are") damaged; nothing of it can be shown"
        )
      }
      if lost > 0 { note("skipped \(lost) damaged \(lost == 1 ? "entry" : "entries")") }
    }

    /// Who says what.
    private static func label(of event: SessionEvent) -> String {
      switch event {
      case .renamed: "title: "
      case .asked: "question: "
      case .answered(_, _, _, _, let isPartial): isPartial ? "answer, cut off: " : "answer: "
      case .drawingAsked: "drawing: "
      case .attached: "attached: "
      case .note: "note: "
      case .failed: "failed: "
      default: ""
      }
    }

    /// That nothing came of a request.
    private static func outcome(of event: SessionEvent, _ outcomes: RequestOutcomes) -> String {
      switch event {
      case .asked(let request, _, _, _, _), .drawingAsked(let request, _, _, _, _):
        outcomes.label(of: request)
      default: ""
      }
    }

    /// What pictures of one prompt differ in.
    private static func origin(of event: SessionEvent) -> String {
      guard case .drawn(_, _, let origin, _, let isPartial) = event else { return "" }
      let settings = origin.settings
      let facts =
        [
          "guidance \(settings.guidanceScale.formatted())", "seed \(settings.seed)",
          "\(settings.steps) steps",
        ]
        + settings.unusual.map(\.inOneLine)
      return "  " + facts.joined(separator: ", ")
        + (isPartial ? ", stopped after step \(origin.stepsDone)" : "")
    }
  }

  struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Find words in all sessions.",
      discussion: """
        A line per session says how often the words were found, and where first.

        Example: vugen sessions search red apple
        """)
    @Flag(help: "Print one JSON object per match.") var json = false
    @Argument(help: "Words to find; all must occur.") var words: [String]

    func run() throws {
      let hits = try SessionIndex(SessionStore.standard()).find(words.joined(separator: " "), most: .max)
      if json {
        for hit in hits { print(try jsonLine(of: hit)) }
      } else {
        for found in SessionIndex.bySession(hits) {
          print("\(found.id.oneLine)  \(counted(found.count, "hit"))  \(found.text.inOneLine)")
        }
      }
      if hits.isEmpty { throw CommandError("no session has all of these words; try fewer of them") }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a session as Markdown, HTML, JSON or an asciinema cast.",
      discussion: """
        What of the session is damaged, missing or altered is named on standard error and left out; the exit status is 1 then.

        Example: vugen sessions export last --format html
        """)
    @Option(
      help: "Format: md, html, json or cast (default: the output's ending, or html).",
      completion: .list(SessionExport.formats))
    var format: String?
    @Option(
      name: .shortAndLong,
      help: """
        Output file (default: vugen-SESSION.FORMAT in the working directory, or the next free number). Markdown's \
        pictures go into a folder beside it.
        """,
      completion: .file(), transform: writtenPath)
    var output: String?
    @OptionGroup var existing: OverwriteOption
    @Option(help: "How a cast shows pictures: blocks (in every player) or sixel.")
    var pictures = SessionExport.CastPictures.blocks
    @Argument(help: sessionHelp, completion: .sessions)
    var session = "last"

    private var chosen: String { format ?? output.flatMap(SessionExport.format(ofName:)) ?? "html" }

    func validate() throws {
      if let format, !SessionExport.formats.contains(format) {
        throw ValidationError("--format must be md, html, json or cast.")
      }
      if let output, output != "-", !AtomicFile.isSpecial(output) { try checkEnding(of: output) }
      if chosen == "md", let output, output == "-" || AtomicFile.isSpecial(output) {
        throw ValidationError("Markdown's pictures need a folder beside it; name a file with --output.")
      }
    }

    /// A file is what its name says.
    private func checkEnding(of output: String) throws {
      try checkLinkEnd(of: output) { end in
        let ending = (end as NSString).pathExtension
        return ending.isEmpty || SessionExport.format(ofName: end) == chosen
          ? nil : ".\(ending.message) is no ending of \(chosen); name the file itself"
      }
      let ending = (output as NSString).pathExtension, told = SessionExport.format(ofName: output)
      if let format, let told, told != format {
        throw ValidationError("--format \(format) does not suit \(output.message).")
      }
      if format == nil, told == nil, !ending.isEmpty {
        throw ValidationError(".\(ending.message) is not supported; name a .html, .md, .json or .cast file.")
      }
    }

    func run() throws {
      let store = SessionStore.standard()
      let id = try store.resolve(session), folder = store.folder(of: id)
      try checkOutput(output, isNoneOf: [folder, folder + "/pictures"])
      try existing.check(output)
      let export = try SessionExport(store, id)
      noteNewer(try store.contents(of: id), id)
      let path = try write(export)
      if !AtomicFile.isStandardOutput(path) { try Output.show(name: path) }
      if chosen == "md", let folder = export.pictureFolder(of: path) {
        note("its pictures are in \(folder)".oneLine)
      }
      // What there is was written; that it is not all, a script learns as from replay --verify.
      for line in export.damage { note(line) }
      if !export.damage.isEmpty { throw ExitCode(1) }
    }

    private func write(_ export: SessionExport) throws -> String {
      func write(_ path: String) throws -> String { try export.write(chosen, to: path, pictures: pictures) }
      // A name that the program chooses is a free one.
      return try output.map { try existing.write($0, write) }
        ?? FileReservation.withName(export.name(chosen), write)
    }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete a session and its pictures; for 30 days, vugen sessions undelete brings them back.",
      discussion: "Example: vugen sessions delete 20261124-1015")
    @Argument(
      help: "Session: its id, the start of one, its title, or last (the one used last).",
      completion: .sessions) var session: String

    func run() throws {
      let store = SessionStore.standard(), id = try store.resolve(session, byEnd: false)
      // Held while it is removed: an open session is not taken from under its studio.
      let summary = try? store.summary(of: id), file = try SessionFile(existing: id, in: store)
      try store.delete(id)
      withExtendedLifetime(file) {}
      let told = summary.map { " (\($0.title.inOneLine): \($0.contents))" } ?? ""
      print(
        "deleted \(id.oneLine)\(told); vugen sessions undelete \(id.oneLine) brings it back within \(SessionStore.daysKept) days"
      )
    }
  }

  struct Undelete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bring a deleted session back; without a name, list those that are deleted.",
      discussion: "Example: vugen sessions undelete last")
    @Argument(help: "Id of the deleted session, or last for the one used last.", completion: .deletedSessions)
    var session: String?

    func run() throws {
      let store = SessionStore.standard()
      guard let session else {
        let ids = store.deletedIDs()
        if ids.isEmpty { note("no session is deleted") }
        for id in ids {
          guard let summary = store.deletedSummary(of: id) else {
            print("\(id.oneLine)  cannot be read")
            continue
          }
          print("\(id.oneLine)  \(summary.changedText)  \(summary.contents)  \(summary.title.inOneLine)")
        }
        return
      }
      let id = try store.undelete(session), older = store.deletedAlike(id)
      print("undeleted \(id.oneLine)")
      if !older.isEmpty {
        note("deleted earlier by the same name and still there: \(older.joined(separator: ", "))".oneLine)
      }
    }
  }
}

/// How a session is named, as `SessionStore.resolve` takes it.
private let sessionHelp: ArgumentHelp =
  "Session: its id, the start or the end of one, its title, or last (the one used last)."

/// Says that a newer program wrote a session.
private func noteNewer(_ found: SessionContents, _ id: String) {
  if let remark = found.remark { note("\(id): \(remark)".oneLine) }
}

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Replay a recorded session, or run it again and compare the results.",
    discussion: """
      --verify runs the model again with the recorded seeds and compares every answer and picture bit for bit; \
      each with the model that it was made with. Pictures that were made on a processor of another kind may differ by \
      its rounding, 2 of 255 in a colour at most, which is said. The exit status is 1 at the first other difference, where \
      an entry, a picture or its model is damaged or missing, where answers follow one that was cut off: they cannot \
      be had again, and are counted; and where requests that a killed studio left are still to be asked again.

      Example: vugen replay last --speed 2
      """)

  @Option(parsing: .unconditional, help: "Playback speed.") var speed = 1.0
  @Flag(help: "Start paused; the key . shows the next entry.") var step = false
  @Option(parsing: .unconditional, help: "Longest pause between two entries, in seconds.") var idleLimit = 2.0
  @Flag(help: "Run the model again and compare; needs no terminal.") var verify = false
  @Option(
    help: "Model folder (default: nano, the built-in model).", completion: .models, transform: folderPath)
  var model: String?
  @Flag(help: "Print one JSON object (with --verify).") var json = false
  @Argument(
    help: """
      Session: its id, the start or the end of one, its title, last (the one used last), or a folder such as \
      Examples/sessions/guidance.
      """,
    completion: .recordings)
  var session = "last"

  func validate() throws {
    if !(speed > 0 && speed <= 1000) { throw ValidationError("--speed must be above 0 and at most 1000.") }
    if !(idleLimit >= 0 && idleLimit <= 1e6) { throw ValidationError("--idle-limit must be 0 or more.") }
  }

  func run() async throws {
    let (store, id) = try SessionStore.located(session)
    let found = try store.contents(of: id)
    guard !verify else { return try await check(found, store, id) }
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw CommandError(
        "replay plays in a terminal, and here is none; vugen sessions show \(session) prints the session, and vugen replay \(session) --verify checks it"
      )
    }
    var studio = StudioProgram(modelFolder: EmbeddedModel.folder(for: model), store: store)
    studio.beginning = .replay(
      Replay(
        found.played(whileOpen: store.isOpen(id)), speed: speed, idleLimit: idleLimit, isPaused: step,
        staysWhenClosed: true), of: id)
    try studio.runAndLeave()
  }

  private func check(_ found: SessionContents, _ store: SessionStore, _ id: String) async throws {
    let (entries, lost) = (found.entries, found.lost)
    if found.isNewer {
      throw CommandError(
        "\(id): a newer version of this program wrote this session; this one cannot interpret it")
    }
    if entries.isEmpty {
      let damaged = lost == 1 ? "its one entry is damaged" : "all \(lost) entries are damaged"
      throw CommandError("\(id): \(lost > 0 ? damaged : "the log is empty"); nothing is compared")
    }
    let models = RecordedModels(model)
    try await models.checkGiven()
    let checker = SessionVerification(models, store, id)
    let altered = checker.alteredDrawings(entries)
    let left = LeftRequests(entries, isOpen: store.isOpen(id))
    var verdict = ReplayVerdict(checker, entries, altered, lost: lost, unknown: found.unknown, left: left)
    for line in verdict.lines + verdict.leftLines { note(line.oneLine) }
    verdict.comparison = try await checker.run(entries, except: Set(altered.keys), left: left) {
      ProgressLine.show($0)
    }
    ProgressLine.end()
    verdict.unchecked = models.unchecked
    for line in verdict.unchecked { note(line.oneLine) }
    if json {
      print(try jsonLine(verdict.numbers))
    } else if let difference = verdict.comparison.difference {
      print(difference.terminalSafe)
    } else if let reason = verdict.nothing {
      throw CommandError("\(id): \(reason); nothing is compared")
    } else {
      print(verdict.agreement)
    }
    if !verdict.isGood { throw ExitCode(1) }
  }
}
