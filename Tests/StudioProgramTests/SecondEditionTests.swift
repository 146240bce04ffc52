import Foundation
import Pictures
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

/// What a person does with the studio in an afternoon, in the real program; each screen once.
@Suite(.serialized)
@SecondScreen
struct SecondEditionTests {
  private static func file(_ name: String, _ home: String) throws {
    let picture = Picture(width: 64, height: 48, red: 200, green: 30, blue: 30)
    try Data(picture.pngData()).write(to: URL(fileURLWithPath: "\(home)/\(name)"))
  }

  private static func clear(_ s: Session) { s.type("\u{15}\u{0B}") }

  @Test func anAfternoon() throws {
    let home = temporaryPath()
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    for name in ["my cat.png", "dog's.png"] { try Self.file(name, home) }
    let s = try Session(["studio", "--graphics", "sixel"], home: home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("\u{1B}[C")
    #expect(
      s.expect(" background") && s.expectGone("unknown:"), "a suggestion that is known: \(s.screen(36))")
    Self.clear(s)
    try mentions(s)
    words(s)
    queue(s)
    sweep(s)
    gallery(s)
    lists(s)
    small(s)
    Self.clear(s)
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
    let verify = try Session(["replay", "last", "--verify"], home: home)
    #expect(verify.expect("bit for bit") && verify.end() == 0, "\(verify.screen(36))")
    // What the model was asked, of which the person sees their own words.
    let logs = (FileManager.default.subpaths(atPath: home) ?? []).filter { $0.hasSuffix("/log.jsonl") }
    let log = try String(contentsOfFile: "\(home)/\(logs.first ?? "")", encoding: .utf8)
    #expect(log.contains(#""text":"is picture 1 like picture 2?""#), "\(log)")
  }

  /// Files in a sentence, several, with blanks and quotes; a word with `@` that is none.
  private func mentions(_ s: Session) throws {
    s.type("/steps 2\rwhat is in @my\t")
    #expect(s.expect(#"@my\ cat.png"#), "\(s.screen(36))")
    s.type("?\r")
    #expect(s.expect("tokens/s") && s.expect(#"what is in @my\ cat.png?"#), "\(s.screen(36))")
    s.type(#"is @"dog's.png" like @'my cat.png'?"# + "\r")
    #expect(s.expect(#"is @"dog's.png" like @'my cat.png'?"#), "\(s.screen(36))")
    s.type("meet me @home?\r")
    #expect(s.expect("meet me @home?") && s.expect("[about] 2 pictures"), "\(s.screen(36))")
    s.type("what is @nowhere.png?\r")
    #expect(s.expect("nowhere.png: ") && s.expect("what is @nowhere.png?"), "it is there to be mended")
    Self.clear(s)
    // A folder that is dropped by its parts.
    s.type("\u{1B}[200~'\(s.home)/my cat.png' \"\(s.home)/dog's.png\"\u{1B}[201~")
    #expect(s.expect("[Image #2] dog's.png"), "\(s.screen(36))")
    s.type("\u{7F}\u{7F}\t")
    #expect(s.expectGone("[Image") && s.expect("describe an image"))
  }

  private func words(_ s: Session) {
    s.type("a zebraa on a")
    #expect(s.expect("unknown: 'zebraa'; Tab: zebra"), "\(s.screen(36))")
    s.type("\t")
    #expect(s.expect("a zebra on a") && s.expectGone("unknown:"))
    Self.clear(s)
    s.type("/gal\u{1B}[A")
    #expect(s.expect("Pictures of this session"))
    s.type("\u{1B}")
    #expect(s.expectGone("Pictures of this session"))
    Self.clear(s)
  }

  private func queue(_ s: Session) {
    s.type("/steps 1000\r/count 4\ra cat\ra dog\ra hen\r")
    #expect(s.expect("next: a dog") && s.expect("2 in the queue"), "\(s.screen(36))")
    s.type("\u{11}")
    #expect(s.expect("Queue: the first"))
    s.type("\u{1B}[3~")
    #expect(s.expect("1 in the queue") && s.expectGone("next: a dog"), "\(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expectGone("Queue: the first"))
    s.type("\u{03}\u{03}")
    #expect(s.expectGone("in the queue") && s.expect("partial"), "\(s.screen(36))")
    s.type("/undo\r")
    #expect(s.expectGone("a cat"), "\(s.screen(36))")
    s.type("/redo\r")
    #expect(s.expect("a cat") && s.expect("partial"))
  }

  /// One strip; what the model finds in it and how far it moved, once nothing else is asked for.
  private func sweep(_ s: Session) {
    s.type("/steps 2\r/count 1\r/seed 5\r/cfg 2\ra star\r/sweep 1..3\r")
    #expect(s.expect("sweep of guidance · seed 5") && s.expect("Sweep of seed 5"), "\(s.screen(36))")
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    func isJudged() -> Bool { s.screen(36).contains(/agreement \d+ %/) }
    while !isJudged(), clock.now < end { _ = probe_pump(s.probe, 50) }
    #expect(isJudged(), "\(s.screen(36))")
    #expect(s.expect("moved") && s.screen(36).contains("guidance 1.0   "), "\(s.screen(36))")
    s.type("\u{1B}3")
    #expect(s.expect("prompt and settings restored") && s.expect("a star"))
    Self.clear(s)
  }

  private func gallery(_ s: Session) {
    s.type("\u{1B}OR")
    #expect(s.expect("Gallery"))
    s.type("/star\r")
    #expect(
      s.expect("with 'star'") && s.expect("3 of 3"), "the star itself is one of the strip: \(s.screen(36))")
    s.type("\u{1B}[Hd")
    #expect(s.expect("of 2"), "\(s.screen(36))")
    s.type("z")
    #expect(s.expect("of 3"))
    s.type("\u{1B}[<0;30;4M")
    #expect(s.expect("2 of 3"), "a click: \(s.screen(36))")
    s.type("x\u{1B}[Fxm")
    #expect(s.expect("Space flips") && s.expect("■ right"), "\(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expect("with 'star'"))
    s.type("\u{1B}OP")
    #expect(s.expect("│ Gallery"), "help begins where one is: \(s.screen(36))")
    s.type("\u{1B}")
    s.settle()
    // The filter goes first.
    s.type("\u{1B}")
    #expect(s.expectGone("with 'star'") && s.expect("Gallery"), "\(s.screen(36))")
    s.settle()
    s.type("\u{1B}")
    #expect(s.expectGone("Gallery"))
  }

  private func lists(_ s: Session) {
    s.type("/sessions\r")
    #expect(s.expect("● what is in") && s.expect("today "), "\(s.screen(36))")
    s.type("\u{1B}r, an afternoon\r")
    #expect(s.expect("renamed") && s.expect("cat.png?, an"), "\(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expectGone("type to filter"))
    s.type("/things\rcat")
    #expect(s.expect("What nano knows") && s.expect("Animals"), "\(s.screen(36))")
    let clock = ContinuousClock(), end = clock.now + .seconds(Session.ceiling)
    func isDrawn() -> Bool { s.pictureCells[8...16].joined().contains { $0 > 0 } }
    while !isDrawn(), clock.now < end { _ = probe_pump(s.probe, 50) }
    #expect(isDrawn(), "the selected thing is drawn")
    s.type("\u{1B}")
    #expect(s.expectGone("What nano knows"))
    s.type("/model\r")
    #expect(s.expect("built-in · "), "\(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expectGone("built-in · "))
    s.type("/new\r")
    #expect(s.expectGone("Sweep of seed"))
    s.type("/search zebra\r")
    #expect(s.expect("no matches"))
    s.type("\u{7F}\u{7F}\u{7F}\u{7F}\u{7F}meet")
    #expect(s.expect("today ") && s.expect("meet me @home?"), "\(s.screen(36))")
    s.type("\r")
    #expect(s.expectGone("Search all sessions") && s.expect("meet me @home?"), "\(s.screen(36))")
    #expect(s.screen(3).contains("meet me @home?"), "it stands at the top: \(s.screen(36))")
    s.type("\u{1B}")
    #expect(s.expect("a star") && s.expectGone("below"), "Esc leads to the end: \(s.screen(36))")
  }

  private func small(_ s: Session) {
    probe_resize(s.probe, 24, 80)
    // The session was taken up again, with what was turned last: the settings of the strip's third picture.
    #expect(s.expect("guidance 3.0 · seed 5 · 2 steps", rows: 24), "\(s.screen(24))")
    s.type("\u{1B}.")
    #expect(s.expect("━●─", rows: 24), "\(s.screen(24))")
    #expect(s.expectGone("━●─", rows: 24))
    s.type("\u{1B}OQ")
    #expect(s.expect("Temperature", rows: 24), "\(s.screen(24))")
    s.type("\u{1B}")
    #expect(s.expectGone("Temperature", rows: 24))
    s.type("one two three")
    #expect(s.expect("one two three", rows: 24))
    s.type("\u{1B}[<0;8;23M!")
    #expect(s.expect("one !two three", rows: 24), "the cursor follows a click: \(s.screen(24))")
  }

  /// A terminal whose description has few colours shows pictures as characters in them; one that says that it has all of
  /// them gets themes in 24 bits, whatever its description.
  @Test(arguments: [8, 256]) func descriptionsDoNotLimitWhatIsSeen(_ colours: Int) throws {
    let home = temporaryPath(), name = "vugen-of-\(colours)", source = home + "/\(name).ti"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    try "\(name)|a terminal of a test, use=xterm-256color, colors#\(colours), pairs#0x7fff,\n"
      .write(toFile: source, atomically: true, encoding: .utf8)
    _ = try ChildProgram.run(["/usr/bin/tic", "-x", "-o", home + "/terminfo", source])
    let s = try Session(
      ["studio"], home: home,
      terminal: ["TERM=\(name)", "TERMINFO_DIRS=\(home)/terminfo:"]
        + (colours == 8 ? [] : ["COLORTERM=truecolor"]))
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra red car\r")
    #expect(s.expect("2 steps ·"))
    s.settle()
    let sent = String(decoding: s.sent, as: UTF8.self)
    if colours == 8 {
      let blocks = s.screen(36).count { "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█░▒▓".contains($0) }
      #expect(blocks > 60 && !sent.contains("38;2;") && !sent.contains("38;5;"), "\(s.screen(36))")
    } else {
      #expect(sent.contains("[48;2;22;24;29m") && sent.contains("[38;2;"), "the theme's own colours")
      #expect(FileManager.default.fileExists(atPath: home + "/.cache/vugen/terminfo"))
    }
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }
}
