import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// Folders that are written or replaced: by one process at a time, and without a loss however that ends.
@SecondCommands
struct FolderCareTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// A run that has put `r` aside and reads its data, which is long: it says so once it has begun, and no file is in the making.
  private static let begin = """
    rm -rf r r.* said; mkdir r; echo '{}' >r/config.json
    env --default-signal "$P" train understanding -o r --overwrite 2>said & p=$!
    \(Shell.until("[ -n \"$(ls -d r.*.old 2>/dev/null)\" ] && grep -q 'learning words' said"))
    """

  @Test(arguments: ["QUIT", "USR1", "ALRM", "XCPU", "SEGV", "ABRT", "RTMIN"])
  func everySignalBringsBackWhatWasToBeReplaced(_ signal: String) throws {
    let found = try shell.run(
      """
      ulimit -c 0; export SWIFT_BACKTRACE=enable=no; \(Self.begin)
      kill -\(signal) $p; wait $p; echo $(($? - 128 == $(kill -l \(signal)))); ls -d r*; ls r
      """)
    #expect(found.out == "1\nr\nconfig.json\n", "\(signal): \(found)")
  }

  /// Swift's own handler, which tells of a crash, comes back from it: the program ends all the same, and soon.
  @Test func aCrashThatIsToldOfIsTheEnd() throws {
    let found = try shell.run(
      "ulimit -c 0; \(Self.begin)\nkill -ABRT $p; wait $p; echo $?; ls -d r*; ls r")
    #expect(found.out == "134\nr\nconfig.json\n", "\(found)")
  }

  /// What nobody could take care of the next command does, whichever it is.
  @Test(arguments: ["model info r/model", "train plot r", "data inspect r", "ask hi --model r"])
  func theNextCommandBringsItBackBehindAKill(_ command: String) throws {
    let found = try shell.run(
      """
      \(Self.begin); kill -KILL $p; wait $p 2>/dev/null
      mkdir -p r; echo '[data]' >r/recipe.toml; V \(command) 2>&1 | head -1; ls -d r*; ls r
      """)
    #expect(
      found.out == "vugen: r is back as it was before a run that was killed\nr\nconfig.json\n", "\(found)")
  }

  /// What the new run has saved is worth more, and so is what somebody else put there.
  @Test func whatHasWorthKeepsItsPlace() throws {
    for name in ["checkpoint.safetensors", "thesis.txt"] {
      let found = try shell.run(
        """
        \(Self.begin); kill -KILL $p; wait $p 2>/dev/null
        mkdir -p r; echo x >r/\(name); V model info r 2>&1 | head -1; ls r r.*
        """)
      #expect(
        found.out.contains(".old is what r was before a run that was killed")
          && found.out.contains("r:\n\(name)\n") && found.out.contains(".old:\nconfig.json\n"), "\(found)")
    }
  }

  /// Another machine's process cannot be looked for.
  @Test func marksOfOtherMachinesAreLeftAlone() throws {
    let found = try shell.run(
      """
      mkdir elsewhere; echo '{}' >elsewhere/config.json; mv elsewhere r.other.host.4711.old
      mkdir r.other.host.4711.partial
      V model info r 2>&1 | head -1; V model init --shape tiny -o r; ls -d r*
      """)
    #expect(found.out.contains("r.other.host.4711.old is what r was before a run on other.host"), "\(found)")
    #expect(found.out.hasSuffix("\nr\nr.other.host.4711.old\nr.other.host.4711.partial\n"), "\(found)")
  }

  /// Two at once into one folder: the second is told who is there.
  @Test func oneProcessWritesAtATime() throws {
    try shell.writePictures("in/a.png")
    // Long work, which stands still while others come.
    try shell.write(Data(HugePicture.png(width: 8000, height: 5000)), "in/slow.png")
    try shell.write(
      "file,caption\na.png,gray\n" + String(repeating: "slow.png,slow\n", count: 4), "in/list.csv")
    let build = "data build folder in --captions in/list.csv -o"
    for prepare in ["", "mkdir out", "mkdir out; echo mine >out/mine.txt"] {
      let found = try shell.run(
        """
        rm -rf out; \(prepare)
        "$P" \(build) out --size 64 & p=$!; \(Shell.until("ls -d out.partial >/dev/null 2>&1")); kill -STOP $p
        V \(build) out 2>second; echo $?; grep -c "^vugen: out: another run writes here (pid $p)" second
        V \(build) out --overwrite 2>second; echo $?; grep -c "pid $p" second
        kill -CONT $p; wait $p; echo $?; ls -d out*; ls out
        """)
      let mine = prepare.contains("mine") ? "mine.txt\n" : ""
      #expect(
        found.out == "1\n1\n1\n1\n5 pictures in out\n0\nout\n\(mine)train-000000.tar\n",
        "\(prepare): \(found)")
      #expect(try shell.run("V data inspect out").out.hasPrefix("5 samples in 1 shard"))
    }
    // One that fails leaves nothing, not even the folder.
    let failed = try shell.run(
      "rm -rf out; V \(build.replacing("list", with: "none")) out; ls -d out*")
    #expect(failed.out.isEmpty, "\(failed)")
  }

  @Test func aRunIsNotResumedWhileItRuns() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    let settings = [
      "data.shards=s", "data.batch=1", "data.questions=1", "model.imageSize=32", "model.patchSize=8",
      "model.visionWidth=16", "model.visionLayers=1", "model.visionHeads=2", "model.textWidth=16",
      "model.textLayers=1", "model.textHeads=2", "model.keyValueHeads=1", "model.textHidden=32",
      "optimization.steps=1000000", "run.checkpointMinutes=0.0001",
    ].map { "--set \($0)" }.joined(separator: " ")
    let found = try shell.run(
      """
      V data build folder in -o s >/dev/null; mkdir r
      cp "${P%/*}/vugen-studio_VUGEN.resources/nano/tokenizer.json" r
      env --default-signal=INT "$P" train understanding -o r \(settings) >told & p=$!; \(Shell.until("[ -e r/checkpoint.safetensors ]"))
      for how in --resume --overwrite; do
        V train understanding -o r $how 2>&1 | grep -c "another run writes here (pid $p)"
      done
      kill -INT $p; wait $p; echo $?; ls -d r*
      """)
    #expect(found.out == "1\n1\n130\nr\n", "\(found)")
  }

  /// A person's own files are not replaced, whatever the command.
  @Test func ownFilesAreNotReplaced() throws {
    try shell.writePictures("in/a.png", "own/photo.png")
    try shell.write("gray", "in/a.txt")
    for command in [
      "data build folder in -o own", "data build scenes --train 1 --validation 0 --held-out 0 -o own",
      "train understanding -o own", "model init --shape tiny -o own",
    ] {
      let found = try shell.run("V \(command) --overwrite; echo $?; ls -d own*; ls own")
      #expect(found.out == "1\nown\nphoto.png\n", "\(command): \(found)")
      #expect(
        found.error
          == "vugen: own: 1 file was not written by this program (photo.png) and would be lost; move it, or name another folder\n",
        "\(command): \(found)")
    }
  }
}
