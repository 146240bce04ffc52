import Foundation
import ProgramSupport
import TerminalProbe
import TestSupport
import Testing

/// What the program is as a command of the system: installed, found in PATH, told nonsense, started without a terminal.
@Suite(.serialized)
struct InstalledProgramTests {
  private static let tree = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// Runs a command of PATH to its end, with an empty standard input.
  private func run(_ words: [String], in folder: String, _ variables: [String: String] = [:]) throws
    -> ChildProgram.Outcome
  {
    try ChildProgram.run(
      ["/usr/bin/env"] + words, in: folder,
      environment: ["PATH": "/usr/bin:/bin", "HOME": folder, "TERM": "xterm"].merging(variables) { $1 })
  }

  private func vugen(_ words: [String], in folder: String) throws -> ChildProgram.Outcome {
    try run([try Session.program()] + words, in: folder)
  }

  /// Installed into a path with a space and an umlaut, found by PATH through the link, started elsewhere: it draws, and
  /// has its themes. What is removed is all that was put there, and nothing of anybody else's.
  @Test func installedItFindsWhatBelongsToItAndLeavesNothing() throws {
    let elsewhere = try temporaryFolder(), stage = try temporaryFolder() + "/Bäume und Häuser"
    let build = (try Session.program() as NSString).deletingLastPathComponent, prefix = stage + "/usr"
    let install = Self.tree + "/scripts/install-program", places = ["DESTDIR": stage, "PREFIX": "/usr"]
    #expect(try run([install, build], in: elsewhere, places).status == 0)
    // Again, over itself.
    #expect(try run([install, build], in: elsewhere, places).status == 0)
    let resources = try FileManager.default.contentsOfDirectory(atPath: prefix + "/lib/vugen").sorted()
      .filter { $0 != "vugen-commit" }
    #expect(
      resources == [
        "installed-files", "vugen", "vugen-studio_DataSets.resources", "vugen-studio_VUGEN.resources",
      ])
    let path = ["PATH": "\(prefix)/bin:/usr/bin:/bin"]
    let drawn = try run(["vugen", "imagine", "a cat", "--steps", "2", "-o", "cat.png"], in: elsewhere, path)
    #expect(drawn.status == 0, "\(drawn.errors)")
    #expect(FileManager.default.fileExists(atPath: elsewhere + "/cat.png"))
    let paths = try run(["vugen", "paths"], in: elsewhere, path).output
    #expect(paths.contains("\(prefix)/lib/vugen/vugen-studio_VUGEN.resources/nano"), "\(paths)")
    #expect(paths.contains("\(prefix)/share/vugen/themes"), "\(paths)")
    do {
      let s = try Session(
        ["studio", "--theme", "nord", "--graphics", "none"], home: elsewhere, name: "vugen",
        path: path["PATH"] ?? "")
      #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
      #expect(!s.screen(36).contains("unknown theme"), "\(s.screen(36))")
      kill(probe_pid(s.probe), SIGTERM)
      #expect(s.end() == 128 + SIGTERM)
    }
    try "mine".write(toFile: prefix + "/share/mine", atomically: true, encoding: .utf8)
    #expect(try run([install, "--uninstall"], in: elsewhere, places).status == 0)
    let left = FileManager.default.enumerator(atPath: prefix)?.allObjects.compactMap { $0 as? String } ?? []
    #expect(left.sorted() == ["share", "share/mine"])
  }

  @Test func withoutABuildInstallSaysWhatToDo() throws {
    let folder = try temporaryFolder()
    let refused = try run(
      [Self.tree + "/scripts/install-program", folder], in: folder, ["DESTDIR": folder, "PREFIX": "/usr"])
    #expect(refused.status == 1 && refused.errors.contains("make build"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// A Swift that is too old, or not whole, is told before any package is installed: what is asked here ends before APT.
  @Test(arguments: [
    ("echo 'Swift version 6.0.3 (swift-6.0.3-RELEASE)'", "Swift 6.0.3 is too old: 6.1 or later"),
    ("echo 'Swift version 7.0'", "cannot compile and run a program of two lines"),
    ("echo 'libfoo.so.1: cannot open shared object file' >&2; exit 127", "libfoo.so.1"),
  ])
  func swiftIsLookedAtFirst(_ swift: String, _ told: String) throws {
    let folder = try temporaryFolder() + "/Bäume und Häuser", manager = FileManager.default
    try manager.createDirectory(atPath: folder + "/scripts", withIntermediateDirectories: true)
    try manager.copyItem(
      atPath: Self.tree + "/scripts/install-deps", toPath: folder + "/scripts/install-deps")
    for (name, text) in [("swift", swift), ("swiftc", "echo 'no such module' >&2; exit 1")] {
      // Written by another process: one that a test starts meanwhile would have our descriptor, and "Text file busy".
      let lines = #"printf '%s\n' '#!/bin/sh' "$1" >"$2"; chmod 755 "$2""#
      #expect(try run(["/bin/sh", "-c", lines, "sh", text, folder + "/" + name], in: folder).status == 0)
    }
    let outcome = try run(
      [folder + "/scripts/install-deps"], in: folder, ["SWIFT": folder + "/swift", "LC_ALL": "de_DE.UTF-8"])
    #expect(outcome.status == 1 && outcome.errors.contains(told), "\(outcome.errors)")
  }

  @Test func theChangelogKnowsTheVersion() throws {
    let outcome = try run([Self.tree + "/scripts/check-version"], in: Self.tree)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func aRefusedStartLeavesNoSession() throws {
    let home = try temporaryFolder()
    let refused = try vugen(["studio"], in: home)
    #expect(refused.status == 1 && refused.errors.contains("needs a terminal"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: home).isEmpty)
  }

  @Test(arguments: [
    ("imagin", "imagine"), ("imgaine a-cat", "imagine"), ("sesions list", "sessions"), ("model inof", "info"),
    ("train generater --output x", "generator"),
  ])
  func aMistypedCommandIsToldTheRightOne(_ typed: String, _ meant: String) throws {
    let told = try vugen(typed.split(separator: " ").map(String.init), in: try temporaryFolder())
    #expect(told.status == 2 && told.errors.contains("did you mean \(meant)?"), "\(told.errors)")
  }

  /// What resembles nothing is a session's name.
  @Test func aSessionIsNoMistypedCommand() throws {
    let told = try vugen(["2025"], in: try temporaryFolder())
    #expect(!told.errors.contains("did you mean"))
  }

  @Test func versionNamesCommitAndInstructionSet() throws {
    let lines = try vugen(["--version"], in: try temporaryFolder()).output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].wholeMatch(of: /vugen \d+\.\d+\.\d+/) != nil, "\(lines)")
    #expect(lines[1].wholeMatch(of: /commit: (unknown|[0-9a-f]{7,40})/) != nil, "\(lines)")
    #expect(
      lines[2].wholeMatch(of: /instruction set: \w+ \(this processor has baseline.*\)/) != nil, "\(lines)")
  }

  /// Every command in the tree of `--experimental-dump-help`: what takes `--output` takes `-o`, and the guidance is one.
  @Test func optionsAgree() throws {
    let text = try vugen(["--experimental-dump-help"], in: try temporaryFolder()).output
    let whole = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    var outputs = 0, guidances: [String] = []
    func visit(_ command: [String: Any]) {
      for argument in command["arguments"] as? [[String: Any]] ?? [] {
        let names = (argument["names"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        if names.contains("output") {
          outputs += 1
          #expect(names.contains("o"), "\(command["commandName"] ?? "")")
        }
        if names.contains("cfg") { guidances.append(argument["abstract"] as? String ?? "") }
      }
      (command["subcommands"] as? [[String: Any]] ?? []).forEach(visit)
    }
    visit(try #require(whole["command"] as? [String: Any]))
    #expect(outputs > 10)
    #expect(guidances.count == 2 && guidances.allSatisfy { $0.contains("default: 3)") }, "\(guidances)")
  }
}
