import Foundation
import ProgramSupport
import TestSupport
import Testing

/// What scripts are told of a command that a signal ends.
@SecondCommands
struct InterruptionTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// Whether process `$p` takes SIGINT and SIGTERM itself.
  private static let isCaught = "! kill -0 $p || grep -q '^SigCgt:.*[4567cdef]..[2367abef]$' /proc/$p/status"

  private func object(_ text: String) throws -> [String: Any] {
    let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("{") }, "\(text)")
    return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  /// Every command that has `--json`, in the midst of what it does; `fifo` is a picture that nobody writes.
  @Test(
    arguments: [
      "ask x --image fifo", "caption fifo", "reconstruct fifo", "encode fifo -o f",
      "score --image fifo --text x",
      "imagine --from fifo", "imagine x --steps 1000 -o o.png", "bench kernels --repeats 100000",
      "data build scenes -o s --train 100000",
      "train understanding -o r", "evaluate understanding --scenes 100000",
      "evaluate reconstruction --scenes 100000", "evaluate generation --samples 10000",
      "evaluate prompt-use --scenes 100000", "evaluate quantization --scenes 100000",
    ])
  func everyCommandSaysThatItIsInterrupted(_ line: String) throws {
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
      let found = try shell.run(
        """
        [ -e fifo ] || mkfifo fifo; env --default-signal=INT "$P" \(line) --json >told & p=$!
        \(Shell.until(Self.isCaught)); kill -\(signal) $p; wait $p; echo $?; cat told
        """)
      let told = try object(found.out)
      #expect(found.out.hasPrefix("\(128 + number)\n"), "\(found)")
      #expect(
        told["error"] as? String == "interrupted" && told["status"] as? Int == 128 + number, "\(found)")
      #expect(found.out.split(separator: "\n").count == 2, "\(found)")
    }
  }

  /// Pictures that are written are told, whether the signal waits for a step or not.
  @Test(arguments: [("INT", 2), ("TERM", 15)])
  func whatIsDrawnIsTold(_ signal: String, _ number: Int) throws {
    let found = try shell.run(
      """
      env --default-signal=INT "$P" imagine x --count 1000 --steps 2 --seed 1 -o o --json >told & p=$!
      \(Shell.until("[ -s o/x-3.png ]")); kill -\(signal) $p; wait $p; echo $?; cat told; ls o | wc -l
      """)
    let told = try object(found.out), images = try #require(told["images"] as? [[String: Any]])
    #expect(found.out.hasPrefix("\(128 + number)\n") && told["status"] as? Int == 128 + number, "\(found)")
    // A file has its name a moment before it is told.
    let files = found.out.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    #expect(images.count >= 2 && (files - 1...files).contains(images.count), "\(found)")
    #expect(images[1]["path"] as? String == "o/x-2.png")
  }

  /// Whoever reads no more is a failure in one line, whatever is printed.
  @Test(
    arguments: [
      "--help", "ask --help", "--version", "manual", "--generate-completion-script bash", "paths", "doctor",
      "model list", "model info", "train decoder --show-recipe", "train decoder --help-recipe --json",
      "sessions list --help", "help ask", "imagine x --show-settings", "imagine x --show-settings --json",
    ])
  func aClosedOutputIsOneLine(_ line: String) throws {
    // A pipe whose reader is gone before anything is written.
    let found = try shell.run("mkfifo p; exec 3<>p 4>p 3<&-; V \(line) >&4; echo $?")
    #expect(found.out == "1\n" && found.error == "vugen: standard output: Broken pipe\n", "\(found)")
  }
}
