import Files
import Foundation
import Pictures
import Requests
import SessionLog

/// How long it takes from the program's start to the first frame of a session that is taken up: one of many messages and
/// pictures, and one with a line that is longer than anybody reads.
struct StudioOpening {
  private let terminal: PseudoTerminal
  private let place: TemporaryFolder
  private static let lastWords = "the last words"

  init(_ terminal: PseudoTerminal) throws {
    self.terminal = terminal
    place = try TemporaryFolder("vugen-opening")
  }

  /// Medians of three. Throws `BenchmarkError` where nothing is shown.
  func results() throws -> [(String, Double)] {
    let store = SessionStore(folder: place.path + "/vugen/sessions")
    try write(manyMessages(store, "20260101-000000-many"), "20260101-000000-many", store)
    let answer = SessionEvent.answered(
      request: 1, text: String(repeating: "a red apple on the left ", count: 2_184_533), tokens: 1,
      seconds: 1,
      isPartial: false)
    let question = SessionEvent.asked(request: 1, text: "what?", pictures: [], sampling: .init())
    try write([question, answer], "20260101-000000-long", store)
    return try [("10 000 messages and 500 pictures", "many"), ("a line of 50 MB", "long")].map { title, id in
      (
        "opening \(title), first frame after s",
        try (0..<3).map { _ in try seconds("20260101-000000-\(id)") }.median
      )
    }
  }

  /// Questions with their answers, and at every tenth place a drawing.
  private func manyMessages(_ store: SessionStore, _ id: String) throws -> [SessionEvent] {
    let folder = store.folder(of: id) + "/pictures"
    try FileName.makeFolder(folder)
    return try (1...5000).flatMap { number -> [SessionEvent] in
      guard number % 10 == 0 else {
        return [
          .asked(request: number, text: "what is it, number \(number)?", pictures: [], sampling: .init()),
          .answered(
            request: number, text: "a line of text that somebody wrote about a picture", tokens: 12,
            seconds: 0.5,
            isPartial: false),
        ]
      }
      let hash = String(number, radix: 16), shade = UInt8(number % 251)
      let picture = Picture(width: 128, height: 128, red: shade, green: 255 - shade, blue: 90)
      try AtomicFile.write(Data(picture.pngData()), to: "\(folder)/\(hash).png")
      let settings = ImageSettings(prompt: "a red apple, number \(number)", seed: UInt64(number))
      return [
        .drawingAsked(request: number, settings: settings, count: 1, parent: nil),
        .drawn(
          request: number, picture: .hash(hash), origin: PictureOrigin(settings, stepsDone: 50), seconds: 1,
          isPartial: false),
      ]
    }
  }

  private func write(_ events: [SessionEvent], _ id: String, _ store: SessionStore) throws {
    try FileName.makeFolder(store.folder(of: id))
    let opened = SessionEvent.opened(model: "nano", modelHash: "h", program: "VUGEN Studio")
    var log = Data()
    for event in [opened] + events + [.note(Self.lastWords)] {
      log += try JSONEncoder().encode(SessionEntry(time: 1_767_225_600, event: event)) + [10]
    }
    try AtomicFile.write(log, to: store.folder(of: id) + "/log.jsonl")
  }

  /// Until the last line of a session is written to the terminal.
  private func seconds(_ id: String) throws -> Double {
    let process = Process(), clock = ContinuousClock()
    process.executableURL = URL(fileURLWithPath: ProgramFiles.executable)
    process.arguments = ["studio", id]
    process.standardError = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["XDG_DATA_HOME": place.path, "XDG_STATE_HOME": place.path, "XDG_CONFIG_HOME": place.path]
    ) { $1 }
    var isShown = false
    let time = try clock.measure {
      isShown = try terminal.shows(Self.lastWords, within: 60) { try process.run() }
    }
    process.terminate()
    process.waitUntilExit()
    guard isShown else { throw BenchmarkError("the studio shows nothing of the session \(id)") }
    return time / .seconds(1)
  }
}
