import Foundation
import Requests
import SessionLog
import TestSupport
import Testing

private func temporaryStore() -> SessionStore {
  SessionStore(folder: temporaryPath())
}

@Suite(.serialized)
struct SessionTests {
  private static let events: [SessionEvent] = [
    .opened(model: "nano", modelHash: "ab12", program: "test"),
    .asked(request: 1, text: "What is „this“?\nTell me.", pictures: ["ab"], sampling: .init()),
    .answered(request: 1, text: "a cat", tokens: 3, seconds: 0.2, isPartial: false),
    .drawingAsked(request: 2, settings: .init(prompt: "a red apple", seed: 7), count: 1, parent: nil),
    .drawn(
      request: 2, picture: "cd", origin: .init(.init(prompt: "a red apple", seed: 7), stepsDone: 50),
      seconds: 1,
      isPartial: false),
    .renamed("apples"),
  ]

  /// A log that somebody removes is written anew, with all that it had; where that cannot be, all of it waits.
  @Test func removedLogsAreWrittenAnew() throws {
    let store = temporaryStore(), file = try SessionFile(store, id: "20260101-000000-aaaa")
    let manager = FileManager.default
    for (place, event) in Self.events.enumerated() { file.append(.init(time: Double(place), event: event)) }
    try manager.removeItem(atPath: file.folder)
    #expect(file.append(.init(time: 9, event: .renamed("b"))) && file.renewals == 1)
    #expect(try store.read(file.id).entries.map(\.event) == Self.events + [.renamed("b")])
    #expect(throws: SessionError.self) { try SessionFile(store, id: file.id) }
    try manager.removeItem(atPath: file.folder)
    try Data().write(to: URL(fileURLWithPath: file.folder))
    #expect(!file.append(.init(time: 10, event: .renamed("c"))))
    #expect(file.waiting.count == Self.events.count + 2)
    try manager.removeItem(atPath: file.folder)
    #expect(file.flush() && file.waiting.isEmpty)
    #expect(try store.read(file.id).entries.count == Self.events.count + 2)
  }

  /// A picture that the disk does not take waits, and is written with the first entry for which there is room.
  @Test func picturesWaitForRoom() throws {
    let store = temporaryStore(), file = try SessionFile(store, id: "20260101-000000-aaaa")
    let pictures = file.folder + "/pictures", manager = FileManager.default
    try manager.removeItem(atPath: pictures)
    try Data().write(to: URL(fileURLWithPath: pictures))
    let hash = "a1b2"
    file.keep(Data("picture".utf8), as: hash)
    #expect(file.waitingPictures.keys.contains(hash))
    #expect(!file.append(.init(time: 1, event: .renamed("a"))) && file.waiting.isEmpty)
    try manager.removeItem(atPath: pictures)
    try manager.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    #expect(file.append(.init(time: 2, event: .renamed("b"))) && file.waitingPictures.isEmpty)
    #expect(manager.contents(atPath: "\(pictures)/\(hash).png") == Data("picture".utf8))
    #expect(try store.read(file.id).entries.count == 2)
  }

  /// A session is found by its id, and in a folder that somebody else has sent.
  @Test func sessionsAreFoundWhereTheyLie() throws {
    let own = temporaryStore(), other = temporaryStore()
    for (store, id) in [(own, "20260101-000000-aaaa"), (other, "sent")] {
      #expect(try SessionFile(store, id: id).append(.init(time: 1, event: .renamed(id))))
    }
    let near = try SessionStore.located("aaaa", among: own),
      far = try SessionStore.located(other.folder + "/sent/")
    #expect(near.store.folder == own.folder && near.id == "20260101-000000-aaaa")
    #expect(far.store.folder == other.folder && far.id == "sent")
    #expect(throws: SessionError.self) { try SessionStore.located(other.folder, among: own) }
  }

  /// A deleted session comes back for a month, and an empty name means none.
  @Test func deletedSessionsComeBack() throws {
    let store = temporaryStore(), ids = ["20260101-000000-aaaa", "20260102-000000-bbbb"]
    for id in ids { #expect(try SessionFile(store, id: id).append(.init(time: 1, event: .renamed(id)))) }
    for name in ["", " ", "2026"] { #expect(throws: SessionError.self) { try store.resolve(name) } }
    try store.delete(ids[0])
    #expect(store.ids() == [ids[1]] && store.deletedIDs() == [ids[0]])
    #expect(try store.undelete("last") == ids[0])
    #expect(store.ids() == ids.reversed() && store.deletedIDs().isEmpty)
    // Another of the same name does not take the first one's place.
    try store.delete(ids[0])
    #expect(try SessionFile(store, id: ids[0]).append(.init(time: 2, event: .renamed("second"))))
    try store.delete(ids[0])
    #expect(store.deletedIDs().sorted() == [ids[0], ids[0] + ".2"])
    // The name means the one that was deleted last; the other is still there.
    #expect(store.deletedAlike(ids[0]) == [ids[0], ids[0] + ".2"])
    #expect(try store.undelete("20260101") == ids[0])
    #expect(try store.read(ids[0]).entries.first?.event == .renamed("second"))
    #expect(store.deletedAlike(ids[0]) == [ids[0] + ".2"])
    // The beginning of two names is refused with both.
    for id in ids { try store.delete(id) }
    let refused = #expect(throws: SessionError.self) { try store.undelete("2026") }
    #expect(ids.allSatisfy { refused?.description.contains($0) == true }, "\(refused as Any)")
    #expect(try store.undelete("bbbb") == ids[1])
    try store.delete(ids[1], now: Date().addingTimeInterval(31 * 86_400))
    #expect(store.deletedIDs() == [ids[1]])
    #expect(throws: SessionError.self) { try store.undelete(ids[0]) }
  }

  /// Logs of earlier versions say nothing of details.
  @Test func earlierAttachmentsAreRead() throws {
    let store = temporaryStore(), file = try SessionFile(store, id: "20260101-000000-aaaa")
    let line = #"{"event":{"attached":{"name":"a.png","picture":"ab"}},"time":1,"version":1}"#
    try (line + "\n").write(toFile: file.folder + "/log.jsonl", atomically: false, encoding: .utf8)
    let found = try store.read(file.id)
    #expect(
      found.lost == 0 && found.entries.first?.event == .attached(picture: "ab", name: "a.png", settings: nil))
  }

  /// What the first version wrote is read, and written as it was; what it did not know stands beside it.
  @Test func settingsAreWrittenAsBefore() throws {
    let old =
      #"{"decoderSteps":1,"guidanceScale":5,"negative":"","prompt":"a cat","seed":18446744073709551615,"steps":50}"#
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var settings = try JSONDecoder().decode(ImageSettings.self, from: Data(old.utf8))
    #expect(settings == ImageSettings(prompt: "a cat", seed: .max, guidanceScale: 5))
    #expect(String(decoding: try encoder.encode(settings), as: UTF8.self) == old)
    (settings.solver, settings.guidanceStart, settings.guidanceEnd) = (.heun, 0.25, 0.75)
    let line = String(decoding: try encoder.encode(settings), as: UTF8.self)
    #expect(line.contains(#""solver":"heun""#) && line.contains(#""guidanceEnd":0.75,"#))
    #expect(try JSONDecoder().decode(ImageSettings.self, from: Data(line.utf8)) == settings)
    // Times that are none are set to the nearest.
    (settings.guidanceStart, settings.guidanceEnd) = (2, -1)
    let entry = SessionEntry(
      time: 0, event: .drawingAsked(request: 1, settings: settings, count: 1, parent: nil))
    guard case .drawingAsked(_, let bounded, _, _, _) = entry.event else { return }
    #expect(bounded.guidanceStart == 1 && bounded.guidanceEnd == 1)
  }

  /// The logs that came with the first version are read whole, and each line would be written byte for byte as it is.
  @Test func logsKeepTheirForm() throws {
    let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples/sessions")
    let store = SessionStore(folder: examples.path), encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(!store.ids().isEmpty)
    for id in store.ids() {
      let log = try String(contentsOfFile: store.folder(of: id) + "/log.jsonl", encoding: .utf8)
      for line in log.split(separator: "\n") {
        let entry = try JSONDecoder().decode(SessionEntry.self, from: Data(line.utf8))
        #expect(String(decoding: try encoder.encode(entry), as: UTF8.self) == line)
      }
    }
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let store = temporaryStore(), id = SessionFile.newID(at: 1_795_512_930, random: 46_655)
    #expect(id == "20261124-093530-0zzz")
    do {
      let file = try SessionFile(store, id: id)
      for (i, event) in Self.events.enumerated() {
        #expect(file.append(.init(time: Double(i), event: event)))
      }
      #expect(throws: SessionError.self) { try SessionFile(store, id: id) }
    }
    let (entries, lost) = try store.read(id)
    #expect(entries.map(\.event) == Self.events && lost == 0)
    let summary = try store.summary(of: id)
    #expect(summary.title == "apples" && summary.messages == 2 && summary.pictures == 2)
    #expect(try store.resolve("last") == id && store.resolve("2026") == id)
    #expect(throws: SessionError.self) { try store.resolve("1999") }
    // A second writer after the first one has gone.
    let again = try SessionFile(store, id: id)
    #expect(again.append(.init(time: 9, event: .note("later"))))
    #expect(try store.read(id).entries.count == Self.events.count + 1)
  }

  /// A program that is just being started has copies of all descriptors for a moment: a lock that was let go is free
  /// even then.
  @Test func aLockThatIsLetGoIsFree() throws {
    let store = temporaryStore(), id = "20260101-000000-lock", lock = store.folder(of: id) + "/lock"
    let file = try SessionFile(store, id: id)
    let copies = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
      .filter { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == lock }
      .map { dup($0) }
    defer { copies.forEach { close($0) } }
    #expect(!copies.isEmpty && file.end())
    _ = try SessionFile(store, id: id)
  }

  /// What only lacks its line's end is whole; what a newer program wrote is passed over, and stays.
  @Test func logsOfOthersAreKept() throws {
    let store = temporaryStore(), id = "20260101-000000-aaaa", path = store.folder(of: id) + "/log.jsonl"
    try FileManager.default.createDirectory(atPath: store.folder(of: id), withIntermediateDirectories: true)
    let lines = [
      #"{"event":{"note":{"_0":"n"}},"time":1,"version":1}"#,
      #"{"event":{"sung":{"by":["x"]}},"time":2,"version":1}"#,
      #"{"event":{"note":{"_1":3}},"time":3,"version":1}"#,
      #"{"event":{"note":{"_0":"last"}},"time":1e300,"version":1}"#,
    ]
    let text = lines.joined(separator: "\n")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    var found = try store.contents(of: id)
    #expect(
      found.entries.map(\.event) == [.note("n"), .note("last")] && found.lost == 1 && found.unknown == 1)
    #expect(!found.isNewer && found.hasContent)
    #expect(try SessionFile(store, id: id).append(.init(time: 4, event: .note("more"))))
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix(text + "\n{"))
    #expect(try store.contents(of: id).entries.count == 3)
    found = SessionContents(Data(#"{"event":{"note":{"_1":3}},"time":3,"version":2}"#.utf8))
    #expect(found.isNewer && found.lost == 0 && found.unknown == 1)
    for damaged in [
      "{", "[]", "null", "{}", #"{"event":{},"time":1,"version":1}"#, #"{"event":{"sung":{}}}"#,
    ] {
      #expect(SessionContents(Data(damaged.utf8)).lost == 1, "\(damaged)")
    }
  }

  /// What a person said and drew is nobody else's to read.
  @Test func nobodyElseReadsIt() throws {
    let store = temporaryStore(), id = "20260101-000000-aaaa", manager = FileManager.default
    try manager.createDirectory(
      atPath: store.folder(of: id), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    let file = try SessionFile(store, id: id)
    file.keep(Data("picture".utf8), as: "a1b2")
    #expect(file.append(.init(time: 1, event: .note("x"))))
    func mode(_ name: String) throws -> Int? {
      try manager.attributesOfItem(atPath: file.folder + name)[.posixPermissions] as? Int
    }
    #expect(try mode("") == 0o700 && mode("/pictures") == 0o700)
    #expect(try mode("/pictures/a1b2.png") == 0o600 && mode("/log.jsonl") == 0o600)
  }

  /// Why nothing can be written, in words that are not Foundation's.
  @Test func obstaclesAreToldInPlainWords() throws {
    for folder in ["/dev/null", "/proc/nowhere"] {
      let store = SessionStore(folder: folder + "/vugen/sessions"), file = SessionFile(new: "a", in: store)
      #expect(!file.append(.init(time: 1, event: .note("x"))))
      for text in [store.obstacle ?? "", file.obstacle] {
        #expect(text.hasPrefix(folder) && !text.contains("couldn") && !text.contains("error"), "\(text)")
      }
    }
  }

  /// A session begins on the disk with the first thing that is done in it.
  @Test func nothingDoneLeavesNothing() throws {
    let store = temporaryStore(), opened = SessionEvent.opened(model: "m", modelHash: "h", program: "p")
    do {
      let file = SessionFile(new: "20260102-000000-bbbb", in: store)
      #expect(file.append(.init(time: 1, event: opened)) && !file.isBegun)
      file.keep(Data("picture".utf8), as: "a1b2")
      #expect(file.holds("a1b2") && file.flush())
    }
    #expect(!FileManager.default.fileExists(atPath: store.folder) && store.obstacle == nil)
    let file = SessionFile(new: "20260101-000000-aaaa", in: store), hash = "a1b2"
    file.keep(Data("picture".utf8), as: hash)
    file.append(.init(time: 1, event: opened))
    #expect(file.append(.init(time: 2, event: .note("x"))))
    #expect(try store.read(file.id).entries.map(\.event) == [opened, .note("x")])
    #expect(try store.picture(hash, of: file.id) == Data("picture".utf8))
    #expect(SessionStore(folder: "/proc/nowhere/sessions").obstacle != nil)
  }

  /// Settings alone make no session; what is done next brings them with it.
  @Test func settingsWaitForWhatIsDone() throws {
    let store = temporaryStore(), opened = SessionEvent.opened(model: "m", modelHash: "h", program: "p")
    func settings(_ steps: Int) -> SessionEvent {
      .settings(.init(ImageSettings(prompt: "", steps: steps), seed: 5, count: 2, temperature: 0.5))
    }
    let file = SessionFile(new: "20260101-000000-aaaa", in: store)
    for event in [opened, settings(3), settings(4)] { #expect(file.append(.init(time: 1, event: event))) }
    #expect(!FileManager.default.fileExists(atPath: store.folder) && !file.isBegun)
    file.append(.init(time: 2, event: .note("x")))
    #expect(try store.read(file.id).entries.map(\.event) == [opened, settings(4), .note("x")])
    // In one that is there already they are something.
    file.append(.init(time: 3, event: settings(9)))
    #expect(try store.read(file.id).entries.last?.event == settings(9))
    let log = try JSONEncoder().encode(SessionEntry(time: 1, event: settings(1 << 40)))
    let found = SessionContents(log)
    #expect(!found.hasContent && found.lost == 0 && found.unknown == 0)
    guard case .settings(let bounded)? = found.entries.first?.event else {
      Issue.record("\(found)")
      return
    }
    #expect(DrawingLimits.steps.contains(bounded.steps) && bounded.seed == 5)
  }

  /// What was undone counts no more, and gives the session no name.
  @Test func whatWasUndoneIsNotShown() throws {
    let store = temporaryStore(), file = try SessionFile(store, id: "20260101-000000-aaaa")
    for (i, event) in ([Self.events[1], Self.events[2], .undone(request: 1)] + Self.events[3...4])
      .enumerated()
    {
      file.append(.init(time: Double(i), event: event))
    }
    let summary = try store.summary(of: file.id)
    #expect(summary.title == "a red apple" && summary.messages == 1 && summary.pictures == 1)
    #expect(try store.read(file.id).entries.shown.compactMap(\.event.request) == [2, 2])
  }

  /// A sweep is one prompt to whoever asked for it, however many drawings it is.
  @Test func aSweepIsOnePrompt() throws {
    let store = temporaryStore(), file = try SessionFile(store, id: "20260101-000000-bbbb")
    func asked(_ request: Int, _ sweep: Int?) -> SessionEvent {
      .drawingAsked(
        request: request, settings: ImageSettings(prompt: "a cat", seed: 1), count: 1, parent: nil,
        sweep: sweep)
    }
    let events = [asked(1, nil)] + (2...10).map { asked($0, 2) } + [asked(11, 11), asked(12, 11)]
    for event in events { file.append(.init(time: 1, event: event)) }
    #expect(try store.summary(of: file.id).messages == 3)
    #expect(try store.summary(of: file.id).contents == "3 prompts, 0 pictures")
    #expect(try store.read(file.id).entries.repeatedPrompts == Set(3...10).union([12]))
  }

  /// What came back is there again; what came of an undone request later is not; deleted pictures are in no list.
  @Test func whatCameBackIsShown() {
    let settings = ImageSettings(prompt: "a cat", seed: 1), origin = PictureOrigin(settings, stepsDone: 1)
    func drawn(_ request: Int, _ picture: PictureID) -> SessionEvent {
      .drawn(request: request, picture: picture, origin: origin, seconds: 1, isPartial: false)
    }
    func asked(_ request: Int, sweep: Int? = nil) -> SessionEvent {
      .drawingAsked(request: request, settings: settings, count: 1, parent: nil, sweep: sweep)
    }
    let events: [SessionEvent] = [
      asked(1), drawn(1, .hash("aa")), asked(2), .undone(request: 2), .cancelled(request: 2),
      .undone(request: 1),
      .redone(request: 1), asked(3, sweep: 3), drawn(3, .hash("bb")),
      .starred(picture: .hash("bb"), isStarred: true),
      .deleted(picture: .hash("bb"), isDeleted: true), .deleted(picture: .hash("aa"), isDeleted: true),
      .deleted(picture: .hash("aa"), isDeleted: false),
    ]
    let entries = events.map { SessionEntry(time: 1, event: $0) }
    #expect(entries.shown.map(\.event) == [asked(1), drawn(1, .hash("aa")), asked(3, sweep: 3)])
    #expect(entries.deletedPictures == [.hash("bb")])
    // As a log has them, and what older programs wrote is read as before.
    let lines = entries.compactMap { try? JSONEncoder().encode($0) }
    #expect(SessionContents(Data(lines.joined(separator: [10]))).entries == entries)
    let old =
      #"{"version":1,"time":1,"event":{"drawingAsked":{"request":1,"settings":{"prompt":"a cat","negative":"","seed":1,"guidanceScale":3,"steps":50,"decoderSteps":1},"count":1}}}"#
    #expect(SessionContents(Data(old.utf8)).entries.map(\.event) == [asked(1)])
  }

  @Test func aDamagedLineCostsItselfAlone() throws {
    let store = temporaryStore(), id = "damaged"
    do {
      let file = try SessionFile(store, id: id)
      for (i, event) in Self.events.enumerated() { file.append(.init(time: Double(i), event: event)) }
    }
    let path = store.folder(of: id) + "/log.jsonl"
    var bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    let second = try #require(bytes.firstIndex(of: 10)) + 20
    for i in second..<second + 5 { bytes[i] = 0 }
    try Data(bytes.dropLast(30)).write(to: URL(fileURLWithPath: path))
    let (entries, lost) = try store.read(id)
    #expect(entries.count == Self.events.count - 2 && lost == 2)
    // Taken up again, the cut line goes and the next one stands alone.
    do {
      let file = try SessionFile(store, id: id)
      file.append(.init(time: 7, event: .note("new")))
    }
    #expect(try store.read(id).entries.last?.event == .note("new") && store.read(id).lost == 1)
    // Not a byte of it is lost.
    let cut = bytes.dropLast(30), last = (cut.lastIndex(of: 10) ?? -1) + 1
    #expect(FileManager.default.contents(atPath: path + ".damaged") == Data(cut[last...] + [10]))
  }

  /// The writer is killed at any moment, two hundred times; every entry that it called safe is there.
  @Test func killedAtAnyMomentNothingIsLost() throws {
    let writer = try #require(
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap { $0 }
        .map { $0.appendingPathComponent("session-writer") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) })
    let store = temporaryStore()
    var safeInAll = 0, seed: UInt64 = 1
    for round in 0..<100 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let id = "round-\(round / 20)", before = (try? store.read(id).entries.count) ?? 0
      let child = try ChildProgram([writer.path, store.folder, id])
      // From its first entry on.
      child.wait(forBytes: 2)
      usleep(UInt32((seed >> 40) % 4000))
      kill(child.identifier, SIGKILL)
      let said = try child.outcome().output
      let safe = said.split(separator: "\n").compactMap { Int($0) }.last ?? 0
      let found = (try? store.read(id).entries.count) ?? 0
      #expect(
        found - before >= safe && found - before <= safe + 1,
        "round \(round): \(safe) said, \(found - before) found")
      safeInAll += safe
    }
    #expect(safeInAll >= 100, "each round has at least its first entry")
  }
}

/// In tests a text is a stored picture's hash.
extension PictureID: ExpressibleByStringLiteral {
  public init(stringLiteral hash: String) { self = .hash(hash) }
}
