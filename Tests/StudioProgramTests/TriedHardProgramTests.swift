import Files
import Foundation
import Pictures
import ProgramSupport
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// What people found who tried hard to break the studio, in the real program.
@Suite(.serialized)
@SecondScreen
struct TriedHardProgramTests {
  private static func store(_ home: String) -> SessionStore {
    SessionStore(folder: home + "/.local/share/vugen/sessions")
  }

  private static func picture(_ path: String) throws {
    let gray = try Picture(width: 32, height: 32, rgb: [UInt8](repeating: 120, count: 3072)).pngData()
    try AtomicFile.write(Data(gray), to: path)
  }

  /// Waits until a session's log has something.
  private static func waits(_ s: Session, _ store: SessionStore, for isThere: ([SessionEvent]) -> Bool)
    -> Bool
  {
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    while clock.now < end {
      let id = store.ids().first, log = id.flatMap { try? store.read($0).entries.map(\.event) } ?? []
      if isThere(log) { return true }
      if probe_pump(s.probe, 50) == 0 { return false }
    }
    return false
  }

  /// Killed in the midst of its work, a session says what was cut off and what waited, and asks for it by one command;
  /// settings that were set a moment before are there, and so is the mode.
  @Test func killedAndTakenUp() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 1000\r/seed 5\r/count 2\ra red apple\r")
    #expect(s.expectStep(of: 1000))
    s.type("\ta long question?\r\t/steps 3\r")
    #expect(s.expect("next: a long question?") && s.expect("steps 3"), "\(s.screen(36))")
    #expect(
      Self.waits(s, store) { log in
        if case .settings(let settings)? = log.last {
          settings.steps == 3 && settings.asks == false
        } else {
          false
        }
      }, "written at once: \(s.screen(36))")
    kill(probe_pid(s.probe), SIGKILL)
    #expect(s.end() == 128 + SIGKILL)

    let replay = try Session(["replay", "last", "--speed", "1000"], home: s.home)
    #expect(replay.expect("not finished: the studio ended") && replay.expect("was waiting when"))
    replay.type("\u{04}\u{04}")
    #expect(replay.end() == 0)
    try Self.expectToldAsLeft(s.home)

    let t = try Session(["studio", "last", "--graphics", "none"], home: s.home)
    #expect(t.expect("not finished: the studio ended before it was done"), "\(t.screen(36))")
    #expect(t.expect("was waiting when the studio ended") && t.expect("2 requests were not finished; /retry"))
    #expect(t.expect("Mode  Imagine") && t.screen(36).contains(#/Steps +3\b/#), "\(t.screen(36))")
    #expect(t.screen(36).contains(#/Seed +5\b/#) && t.screen(36).contains(#/Count +2\b/#), "\(t.screen(36))")
    #expect(t.expect("parameters"))
    t.type("/retry\r")
    #expect(t.expectStep(of: 1000) && t.expect("next: a long question?"), "\(t.screen(36))")
    t.type("\u{03}")
    #expect(t.expect("tokens/s"), "\(t.screen(36))")
    t.type("\u{04}\u{04}")
    #expect(t.end() == 0)
    let log = try store.read(#require(store.ids().first)).entries
    #expect(UnfinishedRequests(log).owed.isEmpty, "all of it is told: \(log)")
  }

  /// Before anybody takes it up again, whoever lists, prints or exports a session is told what it lacks.
  private static func expectToldAsLeft(_ home: String) throws {
    let list = try Session(["sessions", "list"], home: home)
    #expect(list.expect("2 prompts, 0 pictures, unfinished: 2 prompts") && list.end() == 0)
    let show = try Session(["sessions", "show", "last"], home: home)
    #expect(show.expect("drawing: a red apple (0 of 2 pictures)") && show.end() == 0, "\(show.screen(36))")
    #expect(show.expect("question: a long question?\nfailed: was waiting when the studio ended"))
    for format in ["md", "html", "json", "cast"] {
      let export = try Session(["sessions", "export", "last", "--output", "x.\(format)"], home: home)
      #expect(export.expect("x.\(format)") && export.end() == 0)
      let text = try String(contentsOfFile: home + "/x.\(format)", encoding: .utf8)
      for reason in UnfinishedRequests.reasons { #expect(text.contains(reason), "\(format): \(text)") }
    }
  }

  /// A signal that ends the studio is said once the terminal is given back, with how to go on.
  @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP"), (SIGQUIT, "SIGQUIT")])
  func aSignalIsTold(_ number: Int32, _ name: String) throws {
    let s = try Session(["studio", "--graphics", "none"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra red apple\r")
    #expect(s.expect("2 steps ·"))
    kill(probe_pid(s.probe), number)
    #expect(s.end() == 128 + number && s.leftClean)
    let id = try #require(Self.store(s.home).ids().first)
    #expect(
      s.screen(36).contains("ended by \(name); the session is saved: vugen studio \(id) takes it up"),
      "\(s.screen(36))")
    #expect(s.screen(36).components(separatedBy: "ended by").count == 2)
  }

  /// What is no picture that can be opened is in no list, and a folder without any says so.
  @Test func foldersShowWhatCanBeOpened() throws {
    let home = try temporaryFolder(), manager = FileManager.default
    for name in ["some", "none", "none/deeper"] {
      try manager.createDirectory(atPath: "\(home)/\(name)", withIntermediateDirectories: true)
    }
    try Self.picture(home + "/some/cat.png")
    try manager.createSymbolicLink(
      atPath: home + "/some/link.png", withDestinationPath: home + "/some/cat.png")
    for folder in ["some", "none"] {
      try Data().write(to: URL(fileURLWithPath: "\(home)/\(folder)/empty.png"))
      #expect(mkfifo("\(home)/\(folder)/pipe.png", 0o600) == 0)
      try manager.createSymbolicLink(
        atPath: "\(home)/\(folder)/lost.png", withDestinationPath: home + "/nowhere.png")
    }
    let s = try Session(["studio", "--graphics", "none"], home: home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/image some\r")
    #expect(s.expect("cat.png") && s.expect("link.png"), "\(s.screen(36))")
    for name in ["empty.png", "pipe.png", "lost.png"] { #expect(!s.screen(36).contains(name)) }
    s.type("\u{1B}/image none\r")
    #expect(s.expect("none has no pictures") && s.expect("deeper/"), "\(s.screen(36))")
    #expect(!s.screen(36).contains("no matches"))
    s.type("\u{1B}")
    #expect(s.expectGone("deeper/"))
    names(s)
    s.type("\u{15}\u{04}")
    #expect(s.end() == 0)
    let log = try Self.store(home).read(#require(Self.store(home).ids().first)).entries
    let questions = log.filter { if case .asked = $0.event { true } else { false } }
    #expect(questions.count == 2 && questions.allSatisfy { $0.event.pictures.count == 1 }, "\(log)")
  }

  /// Each word behind `@` is the picture that it names, or is told; nothing else is asked.
  private func names(_ s: Session) {
    s.type("\twhat is in @some?\r")
    #expect(s.expect("some is a folder, and no picture; /image some lists"), "\(s.screen(36))")
    #expect(s.expect("what is in @some?"))
    s.type("\u{15}what is in (@some/cat.png)?\r")
    #expect(s.expect("tokens/s"), "\(s.screen(36))")
    s.type("see @notes.txt\r")
    #expect(s.expect("notes.txt: ") && s.expect("see @notes.txt"), "\(s.screen(36))")
    s.type("\u{15}what is in @my cat.png?\r")
    #expect(s.expect("my cat.png: "), "\(s.screen(36))")
    _ = try? Self.picture(s.home + "/it's.png")
    s.type("\u{15}is @it's.png gray?\r")
    #expect(s.expect("is @it's.png gray?") && s.expect("[about] it's.png"), "\(s.screen(36))")
    #expect(s.expectGone("answering"))
  }

  /// A session that is moved away while it is open goes on where it was, with all that it had, and says so once.
  @Test func aMovedSessionGoesOn() throws {
    let s = try Session(["studio", "--graphics", "none"]), store = Self.store(s.home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra red apple\r")
    #expect(s.expect("2 steps ·"))
    let id = try #require(store.ids().first)
    try FileManager.default.moveItem(atPath: store.folder(of: id), toPath: s.home + "/elsewhere")
    s.type("a green frog\r")
    #expect(s.expect("was moved to") && s.expect("written anew"), "\(s.screen(36))")
    #expect(s.expect("a green frog") && s.expectGone("written anew"))
    s.type("\u{04}\u{04}")
    #expect(s.end() == 0)
    let log = try store.read(id).entries
    #expect(log.compactMap(\.event.text).contains("a red apple"))
    let pictures = log.flatMap(\.event.pictures).compactMap(\.stored)
    #expect(pictures.count == 2 && pictures.allSatisfy { (try? store.picture($0, of: id)) != nil })
    #expect(try SessionStore(folder: s.home).read("elsewhere").entries.count < log.count)
  }

  /// The terminal's size changes, and no signal says so: Ctrl-L looks, and draws for it.
  @Test func controlLSeesTheNewSize() throws {
    let program = try Session.program()
    let s = try Session(["-w", program, "studio", "--graphics", "none"], name: "/usr/bin/setsid")
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    probe_resize(s.probe, 44, 132)
    s.type("some words")
    #expect(
      s.expect("some words", rows: 44)
        && !s.screen(44).split(separator: "\n", omittingEmptySubsequences: false)[43].contains("F1"))
    s.type("\u{0C}")
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    func last() -> Substring { s.screen(44).split(separator: "\n", omittingEmptySubsequences: false)[43] }
    while !last().contains("F1"), clock.now < end { _ = probe_pump(s.probe, 50) }
    #expect(last().contains("F1") && last().count > 120, "\(s.screen(44))")
    s.type("\u{15}\u{04}")
    #expect(s.end() == 0)
  }

  /// The doctor says of how many colours it makes use, and who forbids them.
  @Test(arguments: [
    (["TERM=xterm-256color", "COLORTERM=truecolor"], "Colours: 24 bits"),
    (["TERM=xterm-256color"], "Colours: 256"),
    (["TERM=xterm", "COLORTERM=24bit"], "Colours: 24 bits"), (["TERM=xterm"], "Colours: 8"),
    (["TERM=vt100"], "Colours: none"),
    (["TERM=xterm-256color", "NO_COLOR=1"], "Colours: 256, NO_COLOR is set"),
  ])
  func theDoctorsColours(_ terminal: [String], _ line: String) throws {
    let s = try Session(["doctor", "--card", "none"], rows: 60, terminal: terminal)
    #expect(s.end() == 0)
    let lines = s.screen(60).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.contains(line), "\(s.screen(60))")
  }

  /// Whoever wants no colours gets none, in pictures of characters neither; pictures in pixels are no text.
  @Test func noColourIsNoColourInPictures() throws {
    let terminal = ["TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=1"]
    func sent(_ s: Session) -> String { String(decoding: s.sent.map(\.self), as: UTF8.self) }
    let colour = #/\x1B\[(\d+;)*(38|48|3[0-7]|4[0-7]|9[0-7]|10[0-7])(;\d+)*m/#
    let card = try Session(["doctor", "--card", "blocks"], rows: 80, terminal: terminal)
    #expect(card.end() == 0 && card.screen(80).contains("blocks, no colours:"), "\(card.screen(80))")
    #expect(card.screen(80).contains("▒") && !sent(card).contains(colour))
    let s = try Session(["studio", "--graphics", "blocks"], terminal: terminal)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra red apple\r")
    #expect(s.expect("2 steps ·"))
    let shades = #/[░▒▓█]{3}/#, end = ContinuousClock().now + .seconds(Session.ceiling)
    while !s.screen(36).contains(shades), ContinuousClock().now < end { _ = probe_pump(s.probe, 50) }
    #expect(s.screen(36).contains(shades) && !sent(s).contains(colour), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
    let t = try Session(["studio", "last", "--graphics", "sixel"], home: s.home, terminal: terminal)
    #expect(t.expect("parameters") && t.expect("2 steps ·"), "\(t.screen(36))")
    while t.sentPictures == 0, ContinuousClock().now < end { _ = probe_pump(t.probe, 50) }
    #expect(t.sentPictures > 0)
    t.type("\u{04}")
    #expect(t.end() == 0)
  }

  /// Its card of characters is made of the colours that there are.
  @Test(arguments: [("xterm", "blocks, 8 colours:", false), ("xterm-256color", "blocks, 256 colours:", true)])
  func theDoctorsCard(_ terminal: String, _ line: String, _ isOfMany: Bool) throws {
    let s = try Session(["doctor", "--card", "blocks"], rows: 80, terminal: ["TERM=\(terminal)"])
    #expect(s.end() == 0)
    #expect(s.screen(80).contains(line), "\(s.screen(80))")
    let sent = String(decoding: s.sent.map(\.self), as: UTF8.self)
    #expect(sent.contains("\u{1B}[38;5;") == isOfMany && (sent.contains("\u{1B}[3") || isOfMany))
  }
}
