import Foundation
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

/// Whatever ends the studio, the terminal is given back, it is said what happened, and the process dies of it.
@Suite(.serialized)
@SecondScreen
struct CrashTests {
  /// What a studio may be at when it is hit.
  private static let moments: [(name: String, lead: @Sendable (Session) -> Bool)] = [
    ("the first screen", { $0.expect("VUGEN Studio") }),
    (
      "typing",
      {
        $0.type("half a pro")
        return $0.expect("half a pro")
      }
    ),
    (
      "the inspector",
      {
        $0.type("\u{1B}[Z\u{1B}[C")
        return $0.expect("3.1")
      }
    ),
    (
      "drawing",
      {
        $0.type("/count 8\r/steps 1000\ra cat\r")
        return $0.expectStep(of: 1000)
      }
    ),
    (
      "a picture on its way",
      { s in
        s.type("/steps 60\ra cat\r")
        let before = s.sent.count
        var tries = 0
        while tries < 4000, s.sent[before...].firstRange(of: Array("\u{1B}P".utf8)) == nil {
          _ = probe_pump(s.probe, 1)
          tries += 1
        }
        return tries < 4000
      }
    ),
    (
      "the gallery",
      {
        $0.type("/steps 2\ra cat\r")
        guard $0.expect("2 steps ·") else { return false }
        $0.type("\u{1B}OR")
        return $0.expect("Gallery")
      }
    ),
    (
      "help",
      {
        $0.type("\u{1B}OP")
        return $0.expect("Every key and command")
      }
    ),
    (
      "answering",
      {
        $0.type("\tWhat is this?\r")
        return $0.expect("What is this?")
      }
    ),
    (
      "a resize",
      {
        probe_resize($0.probe, 40, 130)
        return $0.expect("commands", rows: 40)
      }
    ),
    ("the start", { probe_pump($0.probe, 20) != 0 }),
  ]

  /// Each signal at two moments; with `VUGEN_FUZZ` each at all of them.
  @Test func signalsGiveTheTerminalBack() throws {
    let signals: [(Int32, String)] = [
      (SIGSEGV, "SIGSEGV"), (SIGILL, "SIGILL"), (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"),
      (SIGTRAP, "SIGTRAP"), (SIGSYS, "SIGSYS"), (SIGUSR1, "SIGUSR1"), (SIGALRM, "SIGALRM"),
      (SIGXCPU, "SIGXCPU"),
      (SIGTERM, ""), (SIGHUP, ""),
    ]
    let isWhole = ProcessInfo.processInfo.environment["VUGEN_FUZZ"] != nil
    for (i, (number, name)) in signals.enumerated() {
      for (j, moment) in Self.moments.enumerated()
      where isWhole || j == i % 10 {
        let s = try Session(["studio", "--graphics", "sixel"])
        let isStarting = moment.name == "the start"
        #expect(isStarting || s.expect("VUGEN Studio") && s.expect("parameters"))
        #expect(moment.lead(s), "\(moment.name):\n\(s.screen(36))")
        kill(probe_pid(s.probe), number)
        let status = s.end(), screen = s.screen(36)
        #expect(
          status == 128 + number && s.isAsItWas, "\(name) at \(moment.name): status \(status)\n\(screen)")
        guard !isStarting, !name.isEmpty else { continue }
        #expect(screen.contains("(\(name)"), "\(moment.name):\n\(screen)")
        let isSaid = screen.contains("log.jsonl") || screen.contains("nothing had been recorded")
        #expect(isSaid, "\(name) at \(moment.name):\n\(screen)")
      }
    }
  }

  /// Want of memory ends the program in order: its own status, one line, and the terminal as it was.
  @Test func wantOfMemoryGivesItBack() throws {
    let s = try Session(["memory"], name: try Session.program("dying-program"))
    let status = s.end(), screen = s.screen(36)
    #expect(status == 1 && s.isAsItWas, "\(status):\n\(screen)")
    #expect(screen.contains("vugen ran out of memory: 72057594037927936 bytes were asked for"), "\(screen)")
    #expect(screen.contains("the session is safe in LOG"), "\(screen)")
  }

  /// A signal removes what is being written, however much it is and whatever other threads begin meanwhile.
  @Test func aSignalRemovesAllThatIsBeingWritten() throws {
    let folder = try temporaryFolder()
    let ended = try ChildProgram([Session.program("dying-program"), "partial", folder]).outcome(within: 60)
    #expect(ended.signal == SIGTERM)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// Errors of the program itself, a stack that is used up among them, in a program that has the same screen.
  @Test(arguments: [
    ("index", SIGILL), ("sum", SIGILL), ("pointer", SIGSEGV), ("abort", SIGABRT), ("overflow", SIGSEGV),
    ("overflow elsewhere", SIGSEGV), ("half a picture", SIGABRT), ("lent", SIGABRT),
  ])
  func errorsOfTheProgramGiveItBack(_ way: String, _ number: Int32) throws {
    let s = try Session([way], name: try Session.program("dying-program"))
    let status = s.end()
    // A trap of Swift's is another signal on other processors.
    #expect(status == 128 + number || number == SIGILL && status == 128 + SIGTRAP, "\(way): \(status)")
    #expect(s.isAsItWas && s.screen(36).contains("the session is safe in LOG"), "\(way):\n\(s.screen(36))")
    #expect(s.screen(36).components(separatedBy: "the session is safe").count == 2, "it is said once")
  }
}
