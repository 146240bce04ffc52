import Foundation
import ProgramSupport
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// What was asked of the studio's second edition and shows in no other test of the real program.
@Suite(.serialized)
@SecondScreen
struct WalkThroughProgramTests {
  /// Killed among several pictures, a session says how many of how many there are, before anybody takes it up again.
  @Test(arguments: ["/sweep 1..5,1", "/grid 5", "/count 5\ra star"])
  func whatIsMissingOfSeveralIsTold(_ command: String) throws {
    let s = try Session(["studio", "--graphics", "none"])
    let store = SessionStore(folder: s.home + "/.local/share/vugen/sessions")
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra star\r")
    #expect(s.expect("2 steps ·"))
    s.type("/steps 150\r\(command)\r")
    /// Pictures of what was asked last.
    func drawn() -> Int {
      let log = store.ids().first.flatMap { try? store.read($0).entries.map(\.event) } ?? []
      return log.count { if case .drawn = $0 { true } else { false } } - 1
    }
    let end = ContinuousClock.now + .seconds(Session.ceiling)
    while drawn() < 1, .now < end { _ = probe_pump(s.probe, 20) }
    kill(probe_pid(s.probe), SIGKILL)
    #expect(s.end() == 128 + SIGKILL)
    let count = drawn()
    #expect((1..<5).contains(count))
    let list = try Session(["sessions"], home: s.home)
    #expect(list.expect("2 prompts, \(count + 1) pictures, unfinished: 1 prompt") && list.end() == 0)
    let show = try Session(["sessions", "show"], home: s.home)
    #expect(show.expect("drawing: a star (\(count) of 5 pictures)") && show.end() == 0, "\(show.screen(36))")
    #expect(show.expect("failed: not finished: the studio ended before it was done"))
    let export = try Session(["sessions", "export", "--output", "x.md"], home: s.home)
    #expect(export.expect("x.md") && export.end() == 0)
    let text = try String(contentsOfFile: s.home + "/x.md", encoding: .utf8)
    #expect(
      text.contains("**You:** a star (\(count) of 5 pictures)") && text.contains("not finished"), "\(text)")
    // All of it there, nothing of that is said any more.
    let t = try Session(["studio", "last", "--graphics", "none"], home: s.home)
    #expect(t.expect("1 request was not finished") || t.expect("requests were not finished"))
    #expect(t.expect("parameters"))
    t.type("/retry\r")
    #expect(t.wait { drawn() == 5 } && t.expectGone("drawing ·"), "\(t.screen(36))")
    t.type("\u{04}")
    #expect(t.end() == 0)
    #expect(try !store.summary(of: store.ids()[0]).contents.contains("unfinished"))
  }

  /// `/model` lists what there is: built in, in the data folder, in the hub's cache, and in folders of runs.
  @Test func modelsOfEverySourceAreListed() throws {
    let commit = String(repeating: "0123abcd", count: 5)
    let cached = ".cache/huggingface/hub/models--some--three/snapshots/\(commit)"
    let s = try Session(["model", "init", "--shape", "tiny", "--output", "runs/two/model"])
    #expect(s.end() == 0)
    for place in [".local/share/vugen/models/one", cached] {
      let path = s.home + "/" + place
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: s.home + "/runs/two/model", toPath: path)
    }
    let refs = s.home + "/.cache/huggingface/hub/models--some--three/refs"
    try FileManager.default.createDirectory(atPath: refs, withIntermediateDirectories: true)
    try Data(commit.utf8).write(to: URL(fileURLWithPath: refs + "/main"))
    let t = try Session(["studio", "--graphics", "none"], home: s.home)
    #expect(t.expect("VUGEN Studio") && t.expect("parameters"))
    t.type("/model\r")
    let lines = [
      #/● nano +built-in · /#, #/ one +data folder · /#, #/some\/three +cache · /#,
      #/runs\/two\/model +folder · /#,
    ]
    let areThere = t.wait { lines.allSatisfy { t.screen(36).contains($0) } }
    #expect(areThere, "\(t.screen(36))")
    t.type("three\r")
    #expect(t.expect("cannot draw") && t.expectGone("type to filter"), "\(t.screen(36))")
    t.type("\u{04}")
    #expect(t.end() == 0)
  }

  /// Lists say when a session was used as people say it, and in the person's own time.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Asia/Tokyo"), "needs zones"))
  func datesAreThePersonsOwn() throws {
    let home = temporaryPath(), store = SessionStore(folder: home + "/.local/share/vugen/sessions")
    let now = Date().timeIntervalSince1970
    // 20:30 on the third in London.
    for (id, time) in [("a-old", 1_730_665_800), ("b-before", now - 86_400), ("c-now", now)] {
      #expect(try SessionFile(store, id: id).append(.init(time: time, event: .note("words of \(id)"))))
    }
    let s = try Session(
      ["studio", "--graphics", "none"], home: home,
      terminal: ["TERM=xterm-256color", "COLORTERM=truecolor", "TZ=Asia/Tokyo"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/sessions\r")
    #expect(s.expect("4 Nov 2024 · ") && s.expect("yesterday "), "\(s.screen(36))")
    #expect(s.screen(36).contains("today "), "\(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expectGone("yesterday "))
    s.type("\u{04}")
    #expect(s.end() == 0)
  }

  /// A picture that is saved into a folder, whatever that is written like, is told by its path as anybody writes it.
  @Test func pathsAreSaidOnce() throws {
    let s = try Session(["studio", "--graphics", "none"])
    let place = s.home + "/pictures"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra star\r")
    #expect(s.expect("2 steps ·"))
    var known: Set<String> = []
    for typed in ["pictures", "pictures/", "pictures//", ".//pictures///"] {
      s.type("/save \(typed)\r")
      let name = try #require(s.saved(in: place, beside: known))
      known.insert(name)
      #expect(s.expect("pictures/\(name)") && !s.screen(36).contains("pictures//"), "\(s.screen(36))")
    }
    // Where the system's own folder is not to be written in.
    s.type("/save /proc//\r")
    #expect(s.expect("/proc/a-star") && !s.screen(36).contains("//a-star"), "\(s.screen(36))")
    s.type("/export pictures//\r")
    #expect(s.expect("wrote pictures/vugen-"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
  }
}

extension Session {
  /// Another picture in a folder than those that are known, once it is there.
  fileprivate func saved(in folder: String, beside known: Set<String>) -> String? {
    let end = ContinuousClock.now + .seconds(Session.ceiling)
    while .now < end {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      if let new = names.first(where: { $0.hasSuffix(".png") && !known.contains($0) }) { return new }
      _ = probe_pump(probe, 20)
    }
    return nil
  }
}
