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

  private func jsonBesideIsRefused(_ command: String) throws {
    let refused = try shell.run("for o in - /dev/stdout; do V \(command) $o --json; echo $?; done")
    let said =
      "{\"error\":\"an output of - and JSON both mean standard output; name a file, or leave out --json.\"}\n2\n"
    #expect(
      refused.out == said + said.replacing(" - ", with: " /dev/stdout ") && refused.error.isEmpty,
      "\(command): \(refused)")
  }
}
