import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// What people have at the edges: links that lead nowhere, limits, signals that they want ignored, sessions and settings
/// that are damaged. Each is said in one line, and nothing of theirs is lost.
@SecondCommands
struct EdgeTests {
  private let shell: Shell
  private let sessions = ".home/.local/share/vugen/sessions"

  init() throws { shell = try Shell() }

  @Test func linksThatLeadNowhereAreNamed() throws {
    let found = try shell.run(
      """
      ln -s loop.png loop.png; ln -s gone.png dangling.png; ln -s nowhere/x.png far.png; ln -s round round
      V caption loop.png; V ask hi --image dangling.png; V data inspect loop.png
      V imagine x --steps 1 -o loop.png; V imagine x --steps 1 -o round; V imagine x --steps 1000 -o far.png
      V imagine x --steps 1 -o dangling.png; readlink loop.png dangling.png; head -c 4 gone.png | tail -c 3
      """)
    #expect(found.out == "dangling.png\nloop.png\ngone.png\nPNG", "\(found)")
    #expect(
      found.error == """
        vugen: loop.png: this link leads round in a circle
        vugen: dangling.png: this link leads to gone.png, where nothing is
        vugen: loop.png: this link leads round in a circle; name a shard or a folder of shards
        vugen: loop.png: this link leads round in a circle
        vugen: round: this link leads round in a circle
        vugen: far.png: cannot be written: there is no folder nowhere; make it, or name another file

        """, "\(found)")
  }

  /// What whoever starts the program wants ignored stays ignored; what it obeys leaves no folder behind.
  @Test func signalsAreWhatTheyWereAndEmptyFoldersGo() throws {
    try shell.writePictures(["a.png", "in/1.png", "in/2.png"] + (1...200).map { "many/\($0).png" })
    try shell.write("precious\n", "sheet.png")
    let found = try shell.run(
      """
      trap '' INT HUP TERM QUIT
      "$P" imagine x --steps 30 -o i.png & p=$!
      "$P" caption a.png in --max-tokens 2 -o c.csv & c=$!
      for q in $p $c; do \(Shell.until("grep -qs model.safetensors /proc/$q/maps || ! kill -0 $q")); done
      for number in INT HUP TERM QUIT; do kill -$number $p $c; done
      wait $p; echo $?; wait $c; echo $?; wc -l <c.csv
      trap - INT HUP TERM QUIT
      for number in INT TERM; do
        env --default-signal=INT "$P" imagine x --steps 1000 --count 4 -o new/below & p=$!
        \(Shell.until("[ -d new/below ]")); kill -$number $p; wait $p; echo $?; ls -d new
      done
      env --default-signal=INT "$P" caption many --sheet sheet.png --overwrite --batch 1 >told & p=$!
      \(Shell.until("[ -s told ]")); kill -INT $p; wait $p; echo $?; cat sheet.png
      """)
    #expect(found.out == "i.png\n0\n0\n4\n130\n143\n130\nprecious\n", "\(found)")
    #expect(found.error.contains(" of 200 pictures; sheet.png is as it was"), "\(found)")
  }

  /// A list marks what is damaged; an export names what it leaves out, and shows no picture that is another's.
  @Test func damagedSessionsAreNoEmptyOnes() throws {
    let example = URL(fileURLWithPath: #filePath).appendingPathComponent(
      "../../../Examples/sessions/guidance"
    )
    .standardizedFileURL.path
    try shell.writePictures("other.png")
    try shell.write("not a log\nnor this\n", sessions + "/20260101-000000-aaaa/log.jsonl")
    try shell.write("steps = 5000\n", ".home/.config/vugen/config.toml")
    let found = try shell.run(
      """
      cp -r '\(example)' \(sessions)/20260102-000000-bbbb; cd \(sessions)/20260102-000000-bbbb; echo '{"version"' >>log.jsonl
      set -- $(ls pictures); cp \(shell.folder)/other.png pictures/$1; rm pictures/$2; cd \(shell.folder)
      V sessions list; V sessions list --json | grep -o '"damaged":[0-9]*'
      for f in md html cast; do V sessions export 20260102 -o o.$f 2>said; echo $?; cat said; done
      ls o-pictures | grep -c $1; grep -c "$(base64 -w 0 other.png)" o.html
      V sessions export 20260101 -o e.html; echo $?; V doctor; V doctor --json | grep -c "config.toml:1: 'steps' must be"
      """)
    let lines = found.out.split(separator: "\n").map(String.init)
    let damage = [
      "vugen: 1 damaged entry could not be read", "was altered and is left out", "is missing and is left out",
    ]
    #expect(
      lines[0].hasPrefix("20260102-000000-bbbb  ")
        && lines[0].contains(", damaged: 1 line, missing: 1 picture  "),
      "\(found)")
    #expect(
      lines[1].hasPrefix("20260101-000000-aaaa  ")
        && lines[1].hasSuffix("  0 prompts, 0 pictures, damaged: 2 lines  damaged session"), "\(found)"
    )
    #expect(lines[2...3] == ["\"damaged\":1", "\"damaged\":2"], "\(found)")
    for words in damage { #expect(lines.count { $0.contains(words) } == 3, "\(words) \(found)") }
    #expect(lines.count { $0 == "1" } == 5 && lines.count { $0 == "0" } == 2, "\(found)")
    #expect(found.error.contains("2 damaged entries could not be read"), "\(found)")
    #expect(found.out.contains("/vugen/config.toml:1: 'steps' must be"), "\(found)")
  }

  /// What a person meant is said in the line.
  @Test(arguments: [
    ("imagine a red apple", 2, "put the prompt in quotes: vugen imagine 'a red apple'"),
    ("ask what is it", 2, "put the question in quotes: vugen ask 'what is it'"),
    ("ask 'what is it?' a.png", 2, "a picture goes with --image: vugen ask … --image a.png"),
    ("ask hi --temperature 1e300", 2, "--temperature must be 0 to 100"),
    ("data inspect . --classes -1", 2, "--classes must be 0 or more"),
    ("evaluate understanding --scenes -1", 2, "--scenes must be 1 to"),
    ("sessions lst", 2, "did you mean list?"), ("replay a", 1, "here is none; vugen sessions show a prints"),
    ("imagine --from empty.png", 1, "empty.png: of its settings, the prompt is empty; say what to draw"),
    ("caption cut.webp", 1, "cut off (libwebp: the header); copy or download the file again"),
    ("reconstruct a.png --decoder-steps 1", 0, "no picture is written; --output FILE.png"),
  ])
  func whatIsMeantIsSaid(_ line: String, _ status: Int32, _ says: String) throws {
    try shell.writePictures("a.png")
    try shell.write(Data("RIFF".utf8) + [0, 1, 0, 0] + Data("WEBPVP8 ".utf8) + [0, 1, 0, 0], "cut.webp")
    try shell.write(
      Data(
        Picture(width: 4, height: 4, rgb: [UInt8](repeating: 9, count: 48)).pngData(texts: [
          PNGText("parameters", "Negative prompt: x\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5")
        ])), "empty.png")
    try shell.write(#"{"version":1,"time":1,"event":{"note":{"_0":"a"}}}"# + "\n", sessions + "/a/log.jsonl")
    let found = try shell.run("V \(line)")
    #expect(found.status == status && found.error.contains(says), "\(found)")
    #expect(found.error.split(separator: "\n").count { $0.hasPrefix("vugen: ") } <= 2, "\(found)")
    guard line.contains("empty.png") else { return }
    // Numbers without words are settings that can be shown.
    let shown = try shell.run("V \(line) --show-settings")
    #expect(shown.status == 0 && shown.out.contains("\nseed: 5\n"), "\(shown)")
  }

  /// A picture's settings say which model drew it and how large; so does what the program says where another one draws.
  @Test func anotherModelsPictureIsSaid() throws {
    let found = try shell.run(
      """
      ln -s "${P%/*}/vugen-studio_VUGEN.resources/nano" other; V imagine x --steps 1 --model other -o a.png
      V imagine --from a.png -o b.png; V imagine --from a.png --model other -o c.png 2>same; wc -l <same
      """)
    #expect(found.out == "a.png\nb.png\nc.png\n0\n", "\(found)")
    #expect(
      found.error
        == "vugen: the model other drew this picture, and nano draws it now, which gives another one; --model names the first\n",
      "\(found)")
  }

  /// Words of other programs that are more than the model reads are cut, which is said; whose pictures are read, help says.
  @Test func longWordsAreCutAndHelpNamesPrograms() throws {
    let words = String(repeating: "a red boat, ", count: 400)
    let text = "\(words)\nNegative prompt: \(words)\nSteps: 1, CFG scale: 2, Seed: 5"
    try shell.write(
      Data(
        Picture(width: 4, height: 4, rgb: [UInt8](repeating: 9, count: 48)).pngData(texts: [
          PNGText("parameters", text)
        ])), "long.png")
    let found = try shell.run("V imagine --from long.png -o a.png")
    for name in ["prompt", "negative prompt"] {
      let line = "vugen: the \(name) is longer than the model reads; its end is left out\n"
      #expect(found.status == 0 && found.out == "a.png\n" && found.error.contains(line), "\(found)")
    }
    let help = try shell.run("V imagine --help").out.split(whereSeparator: \.isWhitespace).joined(
      separator: " ")
    for name in [
      "AUTOMATIC1111", "Forge", "ComfyUI", "InvokeAI", "NovelAI", "Fooocus", "SwarmUI", "Easy Diffusion",
      "stable-diffusion.cpp", "PNG, JPEG, WebP, GIF",
    ] { #expect(help.contains(name), "\(name): \(help)") }
  }

  /// Times that are none are no reason to end: whatever a log says, it is shown and exported.
  @Test(arguments: ["1e19", "-1e300", "1e300", "0", "9223372036854775807"])
  func timesThatAreNoneAreBorne(_ time: String) throws {
    let lines = [time, "1795619528", time].map {
      #"{"version":1,"time":\#($0),"event":{"note":{"_0":"a note"}}}"#
    }
    try shell.write(lines.joined(separator: "\n") + "\n", sessions + "/20260101-000000-abcd/log.jsonl")
    for line in [
      "sessions list", "sessions show", "sessions export -o a.md", "sessions export -o a.html",
      "sessions export -o a.cast", "sessions export -o a.json", "sessions search note",
    ] {
      let found = try shell.run("V \(line)")
      #expect(found.status == 0 && found.error.allSatisfy(\.isASCII), "\(line): \(found)")
    }
    #expect(try shell.run("grep -c 'a note' a.md a.html a.json; ls").out.contains("a.cast"))
  }

  /// Files that cannot be written are called by their own names, and little stack is told before it is used up.
  @Test func limitsAreSaid() throws {
    let found = try shell.run(
      """
      (ulimit -f 4; V model init --shape tiny -o m); (ulimit -f 4; mkdir k; touch k/x; V model init --shape tiny -o k)
      ls; ulimit -c 0; (ulimit -S -s 64; V --version >v; echo $?); ulimit -s 64; V --version >>v; echo $?
      """)
    let lines = found.error.split(separator: "\n").map(String.init)
    #expect(
      Array(lines.prefix(2))
        == ["m", "k"].map {
          "vugen: \($0)/model.safetensors: cannot be written: File too large; raise the limit (ulimit -f), or name another place"
        }, "\(found)")
    // Whoever may raise the limit does so.
    let isTold = lines.count == 3 && lines[2].hasPrefix("vugen: the stack may have 64 kB, and ")
    #expect(found.out == "k\n0\n1\n" && isTold || found.out == "k\n0\n0\n" && lines.count == 2, "\(found)")
  }
}
