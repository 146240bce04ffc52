import Foundation
import ModelFiles
import ProgramSupport
import TestSupport
import Testing

/// How several processes that train end.
@Suite(
  .serialized, .enabled(if: Launcher.isThere, "mpirun is not installed; apt-get install openmpi-bin has it"))
@LauncherCommands
struct RanksEndingTests {
  private static let ground = Result { try TrainingGround() }

  private func words(_ errors: String) -> [Substring] {
    errors.split(separator: "\n").filter { $0.hasPrefix("vugen: ") && !$0.contains("2 ranks on 1 host") }
  }

  private func savedStep(_ path: String) throws -> Int {
    try #require(try SafetensorsFile(path: path).header.metadata["step"].flatMap(Int.init))
  }

  /// Lines of bash that begin a run without an end as `$job`, in which the launcher waits long before it kills.
  private func begin(_ ground: TrainingGround, _ run: String, _ more: String, over transport: String = "")
    -> String
  {
    let way = transport.isEmpty ? "" : " --mca btl self,\(transport)"
    let patient = Launcher.command(2, patience: 10) + way
    let command = ground.arguments(.decoder, run, batch: 2, steps: 1_000_000)
    return "\(patient) \"$P\" \(command) \(more) >\(run).out 2>\(run).err & job=$!"
  }

  @Test func whatIsWrongIsSaidOnce() throws {
    let ground = try Self.ground.get()
    for wrong in [
      "train understanding --output x --set data.batch=0", "train understanding --output x --bogus",
      "train decoder --model nowhere --output x", "caption nowhere.png",
    ] {
      let ended = try ground.run("\(Launcher.command(2)) \"$P\" \(wrong)")
      #expect(ended.status != 0 && words(ended.errors).count == 1, "\(wrong): \(ended.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: ground.folder + "/x/checkpoint.safetensors"))
  }

  @Test func aSignalToTheLauncherSavesOneCheckpoint() throws {
    let ground = try Self.ground.get()
    for (signal, run) in [("TERM", "ended-term"), ("INT", "ended-int")] {
      let ended = try ground.run(
        """
        \(begin(ground, run, "--set run.checkpointMinutes=1000"))
        \(Shell.until("[ $(grep -sc step \(run)/metrics.jsonl || echo 0) -ge 3 ]"))
        kill -\(signal) $job; wait $job; echo "status $?"; cat \(run).err >&2
        """)
      #expect(!ended.out.contains("status 0"))
      let saved = try savedStep("\(ground.folder)/\(run)/checkpoint.safetensors")
      #expect(try saved >= 3 && ground.losses(run).count == saved)
      guard Launcher.isPatient else { continue }
      #expect(
        words(ended.errors).filter { $0.contains("step \(saved) is saved") }.count == 1, "\(ended.errors)")
    }
  }

  /// Each rank in turn: the others do not wait for it for ever, and what was saved stands; between two hosts, too, where the
  /// first one hears of it over the network.
  @Test(arguments: [(0, ""), (1, ""), (1, "tcp")])
  func aRankThatDiesEndsAll(_ rank: Int, _ transport: String) throws {
    let ground = try Self.ground.get(), run = "died-\(rank)-\(transport)"
    let ended = try ground.run(
      """
      \(begin(ground, run, "--set run.checkpointMinutes=0.001", over: transport))
      \(Shell.until("[ -e \(run)/checkpoint.safetensors ]"))
      for p in $(cat /proc/$job/task/$job/children); do
        tr '\\0' '\\n' </proc/$p/environ | grep -qx OMPI_COMM_WORLD_RANK=\(rank) && kill -9 $p
      done
      wait $job; echo "status $?"; cat \(run).err >&2
      """)
    #expect(!ended.out.contains("status 0"))
    let saved = try savedStep("\(ground.folder)/\(run)/checkpoint.safetensors")
    #expect(saved >= 1)
    let said = words(ended.errors).filter { $0.contains("a rank has ended") }
    // The first one speaks, where it is still there.
    #expect(said.count == (rank == 0 ? 0 : 1), "\(ended.errors)")
    if rank == 1 { #expect(said.first?.contains("step \(saved) is saved") == true) }
    let resumed = try ground.train(
      .decoder, run, ranks: 1, batch: 4, steps: saved + 2, more: "--resume")
    #expect(resumed.status == 0, "\(resumed.errors)")
  }
}

/// A launcher's child that finds no Open MPI.
struct NoLibraryTests {
  @Test func whatIsMissingIsSaidInOneLine() throws {
    let shell = try Shell()
    // In front of one that may be installed.
    for name in ["libmpi.so.40", "libmpi.so"] { try shell.write("no library", "lib/\(name)") }
    let ended = try shell.run(
      """
      export LD_LIBRARY_PATH="$PWD/lib" OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0
      V train understanding --output x; echo $?; V doctor | grep 'Many machines'
      """)
    #expect(ended.out.hasPrefix("1\nMany machines: no, "))
    #expect(ended.error.split(separator: "\n").count == 1 && ended.error.contains("openmpi-bin"))
    // Whoever is alone needs none.
    #expect(
      try shell.run("export LD_LIBRARY_PATH=\"$PWD/lib\"; V train understanding --show-recipe").status == 0)
  }
}
