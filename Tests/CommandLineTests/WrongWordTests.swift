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

  /// Below a command as at the root: what is no command, and an option before one, are told with whole words to type.
  @Test func whatIsNoCommandIsSaidAtEveryLevel() throws {
    for (words, told, usage) in [
      ("data nosuch", "there is no command 'data nosuch'; vugen data --help lists them.", "data"),
      ("data buidl", "there is no command 'data buidl'; did you mean build?", "data"),
      (
        "data build --frob", "name one of scenes, folder before --frob: vugen data build scenes --frob\n",
        "data build"
      ),
      ("evaluate x --frob", "there is no command 'evaluate x'; vugen evaluate --help", "evaluate"),
    ] {
      let found = try shell.run("V \(words)")
      #expect(
        found.status == 2 && found.error.hasPrefix("vugen: \(told)")
          && found.error.contains("\nUsage: vugen \(usage) "), "\(words): \(found)")
    }
    // Behind `help` stands a command, and an interval begins before it ends.
    for (words, told) in [
      ("help imagin", "vugen: there is no command 'imagin'; did you mean imagine?\n"),
      ("help sessions shwo", "vugen: there is no command 'sessions shwo'; did you mean show?\n"),
      (
        "imagine x --guidance-start 0.8 --guidance-end 0.2",
        "vugen: guidance works from 0.8 to 0.2; the first time is to be the smaller one"
      ),
    ] {
      let found = try shell.run("V \(words)")
      #expect(found.status > 0 && found.error.hasPrefix(told) && found.out.isEmpty, "\(words): \(found)")
    }
    #expect(try shell.run("V help imagine").out.contains("USAGE: vugen imagine"))
    let json = try shell.run("V sessions nosuch --json")
    #expect(
      json.status == 2
        && json.out
          == "{\"error\":\"there is no command 'sessions nosuch'; vugen sessions --help lists them.\"}\n",
      "\(json)")
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

  /// A name that is an ending alone comes of a variable that was not set: nothing is written, no folder made.
  @Test func anEndingIsNoName() throws {
    try shell.writePictures("a.png")
    let commands = [
      ("imagine x --steps 1 -o", ["png", "jpg", "gif", "txt"]), ("imagine x --count 2 --steps 1 -o", ["png"]),
      ("reconstruct a.png -o", ["png", "webp", "bmp"]), ("encode a.png -o", ["safetensors"]),
      ("caption a.png -o", ["csv", "jsonl", "txt"]), ("caption a.png --sheet", ["png", "jpg"]),
      ("sessions export last -o", ["html", "md"]), ("data tokenizer -o", ["json"]),
      ("data inspect a.tar --sheet", ["png"]), ("train plot run -o", ["png"]),
      ("data build scenes -o", ["tar"]), ("data build folder . -o", ["tar"]),
      ("model init --shape tiny -o", ["safetensors"]), ("model quantize nano --bits 8 -o", ["safetensors"]),
      ("train understanding -o", ["safetensors"]), ("evaluate generation --sheet", ["png"]),
    ]
    for (command, endings) in commands {
      for ending in endings {
        for place in [".\(ending)", "./.\(ending)", ".\(ending.uppercased())"] {
          let found = try shell.run("V \(command) \(place); s=$?; ls -A; exit $s")
          let told =
            "'\(place.hasPrefix("./") ? String(place.dropFirst(2)) : place)' has an ending but no name; name a f"
          let isWritten = [".home\na.png\n", "a.png\n"].contains(found.out) == false
          #expect(
            found.status == 2 && found.error.contains(told) && !isWritten, "\(command) \(place): \(found)")
          // The example is a picture of a kind that is written.
          #expect(
            !["gif", "bmp"].contains(ending) || found.error.contains("name.png"), "\(command) \(place)")
        }
      }
    }
    // A hidden file, and a folder that is asked for, are.
    let made = try shell.run(
      "V imagine x --steps 1 --seed 1 -o .hidden.png && V imagine x --steps 1 --seed 1 -o .png/ && ls -A . .png | grep png"
    )
    #expect(made.out == ".hidden.png\n.png/x-1.png\n.hidden.png\n.png\na.png\n.png:\nx-1.png\n", "\(made)")
  }

  /// Whatever comes before the slash.
  @Test(arguments: ["png", "jpg"]) func aSlashMakesAFolder(_ ending: String) throws {
    try shell.writePictures("a.png")
    let made = try shell.run(
      """
      V imagine x --steps 1 --seed 1 --format webp -o new.\(ending)/ && V reconstruct a.png -o pair.\(ending)/ \
        && V imagine x --steps 1 --seed 2 --count 2 -o new.\(ending) && ls new.\(ending) pair.\(ending)
      """)
    #expect(
      made.status == 0
        && made.out.hasSuffix(
          "new.\(ending):\nx-1.webp\nx-2.png\nx-3.png\n\npair.\(ending):\na-reconstructed.png\n"),
      "\(made)")
  }
}
