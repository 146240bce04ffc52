import Foundation
import ProgramSupport
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// What the studio meets beside its own keys: an editor, a terminal's long answers, damaged logs.
@Suite(.serialized)
@SecondScreen
struct OddStudioTests {
  /// An editor that reads from the terminal gets it, with signals that do what they do elsewhere.
  @Test func editorsReadFromTheTerminal() throws {
    let home = temporaryPath(), editor = home + "/editor"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let script = """
      #!/bin/sh
      printf 'which word? '
      read line </dev/tty || line="cannot read"
      grep -E '^Sig(Blk|Ign):' /proc/self/status >"$HOME/signals"
      printf ' %s' "$line" >>"$1"
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: editor))
    chmod(editor, 0o755)
    let s = try Session(
      ["studio", "--graphics", "none"], home: home, terminal: ["TERM=xterm-256color", "VISUAL=\(editor)"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("a zebra on\u{07}")
    #expect(s.expect("which word?"), "\(s.screen(36))")
    s.type("grass\r")
    #expect(s.expect("a zebra on grass"), "\(s.screen(36))")
    let signals = try String(contentsOfFile: home + "/signals", encoding: .utf8)
    for line in signals.split(separator: "\n") {
      // The C library has 32 and 33 for itself.
      let set = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
      #expect(set & ~(3 << 31) == 0, "\(signals)")
    }
    // A terminal's long answer is not typed.
    s.type("!\u{1B}]52;c;" + String(repeating: "B", count: 40_000) + "\u{07}?")
    #expect(s.expect("a zebra on grass!?"), "\(s.screen(36))")
    s.type("\u{03}")
    #expect(s.expectGone("grass"))
    // Only what is written is a picture's name.
    s.type("/steps 2\ra cat\r")
    #expect(s.expect("2 steps ·"))
    s.type("/save x.gif\r")
    #expect(s.expect(".gif is not supported; name a .png, .jpg or .webp file"), "\(s.screen(36))")
    #expect(!FileManager.default.fileExists(atPath: home + "/x.gif"))
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
    try openAfterATear(home)
  }

  /// A long text is taken, a longer one refused, each at once and in the memory that it is worth; what was at the prompt
  /// stays, and typing goes on behind it.
  @Test func aPasteOfAnyLengthIsReadThrough() throws {
    let s = try Session(["studio", "--graphics", "none"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("before \u{1B}[200~" + String(repeating: "a word ", count: 140_000) + "\u{1B}[201~behind")
    #expect(s.expect("behind"), "\(s.screen(36))")
    s.type("\u{15}before ")
    #expect(s.expectGone("a word") && s.expect("› before"), "\(s.screen(36))")
    let (memory, seconds) = try Self.used(s)
    s.type("\u{1B}[200~" + String(repeating: "a line of text\r", count: 3_500_000) + "\u{1B}[201~behind")
    #expect(s.expect("the pasted text of 53 MB is more than a prompt holds"), "\(s.screen(36))")
    #expect(s.expect("› before behind") && s.expect("paste a part of it"), "\(s.screen(36))")
    let after = try Self.used(s)
    #expect(after.memory - memory < 64_000, "\(memory) kB, then \(after.memory) kB")
    #expect(after.seconds - seconds < 20, "\(after.seconds - seconds) s")
    s.type("\u{03}\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }

  /// The most memory that a studio has had, in kB, and the processor's time that it has used.
  private static func used(_ s: Session) throws -> (memory: Int, seconds: Double) {
    let process = "/proc/\(probe_pid(s.probe))"
    let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
    let peak = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    let stat = try String(contentsOfFile: process + "/stat", encoding: .utf8)
    let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
    let ticks = fields[11...12].compactMap { Double($0) }.reduce(0, +)
    return (
      peak.split(separator: " ").compactMap { Int($0) }.first ?? 0,
      ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    )
  }

  /// The end of a torn log is there after it was opened; one entry is one.
  private func openAfterATear(_ home: String) throws {
    let sessions = home + "/.local/share/vugen/sessions"
    let id = try #require(FileManager.default.contentsOfDirectory(atPath: sessions).first)
    let log = "\(sessions)/\(id)/log.jsonl", half = #"{"event":{"note":{"_0":"a torn"#
    let file = try #require(FileHandle(forWritingAtPath: log))
    try file.seekToEnd()
    try file.write(contentsOf: Data(half.utf8))
    try file.close()
    let s = try Session(["studio", "last", "--graphics", "none"], home: home)
    #expect(s.expect("1 was damaged"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
    #expect(FileManager.default.contents(atPath: log + ".damaged") == Data((half + "\n").utf8))
  }

  /// A signal ends the studio at once though an editor has the terminal, and though that does not listen: what was drawn is
  /// saved, the terminal is as it was, and the draft stays.
  @Test(arguments: [(SIGTERM, false), (SIGHUP, false), (SIGTERM, true)])
  func aSignalEndsTheEditorToo(_ number: Int32, isDeaf: Bool) throws {
    let home = try temporaryFolder(), editor = home + "/editor"
    let script = """
      #!/bin/sh
      \(isDeaf ? "trap '' TERM HUP" : "")
      stty raw -echo
      printf ' written' >>"$1"
      printf '\\033[?1049hediting'
      exec sleep 3000
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: editor))
    chmod(editor, 0o755)
    let s = try Session(
      ["studio", "--graphics", "none"], home: home,
      terminal: ["TERM=xterm-256color", "VISUAL=\(editor)", "TMPDIR=\(home)"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    s.type("/steps 1000\ra red car\r")
    #expect(s.expectStep(of: 1000))
    s.type("a zebra\u{07}")
    #expect(s.expect("editing"), "\(s.screen(36))")
    kill(probe_pid(s.probe), number)
    #expect(s.end() == 128 + number && s.isAsItWas, "\(s.screen(36))")
    #expect(s.screen(36).contains("the session is saved: vugen studio "), "\(s.screen(36))")
    #expect(s.screen(36).contains("what was being written is kept in \(home)/vugen-prompt-"))
    let draft = try #require(
      FileManager.default.contentsOfDirectory(atPath: home).first { $0.hasPrefix("vugen-prompt-") })
    #expect(try String(contentsOfFile: "\(home)/\(draft)", encoding: .utf8) == "a zebra written")
    let history = try String(contentsOfFile: home + "/.local/state/vugen/history", encoding: .utf8)
    #expect(history.hasSuffix("a zebra written\n"))
    let store = SessionStore(folder: home + "/.local/share/vugen/sessions")
    let log = try store.read(#require(store.ids().first)).entries.map(\.event)
    #expect(UnfinishedRequests(log.map { SessionEntry(time: 1, event: $0) }).owed.isEmpty, "\(log)")
  }

  /// Ctrl-Z leaves the screen whatever is being drawn; a pipe that is dropped is refused, and not waited for.
  @Test func stoppedWhileDrawingItLeavesTheScreen() throws {
    let s = try Session(["studio", "--graphics", "none"])
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    #expect(mkfifo(s.home + "/pipe.png", 0o600) == 0)
    s.type("/image pipe.png\r")
    #expect(s.expect("pipe.png: this is not a plain file"), "\(s.screen(36))")
    s.type("/steps 400\ra red car\r")
    for step in 1...4 {
      #expect(s.expectStep(of: 400), "\(s.screen(36))")
      s.type("\u{1A}")
      let stat = "/proc/\(probe_pid(s.probe))/stat"
      func isStopped() -> Bool {
        (try? String(contentsOfFile: stat, encoding: .utf8))?.split(separator: ")").last?.hasPrefix(" T")
          == true
      }
      for _ in 0..<2400 where !isStopped() { _ = probe_pump(s.probe, 50) }
      _ = probe_pump(s.probe, 100)
      #expect(isStopped() && s.leftClean, "stop \(step)")
      kill(probe_pid(s.probe), SIGCONT)
      #expect(s.expect("a red car"))
    }
    s.type("\u{04}\u{04}")
    #expect(s.end() == 0 && s.leftClean)
  }
}
