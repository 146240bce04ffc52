import Foundation
import Requests
import SessionLog
import TestSupport
import Testing

/// Lists of sessions have one order, that of their last use, and say it.
struct LastUseTests {
  private let store = SessionStore(folder: temporaryPath())

  private func write(_ id: String, _ times: [Double], ending: String = "") throws {
    let file = try SessionFile(store, id: id)
    for time in times { file.append(.init(time: time, event: .note("of \(time)"))) }
    #expect(file.end())
    guard !ending.isEmpty else { return }
    let log = try #require(FileHandle(forWritingAtPath: store.folder(of: id) + "/log.jsonl"))
    try log.seekToEnd()
    try log.write(contentsOf: Data(ending.utf8))
  }

  @Test func whatWasUsedLastComesFirst() throws {
    try write("20260101-000000-aaaa", [10, 900])
    try write("20260102-000000-bbbb", [20, 30])
    // Behind a text that only looks like a time, of another program, in another order, cut, and damaged.
    try write(
      "20260103-000000-cccc", [40],
      ending: #"{"event":{"note":{"_0":",\"time\":7,\"version\":1}"}},"time":500,"version":1}"# + "\n")
    try write("20260104-000000-dddd", [5], ending: #"{"event":{"later":{}},"time":700,"version":9}"#)
    try write("20260105-000000-eeee", [6], ending: #"{"version":1,"time":600,"event":{"note":{"_0":"x"}}}"#)
    try write("20260106-000000-ffff", [450], ending: #"{"event":{"note":{"_0":"cut"#)
    try write("20260107-000000-gggg", [1e30])
    let order = ["gggg", "aaaa", "dddd", "eeee", "cccc", "ffff", "bbbb"]
    #expect(store.ids().map { String($0.suffix(4)) } == order)
    #expect(store.summaries().map { String($0.id.suffix(4)) } == order)
    let times = store.summaries().map(\.changed)
    #expect(times == times.sorted(by: >) && times[1...] == [900, 700, 600, 500, 450, 30], "\(times)")
    #expect(try store.resolve("last") == "20260107-000000-gggg")
    // What is done now is the last use.
    try store.delete("20260107-000000-gggg")
    try write("20260102-000000-bbbb", [1000])
    #expect(try store.resolve("last") == "20260102-000000-bbbb")
    #expect(store.summaries().first?.id == "20260102-000000-bbbb")
  }

  /// A session of which nothing can be read was used when its log was written, and not in 1970; one without a byte, as a
  /// full disk leaves it, is none.
  @Test func whatTellsNoTimeHasItsNamesOrItsFilesDate() throws {
    try write("20260101-000000-aaaa", [1_700_000_000])
    for (id, text, time) in [
      ("b-bbbb", "no entry\n", 1_600_000_000.0),
      ("c-cccc", "\0\0", 1_750_000_000),
      ("20260104-000000-dddd", "", 1_790_000_000), ("20200913-122641-eeff", "none\n", 1_780_000_000),
    ] {
      try FileManager.default.createDirectory(
        atPath: store.folder(of: id), withIntermediateDirectories: true)
      let log = store.folder(of: id) + "/log.jsonl"
      try Data(text.utf8).write(to: URL(fileURLWithPath: log))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: log)
    }
    #expect(store.ids().map { String($0.suffix(4)) } == ["cccc", "aaaa", "eeff", "bbbb"])
    let summaries = store.summaries()
    #expect(summaries.map(\.changed) == [1_750_000_000, 1_700_000_000, 1_600_000_001, 1_600_000_000])
    #expect(summaries.map(\.begun) == summaries.map(\.changed), "\(summaries)")
    // An entry of a later program tells its time.
    try write(
      "20260105-000000-eeee", [], ending: #"{"event":{"later":{}},"time":1760000000,"version":9}"# + "\n")
    #expect(try store.summary(of: "20260105-000000-eeee").begun == 1_760_000_000)
  }

  /// A new title, stars, settings and opening a session are no use of it.
  @Test func aNewTitleLeavesASessionWhereItIs() throws {
    try write("a", [10])
    try write("b", [20])
    let file = try SessionFile(store, id: "a"),
      others = [
        .renamed("x"), SessionEvent.starred(picture: "aa", isStarred: true),
        .settings(SessionSettings(.init(prompt: ""), seed: nil, count: 2, temperature: 0)),
      ]
    for event in [.opened(model: "m", modelHash: "h", program: "p")] + others {
      file.append(.init(time: 90, event: event))
    }
    #expect(file.end() && store.ids() == ["b", "a"])
    #expect(store.summaries().map(\.changed) == [20, 10] && store.summaries()[1].title == "x")
    // One that holds nothing else was used when it began.
    let named = try SessionFile(store, id: "c")
    for (time, title) in [(15.0, "y"), (95, "z")] { named.append(.init(time: time, event: .renamed(title))) }
    #expect(named.end() && store.ids() == ["b", "c", "a"])
  }

  /// A picture counts once, wherever it was shown.
  @Test func picturesAreCountedOnce() throws {
    let file = try SessionFile(store, id: "20260101-000000-aaaa")
    let origin = PictureOrigin(.init(prompt: "a cat"), stepsDone: 5)
    for event in [
      SessionEvent.asked(request: 1, text: "x", pictures: ["aa", "bb"], sampling: .init()),
      .drawn(request: 2, picture: "cc", origin: origin, seconds: 1, isPartial: false),
      .drawn(request: 3, picture: "cc", origin: origin, seconds: 1, isPartial: false),
      .asked(request: 4, text: "y", pictures: ["cc"], sampling: .init()),
      .drawn(request: 5, picture: "dd", origin: origin, seconds: 1, isPartial: false),
      .deleted(picture: "dd", isDeleted: true),
      .attached(picture: "ee", name: "e.png", settings: nil),
    ] { file.append(.init(time: 1, event: event)) }
    #expect(try store.summary(of: file.id).pictures == 4)
  }

  /// Who has a session is said, and what to do.
  @Test func aLockNamesItsHolder() throws {
    let file = try SessionFile(store, id: "20260101-000000-aaaa")
    file.append(.init(time: 1, event: .note("a")))
    let error = #expect(throws: SessionError.self) { try SessionFile(store, id: file.id) }
    #expect(error?.isLocked == true)
    #expect(
      error?.description
        == "\(file.id): another studio (process \(getpid())) has this session open; leave it there first, open it with "
        + "--read-only, or start a new one")
    // One that was written by nobody we know.
    try Data("rm -rf\u{1B} x".utf8).write(to: URL(fileURLWithPath: file.folder + "/lock"))
    let other = #expect(throws: SessionError.self) { try SessionFile(store, id: file.id) }
    #expect(other?.reason == "\(file.id): another studio has this session open")
  }

  /// A pipe in a log's or a picture's place is not waited for, and keeps nobody from the other sessions.
  @Test func pipesAreNotWaitedFor() throws {
    try write("a", [1])
    for id in ["b", "c"] {
      try FileManager.default.createDirectory(
        atPath: "\(store.folder)/\(id)/pictures", withIntermediateDirectories: true)
    }
    #expect(mkfifo("\(store.folder)/b/log.jsonl", 0o600) == 0)
    #expect(symlink("/dev/zero", "\(store.folder)/c/log.jsonl") == 0)
    #expect(mkfifo("\(store.folder)/c/pictures/ab.png", 0o600) == 0)
    #expect(store.summaries().map(\.id) == ["a"])
    for id in ["b", "c"] {
      let error = #expect(throws: SessionError.self) { try store.contents(of: id) }
      #expect(error?.description.contains("log.jsonl: this is not a plain file, ") == true)
    }
    #expect(throws: SessionError.self) { try store.picture("ab", of: "c") }
  }
}
