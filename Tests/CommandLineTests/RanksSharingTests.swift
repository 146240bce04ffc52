import Foundation
import ModelFiles
import ProgramSupport
import TestSupport
import Testing

/// What several processes share beside training: `mpirun vugen caption` and `mpirun vugen evaluate`.
@Suite(
  .serialized, .enabled(if: Launcher.isThere, "mpirun is not installed; apt-get install openmpi-bin has it"))
struct RanksSharingTests {
  /// Lines of bash, in which `P` is the program and `V` a short caption, a picture at a time.
  private func run(_ shell: Shell, _ lines: String) throws -> (out: String, errors: String, status: Int32) {
    let program = try Session.program()
    let words = "caption --max-tokens 12 --batch 1"
    let ended = try ChildProgram.run(
      ["/bin/bash", "-c", "P='\(program)'; V=\"$P \(words)\"; \(lines)"], in: shell.folder,
      environment: Launcher.environment(shell.folder))
    return (ended.output, ended.errors, ended.status)
  }

  private func words(_ errors: String) -> [Substring] {
    errors.split(separator: "\n").filter { $0.hasPrefix("vugen: ") && !$0.contains("ranks on 1 host") }
  }

  @Test func captionsAreSharedAndKeepTheirOrder() throws {
    let shell = try Shell()
    try shell.writePictures("p/a.png", "p/b.png", "p/c.png", "p/d.png", "p/e.png")
    try shell.write("no picture", "p/bb.png")
    func run(_ ranks: Int, _ rest: String) throws -> (out: String, errors: String, status: Int32) {
      let launcher = ranks == 1 ? "" : Launcher.command(ranks)
      return try self.run(shell, "\(launcher) \"$P\" caption p --max-tokens 12 \(rest)")
    }
    let one = try run(1, ""), three = try run(3, "")
    #expect(one.out == three.out && one.status == 1 && three.status != 0)
    #expect(one.out.split(separator: "\n").count == 5 && words(three.errors).count == 1, "\(three.errors)")
    _ = try run(1, "-o one.csv --sheet one.png")
    _ = try run(3, "-o three.csv --sheet three.png")
    for end in ["csv", "png"] {
      let files = ["one", "three"].map {
        FileManager.default.contents(atPath: "\(shell.folder)/\($0).\(end)")
      }
      #expect(files[0] != nil && files[0] == files[1], "\(end)")
    }
  }

  /// The last picture is a pipe that nobody has written yet; those before it have their lines all the same, in their order.
  @Test func captionsComeWhileOthersAreWaitedFor() throws {
    let shell = try Shell()
    try shell.writePictures("a.png", "b.png", "c.png", "d.png")
    let ended = try run(
      shell,
      """
      mkfifo late.png; $V a.png b.png c.png d.png >one.txt
      \(Launcher.command(2)) $V a.png b.png c.png late.png >two.txt 2>two.err & job=$!
      \(Shell.until("[ $(grep -c . two.txt) -ge 3 ]")); cat two.txt; echo then
      cat d.png >late.png; wait $job; echo "status $?"; tail -n 1 two.txt; cat two.err >&2
      """)
    let one = try String(contentsOfFile: "\(shell.folder)/one.txt", encoding: .utf8).split(separator: "\n")
    let lines = ended.out.split(separator: "\n")
    #expect(one.count == 4 && lines.count == 6, "\(ended.out)\(ended.errors)")
    #expect(Array(lines.prefix(3)) == Array(one.prefix(3)) && lines[3...4] == ["then", "status 0"])
    #expect(lines.last == "late" + one[3].dropFirst())
  }

  /// A process that dies, and one list that takes no more: one line each, and what is finished is kept.
  @Test func whatIsFinishedIsKeptAndSaidOnce() throws {
    let shell = try Shell()
    try shell.writePictures("a.png", "b.png", "c.png")
    let ended = try run(
      shell,
      """
      mkfifo late.png
      \(Launcher.command(2, patience: 4)) $V a.png b.png c.png late.png -o list.csv 2>two.err & job=$!
      \(Shell.until("[ $(cat list.csv.partial 2>/dev/null | grep -c png) -ge 3 ]"))
      for p in $(cat /proc/$job/task/$job/children); do
        tr '\\0' '\\n' </proc/$p/environ | grep -qx OMPI_COMM_WORLD_RANK=1 && kill -9 $p
      done
      wait $job; echo "status $?"; cat two.err >&2
      """)
    #expect(!ended.out.contains("status 0"))
    let said = words(ended.errors)
    #expect(said.count == 1 && said.first?.contains("a rank has ended") == true, "\(ended.errors)")
    #expect(said.first?.hasSuffix("what is finished, 3 of 4 pictures, is in list.csv") == true, "\(said)")
    let list = try String(contentsOfFile: "\(shell.folder)/list.csv", encoding: .utf8)
    #expect(list.split(separator: "\n").count == 4 && list.contains("c.png,"))

    let full = try run(
      shell, "ln -s /dev/full full.csv; \(Launcher.command(2)) $V a.png b.png c.png -o full.csv --overwrite")
    #expect(full.status != 0 && words(full.errors).count == 1, "\(full.errors)")
    #expect(words(full.errors).first?.contains("full.csv") == true, "\(full.errors)")
  }

  /// Sums are taken in the same order, so that not a digit differs.
  @Test(arguments: [
    "understanding --scenes 5", "reconstruction --scenes 5", "prompt-use --scenes 3",
    "quantization --scenes 5",
    "generation --samples 1 --steps 2 --cfg 1 --cfg 3 --sheet sheet.png --overwrite",
  ])
  func measuresAreThoseOfOneProcess(_ measure: String) throws {
    let shell = try Shell()
    let sheet = "\(shell.folder)/sheet.png"
    let one = try run(shell, "$P evaluate \(measure) --json")
    let first = FileManager.default.contents(atPath: sheet)
    let two = try run(shell, "\(Launcher.command(2)) $P evaluate \(measure) --json")
    #expect(one.status == 0 && two.status == 0 && one.out == two.out, "\(two.out)\(two.errors)")
    #expect(
      measure.contains("sheet") == (first != nil) && FileManager.default.contents(atPath: sheet) == first)
    #expect(words(two.errors).isEmpty, "\(two.errors)")
  }
}
