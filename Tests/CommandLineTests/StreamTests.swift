import Foundation
import ProgramSupport
import TestSupport
import Testing

/// Standard output: where a picture or another file goes there, nothing else does.
@FourthCommands
struct StreamTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// Commands that write a file, its name, whether they take --json, and whether they ask a model.
  private static let writers = [
    ("imagine x --seed 1 --steps 1 -o", "o.png", true, true),
    ("reconstruct in/a.png --decoder-steps 1 -o", "o.png", true, true),
    ("encode in/a.png -o", "o.safetensors", true, true),
    ("caption in --max-tokens 2 --sheet", "o.png", true, true),
    ("data inspect s --sheet", "o.png", true, false), ("train plot run -o", "o.png", false, false),
    ("sessions export last -o", "o.html", false, false),
  ]

  @Test func whatIsAFileGoesAlone() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    try shell.write(
      #"{"step":1,"loss":1,"terms":{},"gradientNorm":1,"rate":1,"picturesPerSecond":1,"seconds":1}"# + "\n",
      "run/metrics.jsonl")
    try shell.write(
      #"{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}"# + "\n",
      ".home/.local/share/vugen/sessions/20260101-000000-abcd/log.jsonl")
    _ = try shell.run("V data build folder in -o s; rm in/a.txt")
    for (command, name, hasJSON, hasModel) in Self.writers {
      let link = "link." + name.dropFirst(2)
      // Each way into each kind of place where that is quick; each of them once where a model is asked.
      let ways =
        hasModel
        ? ["-:file", "/dev/fd/1:pipe", "\(link):end"]
        : ["-", "/dev/fd/1", link].flatMap { o in ["file", "pipe", "end"].map { "\(o):\($0)" } }
      let found = try shell.run(
        """
        rm -f o.* link*; V \(command) \(name) >told; [ -s told ] && echo told
        ln -s /dev/stdout \(link)
        for way in \(ways.joined(separator: " ")); do
          o=${way%:*}
          case ${way#*:} in
            file) V \(command) $o >o.f 2>said; cmp \(name) o.f ;;
            pipe) V \(command) $o 2>said | cmp - \(name) ;;
            end) V \(command) $o >>o.f 2>said; cmp o.f \(name) ;;
          esac && echo same; rm -f o.f
        done; mkfifo pipe; V \(command) pipe 2>said >pipe & cat pipe | cmp - \(name) && echo same; rm pipe
        """)
      #expect(
        found.out == "told\n" + String(repeating: "same\n", count: ways.count + 1) && found.error.isEmpty,
        "\(command): \(found)")
      if hasJSON { try jsonBesideIsRefused(command) }
    }
    let two = try shell.run("V caption in -o - --sheet /dev/stdout; echo $?; ls /dev/stdout")
    #expect(two.out == "2\n/dev/stdout\n" && two.error.contains("two outputs mean standard output"), "\(two)")
  }

  /// A run of each command that prints something.
  private static let printers = """
    ask hi --max-tokens 2; caption in/a.png --max-tokens 2; caption in/a.png --max-tokens 2 --json
    imagine x --steps 1 -o o.png --overwrite; imagine x --steps 1 -o -; imagine x --steps 1 -o o.png --overwrite --json
    imagine --from p.png --show-settings
    reconstruct in/a.png --decoder-steps 1 -o r.png --overwrite; encode in/a.png -o o.safetensors --overwrite
    score --text x --image in/a.png
    data build scenes -o b --train 1 --validation 0 --held-out 0 --overwrite; data build folder in -o b --overwrite
    data inspect s; data inspect s --json; data tokenizer -o t.json --scenes 5 --vocabulary 300 --overwrite
    train understanding --show-recipe; train decoder --help-recipe; train generator --show-recipe --json
    train distill --show-recipe; train plot run
    train generator -o g --set optimization.steps=1 --set data.batch=1 --set data.scenes=1 --set run.sampleMinutes=0 --json
    evaluate understanding --scenes 1; evaluate reconstruction --scenes 1; evaluate prompt-use --scenes 1
    evaluate generation --samples 2 --steps 1; evaluate quantization --scenes 1
    model list; model info; model info --tensors --json; bench understanding --shape tiny --part encoder --repeats 1
    sessions list; sessions show; sessions search hello; sessions export -o -; sessions export -o e.html --overwrite
    sessions delete last; sessions undelete last
    doctor; doctor --json; paths; paths --json; manual; --help; --version; train generator --help
    """.split(whereSeparator: { ";\n".contains($0) }).map { $0.trimmingCharacters(in: .whitespaces) }

  /// What is printed and not taken is a failure, and said in one line: in every command.
  @Test func whatIsNotTakenIsAFailure() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    try shell.write(
      #"{"step":1,"loss":1,"terms":{},"gradientNorm":1,"rate":1,"picturesPerSecond":1,"seconds":1}"# + "\n",
      "run/metrics.jsonl")
    try shell.write(
      #"{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}"# + "\n",
      ".home/.local/share/vugen/sessions/20260101-000000-abcd/log.jsonl")
    _ = try shell.run("V data build folder in -o s; V imagine x --steps 1 -o p.png")
    for line in Self.printers {
      let found = try shell.run("V \(line) >/dev/full")
      let told = found.error.split(separator: "\n").filter { $0.hasPrefix("vugen: standard output: ") }
      #expect(found.status == 1 && told.count == 1, "\(line): \(found)")
    }
  }

  private func jsonBesideIsRefused(_ command: String) throws {
    let refused = try shell.run("for o in - /dev/stdout; do V \(command) $o --json; echo $?; done")
    let said =
      "{\"error\":\"an output of - and JSON both mean standard output; name a file, or leave out --json.\"}\n2\n"
    #expect(
      refused.out == said + said.replacing(" - ", with: " /dev/stdout ") && refused.error.isEmpty,
      "\(command): \(refused)")
  }
}
