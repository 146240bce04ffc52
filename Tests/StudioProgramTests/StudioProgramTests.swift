import Foundation
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

@Suite(.serialized)
@FirstScreen
struct StudioProgramTests {
  @Test func askImagineSlideCancelResizeAndLeave() throws {
    let s = try Session(["studio", "--graphics", "sixel"])
    #expect(s.expect("VUGEN Studio"))
    #expect(s.expect("parameters"))
    s.type("/seed 7\r")
    #expect(s.expect("seed 7"))
    s.type("a red apple\r")
    #expect(s.expect("50 steps ·"), "\(s.screen(36))")
    s.type("\u{1B}.")
    #expect(s.expect("guidance 3.1"))
    s.type("/count 8\r/steps 400\ra cat\r")
    #expect(s.expectStep(of: 400))
    s.type("\u{1B}")
    #expect(s.expect("partial"))
    s.type("\t")
    #expect(s.expect("ask about a picture"))
    s.type("\u{01}What is this?\r")
    #expect(s.expect("tokens/s"))
    probe_resize(s.probe, 24, 80)
    #expect(s.expect("commands", rows: 24))
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
    try checkPictures(s.sent)
    // What was seen can be listed and verified.
    let verify = try Session(["replay", "last", "--verify"], home: s.home)
    #expect(verify.expect("bit for bit"))
    #expect(verify.end() == 0)
  }

  /// Ctrl-C that comes as a signal, from a terminal that was not the studio's for a moment, means what the key means.
  @Test func interruptionIsTheKey() throws {
    let s = try Session(["studio", "--graphics", "none", "--threads", "3"])
    #expect(s.expect("VUGEN Studio"))
    s.type("/doctor\r")
    #expect(s.expect("Threads: 3"), "--threads counts in the studio, too\n\(s.screen(36))")
    s.type("/count 8\r/steps 400\ra cat\r")
    #expect(s.expectStep(of: 400))
    kill(probe_pid(s.probe), SIGINT)
    #expect(s.expect("partial"), "\(s.screen(36))")
    // Like the key, it clears the prompt.
    s.type("half a word")
    #expect(s.expect("half a word"))
    kill(probe_pid(s.probe), SIGINT)
    #expect(s.expectGone("half a word"), "\(s.screen(36))")
    s.type("still here")
    #expect(s.expect("still here"), "\(s.screen(36))")
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// Sixel data comes whole, after ESC 7 and before ESC 8, never on the last row, and decodes.
  private func checkPictures(_ sent: [UInt8]) throws {
    var at = 0, found = 0
    while let start = sent[at...].firstRange(of: Array("\u{1B}P".utf8)) {
      guard let end = sent[start.upperBound...].firstRange(of: Array("\u{1B}\\".utf8)) else { break }
      at = end.upperBound
      guard sent[start.upperBound..<end.lowerBound].prefix(12).contains(UInt8(ascii: "q")) else { continue }
      var width: Int32 = 0, height: Int32 = 0
      let data = Array(sent[start.lowerBound..<end.upperBound])
      let pixels = data.withUnsafeBufferPointer {
        probe_decode_sixel($0.baseAddress, $0.count, &width, &height)
      }
      #expect(pixels != nil && width >= 32 && height >= 6 && height % 6 == 0)
      free(pixels)
      found += 1
    }
    #expect(found >= 2)
    #expect(sent.count { $0 == 0x1B } > 0)
    let text = String(decoding: sent, as: UTF8.self)
    #expect(text.components(separatedBy: "\u{1B}7").count == text.components(separatedBy: "\u{1B}8").count)
  }

  /// What a person's cat may type: a living program and a clean terminal at the end.
  @Test func survivesRandomKeysAndResizes() throws {
    var left = ProcessInfo.processInfo.environment["VUGEN_FUZZ"] == nil ? 3000 : 100_000
    var cat = Cat(state: 20_261_124), home: String?
    while left > 0 {
      let s = try Session(["studio", "--graphics", "sixel"], home: try home ?? Self.homeWithAnOddSession())
      home = s.home
      #expect(s.expect("VUGEN Studio"))
      var isAlive = true
      while left > 0, isAlive {
        for _ in 0..<20 { s.type(cat.key()) }
        left -= 20
        if cat.below(40) == 0 { probe_resize(s.probe, Int32(3 + cat.below(60)), Int32(8 + cat.below(190))) }
        isAlive = probe_pump(s.probe, 2) != 0
      }
      if !isAlive {
        // It was told to leave, and did so.
        let status = s.end()
        #expect(status == 0 && s.leftClean, "status \(status), clean: \(s.leftClean)\n\(s.screen(36))")
        continue
      }
      probe_resize(s.probe, 36, 120)
      // The last keys may have told it to leave, too; the status says so.
      let isThere = isBackAtThePrompt(s) || probe_pump(s.probe, 0) == 0
      #expect(isThere, "\(s.screen(36))")
      kill(probe_pid(s.probe), SIGTERM)
      let status = s.end()
      // 0 where it was told to leave, and came to that first.
      let isOver = status == 128 + SIGTERM || status == 0
      #expect(isOver && s.leftClean, "status \(status), clean: \(s.leftClean)")
    }
  }

  /// With a session from anywhere, whose numbers and pictures are what they should not be.
  private static func homeWithAnOddSession() throws -> String {
    let home = temporaryPath(), folder = home + "/.local/share/vugen/sessions/20250101-000000-evil"
    try FileManager.default.createDirectory(atPath: folder + "/pictures", withIntermediateDirectories: true)
    let log = OddInput.logLines.joined(separator: "\n") + "\n"
    try Data(log.utf8).write(to: URL(fileURLWithPath: folder + "/log.jsonl"))
    // A head that says that there are no pixels, and one that says that there are four thousand million in a row.
    for (name, side) in [("aa", UInt8(0)), ("bb", 255)] {
      let head: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
      let bytes = head + [UInt8](repeating: side, count: 8)
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/pictures/\(name).png"))
    }
    return home
  }

  /// Leads out of a half-typed sequence, a paste, a replay and whatever lies over the screen; tried again where a busy
  /// machine took two keys for one. The model may be at work all the while.
  private func isBackAtThePrompt(_ s: Session) -> Bool {
    for _ in 0..<20 {
      s.type("\u{1B}[201~")
      for _ in 0..<4 {
        _ = probe_pump(s.probe, 100)
        s.type("\u{1B}")
      }
      _ = probe_pump(s.probe, 100)
      s.type("\u{15}\u{0B}still alive")
      if s.expect("still alive", within: 10) { return true }
    }
    return false
  }

  private static let moves = [
    "\u{1B}[5~", "\u{1B}[6~", "\u{1B}[<64;30;9M", "\u{1B}[<65;30;9M", "\u{1B}[<64;30;9M\u{1B}[<64;30;9M",
    "\u{1B}[<65;30;9M\u{1B}[<65;30;9M", "\u{1B}OQ", "\u{1B}OP", "\u{10}", "/gallery\r", "/compare\r",
    "/tour\r",
    "/theme nord\r", "/theme dark\r", "\u{1B}[C", " ", "/compare\rf", "/compare\r\u{1B}[D\u{1B}[D",
  ]

  /// Some moves, and what they were.
  private static func move(_ s: Session, _ cat: inout Cat) -> [String] {
    var made: [String] = []
    for _ in 0...cat.below(5) {
      made.append(moves[cat.below(moves.count)])
      s.type(made[made.count - 1])
      s.settle()
      // Out of an overlay, most times.
      if cat.below(4) > 0 {
        made.append("Esc")
        s.type("\u{1B}")
        s.settle()
      }
    }
    return made
  }

  /// Whatever moved over the screen, pictures stand exactly where a screen drawn anew shows them: no slivers of what is
  /// gone, no holes in what is there.
  @Test func picturesLeaveNoGhosts() throws {
    let s = try Session(["studio", "--graphics", "sixel"])
    #expect(s.expect("VUGEN Studio"))
    s.type("/steps 4\r/count 3\ra red apple\r/count 1\rtwo stars\r")
    #expect(s.expect("two stars") && s.expect("4 steps ·"))
    var cat = Cat(state: 7), seen = 0
    func check(_ what: String) {
      s.settle()
      let found = s.pictureCells
      s.type("\u{0C}")
      s.settle()
      let anew = s.pictureCells, isSame = found == anew
      #expect(isSame, "\(what):\n\(Session.difference(found, anew))\n\(s.screen(36))")
      seen += anew.joined().count { $0 > 0 }
    }
    for round in 0..<8 { check("round \(round), \(Self.move(s, &cat))") }
    // Previews come and go while the transcript moves.
    s.type("\u{1B}")
    s.settle()
    s.type("\u{15}\u{0B}")
    for steps in [12, 13] {
      s.type("/steps \(steps)\rthree stars\r/sweep 1..4\r")
      #expect(
        s.expect(" · \(steps) steps") && s.expect("guidance 4.0") && s.expectGone("drawing ·"),
        "\(s.screen(36))")
      check("sweep with \(steps) steps")
    }
    #expect(seen > 500)
    s.type("\u{1B}")
    s.settle()
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// A line that takes everything and carries little: keys are not shown behind a queue of previews, and the picture
  /// comes in the end.
  @Test func aSlowLineStaysUsable() throws {
    let s = try Session(["studio", "--graphics", "sixel"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    probe_slow_down(s.probe, 40_000)
    s.type("/seed 1\r/steps 100\r/count 2\ra red apple\r")
    #expect(s.expect("of 100"))
    var behindPictures = 0
    for word in ["one", "two", "three"] {
      // Typed when a picture has just been sent and is on its way, or when there is none any more.
      let pictures = s.sentPictures
      var tries = 0
      while s.sentPictures == pictures, probe_is_asleep(s.probe) == 0, tries < 4800 {
        _ = probe_pump(s.probe, 50)
        tries += 1
      }
      if s.sentPictures > pictures { behindPictures += 1 }
      let before = probe_shown(s.probe)
      s.type(word)
      #expect(s.expect(word))
      // Four seconds of this line; in bytes, because a busy machine takes its time for the word itself.
      let carried = probe_shown(s.probe) - before
      #expect(carried < 160_000, "'\(word)' came behind \(carried) bytes")
    }
    #expect(behindPictures > 0)
    s.type("\u{15}")
    #expect(s.expect("100 steps ·"), "\(s.screen(36))")
    // The picture is on its way behind the words.
    var cells = 0, tries = 0
    while cells <= 100, tries < 600 {
      _ = probe_pump(s.probe, 500)
      cells = s.pictureCells.joined().count { $0 > 0 }
      tries += 1
    }
    #expect(cells > 100)
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// A studio in a terminal of so many colours; of 0 in one of many whose user wants none.
  private func studio(colours: Int) throws -> Session {
    let home = temporaryPath()
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    // No description of 16 colours is in Debian's base: one is made of that of 256.
    let name = "vugen-\(colours)", source = home + "/\(name).ti"
    let text =
      "\(name)|a terminal of a test, use=xterm-256color, colors#\(colours == 0 ? 256 : colours), pairs#0x7fff,\n"
    try text.write(toFile: source, atomically: true, encoding: .utf8)
    _ = try ChildProgram.run(["/usr/bin/tic", "-x", "-o", home + "/terminfo", source])
    return try Session(
      ["studio", "--graphics", "none"], home: home,
      terminal: ["TERM=\(name)", "TERMINFO_DIRS=\(home)/terminfo:"] + (colours == 0 ? ["NO_COLOR=1"] : []))
  }

  /// The colours that are seen; nil, with an issue, where a letter has its ground's.
  private func palette(_ s: Session, _ what: String) -> Set<UInt32>? {
    var palette: Set<UInt32> = []
    for y in 0..<Int32(36) {
      for x in 0..<Int32(120) {
        var ink: UInt32 = 0, ground: UInt32 = 0
        guard probe_cell(s.probe, y, x, &ink, &ground) != 0 else { continue }
        palette.formUnion([ink, ground])
        let isSeen = ink != ground
        #expect(isSeen, "\(what), row \(y), column \(x):\n\(s.screen(36))")
        guard isSeen else { return nil }
      }
    }
    return palette
  }

  /// Few colours hide nothing: in each theme every letter differs from its ground.
  @Test(arguments: [8, 16, 256, 0])
  func fewColoursHideNoText(_ colours: Int) throws {
    let s = try studio(colours: colours)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 2\ra cat\r")
    #expect(s.expect("seed"))
    var palette: Set<UInt32> = []
    let all = [
      "dark", "light", "contrast", "colour-blind", "solarized", "gruvbox", "nord", "paper", "monochrome",
    ]
    // What is opened, and what is to be seen of it.
    let screens = [
      ("", "guidance"), ("\u{10}", "type to filter"), ("\u{1B}OP", "Every key and command"),
      ("/tour\r", "A model that sees"), ("/the", "Choose the colours"),
    ]
    for theme in colours == 8 || colours == 16 ? all : ["dark", "light"] {
      s.type("/theme \(theme)\r")
      #expect(s.expect("theme \(theme);"), "\(s.screen(36))")
      for (keys, sign) in ["dark", "light", "contrast"].contains(theme) ? screens[...] : screens.prefix(1) {
        s.type(keys)
        #expect(s.expect(sign), "\(s.screen(36))")
        s.settle()
        guard let seen = self.palette(s, "\(theme), \(keys.debugDescription)") else { return }
        palette.formUnion(seen)
        guard !keys.isEmpty else { continue }
        s.type(keys == "/the" ? "\u{15}" : "\u{1B}")
        #expect(s.expectGone(sign), "\(s.screen(36))")
      }
    }
    // As many as the terminal has, and its own two; each of a coloured terminal's themes shows some of them.
    let most = [0: 3, 8: 10, 16: 18][colours] ?? .max
    #expect(palette.count <= most && palette.count > (colours == 0 ? 1 : 4), "\(palette.count) colours")
    kill(probe_pid(s.probe), SIGTERM)
    #expect(s.end() == 128 + SIGTERM && s.leftClean)
  }

  /// A terminal that answers kitty's query gets pictures that way, whole and takeable, and none of the answer as text.
  @Test func kittyPicturesArriveWhole() throws {
    let s = try Session(["studio"])
    s.type("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62c")
    #expect(s.expect("VUGEN Studio"))
    s.type("/steps 4\ra red apple\r")
    #expect(!s.screen(36).contains("Gi=31"))
    // This emulator shows what it does not know of the protocol as text: what was sent is looked at, not the screen.
    var pictures: [Data] = [], tries = 0
    while pictures.isEmpty, tries < 4000 {
      _ = probe_pump(s.probe, 50)
      (pictures, tries) = (kittyPictures(s.sent), tries + 1)
    }
    #expect(!pictures.isEmpty && pictures.allSatisfy { $0.starts(with: [0x89, 0x50, 0x4E, 0x47]) })
    for png in pictures { #expect(png.suffix(12).starts(with: [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44])) }
    #expect(!String(decoding: s.sent, as: UTF8.self).contains("\u{1B}P0;"))
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }

  /// The files of whole pictures among what was sent by kitty's protocol.
  private func kittyPictures(_ sent: [UInt8]) -> [Data] {
    var found: [Data] = [], text = ""
    for part in String(decoding: sent, as: UTF8.self).components(separatedBy: "\u{1B}_G").dropFirst() {
      guard let end = part.range(of: "\u{1B}\\"), let comma = part.firstIndex(of: ";"), comma < end.lowerBound
      else { continue }
      let head = part[..<comma]
      guard head.hasPrefix("a=T") || head.hasPrefix("m=") else { continue }
      text += part[part.index(after: comma)..<end.lowerBound]
      guard head.hasSuffix("m=0") else { continue }
      if let data = Data(base64Encoded: text) { found.append(data) }
      text = ""
    }
    return found
  }

  @Test(arguments: [SIGTERM, SIGHUP])
  func signalsLeaveTheTerminalClean(_ signal: Int32) throws {
    let s = try Session()
    #expect(s.expect("VUGEN Studio"))
    kill(probe_pid(s.probe), signal)
    #expect(s.end() == 128 + signal && s.isAsItWas)
  }

  /// As in the commands, a prompt that is longer than the model reads is cut, and that is said.
  @Test func aLongPromptFromTheHistoryIsCut() throws {
    let home = temporaryPath()
    for (folder, name, text) in [
      ("/.local/state/vugen", "history", String(repeating: "a red apple ", count: 600) + "\n"),
      ("/.config/vugen", "config.toml", "steps = 2\n"),
    ] {
      try FileManager.default.createDirectory(atPath: home + folder, withIntermediateDirectories: true)
      try text.write(toFile: "\(home)\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    let s = try Session(["studio"], home: home)
    #expect(s.expect("parameters"))
    s.type("\u{1B}[A\r")
    #expect(s.expect("the prompt is longer than the model reads"), "\(s.screen(36))")
    #expect(s.expect("2 steps ·"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
  }

  @Test func aMissingModelIsOneLine() throws {
    let s = try Session(["studio", "--model", "/nowhere"])
    #expect(s.expect("config.json"))
    s.type("\u{04}")
    #expect(s.end() == 0)
  }

  /// A negative number is told what it should be, not taken for an option; a seed of −1 is any.
  @Test(arguments: [
    ("--cfg -3", "guidance scale of -3"), ("--steps -4", "-4 steps"), ("--count -1", "--count must be"),
    ("--seed -2", "a seed is 0 to"), ("--guidance-end -1", "two times in"), ("--seed -1", "negative.png"),
  ])
  func negativeNumbersAreNumbers(_ options: String, _ answer: String) throws {
    let path = temporaryPath("-negative.png")
    let words = options.split(separator: " ").map(String.init)
    let s = try Session(["imagine", "a cat"] + words + ["--output", path])
    #expect(s.expect(answer), "\(s.screen(36))")
    #expect((s.end() == 0) == (options == "--seed -1"))
  }
}
