import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// Pipes that nobody fills or empties, pictures without an end, and pictures that are too large.
struct PatienceTests {
  private let folder: String

  init() throws {
    folder = try temporaryFolder()
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    try Data(gray.pngData()).write(to: URL(fileURLWithPath: folder + "/a.png"))
    try Data(HugePicture.png(width: 12_000, height: 10_000)).write(
      to: URL(fileURLWithPath: folder + "/bomb.png"))
  }

  /// Runs lines of bash in which `P` is the program; what they wrote and their status.
  private func run(_ lines: String) throws -> (out: String, error: String, status: Int32) {
    var environment = ProcessInfo.processInfo.environment
    for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] { environment[name] = folder + "/x" }
    let ended = try ChildProgram.run(
      ["/bin/bash", "-c", "P='\(try Session.program())'; \(lines)"], in: folder, environment: environment)
    return (ended.output, ended.errors, ended.status)
  }

  /// Bash that waits until process `$p` sleeps with file `$1` open, or in vain for a minute.
  private static let until = """
    has() { ls -l /proc/$p/fd 2>/dev/null | grep -q "$1"; }
    until has "$1" || [ $((n++)) -gt 1200 ]; do sleep 0.05; done
    """

  @Test func aPipeIsWaitedForAndLeft() throws {
    let begin =
      "mkfifo fifo; set -- fifo; n=0; env --default-signal=INT \"$P\" reconstruct fifo --decoder-steps 1 & p=$!; \(Self.until)"
    // Its writer comes later.
    let late = try run("\(begin); cat a.png >fifo; wait $p")
    #expect(late.status == 0 && late.out.hasPrefix("PSNR"), "\(late)")
    let left = try run("rm fifo; \(begin); kill -INT $p; wait $p")
    #expect(left.status == 130 && left.out.isEmpty && left.error.isEmpty, "\(left)")
    let many = try run(
      "rm fifo; mkfifo fifo; set -- fifo; n=0; \"$P\" caption a.png fifo --batch 1 --max-tokens 3 & p=$!; \(Self.until); kill -TERM $p; wait $p"
    )
    #expect(many.status == 143 && many.out.hasPrefix("a.png: ") && many.error.isEmpty, "\(many)")
  }

  /// A person is told what is waited for, whichever command waits.
  @Test(
    arguments: [
      "imagine --from fifo -o o.png", "caption fifo", "ask hi --image fifo", "reconstruct fifo",
      "encode fifo -o f", "score --image fifo --text x",
    ])
  func aTerminalIsToldWhatIsWaitedFor(_ line: String) throws {
    _ = try run("[ -e fifo ] || mkfifo fifo")
    let session = try Session(
      line.split(separator: " ").map(String.init), rows: 24, columns: 80, home: folder)
    #expect(session.expect("fifo: waiting for a picture; Ctrl-C ends it", rows: 24), "\(session.screen(24))")
    session.type("\u{3}")
    #expect(session.end() == 130)
  }

  /// Nobody reads what is drawn, or reads no more of it.
  @Test func anOutputThatNobodyReadsIsLeft() throws {
    _ = try run("mkfifo fifo")
    let session = try Session(
      ["imagine", "x", "--steps", "1", "--output", "fifo"], rows: 24, columns: 80, home: folder)
    #expect(session.expect("waiting for somebody who reads this", rows: 24), "\(session.screen(24))")
    session.type("\u{3}")
    #expect(session.end() == 130)
    let found = try run(
      """
      ls fifo; \"$P\" imagine x --steps 1 --output fifo & p=$!
      cat fifo >read.png; wait $p; echo $?; rm fifo; ls -I x
      """)
    #expect(found.out == "fifo\nfifo\n0\na.png\nbomb.png\nread.png\n", "\(found)")
    #expect(try Picture(path: folder + "/read.png").width > 0)
  }

  /// What is no picture is refused by its beginning.
  @Test func inputWithoutAnEndIsRefused() throws {
    for (input, says) in [("/dev/zero", "not a picture"), ("<(yes '%PDF' 2>/dev/null)", "this is a PDF")] {
      let found = try run("ulimit -t 60; \"$P\" encode - --output f < \(input)")
      #expect(
        found.status == 1 && found.error.hasPrefix("vugen: standard input: ") && found.error.contains(says)
          && found.error.split(separator: "\n").count == 1, "\(found)")
    }
  }

  /// 120 megapixels in 100 kB: no more memory than the model's picture needs, or one line.
  @Test func aBombTakesLittleMemory() throws {
    let before = try run("(ulimit -v 900000; \"$P\" encode a.png --output f)")
    // Where there are many cores threads alone may take as much.
    guard before.status == 0 else { return }
    let small = try run("(ulimit -v 900000; \"$P\" encode bomb.png --output f --overwrite)")
    #expect(small.status == 0 && small.error.isEmpty, "\(small)")
    // Tiles need the whole of it.
    let large = try run("(ulimit -v 900000; \"$P\" encode bomb.png --tiles 4 --output f --overwrite)")
    #expect(
      large.status == 1 && large.error.hasPrefix("vugen: bomb.png: ")
        && large.error.contains("memory") && large.error.split(separator: "\n").count == 1, "\(large)")
  }

  @Test func decodingEndsAtOnce() throws {
    try Data(HugePicture.png(width: 64_000, height: 60_000)).write(
      to: URL(fileURLWithPath: folder + "/endless.png"))
    // All of it would take more of the processor than there is here.
    for (signal, status) in [("INT", "130"), ("TERM", "143")] {
      let found = try run(
        """
        ulimit -t 20; env --default-signal=INT "$P" caption a.png endless.png --batch 1 --max-tokens 2 \\
          --max-pixels 9999999999 >out & p=$!
        n=0; until [ -s out ] || [ $((n++)) -gt 1200 ]; do sleep 0.05; done
        sleep 0.5; kill -\(signal) $p; wait $p; echo $?; cat out; ls -I x
        """)
      #expect(
        found.out.hasPrefix("\(status)\na.png: ")
          && found.out.hasSuffix("\na.png\nbomb.png\nendless.png\nout\n") && found.error.isEmpty, "\(found)")
    }
  }
}
