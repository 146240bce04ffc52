import Foundation
import ProgramSupport
import TestSupport
import Testing

/// Words that mean nothing, and names that name nothing: told as what they are, in every command.
@SecondCommands
@Suite struct WrongWordTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// Every command that does something, as the manual page has them.
  private func commands() throws -> [String] {
    let lines = try shell.run("V manual").out.matches(of: #/\n\.SS "vugen ([^"]*)"\n/#).map { String($0.1) }
    let commands = lines.filter { !$0.hasSuffix(" subcommand") && $0.contains(" ") }.map { line in
      let plain = line.replacing("\\-", with: "-"), words = plain.split(separator: " ")
      let end = words.firstIndex { $0.hasPrefix("[") } ?? words.count - 1
      return words[..<end].joined(separator: " ")
    }
    let groups = Set(commands.filter { name in commands.contains { $0.hasPrefix(name + " ") } })
    return Set(commands).subtracting(groups).sorted()
  }

  /// What is missing beside a mistyped option is not what went wrong.
  @Test func anUnknownOptionIsNamedBeforeWhatIsMissing() throws {
    let commands = try commands()
    #expect(commands.count > 35, "\(commands)")
    for command in commands {
      let found = try shell.run("V \(command) --hepl --nonsense")
      #expect(
        found.status == 2 && found.out.isEmpty
          && found.error.hasPrefix("vugen: unknown option '--hepl'; did you mean --help?\nUsage: "),
        "\(command): \(found)")
    }
    for (words, told) in [
      ("caption --jsn", "unknown option '--jsn'; did you mean --json?"),
      ("caption --jsn=1", "unknown option '--jsn'; did you mean --json?"),
      ("imagine --setps 5", "unknown option '--setps'; did you mean --steps?"),
      ("train generator --overwrit", "unknown option '--overwrit'; did you mean --overwrite?"),
      ("encode a.png --ouput x", "unknown option '--ouput'; did you mean --output?"),
      ("ask -z", "unknown option '-z'; vugen ask --help lists those that there are."),
      ("imagine x --zzzzzz", "unknown option '--zzzzzz'; vugen imagine --help lists those that there are."),
      (
        "model quantize --bits 4 -oz",
        "unknown option '-oz'; vugen model quantize --help lists those that there are."
      ),
      ("--them x", "unknown option '--them'; did you mean --theme?"),
    ] {
      let found = try shell.run("V \(words)")
      #expect(found.status == 2 && found.error.hasPrefix("vugen: \(told)\n"), "\(words): \(found)")
    }
    let json = try shell.run("V imagine --jsno --json")
    #expect(json.out == "{\"error\":\"unknown option '--jsno'; did you mean --json?\"}\n", "\(json)")
  }

  /// What is no unknown option is not called one: values that begin with a dash, letters together, words behind `--`.
  @Test func whatIsMissingIsSaidWhereAllOptionsAreKnown() throws {
    for (words, told) in [
      ("caption --json", "{\"error\":\"Missing expected argument"),
      ("imagine --steps -5 x", "-5 steps; give 1 to"),
      ("imagine --seed -x y", "-x"), ("model quantize -o", "Missing value for '-o <output>'"),
      ("caption -- --jsn", "--jsn: "), ("imagine", "say what to draw"),
    ] {
      let found = try shell.run("V \(words)")
      let text = found.out + found.error
      #expect(
        found.status != 0 && text.contains(told) && !text.contains("unknown option"), "\(words): \(found)")
    }
  }
}
