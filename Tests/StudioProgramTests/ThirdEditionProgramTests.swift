import Foundation
import Pictures
import ProgramSupport
import Requests
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// What newcomers stumbled over, in the real program.
@Suite(.serialized)
@SecondScreen
struct ThirdEditionProgramTests {
  private func sent(_ s: Session) -> String { String(decoding: s.sent, as: UTF8.self) }

  /// Alt and a key come as Esc and the key, as xterm is told at the start and untold at the end; what is dropped at the
  /// prompt is said to be what it is.
  @Test func altKeysAndDroppedPaths() throws {
    let home = try homeWithFiles(), folder = home + "/a folder"
    let s = try Session(["studio", "--graphics", "none"], home: home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    // What it did before is kept first.
    let on = "\u{1B}[?1036;1039s\u{1B}[?1036h\u{1B}[?1039h", off = "\u{1B}[?1036;1039r"
    #expect(sent(s).contains(on) && !sent(s).contains(off))
    for (keys, guidance) in [("\u{1B}.", "3.1"), ("\u{1B}[46;3u", "3.2"), ("\u{1B}[27;3;44~", "3.1")] {
      s.type(keys)
      #expect(s.expect("                \(guidance)"), "\(keys.debugDescription): \(s.screen(36))")
    }
    // An editor has the terminal as it was, and the studio takes it back.
    s.type("\u{07}")
    func times(_ text: String) -> Int { sent(s).components(separatedBy: text).count - 1 }
    #expect(s.wait { times(on) == 2 && times(off) == 1 })
    s.settle()
    // Long lines have the whole width.
    s.type("\u{1B}OQ")
    #expect(s.expectGone("Temperature"))
    drop("'\(folder)'", s)
    #expect(s.expect("choose a picture of this folder") && s.expect("in it.png"), "\(s.screen(36))")
    nameFolder(s)
    s.type("in it\r")
    #expect(s.expect("attached in it.png") && s.expect("[Image #1] in it.png"), "\(s.screen(36))")
    drop("\(home)/notes.txt", s)
    #expect(says("notes.txt: this is not a picture of a known kind (PNG", s), "\(s.screen(36))")
    drop("\(home)/nameless", s)
    #expect(s.expect("[Image #2] nameless"), "\(s.screen(36))")
    s.type("\(home)/nothing here\r")
    #expect(says("nothing here: no such file or folder", s), "\(s.screen(36))")
    s.type("/nothing\r")
    #expect(s.expect("unknown command /nothing"), "\(s.screen(36))")
    // It is still there, to be mended.
    s.type("\u{15}\u{04}")
    #expect(s.end() == 0 && s.leftClean)
    #expect(sent(s).components(separatedBy: off).count == 3)
  }

  /// A folder that is named is one that is dropped.
  private func nameFolder(_ s: Session) {
    s.type("\u{1B}")
    #expect(s.expectGone("in it.png"))
    s.type("/image 'a folder'\r")
    #expect(s.expect("choose a picture of this folder") && s.expect("in it.png"), "\(s.screen(36))")
  }

  /// A folder with a picture in it, a picture whose name says nothing, and a text.
  private func homeWithFiles() throws -> String {
    let home = try temporaryFolder(), folder = home + "/a folder"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try "words".write(toFile: home + "/notes.txt", atomically: true, encoding: .utf8)
    let gray = try Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768)).pngData()
    for name in ["/nameless", "/a folder/in it.png"] {
      try Data(gray).write(to: URL(fileURLWithPath: home + name))
    }
    return home
  }

  /// Waits for words, wherever lines end.
  private func says(_ text: String, _ s: Session) -> Bool {
    s.wait { s.screen(36).split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(text) }
  }

  private func drop(_ text: String, _ s: Session) { s.type("\u{1B}[200~\(text)\u{1B}[201~") }

  /// A `tic` that never ends keeps nobody waiting, and goes with all that it started.
  @Test func aHangingDescriptionIsGivenUp() throws {
    let home = try temporaryFolder(), path = home + "/tic"
    try "#!/bin/sh\nsleep 600 &\necho $$ $! >\(home)/started\nwait\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    chmod(path, 0o755)
    let s = try Session(["studio", "--graphics", "none"], home: home, path: "\(home):/usr/bin:/bin")
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    let started = try String(contentsOfFile: home + "/started", encoding: .utf8)
    let processes = started.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    #expect(processes.count == 2)
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    for process in processes {
      while kill(process, 0) == 0, !isOver(process), clock.now < end { _ = probe_pump(s.probe, 20) }
      #expect(kill(process, 0) != 0 || isOver(process))
    }
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }

  /// Whether a process is dead, and only nobody has asked how it ended.
  private func isOver(_ process: pid_t) -> Bool {
    let stat = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return stat.isEmpty || stat.contains(") Z ")
  }

  /// A home with a session of so many pictures, each in a colour of its own.
  private func home(pictures count: Int) throws -> String {
    let home = try temporaryFolder()
    let store = SessionStore(folder: home + "/.local/share/vugen/sessions")
    let file = try SessionFile(store, id: "20260101-000000-aaaa")
    for i in 0..<count {
      let shade = UInt8(20 + 5 * i), rgb = (0..<1024).flatMap { _ in [shade, 255 - shade, 128] as [UInt8] }
      let name = String(repeating: "0", count: 60) + String(4096 + i, radix: 16)
      file.keep(Data(try Picture(width: 32, height: 32, rgb: rgb).pngData()), as: name)
      var settings = ImageSettings(prompt: "picture \(i)")
      settings.seed = UInt64(i)
      file.append(
        .init(time: Double(i), event: .drawingAsked(request: i, settings: settings, count: 1, parent: nil)))
      file.append(
        .init(
          time: Double(i),
          event: .drawn(
            request: i, picture: .hash(name), origin: PictureOrigin(settings, stepsDone: 50), seconds: 1,
            isPartial: false)))
    }
    #expect(file.end())
    return home
  }

  private func cells(_ s: Session, _ look: (OpaquePointer, Int32, Int32) -> Int32) -> [[Int32]] {
    (0..<36).map { y in (0..<120).map { x in look(s.probe, y, x) } }
  }

  /// xterm keeps sixteen pictures: a gallery of forty has no holes and no traces wherever it is scrolled, and shows no
  /// more of them at a time.
  @Test func aLongGalleryInXterm() throws {
    let s = try Session(
      ["studio", "aaaa", "--graphics", "sixel"], home: try home(pictures: 40))
    #expect(s.expect("parameters"))
    probe_be_xterm(s.probe)
    s.settle()
    var seen = 0
    func check(_ what: String) {
      s.settle()
      let found = cells(s, probe_picture_pixels), kept = cells(s, probe_kept_pixels)
      s.type("\u{0C}")
      s.settle()
      let anew = cells(s, probe_picture_pixels)
      let (isSame, isKept) = (found == anew, kept == anew)
      #expect(isSame, "seen after \(what):\n\(Session.difference(found, anew))\n\(s.screen(36))")
      #expect(isKept, "kept after \(what):\n\(Session.difference(kept, anew))\n\(s.screen(36))")
      seen += anew.joined().count { $0 > 0 }
    }
    s.type("\u{1B}OR")
    #expect(s.expect("40 of 40"), "\(s.screen(36))")
    check("opening")
    for move in [
      "\u{1B}[A", "\u{1B}[A", "\u{1B}[A", "\u{1B}[H", "-", "-", "\u{1B}[B", "\u{1B}[F", "+", "\u{1B}[A", "+",
    ] {
      s.type(move)
      check(move.debugDescription)
    }
    // All in sight are pictures, each in its tile.
    #expect(seen > 2000)
    s.type("\u{1B}")
    check("leaving")
    s.type("\u{1B}-\u{1B}-")
    check("small pictures in the transcript")
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// By kitty's protocol each picture has a name of its own, and none stays that is not to be seen.
  @Test func severalKittyPictures() throws {
    let s = try Session(["studio", "aaaa"], home: try home(pictures: 40))
    s.type("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62c")
    #expect(s.expect("parameters"))
    s.settle()
    s.type("\u{1B}OR")
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    while kitty(s).count < 12, clock.now < end { _ = probe_pump(s.probe, 50) }
    s.settle()
    let first = kitty(s)
    #expect(first.count >= 12 && Set(first).count == first.count, "\(first)")
    for move in ["\u{1B}[H", "\u{1B}[F", "\u{1B}[A", "i", "\u{1B}", "\u{1B}[H"] {
      s.type(move)
      s.settle()
      let now = kitty(s)
      #expect(!now.isEmpty && Set(now).count == now.count, "\(move.debugDescription): \(now)")
      // A transcript or a gallery of 36 × 120, never one above the other.
      #expect(now.count <= 40, "\(move.debugDescription): \(now.count)")
    }
    s.type("\u{1B}OP")
    s.settle()
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
    #expect(kitty(s).isEmpty, "all are taken away at the end")
  }

  /// The names of the pictures that a terminal shows now: those that were placed and not deleted since.
  private func kitty(_ s: Session) -> [String] {
    var shown: [String] = []
    for part in sent(s).components(separatedBy: "\u{1B}_G").dropFirst() {
      guard let end = part.firstIndex(where: { $0 == ";" || $0 == "\u{1B}" }) else { continue }
      let fields = part[..<end].split(separator: ",")
      guard let name = fields.first(where: { $0.hasPrefix("i=") })?.dropFirst(2), fields.contains("q=2")
      else { continue }
      shown.removeAll { $0 == name }
      if fields.contains("a=T") { shown.append(String(name)) }
    }
    return shown
  }
}
