import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// Latents that programs make, together, killed, and without room.
@FourthCommands
struct LatentProgramTests {
  private let shell: Shell
  /// Of 24 pictures five views each.
  private static let count = 120

  init() throws {
    shell = try Shell()
    for i in 0..<24 {
      let rgb = (0..<60 * 44).flatMap { j in (0..<3).map { UInt8(($0 + 2) * (i * 31 + j % 60) % 256) } }
      try shell.write(Data(try Picture(width: 60, height: 44, rgb: rgb).pngData()), "in/\(i).png")
      try shell.write("picture \(i)", "in/\(i).txt")
    }
    let built = try shell.run("V data build folder in -o s")
    #expect(built.status == 0, "\(built)")
  }

  private func command(_ run: String, _ latents: String) -> String {
    let settings = [
      "data.shards=s", "data.crop=random", "data.views=5", "data.batch=2", "optimization.steps=1",
      "run.sampleMinutes=0", "data.validation=0",
    ]
    return "train generator -o \(run) --latents \(latents) "
      + settings.map { "--set \($0)" }.joined(separator: " ")
  }

  @Test func killedAndTogetherTheyAreMadeOnce() throws {
    // Killed as soon as there is something.
    let killed = try shell.run(
      """
      "$P" \(command("a", "one")) >log 2>&1 & p=$!
      \(Shell.until("[ $(cat one/*.index | wc -l) -gt 60 ]")) 2>/dev/null
      kill -9 $p; wait $p; echo $?; ls a/checkpoint.safetensors
      """)
    #expect(killed.out == "137\n", "\(killed)")
    let left = try StoredLatents(shell.folder + "/one")
    #expect(left.lines > 60 && left.lines <= Self.count)
    let resumed = try shell.run("V \(command("a", "one"))")
    #expect(
      resumed.status == 0
        && resumed.error.contains(
          "first the latents of \(Self.count - left.entries.count) of 120 pictures are made (data.scenes: 40000 at most); they are kept in one\n"
        ), "\(resumed)")
    let one = try StoredLatents(shell.folder + "/one")
    #expect(one.lines == Self.count && one.entries.count == Self.count)
    #expect(left.entries.allSatisfy { one.entries[$0.key] == $0.value })
    // Two at once, from nothing.
    let both = try shell.run(
      """
      "$P" \(command("b", "two")) >b.log 2>&1 & p=$!
      "$P" \(command("c", "two")) >c.log 2>&1 & q=$!
      wait $p; echo $?; wait $q; echo $?; cat b.log c.log
      """)
    #expect(both.out.hasPrefix("0\n0\n"), "\(both)")
    let two = try StoredLatents(shell.folder + "/two")
    #expect(two.lines == Self.count && two.entries == one.entries)
  }

  @Test func withoutRoomWhatIsThereStays() throws {
    let full = try shell.run("(ulimit -f 300; V \(command("a", "l")))")
    let line = full.error.split(separator: "\n").last.map(String.init) ?? ""
    #expect(
      full.status == 1 && line.hasPrefix("vugen: l/000001.latents: cannot be written: File too large")
        && line.hasSuffix("the latents made so far stay"), "\(full)")
    let left = try StoredLatents(shell.folder + "/l")
    // Some batches of them.
    #expect(left.lines >= 16 && left.lines < Self.count)
    let more = try shell.run("V \(command("a", "l"))")
    #expect(more.status == 0, "\(more)")
    let all = try StoredLatents(shell.folder + "/l")
    #expect(all.lines == Self.count && left.entries.allSatisfy { all.entries[$0.key] == $0.value })
    let gone = try shell.run("mv l m; V train generator -o a --resume --set optimization.steps=2")
    #expect(gone.status == 1 && gone.error.contains("name their folder by --latents"), "\(gone)")
    let found = try shell.run("V train generator -o a --resume --set optimization.steps=2 --latents m")
    #expect(found.status == 0, "\(found)")
  }

  /// A run stands for its latents; one that ended before its first step is gone on with by the same command.
  @Test func runsStandForTheirLatents() throws {
    let few = "--set data.views=1 --set data.scenes=16"
    let first = try shell.run("V \(command("a", "one")) \(few)")
    #expect(
      first.status == 0 && first.error.contains("first the latents of 16 pictures are made"), "\(first)")
    let second = try shell.run("V \(command("b", "a")) \(few); ls a; readlink b/latents")
    #expect(
      second.status == 0 && second.error.contains("the latents of 16 pictures are in a/latents\n"),
      "\(second)")
    #expect(!second.out.contains(".index") && second.out.hasSuffix("/a/latents\n"), "\(second)")
    #expect(try StoredLatents(shell.folder + "/one").lines == 16)
    let all = try shell.run("V \(command("c", "one")) --set data.views=1")
    #expect(all.error.contains("first the latents of 8 of 24 pictures are made"), "\(all)")
    let wrong = try shell.run("V \(command("d", "s")); ls s d")
    #expect(
      wrong.status != 0 && wrong.error.contains("s: holds shards; name a folder of latents")
        && !wrong.out.contains("index"), "\(wrong)")
    let early = try shell.run("rm c/checkpoint.safetensors; V train generator -o c --resume")
    #expect(
      early.status == 1 && early.error.contains("the same command without --resume goes on"), "\(early)")
    #expect(try shell.run("V \(command("c", "one")) --set data.views=1").status == 0)
  }

  /// A checkpoint that cannot be read is told for what it is, and not for none.
  @Test func whatStandsInACheckpointsPlaceIsTold() throws {
    let made = try shell.run("V \(command("r", "one")) --set data.scenes=4 && mkdir x && cp r/recipe.toml x")
    #expect(made.status == 0, "\(made)")
    for (change, says) in [
      ("ln -s checkpoint.safetensors", "round in a circle"), ("ln -s /nowhere/at/all", "where nothing is"),
      ("mkdir", "this is a folder where a file is meant"), ("mkfifo", "not a plain file"),
    ] {
      for way in ["-o r --resume", "-o x --fork y"] {
        let run = way.contains("resume") ? "r" : "x"
        let told = try shell.run(
          """
          cd \(run); rm -rf checkpoint.safetensors; \(change) checkpoint.safetensors; cd ..
          V train generator \(way) --set optimization.steps=9; s=$?; ls -d y 2>/dev/null; exit $s
          """)
        #expect(
          told.status == 1 && told.out == "" && told.error.contains("\(run)/checkpoint.safetensors: ")
            && told.error.contains(says), "\(change) \(way): \(told)")
      }
    }
  }
}
