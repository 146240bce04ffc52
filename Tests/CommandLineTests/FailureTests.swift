import Files
import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// What scripts are told when something is wrong: a status, and one line.
@FirstCommands
struct FailureTests {
  private let folder: String

  init() throws { folder = try temporaryFolder() }

  private static var program: String? { try? Session.program() }

  /// Runs a line of bash in which `V` is the program, in a folder of its own.
  private func run(_ line: String, terminal: String? = "dumb", home: Bool = true) throws -> (
    out: String, error: String, status: Int32
  ) {
    let program = try #require(Self.program)
    var environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
    if home { environment["HOME"] = folder }
    if let terminal { environment["TERM"] = terminal }
    let ended = try ChildProgram.run(
      ["/bin/bash", "-c", "V() { '\(program)' \"$@\"; }; \(line)"], in: folder, environment: environment)
    return (ended.output, ended.errors, ended.status)
  }

  private func writePicture(_ name: [UInt8]) throws {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768)),
      bytes = try gray.pngData()
    let file = FileName.open("\(folder)/\(FileName.text(name))", O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    #expect(write(file, bytes, bytes.count) == bytes.count)
  }

  @Test(arguments: [
    "nope", "''", "imagin x", "data nope", "imagine x --cfg nan", "imagine x -o ''", "imagine x -o x.gif",
    "imagine x -o x.PDF", "reconstruct a.png -o x.gif", "reconstruct a.png -o x.bad",
    "caption a.png --sheet x.bad",
    "caption ''", "encode '' -o x", "evaluate generation --cfg nan", "evaluate generation --sheet x.tiff",
    "train plot ''", "train understanding -o ''", "train understanding -o r --set foo=1",
    "train understanding -o r --set data.nothing=1", "train understanding -o r --set data.batch=x",
    "train understanding -o r --set data.batch=0", "train understanding -o r --set model.context=1",
    "train understanding -o r --set optimization.warmUp=-1",
    "train understanding -o r --set model.seed=-1", "train decoder -o r --set run.nice=4294967296",
    "train decoder -o r --set model.ratio=9223372036854775807",
    "train decoder -o r --set model.size=tiny", "train generator -o r --set data.style=tidy",
    "train generator -o r --set optimization.beta1=nan", "train distill -o r --set run.nice=1e9",
    "bench train-step --understanding --set data.batch=-1", "ask --model '' x", "model info ''",
    "ask x --seed $'\\e[31mred\\nline'", "ask x --seed $'caf\\xe9'", "ask x --nope$'\\e[31m'",
  ])
  func wrongUsageHasTwoAndOneLine(_ line: String) throws {
    let found = try run("V \(line)")
    let lines = found.error.split(separator: "\n")
    #expect(found.status == 2 && found.out.isEmpty, "\(found)")
    #expect(lines.count(where: { $0.hasPrefix("vugen: ") }) == 1 && lines.first?.hasPrefix("vugen: ") == true)
    #expect(!found.error.unicodeScalars.contains { $0 != "\n" && $0.value < 32 }, "\(found.error)")
    // The command's own usage.
    let command = line.split(separator: " ").first.map(String.init) ?? ""
    if ["imagine", "train", "evaluate", "caption"].contains(command) {
      #expect(found.error.contains("Usage: vugen \(command) "), "\(found.error)")
    }
    let told = try run("V --json \(line)".replacing("V --json", with: "V") + " --json")
    let object = try JSONSerialization.jsonObject(with: Data(told.out.utf8)) as? [String: String]
    #expect(told.status == 2 && told.error.isEmpty && !(object?["error"] ?? "").isEmpty, "\(told)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func formatsThatAreWrittenAreNamed() throws {
    let found = try run("V imagine x -o x.gif")
    #expect(found.error.contains(".png, .jpg or .webp"), "\(found.error)")
  }

  /// Values from a file are a failure, and so is what the system refuses: in its own words.
  @Test func failuresHaveOneAndOneLine() throws {
    try "[data]\nbatch = 0\n".write(toFile: folder + "/recipe.toml", atomically: true, encoding: .utf8)
    try "x".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
    for (line, says) in [
      ("train understanding -o r --recipe recipe.toml", "data.batch"),
      ("train understanding -o r --recipe missing.toml", "missing.toml: No such file or directory"),
      ("train understanding -o r --recipe /dev/zero", "not a plain file"),
      ("train understanding -o file/r --set optimization.steps=1", "vugen: file: this is a file"),
      ("imagine x --steps 1 -o file/x", "vugen: file: this is a file"),
      ("model init --shape tiny -o file/x", "file/x: "), ("sessions search nothing", "no session"),
    ] {
      let found = try run("V \(line)")
      #expect(
        found.status == 1 && found.error.hasPrefix("vugen: ") && found.error.contains(says),
        "\(line): \(found)")
      #expect(
        found.error.split(separator: "\n").count == 1 && !found.error.contains("operation"), "\(found.error)")
      let told = try run("V \(line) --json").out
      if !line.hasPrefix("model") { #expect(told.hasPrefix("{\"error\":\""), "\(told)") }
    }
  }

  /// "caf\xE9.png", as other systems' archives leave it.
  @Test func namesThatAreNoUTF8AreOpened() throws {
    let name: [UInt8] = [0x63, 0x61, 0x66, 0xE9, 0x2E, 0x70, 0x6E, 0x67]
    try writePicture(name)
    try "a gray thing".write(toFile: folder + "/list.csv", atomically: true, encoding: .utf8)
    let json = try run("V caption $'caf\\xe9.png' --max-tokens 2 --json")
    #expect(json.status == 0 && json.out.contains(#""file":"caf\\xE9.png""#), "\(json)")
    // A pipe has the name's own bytes.
    #expect(try run("V caption . --max-tokens 2 | grep -qa $'^./caf\\xe9.png: '").status == 0)
    #expect(
      try run("V reconstruct $'caf\\xe9.png' --decoder-steps 1 -o $'\\xff.png'; ls -b").out.contains(
        "\\377.png"))
    #expect(try run("V imagine --steps 1 x -o $'d\\xff'; ls -b").out.contains("d\\377"))
    try "a gray thing".write(toFile: folder + "/\u{E9}.txt", atomically: true, encoding: .utf8)
    #expect(
      try run("mv \u{E9}.txt $'caf\\xe9.txt'; V data build folder . -o s").out.hasPrefix("1 picture"))
    let missing = try run("V caption $'\\xe9.png'")
    #expect(
      missing.status == 1 && missing.error == "vugen: \\xE9.png: no such file or folder\n", "\(missing)")
  }

  /// A name may be one character long, of files and of folders.
  @Test func namesAreShort() throws {
    try writePicture(Array("p".utf8))
    for line in [
      "encode p -o e", "reconstruct p --decoder-steps 1 -o r", "caption p --max-tokens 1 -o c --sheet s",
      "imagine x --steps 1 -o d", "model init --shape tiny -o m", "model quantize m -o q",
      "ask hi --model m --max-tokens 1",
      "train generator -o t --set optimization.steps=1 --set data.batch=1 --set data.scenes=1 --set run.sampleMinutes=0",
      "train plot t -o l",
      "data build scenes -o b --train 1 --validation 0 --held-out 0", "data inspect b --sheet h",
      "imagine x --steps 1 --model t/model -o i",
    ] {
      let found = try run("V \(line)")
      #expect(found.status == 0, "\(line): \(found.error.prefix(500))")
    }
  }

  @Test func withoutAHomeOrATerminal() throws {
    for line in ["paths", "sessions list", "imagine x --steps 1 -o -", "doctor --card none"] {
      #expect(try run("V \(line)", terminal: nil, home: false).status == 0, "\(line)")
    }
    for line in ["", "studio", "replay last"] {
      let found = try run("V \(line)", home: false)
      #expect(found.status == 1 && found.error.split(separator: "\n").count == 1, "\(line): \(found)")
    }
  }
}
