import Foundation
import ProgramSupport
import TestSupport
import Testing

/// Faults of files, folders and surroundings: one line each, which says what to do.
@SecondCommands
struct FaultTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// - Parameters:
  ///   - lines: bash whose last command is the program.
  ///   - says: words of the one line.
  private func fails(_ lines: String, _ says: String...) throws {
    let found = try shell.run("export OMP_NUM_THREADS=1; \(lines)")
    #expect(found.status == 1 && found.error.hasPrefix("vugen: "), "\(lines): \(found)")
    #expect(found.error.split(separator: "\n").count == 1, "\(lines): \(found)")
    for word in says { #expect(found.error.contains(word), "\(lines): \(found)") }
  }

  @Test func filesAndFoldersSayWhatToDo() throws {
    try shell.writePictures("a.png", "r/a.png")
    try shell.write(String(repeating: "cat ", count: 3000), "long")
    try fails("V data inspect a.png", "not a tar archive", "vugen data build folder")
    try fails("V data tokenizer -o r", "r: this is a folder; name a file in it")
    try fails("V encode a.png -o r", "r: this is a folder; name a file in it")
    try fails("V encode r -o x", "name a picture")
    try fails("V imagine \"$(cat long)\"", "shorten the prompt")
    try fails("V score --image a.png --text \"$(cat long)\"", "shorten the text")
    try fails("V ask \"$(cat long)\"", "the question has", "shorten it")
    try fails("V imagine x --steps 1 -o a.png/b.png", "a.png")
    // A run begins with nothing that it cannot use, and leaves nothing then.
    for stage in ["understanding", "decoder", "generator"] {
      try fails("V train \(stage) -o new --from a.png", "a.png: this is a file; name a folder")
      try fails("V train \(stage) -o new --from r", "r: config.json is missing")
    }
    try fails("V train generator -o new --set data.batch=65536", "data.batch", "make them smaller")
    #expect(try shell.run("ls new").status != 0)
  }

  /// Where oneDNN has no AVX-512, a row's bits would depend on the threads and the rows beside it.
  @Test func olderProcessorsDrawAndAnswerTheSame() throws {
    try shell.writePictures("a.png", "b.png", "c.png")
    let found = try shell.run(
      """
      export ONEDNN_MAX_CPU_ISA=AVX2 VUGEN_ISA=avx2
      for n in 1 2 3; do OMP_NUM_THREADS=$n V imagine 'a cat' --seed 5 --steps 6 -o $n.png >out || cat out; done
      cmp 1.png 2.png && cmp 1.png 3.png && echo same
      for n in 1 3; do OMP_NUM_THREADS=$n V caption a.png b.png c.png --max-tokens 8 --batch $n; done | sort | uniq -c | sort -u -k1,1
      """)
    #expect(found.status == 0 && found.error.isEmpty, "\(found)")
    let lines = found.out.split(separator: "\n")
    #expect(lines.first == "same" && lines.count == 2 && lines[1].contains(" 2 "), "\(found)")
  }

  @Test func surroundingsAreToldOnce() throws {
    for line in ["paths", "paths --nonsense"] {
      let found = try shell.run("VUGEN_ISA=nonsense V \(line)")
      let marked = found.error.split(separator: "\n").filter { $0.hasPrefix("vugen: ") }
      #expect(marked.count == 1 && marked.first?.contains("VUGEN_ISA") == (line == "paths"), "\(found)")
    }
    let root = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : ""
    if try shell.run("chmod 711 .; \(root)\"$P\" --version").status == 0 {
      let few = try shell.run("ulimit -n 5; \(root)\"$P\" model info")
      #expect(few.status == 1 && few.error.hasPrefix("vugen: 5 files may be open"), "\(few)")
      #expect(few.error.contains("ulimit -n") && few.error.split(separator: "\n").count == 1, "\(few)")
    }
  }

  /// No number of threads is none: one line says so and what is used, and no library complains beside it.
  @Test func aWrongNumberOfThreadsIsTold() throws {
    let usual = try shell.run("unset OMP_NUM_THREADS; V doctor --json").out
    let threads = try #require(usual.firstMatch(of: #/"threads":(\d+),/#)).1
    let many = "\(threads) thread\(threads == "1" ? "" : "s")"
    for value in ["0", "abc", "-1", "2,0", "2,", "", "1e9", "99999999999999999999", "2 threads", "1.5"] {
      let line = "OMP_NUM_THREADS='\(value)' is no number of threads, 1 or more; using \(many)"
      let found = try shell.run("OMP_NUM_THREADS='\(value)' V doctor --json")
      let told = usual.replacing("\"settings\":[]", with: "\"settings\":[\"\(line)\"]")
      #expect(found.status == 0 && found.error.isEmpty && found.out == told, "\(value): \(found)")
      let shown = try shell.run("OMP_NUM_THREADS='\(value)' V doctor")
      #expect(shown.error.isEmpty && shown.out.contains("\nNot obeyed: \(line)\n"), "\(value): \(shown)")
      let other = try shell.run("OMP_NUM_THREADS='\(value)' V paths")
      #expect(other.status == 0 && other.error == "vugen: \(line)\n", "\(value): \(other)")
    }
    // Lists are OpenMP's: a number for each level of nesting.
    for value in ["1", "1,2", " 1 , 3", "1 ", "+1"] {
      let few = try shell.run(
        "OMP_NUM_THREADS='\(value)' V doctor --json; OMP_NUM_THREADS='\(value)' V paths")
      #expect(few.error.isEmpty && few.out.contains("\"threads\":1,"), "\(value): \(few)")
    }
    // More than the machine can run in turn are fewer, which is told, too; and what is asked for by --threads is asked for.
    let most = 4 * (Int(threads) ?? 1)
    let starved = try shell.run("OMP_NUM_THREADS=999 V paths")
    #expect(
      starved.error
        == "vugen: OMP_NUM_THREADS=999 is more than four threads for each core; using \(most) threads\n",
      "\(starved)")
  }

  /// A part that is there and cannot be read is not absent.
  @Test func partsThatCannotBeReadAreNotAbsent() throws {
    for part in ["decoder_one_step.safetensors", "generation.json", "generator.safetensors"] {
      try fails(
        """
        N=$(V paths | sed -n 's/^model *//p'); rm -rf m; mkdir m; for f in "$N"/*; do ln -s "$f" m/; done
        rm m/\(part); ln -s \(part) m/\(part); V imagine x --steps 1 --model m -o x.png
        """, "m/\(part): ", "copy the model again")
    }
    // A half that is not whole has its reason, for a script, too.
    let found = try shell.run(
      """
      N=$(V paths | sed -n 's/^model *//p'); rm -rf m; cp -r "$N" m; rm m/reducer.safetensors
      V model info m --json
      """)
    #expect(
      found.status == 1 && found.out.contains("\"error\":\"m: the half that draws is incomplete"), "\(found)")
  }

  @Test func aRunOfAnotherStageIsNamed() throws {
    for stage in ["understanding", "decoder", "generator", "distill"] {
      let other = stage == "decoder" ? "distill" : "decoder"
      try fails(
        """
        mkdir -p r; V train \(stage) --show-recipe >r/recipe.toml; echo x >r/checkpoint.safetensors
        V train \(other) --resume -o r
        """, "another stage", "vugen train \(stage) --resume --output r")
    }
  }

  /// The same places wherever a program is started: relative ones are ignored.
  @Test func relativeHomesAreIgnored() throws {
    let plain = try shell.run("env -u HOME \"$P\" paths")
    let homes = try shell.run("HOME=rel V paths")
    #expect(homes.status == 0 && homes.out == plain.out && !plain.out.isEmpty, "\(homes) \(plain)")
    let own = try shell.run("V paths")
    let all = try shell.run(
      "XDG_DATA_HOME=r XDG_CONFIG_HOME=./r XDG_STATE_HOME=r XDG_CACHE_HOME=r V paths; ls -d r rel")
    #expect(all.out == own.out, "\(all) \(own)")
  }

  @Test func sessionsThatCannotBeReadFail() throws {
    let place = ".home/.local/share/vugen/sessions/20260102-030405-abcd"
    let note = #"{"event":{"note":{"_0":"a"}},"time":1,"version":99}"# + "\n"
    try shell.write("no entry\nnor this\n", "\(place)/log.jsonl")
    try fails("V sessions show last", "all 2 entries are damaged")
    try shell.write(note, "\(place)/log.jsonl")
    for command in ["show last", "export last -o x.md --overwrite"] {
      let found = try shell.run("V sessions \(command)")
      #expect(
        found.status == 0 && found.error.hasPrefix("vugen: 20260102-030405-abcd: a newer version"), "\(found)"
      )
    }
    // Of this version, with what this one does not know.
    for (unknown, said) in [(1, "1 entry of an unknown kind is"), (2, "2 entries of unknown kinds are")] {
      let sung = #"{"event":{"sung":{"song":1}},"time":2,"version":1}"# + "\n"
      try shell.write(
        note.replacing("99", with: "1") + String(repeating: sung, count: unknown), "\(place)/log.jsonl")
      let found = try shell.run("V sessions show last")
      #expect(
        found.status == 0 && found.out == "note: a\n"
          && found.error
            == "vugen: 20260102-030405-abcd: another version of this program wrote it; \(said) left out\n",
        "\(found)")
    }
    try shell.write(note.replacing("99", with: "1"), "\(place)/log.jsonl")
    let plain = try shell.run("V sessions show last")
    #expect(plain.status == 0 && plain.error.isEmpty, "\(plain)")
    try fails(
      "rm -r \(place)/log.jsonl; mkdir \(place)/log.jsonl; V sessions show 2026", "this is a folder",
      "move it away")
  }

  /// Damaged numbers are told by all that would pass them on, and nothing is written.
  @Test func damagedNumbersAreNotPassedOn() throws {
    let made = try shell.run(
      """
      V model init --shape tiny -o m && f=m/model.safetensors && n=$(stat -c %s $f) && \
        printf '\\377' | dd of=$f bs=1 seek=$((n - 3001)) conv=notrunc 2>/dev/null; echo $?
      """)
    #expect(made.out == "0\n", "\(made)")
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    _ = try shell.run("V data build folder in -o s")
    for line in [
      "model info m", "model info m/model.safetensors", "model info m --tensors",
      "model info m/model.safetensors --json",
      "model quantize m -o q", "train decoder --model m -o r --set data.shards=s --set optimization.steps=1",
    ] {
      let found = try shell.run("V \(line); s=$?; ls -d q r 2>/dev/null; exit $s")
      let told = (found.out + found.error).contains("its checksum is not that of what was written")
      #expect(
        found.status == 1 && told && !found.out.hasSuffix("q\n") && !found.out.hasSuffix("r\n"),
        "\(line): \(found)")
    }
  }
}
