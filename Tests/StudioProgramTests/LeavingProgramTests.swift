import Foundation
import Pictures
import ProgramSupport
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// How the studio, a session or the foreground is left, in the real program, and what is kept.
@Suite(.serialized)
@SecondScreen
struct LeavingProgramTests {
  private static func store(_ home: String) -> SessionStore {
    SessionStore(folder: home + "/.local/share/vugen/sessions")
  }

  /// What the session in which these words were said has in its log.
  private static func log(_ words: String, _ store: SessionStore) throws -> [SessionEvent] {
    let logs = try store.ids().map { try store.read($0).entries.map(\.event) }
    return try #require(logs.first { $0.contains { $0.text == words } })
  }

  private static func hasPartial(_ log: [SessionEvent]) -> Bool {
    log.contains { if case .drawn(_, _, _, _, true) = $0 { true } else { false } }
  }

  private static func cancelled(_ log: [SessionEvent]) -> Int {
    log.count { if case .cancelled = $0 { true } else { false } }
  }

  /// `/new` and a signal keep what is drawn, as leaving does. What waited is cancelled by the one where it was asked, and
  /// behind the other it is there to be asked again.
  @Test func whatIsDrawnIsKept() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 1000\ra red apple\ra blue car\r")
    #expect(s.expectStep(of: 1000))
    s.type("/new\r")
    #expect(s.expect("1 request in the queue; the same again ends it"), "\(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("2 requests were cancelled") && s.expectGone("a red apple"), "\(s.screen(36))")
    s.type("/steps 999\ra green frog\ra brown dog\r")
    #expect(s.expectStep(of: 999), "\(s.screen(36))")
    s.type("/count 3\r")
    #expect(s.expect("count 3"), "\(s.screen(36))")
    kill(probe_pid(s.probe), SIGHUP)
    #expect(s.end() == 128 + SIGHUP && s.leftClean)
    let old = try Self.log("a red apple", store), new = try Self.log("a green frog", store)
    #expect(Self.hasPartial(old) && old.contains { $0.text == "a blue car" } && Self.cancelled(old) >= 1)
    #expect(Self.hasPartial(new) && Self.cancelled(new) == 0)
    let left = UnfinishedRequests(new.map { SessionEntry(time: 1, event: $0) }).again
    #expect(left.map(\.text) == ["a green frog", "a brown dog"], "\(new)")
    #expect(try store.summary(of: #require(store.ids().first)).unfinished == 2)
    let counts = new.compactMap { if case .settings(let settings) = $0 { settings.count } else { nil } }
    #expect(counts.last == 3, "\(new)")
  }

  /// In the background the studio stands still and asks the terminal nothing; brought back, it sees the window's size.
  @Test func theShellsJobsAreItsOwn() throws {
    let s = try Session(["--norc", "--noprofile", "-i"], rows: 24, columns: 80, name: "/bin/bash")
    s.type("PS1='ready> '; '\(try Session.program())' studio --graphics none &\r")
    s.type("until jobs | grep -q Stopped; do sleep 0.05; done; echo it 'stands still'\r")
    #expect(s.expect("\nit stands still", rows: 24), "\(s.screen(24))")
    #expect(!String(decoding: s.sent, as: UTF8.self).contains("\u{1B}[?1049h"))
    s.type("fg\r")
    #expect(s.expect("VUGEN Studio", rows: 24) && s.expect("parameters", rows: 24), "\(s.screen(24))")
    #expect(!s.screen(24).contains("Decoder"))
    s.type("\u{1A}")
    #expect(s.expectGone("VUGEN Studio", rows: 24) && s.expect("ready> ", rows: 24), "\(s.screen(24))")
    probe_resize(s.probe, 36, 120)
    s.type("fg\r")
    #expect(s.expect("Decoder"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.expectGone("VUGEN Studio"))
    s.type("exit\r")
    #expect(s.end() == 0)
  }

  /// Folders as names, and a session that is removed under the studio.
  @Test func foldersAndWhatIsRemoved() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home),
      manager = FileManager.default
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra red apple\r")
    #expect(s.expect("2 steps ·"))
    s.type("/export md .\r")
    #expect(s.expect("wrote ./vugen-2"), "\(s.screen(36))")
    s.type("/export md nowhere/x\r")
    #expect(s.expect("there is no folder nowhere"), "\(s.screen(36))")
    s.type("/save /dev/null\r")
    #expect(s.expect("would keep nothing"), "\(s.screen(36))")
    #expect(!manager.fileExists(atPath: s.home + "/nowhere") && !manager.fileExists(atPath: s.home + "/..md"))
    let id = try #require(store.ids().first)
    try manager.removeItem(atPath: store.folder(of: id))
    s.type("a green frog\r")
    #expect(s.expect("written anew"), "\(s.screen(36))")
    #expect(s.expect("2 steps ·") && s.expectGone("written anew"))
    // A name with a line's end in it, as a terminal gives it.
    let gray = try Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768)).pngData()
    try Data(gray).write(to: URL(fileURLWithPath: s.home + "/cr\rname.png"))
    s.type("\u{1B}[200~\(s.home)/cr\rname.png\u{1B}[201~")
    #expect(s.expect("attached cr"), "\(s.screen(36))")
    s.type("\u{04}\u{04}")
    #expect(s.end() == 0)
    let log = try Self.log("a green frog", store)
    #expect(log.contains { $0.text == "a red apple" } && log.flatMap(\.pictures).count == 2, "\(log)")
  }
}
