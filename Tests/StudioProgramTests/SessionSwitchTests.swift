import Foundation
import ProgramSupport
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// Sessions in the real program: which is open, who may write it, what is left on the disk.
@Suite(.serialized)
@SecondScreen
struct SessionSwitchTests {
  private static func store(_ home: String) -> SessionStore {
    SessionStore(folder: home + "/.local/share/vugen/sessions")
  }

  private static func leave(_ s: Session) -> Int32 {
    // Twice: what is not finished is told first.
    s.type("\u{15}\u{04}\u{04}")
    return s.end()
  }

  /// The session in which something was said: two that begin within a second stand in any order.
  private static func session(_ words: String, _ store: SessionStore) throws -> String {
    try #require(
      store.ids().first { id in
        (try? store.read(id).entries.contains { $0.event.text == words }) ?? false
      })
  }

  /// There and back again, by every way that leads there: each session stays the person's own.
  @Test func oneComesBackToOnesOwnSession() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\rfirst apple\r")
    #expect(s.expect("2 steps ·"))
    s.type("/sessions\r")
    #expect(s.expect("first apple") && s.expect("Sessions"))
    s.type("\r")
    #expect(s.expect("open already"), "\(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("new session") && s.expectGone("first apple"), "\(s.screen(36))")
    // Where the old session's messages stood are the new one's.
    s.type("second pear\r")
    #expect(s.expect("second pear") && s.expect("2 steps ·") && !s.screen(36).contains("first apple"))
    s.type("/search first\r")
    #expect(s.expect("first apple"))
    s.type("\r")
    #expect(s.expectGone("second pear") && s.expect("first apple"), "\(s.screen(36))")
    #expect(!s.screen(36).contains("read-only"), "\(s.screen(36))")
    s.type("/steps 3\rthird plum\r")
    #expect(s.expect("third plum") && s.expect("3 steps ·"))
    s.type("/replay\r")
    #expect(s.expect("Esc closes the replay"))
    s.type("\u{1B}")
    #expect(s.expect("replay closed") && s.expect("third plum"), "\(s.screen(36))")
    s.type("fourth fig\r")
    #expect(s.expect("fourth fig") && s.expectGone("read-only"), "\(s.screen(36))")
    #expect(Self.leave(s) == 0)
    #expect(store.ids().count == 2)
    let first = try store.contents(of: Self.session("first apple", store))
    let second = try store.contents(of: Self.session("second pear", store))
    // The last may have been left before it was done.
    let reasons = UnfinishedRequests.reasons
    #expect(
      first.entries.compactMap(\.event.text).filter { $0.contains(" ") && !reasons.contains($0) } == [
        "first apple", "third plum", "fourth fig",
      ])
    #expect(
      second.entries.contains { if case .opened = $0.event { true } else { false } },
      "what /new opened is recorded")
  }

  @Test func aSessionIsLeftWithWhatItWasAt() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 1000\r/count 4\rlong apple\rwaiting pear\r")
    #expect(s.expectStep(of: 1000))
    s.type("/new\r")
    #expect(s.expect("1 request in the queue; the same again ends it"), "\(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("2 requests were cancelled"), "\(s.screen(36))")
    s.type("/steps 2\r/count 1\rshort plum\r")
    #expect(s.expect("short plum") && s.expect("2 steps ·"), "\(s.screen(36))")
    #expect(Self.leave(s) == 0 && store.ids().count == 2)
    let new = try store.read(Self.session("short plum", store)).entries.map(\.event)
    let old = try store.read(Self.session("long apple", store)).entries
    #expect(
      new.flatMap(\.pictures).count == 1
        && new.compactMap(\.request).allSatisfy { $0 == new.compactMap(\.request)[0] })
    if case .cancelled? = old.last?.event {
    } else {
      Issue.record("the old session ends with \(String(describing: old.last))")
    }
  }

  /// A start without a word leaves nothing, and `last` is the last in which something was done.
  @Test func lookingLeavesNoTrace() throws {
    let home = temporaryPath(), store = Self.store(home)
    do {
      let file = try SessionFile(store, id: "20260101-000000-aaaa")
      file.append(.init(time: 1, event: .note("the only words")))
      let empty = try SessionFile(store, id: "20260102-000000-bbbb")
      try Data(
        #"{"event":{"opened":{"model":"n","modelHash":"h","program":"p"}},"time":1,"version":1}\#n"#.utf8
      )
      .write(to: URL(fileURLWithPath: empty.folder + "/log.jsonl"))
    }
    let before = try store.read("20260101-000000-aaaa").entries.count
    for words in [["studio"], ["studio", "last"]] {
      let s = try Session(words + ["--graphics", "none"], home: home)
      #expect(s.expect("parameters") && (words.count == 1 || s.expect("the only words")), "\(s.screen(36))")
      s.type("/new\r")
      #expect(s.expect("new session"))
      #expect(Self.leave(s) == 0)
    }
    #expect(try store.ids().count == 2 && store.read("20260101-000000-aaaa").entries.count == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 2)
  }

  /// What cannot be written is opened to be read, and that is said: a folder, and a newer program's log.
  @Test func whatCannotBeWrittenIsRead() throws {
    let home = temporaryPath(), store = Self.store(home)
    try FileManager.default.createDirectory(atPath: home + "/.local", withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: home + "/.local/share"))
    let s = try Session(["studio", "--graphics", "none"], home: home)
    #expect(s.expect("stays in memory") && s.expect("set XDG_DATA_HOME"), "\(s.screen(36))")
    #expect(s.expect("parameters"))
    s.type("/steps 2\ra cat\r")
    #expect(s.expect("2 steps ·"), "what cannot be written is drawn: \(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("what is new stays in memory") && s.expectGone("a cat"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.expect("1 picture is not written; /save it; Ctrl-D again leaves"), "\(s.screen(36))")
    #expect(Self.leave(s) == 1)

    try FileManager.default.removeItem(atPath: home + "/.local/share")
    let id = "20260101-000000-aaaa", path = store.folder(of: id) + "/log.jsonl"
    try FileManager.default.createDirectory(atPath: store.folder(of: id), withIntermediateDirectories: true)
    let log =
      #"{"event":{"note":{"_0":"old words"}},"time":1,"version":1}"# + "\n"
      + #"{"event":{"sung":{"song":1}},"time":2,"version":7}"#
    try Data(log.utf8).write(to: URL(fileURLWithPath: path))
    let t = try Session(["studio", "last", "--graphics", "none"], home: home)
    #expect(t.expect("newer version") && t.expect("old words"), "\(t.screen(36))")
    #expect(Self.leave(t) == 0)
    let replay = try Session(["replay", id, "--speed", "100"], home: home)
    #expect(
      replay.expect("old words") && replay.expect("a newer version of this program wrote it")
        && replay.expect("left out"), "\(replay.screen(36))")
    #expect(Self.leave(replay) == 0)
    #expect(FileManager.default.contents(atPath: path) == Data(log.utf8), "not a byte is changed")
  }

  /// A disk that takes nothing at all: it is said in a line, and no session is left that holds nothing.
  @Test func aFullDiskLeavesNoEmptySession() throws {
    let program = try Session.program()
    let s = try Session(
      ["-c", "ulimit -f 0; exec '\(program)' studio --graphics none"], name: "/bin/sh")
    let store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\rfirst apple\r")
    #expect(s.expect("stays in memory until it can be written") && s.expect("2 steps ·"), "\(s.screen(36))")
    func left() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: store.folder)) ?? [] }
    #expect(left() == [], "\(left())")
    s.type("\u{04}")
    #expect(s.expect("1 picture is not written; make room, or /save it; Ctrl-D again"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 1 && left() == [] && store.summaries().isEmpty)
  }

  /// Whether a disk of a test's own can be had.
  private nonisolated static let hasMounts =
    (try? ChildProgram.run(["/usr/bin/unshare", "-rm", "/bin/mount", "-t", "tmpfs", "none", "/mnt"]).status)
    == 0

  /// A disk that is full at the start is told then, once.
  @Test(.enabled(if: SessionSwitchTests.hasMounts)) func aStartOnAFullDisk() throws {
    let home = try temporaryFolder(), disk = home + "/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let lines = """
      mount -t tmpfs -o size=64k none '\(disk)' && cat /dev/zero >'\(disk)/x' 2>/dev/null
      export XDG_DATA_HOME='\(disk)'; P='\(try Session.program())'
      "$P" studio --graphics none; echo "status $?"; "$P" sessions list; find '\(disk)' -name '*.jsonl' | wc -l
      """
    let s = try Session(["-rm", "/bin/sh", "-c", lines], home: home, name: "/usr/bin/unshare")
    let told = "the disk is full: what is new stays in memory until there is room in"
    #expect(s.expect(told) && s.expect("parameters"), "\(s.screen(36))")
    s.type("/steps 2\rfirst apple\r")
    #expect(s.expect("2 steps ·") && !s.screen(36).contains("can be written"), "\(s.screen(36))")
    // With each result it is said that it goes on.
    #expect(s.expect("not written yet, and in memory only: "), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.expect("1 picture is not written; make room, or /save it; Ctrl-D again"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
    let end = s.screen(36), shown = end.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(shown.contains("status 1") && shown.contains("0") && end.contains("no sessions yet"), "\(end)")
    #expect(end.components(separatedBy: "not written").count == 2, "\(end)")
  }

  /// A disk that takes no more: it is said, nothing is dropped on the way to another session, and the status tells.
  @Test func whatTheDiskDoesNotTakeIsNotDropped() throws {
    let program = try Session.program()
    let s = try Session(
      ["-c", "ulimit -f 1; exec '\(program)' studio --graphics none"], name: "/bin/sh")
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\rfirst apple\r")
    // A picture is more than a file may have here, and so is what the log says of it.
    #expect(s.expect("stays in memory") && s.expect("2 steps ·"), "\(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("is tried again"), "\(s.screen(36))")
    s.type("/sessions\r")
    #expect(s.expect("Sessions"))
    s.type("\r")
    #expect(s.expect("opened") && s.expect("first apple"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.expect("1 picture is not written; make room, or /save it; Ctrl-D again"), "\(s.screen(36))")
    s.type("/new\r")
    #expect(s.expect("is tried again"), "\(s.screen(36))")
    s.type("second pear\r")
    #expect(s.expect("2 steps ·"))
    // More would be lost than was said.
    s.type("/quit\r")
    #expect(s.expect("2 pictures are not written"), "\(s.screen(36))")
    #expect(Self.leave(s) == 1)
    let farewell = s.screen(36).split(separator: "\n").filter { $0.hasPrefix("vugen: not written: ") }
    #expect(farewell.count == 2, "each on a line of its own: \(s.screen(36))")
  }

  /// Pictures of another session become this one's where they are used, and what was undone is in no export.
  @Test func aSessionIsWholeByItself() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\rfirst apple\r")
    #expect(s.expect("2 steps ·"))
    s.type("/new\r")
    #expect(s.expect("new session"))
    s.type("secret pear\r")
    #expect(s.expect("2 steps ·"))
    s.type("/undo\r")
    #expect(s.expectGone("secret pear"))
    s.type("a plum\r")
    #expect(s.expect("a plum") && s.expect("2 steps ·"))
    s.type("/gallery\r\t")
    #expect(s.expect("all sessions (Tab"))
    s.type("\u{1B}[Hw")
    #expect(s.expect("saved first-apple"), "\(s.screen(36))")
    s.type("\u{01}What is this?\r")
    #expect(s.expect("tokens/s"), "\(s.screen(36))")
    for format in ["md", "html", "json", "cast"] {
      s.type("/export \(format)\r")
      #expect(s.expect("-") && s.expect(".\(format)"))
    }
    #expect(Self.leave(s) == 0)
    try exportsAreWhole(s.home, store)
  }

  /// Each request is made again with the model that it was made with; where that is not here, it is not checked.
  @Test func requestsAreVerifiedWithTheirOwnModel() throws {
    let s = try Session(["model", "init", "--shape", "tiny", "--output", "tiny"])
    #expect(s.end() == 0)
    let t = try Session(["studio", "--graphics", "none"], home: s.home)
    #expect(t.expect("VUGEN Studio") && t.expect("parameters"))
    t.type("/steps 2\rfirst apple\r")
    #expect(t.expect("2 steps ·"))
    t.type("/model tiny\r")
    #expect(t.expect("tiny ·"), "\(t.screen(36))")
    // It draws nothing, and is asked.
    t.type("second apple\r")
    #expect(t.expect("tokens/s"), "\(t.screen(36))")
    t.type("/model nano\r")
    #expect(t.expect("nano ·"), "\(t.screen(36))")
    t.type("/steps 4\rthird apple\r")
    #expect(t.expect("4 steps ·"), "\(t.screen(36))")
    #expect(Self.leave(t) == 0)
    let verify = try Session(["replay", "last", "--verify"], home: s.home)
    #expect(verify.expect("1 answer and 2 pictures are identical, bit for bit"), "\(verify.screen(36))")
    #expect(verify.end() == 0)
    try FileManager.default.removeItem(atPath: s.home + "/tiny")
    let without = try Session(["replay", "last", "--verify"], home: s.home)
    #expect(without.expect("made with the model 'tiny'") && without.end() == 1, "\(without.screen(36))")
    #expect(
      without.expect("2 pictures are as recorded; 1 not checked")
        && !without.screen(36).contains("identical"))
  }

  private func exportsAreWhole(_ home: String, _ store: SessionStore) throws {
    let id = try Self.session("a plum", store), other = try Self.session("first apple", store)
    let apple = try #require(store.read(other).entries.flatMap(\.event.pictures).compactMap(\.stored).first)
    #expect((try? store.picture(apple, of: id)) != nil)
    let saved = try #require(
      FileManager.default.contentsOfDirectory(atPath: home).first { $0.hasPrefix("first-apple") })
    let bytes = try #require(FileManager.default.contents(atPath: home + "/" + saved))
    #expect(bytes.range(of: Data("first apple".utf8)) != nil, "its settings are in it")
    let undone = try store.read(id).entries.compactMap { entry -> String? in
      if case .drawn(_, let picture, let origin, _, _) = entry.event, origin.settings.prompt == "secret pear"
      {
        picture.stored
      } else {
        nil
      }
    }
    #expect(undone.count == 1)
    for format in ["md", "html", "json", "cast"] {
      let text = try String(contentsOfFile: "\(home)/vugen-\(id).\(format)", encoding: .utf8)
      #expect(text.contains("a plum") && !text.contains("secret") && !text.contains(undone[0]), "\(format)")
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(home)/vugen-\(id)-pictures")
    #expect(files.contains("\(apple).png") && !files.contains("\(undone[0]).png"))
    let verify = try Session(["replay", id, "--verify"], home: home)
    #expect(verify.expect("bit for bit") && verify.end() == 0, "\(verify.screen(36))")
  }
}
