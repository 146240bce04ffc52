import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// The program as scripts run it.
@SecondCommands
struct CommandTests {
  private let folder: String

  init() throws {
    folder = temporaryPath()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private static var program: String? {
    [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap { $0 }
      .map { $0.appendingPathComponent("vugen").path }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs a line of shell in which `V` is the program; what it wrote and its status.
  private func run(_ line: String) throws -> (out: String, error: String, status: Int32, bytes: Data) {
    let program = try #require(Self.program)
    var environment = ProcessInfo.processInfo.environment
    for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
      environment[name] = folder + "/" + name
    }
    let ended = try ChildProgram.run(
      ["/bin/sh", "-c", "P='\(program)'; V() { \"$P\" \"$@\"; }; \(line)"], in: folder,
      environment: environment)
    return (ended.output, ended.errors, ended.status, ended.bytes)
  }

  @Test(arguments: [
    "paths", "--help", "--version", "model info", "sessions delete --help",
    "ask 'What is this?' --max-tokens 3", "caption a.png --max-tokens 3",
    "caption a.png --max-tokens 3 --json",
  ])
  func aFullOutputIsAFailure(_ command: String) throws {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    try Data(gray.pngData()).write(to: URL(fileURLWithPath: folder + "/a.png"))
    for place in ["/dev/full", "&-"] {
      let found = try run("(V \(command) >\(place))")
      #expect(found.status == 1, "\(command) >\(place): \(found.error)")
      #expect(
        found.error.hasPrefix("vugen: standard output: ") && found.error.split(separator: "\n").count == 1)
    }
  }

  @Test func wrongValuesAreWrongUsage() throws {
    for line in [
      "imagine x --steps 0", "imagine x --cfg nan", "ask x --max-pixels 0",
      "imagine x --output a.jpg --format png",
    ] {
      #expect(try run("V \(line)").status == 2, "\(line)")
    }
  }

  @Test func picturesAreWrittenAsTheirNamesSay() throws {
    for name in ["a.png", "a.jpg", "a.webp"] {
      let drawn = try run("V imagine 'a red apple' --steps 2 --seed 7 --negative 'a cat' --output \(name)")
      #expect(drawn.status == 0 && drawn.out == "\(name)\n", "\(drawn.error)")
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
      let format = bytes.withUnsafeBytes { PictureFormat(recognising: $0) }
      #expect(format?.rawValue == WrittenFormat(path: name)?.rawValue)
      // The same picture comes of the settings inside.
      #expect(try run("V imagine --from \(name) --output again.png --overwrite").status == 0)
      let direct = try run("V imagine 'a red apple' --steps 2 --seed 7 --negative 'a cat' --output -")
      let again = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/again.png"))
      #expect(direct.status == 0 && again == direct.bytes, "\(name)")
    }
  }

  @Test func aSignalLeavesNothingHalf() throws {
    let waits =
      "until [ -n \"$(ls -A big.*.partial 2>/dev/null)\" ] || [ $n -gt 600 ]; do sleep 0.05; n=$((n+1)); done"
    let found = try run(
      "{ n=0; \"$P\" model init --shape plm-1b --output big & p=$!; \(waits); kill -TERM $p; wait $p; echo $?; ls -A; }"
    )
    #expect(found.out == "143\n", "\(found)")
  }

  @Test func whatIsThereIsNotWrittenOver() throws {
    #expect(try run("V model init --shape tiny --output m").status == 0)
    let refused = try run("V model init --shape tiny --output m")
    #expect(
      refused.status == 1 && refused.error.contains("holds a model") && refused.error.contains("--overwrite"))
    #expect(try run("V model quantize m --output m --overwrite").status == 2)
    #expect(try run("V model init --shape tiny --output m --overwrite").status == 0)
    #expect(try run("ls").out.split(separator: "\n").sorted() == ["m"])
    let deleted = try run("V sessions delete ''")
    #expect(deleted.status == 1 && deleted.error.contains("no session is named"))
  }

  /// /dev/stdout is the open file, on which others have written; a plain file is replaced as a whole wherever it is.
  @Test func openFilesAreWrittenOn() throws {
    let found = try run(
      "echo before >list; V imagine x --steps 1 --output /dev/stdout >>list; head -c 6 list")
    #expect(found.status == 0 && found.out == "before", "\(found.error)")
    let place = "/dev/shm/vugen-test-\(getpid()).png"
    defer { unlink(place) }
    guard FileManager.default.createFile(atPath: place, contents: Data(count: 300_000)) else { return }
    #expect(try run("V imagine x --steps 1 --output \(place) --overwrite").status == 0)
    let size = try #require(try FileManager.default.attributesOfItem(atPath: place)[.size] as? Int)
    #expect(size < 100_000)
  }

  @Test func aLimitOnFilesIsAnErrorInOneLine() throws {
    let found = try run("(ulimit -f 4; V imagine x --steps 1 --output large.png)")
    #expect(found.status == 1 && found.error.contains("large.png: cannot be written"), "\(found)")
    #expect(try run("ls").out.contains("png") == false)
  }

  // MARK: - Data and runs

  /// A folder `photos` of pictures with captions.
  private func photos(_ count: Int, _ bytes: Data? = nil) throws {
    try FileManager.default.createDirectory(atPath: folder + "/photos", withIntermediateDirectories: true)
    let picture = try bytes ?? Data(Picture(width: 8, height: 8, red: 200, green: 30, blue: 30).pngData())
    for i in 0..<count {
      try picture.write(to: URL(fileURLWithPath: "\(folder)/photos/\(i).png"))
      try "red \(i)".write(toFile: "\(folder)/photos/\(i).txt", atomically: false, encoding: .utf8)
    }
  }

  @Test func whatIsSkippedIsSaid() throws {
    try photos(4)
    #expect(
      try run("{ rm photos/1.txt; echo broken >photos/2.png; tar -C photos --sort=name -cf x.tar .; }").status
        == 0)
    let told = try run("V data inspect x.tar --json")
    for part in [
      "\"samples\":2", "\"skipped\":2", "\"damaged picture\":1", "\"no text\":1", "2: this is not a picture",
    ] {
      #expect(told.out.contains(part), "\(told)")
    }
    #expect(
      try run("V data inspect x.tar").out.contains(
        "  skipped: 2 of 4 samples: damaged picture 1, no text 1\n"))
    let empty = try run("{ head -c 10240 /dev/zero >empty.tar; V data inspect empty.tar; }")
    #expect(
      empty.status == 1 && empty.error.split(separator: "\n").count == 1 && empty.out.isEmpty, "\(empty)")
    // The same of a list.
    let list = "file;caption\r\n0.png;red\r\ngone.png;blue\r\n"
    try list.write(toFile: folder + "/list.csv", atomically: false, encoding: .utf8)
    let built = try run("V data build folder photos --captions list.csv --output shards --json")
    #expect(
      built.out.contains("\"failed\":1,\"missing\":1,") && built.out.contains("\"pictures\":1,\"unnamed\":3"))
    #expect(built.error.contains("1 picture in the list but missing from the folder: gone.png"), "\(built)")
  }

  @Test func sourcesAreNotReplaced() throws {
    try photos(2)
    #expect(try run("V data build folder photos --output photos").status == 0)
    let refused = try run("V data build folder photos --output photos --overwrite")
    #expect(refused.status == 1 && refused.error.contains("holds what is read"), "\(refused)")
    #expect(try run("ls photos").out == "0.png\n0.txt\n1.png\n1.txt\ntrain-000000.tar\n")
    #expect(try run("V model init --shape tiny --output m").status == 0)
    for stage in ["understanding", "decoder", "generator", "distill"] {
      let refused = try run("V train \(stage) --output m --set optimization.steps=1")
      #expect(
        refused.status == 1 && refused.error.contains("holds a model")
          && refused.error.contains("--overwrite"))
      #expect(try run("V train \(stage) --output m --resume --overwrite").status == 2)
    }
  }

  /// A generator's run says what of a prompt the tower uses; a resumed one keeps what was said before.
  @Test func aRunTellsWhatOfAPromptIsUsed() throws {
    let settings = "data.batch=1 data.scenes=1 run.sampleMinutes=0 measure.minutes=1e-9 measure.scenes=1"
      .split(separator: " ").map { "--set \($0)" }.joined(separator: " ")
    for (part, steps) in [("", 1), ("--resume", 3)] {
      let found = try run("V train generator -o g \(part) --set optimization.steps=\(steps) \(settings)")
      #expect(
        found.status == 0
          && found.error.contains("step \(steps), wrong prompts told apart at t 0.02: other things "),
        "\(found)")
    }
    let lines = try run("cat g/prompt-use.jsonl").out.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].contains("\"step\":1,\"things exchanged, t 0.02\":"), "\(lines)")
    #expect(try run("V train generator -o h --set measure.scenes=0").status == 2)
  }

  /// SIGTERM and SIGHUP save first, as Ctrl-C does, and `--resume` goes on from there.
  @Test func aRunThatIsEndedSavesFirst() throws {
    // Nearly all of a step is decoding, in the midst of which a signal then comes.
    try photos(4, Data(HugePicture.png(width: 2400, height: 2000)))
    #expect(try run("V data build folder photos --output shards").status == 0)
    let settings = [
      "data.shards=shards", "data.batch=2", "data.questions=1", "model.imageSize=32", "model.patchSize=8",
      "model.visionWidth=16", "model.visionLayers=1", "model.visionHeads=2", "model.textWidth=16",
      "model.textLayers=1",
      "model.textHeads=2", "model.keyValueHeads=1", "model.textHidden=32", "optimization.steps=1000000",
      "optimization.rate=1e-5",
    ].map { "--set \($0)" }.joined(separator: " ")
    let copy = "mkdir r; cp \"${P%/*}/vugen-studio_VUGEN.resources/nano/tokenizer.json\" r"
    var steps = 0
    for (signal, number, options) in [("TERM", SIGTERM, settings), ("HUP", SIGHUP, "--resume")] {
      let begin = steps == 0 ? copy : "true"
      let found = try run(
        """
        { \(begin); "$P" train understanding --output r --json \(options) >told & p=$!; n=0
        until [ "$(cat r/metrics.jsonl 2>/dev/null | wc -l)" -gt \(steps) ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done
        kill -\(signal) $p; wait $p; echo $?; cat told; ls r; }
        """)
      #expect(
        found.out.hasPrefix("\(128 + number)\n") && found.out.contains("checkpoint.safetensors"), "\(found)")
      let told = try #require(found.out.firstMatch(of: /"step":(\d+)/).flatMap { Int($0.1) }, "\(found)")
      #expect(told > steps)
      #expect(
        found.out.contains("\"error\":\"interrupted\"") && found.out.contains("\"status\":\(128 + number)"))
      #expect(found.error.contains("vugen: interrupted; step \(told) is saved"), "\(found)")
      steps = told
    }
    let refused = try run("V train understanding --output r \(settings)")
    #expect(refused.status == 1 && refused.error.contains("--resume"))
  }

  /// What is wrong with a model is one line, whichever command is given it, and a hub's cache is a model.
  @Test func aModelThatCannotBeLoadedIsOneLine() throws {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    try Data(gray.pngData()).write(to: URL(fileURLWithPath: folder + "/a.png"))
    _ = try run(
      "(V model init --shape tiny --output m; mkdir gguf; echo GGUF >gguf/q4.gguf; cp m/model.safetensors w.safetensors)"
    )
    for (model, answer) in [
      ("gguf", "gguf: the weights are GGUF's"), ("none", "none: no such folder"),
      ("w.safetensors", "w.safetensors: this is one file of a model; name its folder: ."),
    ] {
      let commands = [
        "ask hi", "imagine x --output o.png", "caption a.png", "reconstruct a.png --output o.png",
        "encode a.png --output f.safetensors", "score --image a.png --text x",
        "train decoder --output r --set data.batch=1", "evaluate understanding --scenes 1",
      ]
      for command in commands {
        let found = try run("V \(command) --model \(model)")
        #expect(found.status == 1 && found.error.hasPrefix("vugen: \(answer)"), "\(command): \(found)")
        #expect(found.error.split(separator: "\n").count == 1, "\(command): \(found)")
      }
      // It reads files, too.
      if model == "gguf" {
        let told = try run("V model info \(model)")
        #expect(told.status == 1 && told.error.hasPrefix("vugen: \(answer)"), "\(told)")
      }
    }
    try aCacheIsAModel()
  }

  private func aCacheIsAModel() throws {
    let hub = "models--org--Tiny", commit = String(repeating: "ab", count: 20)
    _ = try run(
      "(mkdir -p \(hub)/refs \(hub)/blobs \(hub)/snapshots; echo \(commit) >\(hub)/refs/main; mv m \(hub)/snapshots/\(commit))"
    )
    #expect(try run("V ask hi --max-tokens 2 --model \(hub)").status == 0)
    let info = try run("V model info \(hub)")
    #expect(
      info.status == 0 && info.out.contains("language model") && !info.out.contains("problem"), "\(info)")
    // A link into the blobs that is not there: `model info` goes on and says so.
    let link = "\(hub)/snapshots/\(commit)/tokenizer.json"
    _ = try run("(rm \(link); ln -s ../../blobs/xyz \(link))")
    let broken = try run("V model info \(hub)"), refused = try run("V ask hi --model \(hub)")
    #expect(broken.out.contains("problem: ") && broken.out.contains("links to ../../blobs/xyz"), "\(broken)")
    #expect(refused.status == 1 && refused.error.contains("links to ../../blobs/xyz"), "\(refused)")
  }

  /// The prefix that runs the program as somebody whom limits hold.
  private func unprivileged() throws -> String? {
    guard geteuid() == 0 else { return "env" }
    let words = "setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_DATA_HOME=/nonexistent"
    return try run("\(words) \"$P\" --version").status == 0 ? words : nil
  }

  /// Where no thread can be made the libraries would wait for ever, or interrupt the program.
  @Test func withoutThreadsItSaysSoAtOnce() throws {
    guard let words = try unprivileged() else { return }
    for limit in 1...3 {
      let found = try run("export OMP_NUM_THREADS=2; \(words) prlimit --nproc=\(limit) \"$P\" model info")
      #expect(found.status == 1 && found.out.isEmpty, "\(limit): \(found)")
      #expect(found.error.hasPrefix("vugen: only ") && found.error.contains("ulimit -u"), "\(found)")
      #expect(found.error.split(separator: "\n").count == 1)
    }
  }

  @Test func aLockedFolderIsNamed() throws {
    guard let words = try unprivileged() else { return }
    _ = try run("(V model init --shape tiny --output m; chmod 711 .; chmod 000 m)")
    let found = try run("\(words) \"$P\" ask hi --model '\(folder)/m'")
    #expect(found.status == 1 && found.error.contains("m: no permission to read this folder"), "\(found)")
    _ = try run("(chmod 755 m; chmod 000 m/config.json m/tokenizer.json)")
    let file = try run("\(words) \"$P\" ask hi --model '\(folder)/m'")
    #expect(file.status == 1 && file.error.contains("config.json: no permission to read it"), "\(file)")
  }

  @Test func oneRangeOfGuidance() throws {
    for line in [
      "imagine x --cfg 15.5", "imagine x --cfg -1", "evaluate generation --cfg 16",
      "evaluate generation --cfg -1",
    ] {
      let found = try run("V \(line)")
      #expect(found.status == 2 && found.error.contains("0 to 15"), "\(line): \(found)")
    }
    #expect(try run("V imagine --help").out.contains("Guidance scale, 0 to 15"))
  }

  @Test func recipesAndHelpAreAsAPersonWritesThem() throws {
    for stage in ["understanding", "decoder", "generator", "distill"] {
      let recipe = try run("V train \(stage) --output r --show-recipe").out
      #expect(!recipe.isEmpty && recipe.firstMatch(of: #/\d\.\d{7,}/#) == nil, "\(recipe)")
    }
    let page = try run("V manual").out
    #expect(page.contains("Default: Describe this picture.\n") && !page.contains(" picture..\n"))
    // One size of the built-in model.
    let bytes = try run("V doctor --json").out.firstMatch(of: #/"bytes":(\d+)/#).flatMap { Int($0.1) }
    let told = try run("V model info").out.firstMatch(of: #/total .* ([\d.]+) MB/#).flatMap { Double($0.1) }
    #expect(abs(Double(bytes ?? 0) / 1e6 - (told ?? 1)) < 0.06, "\(bytes ?? 0) \(told ?? 0)")
    #expect(try run("V doctor").out.contains(" \(Int((told ?? 0).rounded())) MB"))
  }

  // MARK: - What is read is not lost

  @Test func anInputIsNoOutput() throws {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    try Data(gray.pngData()).write(to: URL(fileURLWithPath: folder + "/a.png"))
    #expect(
      try run("{ V imagine x --steps 1 --output b.png && ln -s a.png c.png && ln -s a.png c.csv; }").status
        == 0)
    for line in [
      "reconstruct a.png -o a.png", "reconstruct a.png -o c.png", "encode a.png -o ./a.png",
      "caption a.png -o c.csv", "caption . --sheet b.png", "imagine --from b.png --steps 1 -o b.png",
    ] {
      let found = try run("V \(line)")
      let says = line.hasSuffix("c.csv") ? "this link leads to a.png" : "this is the input"
      #expect(found.status == 2 && found.error.contains(says), "\(line): \(found)")
    }
    #expect(try run("cat a.png").out.count == run("cat c.png").out.count)
    let shown = try run("V imagine x --steps 1 -o /dev/stdout")
    #expect(shown.status == 0 && shown.out.hasPrefix("\u{FFFD}PNG") || shown.error.isEmpty, "\(shown.error)")
  }

  @Test func aListOfFilesIsALineForEach() throws {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    try Data(gray.pngData()).write(to: URL(fileURLWithPath: folder + "/a.png"))
    try "no picture".write(toFile: folder + "/b.png", atomically: false, encoding: .utf8)
    try "hidden".write(toFile: folder + "/._a.png", atomically: false, encoding: .utf8)
    let told = try run("V caption . --json --max-tokens 2")
    let lines = told.out.split(separator: "\n")
    #expect(told.status == 1 && lines.count == 2 && lines.allSatisfy { $0.contains("\"file\":") }, "\(told)")
  }

  @Test func aSignalEndsADrawingAndTakesItsPreviewAlong() throws {
    for (name, number) in [("TERM", SIGTERM), ("QUIT", SIGQUIT)] {
      let found = try run(
        """
        { ulimit -c 0; env --default-signal=\(name) "$P" imagine x --steps 1000 --preview-every 1 -o p.png & \
        until [ -e p.png.preview.png ]; do sleep 0.05; done; kill -\(name) $!; wait $!; echo $?; ls; }
        """)
      #expect(
        found.out.hasPrefix("\(128 + number)\n") && !found.out.contains("p.png")
          && !found.error.contains("crashed"), "\(name): \(found)")
    }
  }

  @Test func sessionsAreDeletedByTheirStartAndExportedByTheirEnding() throws {
    let id = "20260101-000000-abcd", place = "\(folder)/XDG_DATA_HOME/vugen/sessions/\(id)"
    try FileManager.default.createDirectory(atPath: place + "/pictures", withIntermediateDirectories: true)
    let note = #"{"event":{"note":{"_0":"a\u001b[2Jb"}},"time":1,"version":1}"# + "\n"
    try note.write(toFile: place + "/log.jsonl", atomically: false, encoding: .utf8)
    #expect(try run("V sessions delete abcd").status == 1)
    for (name, start) in [("s.json", "["), ("s.md", "#"), ("s.html", "<!doctype")] {
      let told = try run("{ V sessions export 2026 -o \(name) >/dev/null && cat \(name); }")
      #expect(told.out.hasPrefix(start) || name == "s.json" && told.out.hasPrefix("{"), "\(name): \(told)")
      #expect(!told.out.contains("\u{1B}"), "\(name)")
    }
    let newer = note.replacing("\"version\":1", with: "\"version\":99")
    try newer.write(toFile: place + "/log.jsonl", atomically: false, encoding: .utf8)
    let verified = try run("V replay \(id) --verify")
    #expect(verified.status == 1 && verified.error.contains("newer version"), "\(verified)")
    #expect(try run("V sessions delete 2026").status == 0)
  }
}
