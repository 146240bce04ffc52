import Foundation
import ProgramSupport
import TestSupport
import Testing

/// What the program tells shells and `man` about itself.
@Suite struct ShellTests {
  private static let tree = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private func output(of words: [String], in folder: String) throws -> String {
    try ChildProgram.run(
      ["/usr/bin/env"] + words, in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": folder]
    ).output
  }

  @Test func theManualPageIsWhatTheProgramPrints() throws {
    let printed = try output(of: [try Session.program(), "manual"], in: try temporaryFolder())
    let kept = try String(contentsOfFile: Self.tree + "/Documentation/vugen.1", encoding: .utf8)
    #expect(printed == kept, "make man writes it anew")
    for word in ["vugen data build scenes", "VUGEN_ISA", "XDG_CONFIG_HOME", "/critique", "EXIT STATUS"] {
      #expect(printed.contains(word), "\(word)")
    }
    // No path of this machine, and nothing that is not meant to be seen.
    #expect(!printed.contains(Self.tree) && !printed.contains("busy\\-work"))
  }

  @Test func thingsAreThoseOfTheClasses() throws {
    let printed = try output(of: [Self.tree + "/scripts/things"], in: Self.tree)
    let kept = try String(contentsOfFile: Self.tree + "/Documentation/nano/things.md", encoding: .utf8)
    #expect(printed == kept && printed.contains("Together 170 things."), "make things writes it anew")
  }

  /// The function that bash calls at a press of Tab, with the words of a command line; the last may be half-typed.
  @Test func bashCompletesSessionsThemesModelsAndFiles() throws {
    let home = try temporaryFolder(), manager = FileManager.default, program = try Session.program()
    for (folder, file) in [
      (".local/share/vugen/sessions/20260102-101112-abcd", "log.jsonl"), ("runs/u/model", "config.json"),
      ("runs/empty", "notes.txt"), ("recorded", "log.jsonl"),
    ] {
      try manager.createDirectory(atPath: "\(home)/\(folder)", withIntermediateDirectories: true)
      // A log without a byte is no session.
      try "x".write(toFile: "\(home)/\(folder)/\(file)", atomically: true, encoding: .utf8)
    }
    for name in ["cat.png", "list.csv", "notes.txt"] {
      try "".write(toFile: "\(home)/\(name)", atomically: true, encoding: .utf8)
    }
    let script = """
      . <("$0" --generate-completion-script bash)
      COMP_WORDS=("$0" "$@") COMP_CWORD=$# COMP_LINE="$0 $*" COMP_POINT=${#COMP_LINE}
      _vugen "$0" "${!#}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    func completions(_ words: String...) throws -> Set<String> {
      let text = try output(of: ["bash", "-c", script, program] + words, in: home)
      return Set(text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
    }
    #expect(try completions("imag") == ["imagine"])
    #expect(try completions("sessions", "show", "") == ["last", "20260102-101112-abcd"])
    #expect(try completions("sessions", "delete", "2026") == ["20260102-101112-abcd"])
    #expect(try completions("replay", "") == ["last", "20260102-101112-abcd", "recorded"])
    #expect(try completions("studio", "--theme", "no") == ["nord"])
    #expect(try completions("studio", "--graphics", "").isSuperset(of: ["auto", "sixel", "kitty"]))
    #expect(try completions("ask", "--model", "") == ["nano", "runs/u/model"])
    #expect(try completions("ask", "--model", "runs/u/") == ["runs/u/model"])
    let pictures = try completions("ask", "--image", "")
    #expect(pictures.isSuperset(of: ["cat.png", "runs"]) && !pictures.contains("notes.txt"), "\(pictures)")
    #expect(try completions("data", "build", "folder", "--captions", "li") == ["list.csv"])
    #expect(try completions("train", "decoder", "--output", "r") == ["runs", "recorded"])
    #expect(try completions("sessions", "export", "--format", "m") == ["md"])
  }

  /// The built-in model by its name, where no folder is called so.
  @Test func nanoNamesTheModel() throws {
    let folder = try temporaryFolder(), words = [try Session.program(), "model", "info"]
    #expect(try output(of: words + ["nano"], in: folder) == output(of: words, in: folder))
    try FileManager.default.createDirectory(atPath: folder + "/nano", withIntermediateDirectories: true)
    #expect(try output(of: words + ["nano"], in: folder).isEmpty)
  }
}
