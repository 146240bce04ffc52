import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// Commands as scripts call them: over folders, with any seed, with what is missing or wrong among what is right.
@FourthCommands
@Suite struct ScriptTests {
  private let shell: Shell
  private var folder: String { shell.folder }

  init() throws { shell = try Shell() }

  private func run(_ lines: String) throws -> (out: String, error: String, status: Int32) {
    try shell.run(lines)
  }

  private func write(_ bytes: [UInt8], _ name: String) throws { try shell.write(Data(bytes), name) }

  private func writePictures(_ names: [String]) throws {
    for name in names { try shell.writePictures(name) }
  }

  /// The prefix that runs the program as somebody whom locks hold.
  private func unprivileged() throws -> String? {
    guard geteuid() == 0 else { return "env" }
    let words = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    return try run("\(words) \"$P\" --version").status == 0 ? words : nil
  }

  // MARK: - Folders and names

  @Test func captionGoesOnBehindWhatIsMissing() throws {
    try writePictures(["in/b.png", "in/sub/a.png", "in/.hidden/c.png", "in/.d.png", "in/a.png", "last.png"])
    try write(Array("no picture".utf8), "in/c.png")
    _ = try run(
      "ln -s .. in/round; mkdir in/locked empty; touch in/locked/x.png; chmod 000 in/locked; chmod 711 .")
    let words = try unprivileged()
    let told = try run("\(words ?? "") \"$P\" caption gone.png in empty last.png --json --max-tokens 2")
    let lines = told.out.split(separator: "\n").map(String.init)
    func file(_ line: String) -> String {
      line.firstMatch(of: #/"file":"([^"]*)"/#).map { String($0.1) } ?? ""
    }
    let locked = words == nil ? [] : ["in/locked"]
    #expect(
      lines.map(file) == ["gone.png", "in/a.png", "in/b.png", "in/c.png"] + locked + [
        "in/sub/a.png", "last.png",
      ]
        || words == nil && told.status == 1, "\(told)")
    let failed = lines.filter { $0.contains("\"error\":") }.map(file)
    #expect(failed == ["gone.png", "in/c.png"] + locked && told.status == 1, "\(told)")
    #expect(
      told.error.hasPrefix("vugen: no pictures (") && told.error.split(separator: "\n").count == 1, "\(told)")
    // As `data build folder` finds them.
    let built = try run(
      "for f in in/a in/b in/c in/sub/a; do echo x >$f.txt; done; chmod a+rwX . in; \(words ?? "") \"$P\" data build folder in -o /tmp/vugen-\(getpid())-s --json; rm -r /tmp/vugen-\(getpid())-s"
    )
    #expect(built.out.contains("\"pictures\":3"), "\(built)")
    #expect(words == nil || built.error.contains("in/locked: Permission denied"), "\(built)")
    // Nothing but what is missing: no model is loaded, and each has its line.
    let none = try run("V caption x.png y.png --json --model /nonexistent")
    #expect(
      none.status == 1 && none.out.split(separator: "\n").map { file(String($0)) } == ["x.png", "y.png"],
      "\(none)")
  }

  @Test func listsAmongPicturesAreTaken() throws {
    try writePictures(["p/a.png", "p/b.png", "p/train/c.png", "p/train/d.png"])
    try write(Array("beside".utf8), "p/b.txt")
    try write(
      Array(#"{"file_name":"a.png","text":"red"}"#.utf8) + [10]
        + Array(#"{"file_name":"b.png","text":"never"}"#.utf8) + [10]
        + Array(#"{"file_name":"no.png","text":"x"}"#.utf8),
      "p/metadata.jsonl")
    try write(Array("file_name,additional_feature,caption\nc.png,7,blue\n".utf8), "p/train/metadata.csv")
    let told = try run("V data build folder p -o s --json && tar -xOf s/train-000000.tar --wildcards '*.txt'")
    #expect(told.status == 0 && told.out.hasSuffix("redbesideblue"), "\(told)")
    #expect(
      told.error.contains("1 caption from p/metadata.jsonl") && told.error.contains("p/train/metadata.csv"))
    #expect(
      told.error.contains("missing from the folder: p/no.png") && told.error.contains("p/train/d.png"),
      "\(told)")
    try write(Array("{\"file_name\": 3".utf8), "p/metadata.jsonl")
    let broken = try run("V data build folder p -o t")
    #expect(broken.status == 0 && broken.error.contains("p/metadata.jsonl: line 1"), "\(broken)")
  }

  @Test func namesThatAreNoUTF8AreReadOrRefusedByName() throws {
    try writePictures(["p/a.png"])
    try write(Array("gray".utf8), "p/a.txt")
    #expect(try run("V data build folder p -o s && mv s $'s\\xe9'").status == 0)
    #expect(try run("V data inspect $'s\\xe9'").out.hasPrefix("1 sample in 1 shard"))
    for line in [
      "ask x --model $'s\\xe9'", "model init --shape tiny -o $'s\\xe9'", "train decoder -o $'s\\xe9'",
      "data build folder p -o $'s\\xe9'",
    ] {
      let told = try run("V \(line)")
      #expect(
        told.status == 2 && told.error.contains("'s\\xE9'") && told.error.contains("UTF-8")
          && told.error.split(separator: "\n").count(where: { $0.hasPrefix("vugen: ") }) == 1, "\(told)")
    }
  }

  // MARK: - Seeds, questions, sessions

  @Test func everySeedThatIsStoredCanBeGiven() throws {
    for seed in ["18446744073709551615", "9223372036854775809"] {
      let drawn = try run("V imagine x --steps 1 --seed \(seed) -o a.png --overwrite --json")
      #expect(drawn.out.contains("\"seed\":\(seed),"), "\(drawn)")
      let again = try run(
        "V imagine --from a.png -o b.png --overwrite --json && cmp a.png b.png && grep -ac 'Seed: \(seed),' a.png"
      )
      #expect(again.status == 0 && again.out.contains("\"seed\":\(seed),"), "\(again)")
      #expect(try run("V reconstruct a.png --decoder-steps 1 --seed \(seed) --json").status == 0)
      #expect(try run("V ask hi --temperature 1 --seed \(seed) --max-tokens 1").status == 0)
    }
    for seed in ["-2", "18446744073709551616", "1.5", "x"] {
      let refused = try run("V imagine x --seed \(seed)")
      #expect(refused.status == 2 && refused.error.contains("18446744073709551615"), "\(refused)")
    }
    #expect(try run("V imagine x --steps 1 --seed -1 -o a.png --overwrite").status == 0)
  }

  @Test func aQuestionWithoutAPictureIsSaid() throws {
    try writePictures(["a.png"])
    for line in ["ask 'What is this?' --max-tokens 2", "score --text cat"] {
      let told = try run("V \(line)"), json = try run("V \(line) --json")
      #expect(
        told.status == 0 && told.error.contains("no picture was given")
          && told.error.split(separator: "\n").count == 1, "\(told)")
      #expect(json.out.contains("\"pictures\":0") && json.error.isEmpty, "\(json)")
      #expect(try run("V \(line) --image a.png").error.isEmpty)
      #expect(try run("V \(line) --image a.png --json").out.contains("\"pictures\":1"))
    }
  }

  @Test func deletingSaysHowToUndelete() throws {
    let id = "20260101-000000-abcd"
    try write(
      Array((#"{"event":{"note":{"_0":"a"}},"time":1,"version":1}"# + "\n").utf8),
      ".home/.local/share/vugen/sessions/\(id)/log.jsonl")
    let deleted = try run("V sessions delete \(id)")
    #expect(deleted.out.contains("vugen sessions undelete \(id) brings it back"), "\(deleted)")
    #expect(try run("V sessions undelete \(id)").out == "undeleted \(id)\n")
    #expect(try run("V sessions list").out.hasPrefix(id))
    let help = try run("V sessions --help; V sessions undelete --help; V sessions delete --help").out
    #expect(help.contains("undelete") && !help.lowercased().contains("restore"), "\(help)")
  }

  // MARK: - Models

  /// What loading says, behind what can be read.
  @Test func aModelThatDoesNotLoadFailsItsInspection() throws {
    let breakage = [
      "rm m/tokenizer.json", "truncate -s 100000 m/model.safetensors", "rm m/config.json",
      "echo '{' >m/config.json", "rm m/model.safetensors",
      "sed -i 's/\"rms_norm_eps\" *: *[^,]*/\"rms_norm_eps\": -1/' m/config.json",
      "printf '{\"a\":1}' >m/tokenizer.json",
    ]
    for damage in breakage {
      _ = try run("rm -rf m; V model init --shape tiny -o m && \(damage)")
      let loaded = try run("V ask hi --model m --max-tokens 1")
      let told = try run("V model info m"), json = try run("V model info m --json")
      #expect(loaded.status == 1 && told.status == 1 && json.status == 1, "\(damage): \(loaded) \(told)")
      #expect(
        told.error == loaded.error && told.error.split(separator: "\n").count == 1,
        "\(damage): \(told)")
      #expect(json.out.contains("\"error\":\"") && json.error.isEmpty, "\(damage): \(json)")
      #expect(
        damage.contains("model.safetensors") || damage.contains("config") || !told.out.isEmpty,
        "\(damage): \(told)")
    }
    #expect(try run("V model info").status == 0)
  }

  // MARK: - Training

  @Test func recipesExplainThemselves() throws {
    let page = try run("V manual").out
    for stage in ["understanding", "decoder", "generator", "distill"] {
      let shown = try run("V train \(stage) --show-recipe").out,
        help = try run("V train \(stage) --help-recipe").out
      var section = "", keys: [String] = []
      for line in shown.split(separator: "\n") {
        if line.hasPrefix("[") { section = String(line.dropFirst().dropLast()) }
        if let key = line.firstMatch(of: #/^\s*(\w+) = /#) { keys.append("\(section).\(key.1)") }
      }
      #expect(keys.count > 20)
      for key in keys {
        #expect(help.contains("\n\(key) = "), "\(stage): \(key)")
        #expect(page.contains("\n.B \(key)\n"), "\(stage): \(key)")
      }
      let listed = help.matches(of: #/(?m)^(\w+\.\w+) = /#).map { String($0.1) }
      #expect(Set(listed) == Set(keys))
      let json = try run("V train \(stage) --help-recipe --json").out
      #expect(
        json.contains("\"key\":\"data.maxSkipped\"") && json.contains("\"default\":\"0.01\""), "\(json)")
    }
    for (setting, meant) in [
      ("data.bath=1", "data.batch"), ("data.steps=1", "optimization.steps"),
      ("optimisation.rate=1", "optimization"),
    ] {
      let told = try run("V train understanding -o r --set \(setting)")
      #expect(told.status == 2 && told.error.contains("did you mean \(meant)?"), "\(told)")
    }
    #expect(try run("V train understanding").status == 2)
  }

  /// Before a model is looked at, which may take minutes.
  @Test(arguments: ["decoder", "generator", "distill"])
  func dataAreCheckedFirst(_ stage: String) throws {
    let told = try run("V train \(stage) -o r --model nowhere --set data.shards=gone")
    #expect(told.status == 1 && told.error.contains("gone: no such file"), "\(told)")
    #expect(try run("ls").out == "")
  }

  /// A run makes its terminal's group of processes nice; killed, it leaves it as it was.
  @Test func aKilledRunLeavesItsTerminalQuick() throws {
    guard FileManager.default.fileExists(atPath: "/proc/self/autogroup") else { return }
    let found = try run(
      """
      export P; setsid --wait bash -c '
        is() { until grep -q "nice $1\\$" /proc/self/autogroup || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done; }
        n=0; "$P" train understanding -o r & is 10; kill -KILL $!; wait 2>/dev/null; is 0; echo $((n < 1200))'
      """)
    #expect(found.out == "1\n", "\(found)")
  }

  /// Before the first step there is nothing to save: a signal ends the run at once, whatever is being made.
  @Test func aSignalIsObeyedBeforeTheFirstStep() throws {
    for (name, number) in [("TERM", SIGTERM), ("INT", SIGINT), ("HUP", SIGHUP)] {
      let found = try run(
        """
        rm -rf r; env --default-signal=\(name) "$P" train understanding -o r & p=$!; n=0
        until [ -d r ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done
        kill -\(name) $p; wait $p; echo $?; ls -A r
        """)
      #expect(found.out == "\(128 + number)\n", "\(found)")
    }
    // What was to be replaced comes back.
    let found = try run(
      """
      rm -rf r; mkdir r; echo '{}' >r/config.json; "$P" train understanding -o r --overwrite & p=$!; n=0
      until [ -n "$(ls -d r.*.old 2>/dev/null)" ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done
      kill -TERM $p; wait $p; echo $?; ls -d r*; ls r
      """)
    #expect(found.out == "143\nr\nconfig.json\n", "\(found)")
    // Also behind all that is prepared, for as long as no step is done; and by the next run, where this one was killed.
    let late = try run(
      """
      V data build scenes -o b --train 8 --validation 0 --held-out 0 >/dev/null
      "$P" train understanding -o r --overwrite --set data.shards=b --set data.batch=512 2>said & p=$!; n=0
      until grep -q parameters said || [ $n -gt 2400 ]; do sleep 0.05; n=$((n+1)); done
      kill -TERM $p; wait $p; echo $?; ls -d r*; ls r
      "$P" train understanding -o r --overwrite 2>/dev/null & p=$!; n=0
      until [ -n "$(ls -d r.*.old 2>/dev/null)" ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done
      kill -KILL $p; wait $p; "$P" train decoder -o r --model nowhere 2>&1 | head -1; ls -d r*; ls r
      """)
    #expect(
      late.out
        == "143\nr\nconfig.json\nvugen: r is back as it was before a run that was killed\nr\nconfig.json\n",
      "\(late)")
  }

  /// What cannot be told apart from a slow writer is waited for only where it is named.
  @Test func pipesInFoldersAreNotWaitedFor() throws {
    try writePictures(["in/a.png"])
    _ = try run("mkfifo in/b.png in/c.png; printf grey >in/a.txt; printf grey >in/b.txt")
    let told = try run("V caption in --max-tokens 2")
    #expect(told.status == 1 && told.out.hasPrefix("in/a.png: "), "\(told)")
    #expect(told.error.contains("in/b.png: this is not a plain file; name it to have it read"), "\(told)")
    #expect(try run("V data build folder in -o s").out.hasPrefix("1 picture"))
    #expect(try run("V caption in/a.png -o x --sheet x").status == 2)
  }
}
