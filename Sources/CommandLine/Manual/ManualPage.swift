import ArgumentParser
import Studio
import StudioUI

/// The manual page, from what `--help` and F1 are made of.
enum ManualPage {
  /// In roff's `man` macros. Throws where ArgumentParser's description of the commands cannot be read.
  static func text() throws -> String {
    let dump = try HelpDump(json: Vugen._dumpHelp())
    var page = Roff()
    page.title(".\\\" Made by `make man` from the program's own help; do not edit.")
    page.title(".TH VUGEN 1 2026-11-25 \"VUGEN Studio\" \"User Commands\"")
    page.section("NAME")
    page.title("vugen \\- terminal studio around a unified vision\\-language model")
    page.section("SYNOPSIS")
    page.title(".B vugen\n.RI [ command ]\n.RI [ options ]")
    addDescription(&page)
    page.section("COMMANDS")
    page.prose(
      """
      Every command also takes --help (-h), which prints its options and an example, and most take --json. \
      vugen --version prints the version.
      """)
    for command in dump.command.shown { add(command, "vugen", &page) }
    addRecipes(&page)
    addKeys(&page)
    addReference(&page)
    addExamples(dump.command, &page)
    return page.text
  }

  private static func addDescription(_ page: inout Roff) {
    page.section("DESCRIPTION")
    page.prose(
      """
      Without arguments, vugen opens the studio: a conversation in the terminal in which a small model answers \
      questions about pictures and draws new ones, shown inline by sixel, the kitty protocol or half blocks. \
      Everything that the studio does is also available as a plain command.
      """)
    page.paragraph(
      """
      The built-in model, nano, knows 170 everyday things on plain backgrounds. It draws one thing well, or several \
      of one kind; two different things come out less reliably. Other models are folders in the Hugging Face layout, \
      given with --model.
      """)
  }

  // MARK: - Commands

  private static func add(_ command: HelpDump.Command, _ parent: String, _ page: inout Roff) {
    let name = "\(parent) \(command.commandName)"
    page.subsection(synopsis(command, name))
    page.prose(command.abstract ?? "")
    let (paragraphs, _) = split(command.discussion ?? "")
    for paragraph in paragraphs { page.paragraph(paragraph) }
    if let standard = command.defaultSubcommand {
      page.paragraph("Without a subcommand, \(name) does what \(name) \(standard) does.")
    }
    for argument in command.ownArguments { add(argument, &page) }
    for subcommand in command.shown { add(subcommand, name, &page) }
  }

  private static func synopsis(_ command: HelpDump.Command, _ name: String) -> String {
    var words = [name]
    if !command.shown.isEmpty {
      words.append(command.defaultSubcommand == nil ? "subcommand" : "[subcommand]")
    }
    let options = command.ownArguments.filter { $0.kind != "positional" }
    if options.contains(where: \.isOptional) { words.append("[options]") }
    for option in options where !option.isOptional {
      words.append("\(option.preferredName?.typed ?? "") \(option.valueName ?? "")")
    }
    for argument in command.ownArguments where argument.kind == "positional" {
      let value = (argument.valueName ?? "") + (argument.isRepeating ? "..." : "")
      words.append(argument.isOptional ? "[\(value)]" : value)
    }
    return words.joined(separator: " ")
  }

  private static func add(_ argument: HelpDump.Argument, _ page: inout Roff) {
    var meaning = argument.abstract ?? ""
    if let value = argument.defaultValue, argument.kind != "flag", !meaning.contains("(default") {
      meaning += " Default: \(value)" + (value.hasSuffix(".") ? "" : ".")
    }
    if argument.kind == "positional" {
      page.entry(argument.valueName ?? "", meaning)
    } else {
      let names = (argument.names ?? []).map(\.typed).joined(separator: ", ")
      page.entry(names, value: argument.kind == "flag" ? "" : argument.valueName ?? "", meaning)
    }
  }

  /// A discussion's paragraphs, and the commands that its "Example:" shows.
  private static func split(_ discussion: String) -> (paragraphs: [String], examples: [String]) {
    let parts = discussion.replacing("\n\n", with: "\u{1}").split(separator: "Example: ", maxSplits: 1)
    guard let first = parts.first else { return ([], []) }
    let isExampleAlone = discussion.hasPrefix("Example: ")
    let prose = isExampleAlone ? [] : first.split(separator: "\u{1}").map { String($0) }
    let example = isExampleAlone ? first : parts.count > 1 ? parts[1] : ""
    return (
      prose.filter { !$0.allSatisfy(\.isWhitespace) },
      example.isEmpty ? [] : [String(example.replacing("\u{1}", with: ""))]
    )
  }

  // MARK: - Recipes

  private static func addRecipes(_ page: inout Roff) {
    page.section("RECIPES")
    page.prose(
      """
      What vugen train reads from a recipe in TOML (--recipe) and from --set SECTION.KEY=VALUE; --help-recipe lists \
      them for one stage, and --show-recipe prints the values in effect.
      """)
    for (stage, keys) in Train.recipes {
      page.subsection("vugen train \(stage)")
      for key in keys {
        page.entry(key.key, "\(key.help) Value: \(key.values). Default: \(key.standard).")
      }
    }
  }

  // MARK: - The studio, files, environment

  private static func addKeys(_ page: inout Roff) {
    page.section("THE STUDIO")
    page.prose("Keys and slash commands of the studio; F1 lists them there, too.")
    for section in HelpText.sections {
      page.subsection("Keys: \(section.heading.lowercased())")
      for key in section.keys { page.entry(key.key, key.help + ".") }
    }
    page.subsection("Slash commands")
    for command in KeyTable.slash {
      page.entry("/\(command.name)", value: command.argument, command.help + ".")
    }
  }

  private static func addReference(_ page: inout Roff) {
    page.section("FILES")
    for (path, meaning) in Self.files { page.entry(path, meaning) }
    page.section("ENVIRONMENT")
    for (name, meaning) in Self.environment { page.entry(name, meaning) }
    page.section("NAMES IN JSON")
    page.prose(
      """
      Where a file's name is not UTF-8, its text shows \\xE9 for a byte that belongs to no letter, and a field called as \
      the name's own with Bytes behind it, such as fileBytes beside file, has all bytes of the name in base64. Lists of \
      captions with such a field are read by it.
      """)
    page.section("EXIT STATUS")
    for (status, meaning) in Self.statuses { page.entry(status, meaning) }
  }

  private static func addExamples(_ root: HelpDump.Command, _ page: inout Roff) {
    func examples(_ command: HelpDump.Command) -> [String] {
      split(command.discussion ?? "").examples + command.shown.flatMap(examples)
    }
    page.section("EXAMPLES")
    page.prose("Draw a picture, ask about it, and play the last session of the studio at twice its speed:")
    page.example([
      "vugen imagine 'a red car on a white background' --seed 3 --output car.png",
      "vugen ask --image car.png 'What is this?'",
      "vugen replay last --speed 2",
    ])
    page.paragraph("One for each command:")
    page.example(examples(root))
    page.section("SEE ALSO")
    page.prose("README.md, CONTRIBUTING.md and the model card, MODEL_CARD.md, in the source tree.")
  }

  private static let files: [(String, String)] = [
    (
      "$XDG_CONFIG_HOME/vugen/config.toml",
      "Settings of the studio: "
        + StudioConfiguration.keys.map { "\($0.0) (\($0.1))" }.joined(separator: ", ") + "."
    ),
    ("$XDG_CONFIG_HOME/vugen/themes/*.toml", "Your own themes."),
    (
      "$XDG_DATA_HOME/vugen/sessions",
      """
      Recorded sessions, a folder each: log.jsonl, one entry per line, and the pictures by content hash. Deleted ones \
      are kept in .deleted there for 30 days.
      """
    ),
    ("$XDG_STATE_HOME/vugen/history", "Earlier prompts."),
    (
      "$XDG_CACHE_HOME/vugen",
      """
      The index that sessions are searched with (sessions.sqlite) and descriptions of terminals (terminfo); made \
      anew where they are missing.
      """
    ),
    (
      "$HF_HUB_CACHE, or $XDG_CACHE_HOME/huggingface/hub",
      "Models from the hub, as its own client keeps them."
    ),
  ]

  private static let environment: [(String, String)] = [
    (
      "VUGEN_ISA",
      "Instruction set of the kernels: baseline, avx2, avx512 or native (default: the best that works)."
    ),
    ("OMP_NUM_THREADS", "Number of threads; --threads overrides it (default: one per physical core)."),
    (
      "OMP_WAIT_POLICY",
      "How threads wait for work: active spins, passive sleeps (default: they spin briefly, then sleep)."
    ),
    ("GOMP_SPINCOUNT", "How often waiting threads spin before they sleep."),
    (
      "NO_COLOR",
      """
      When set and not empty, the studio uses no colours, and pictures that are made of characters are drawn in shades; \
      those in pixels (sixel, Kitty) keep theirs.
      """
    ),
    ("COLORTERM", "truecolor or 24bit: the terminal shows 24-bit colours."),
    ("VISUAL, EDITOR", "Editor that Ctrl-G opens the prompt in (default: vi)."),
    (
      "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME",
      """
      Absolute paths of the base directories (default: ~/.config, ~/.local/share, ~/.local/state and ~/.cache). \
      vugen paths prints what is in use.
      """
    ),
    (
      "HF_TOKEN",
      "Access token for the hub, sent to no other host (default: the contents of $HF_HOME/token or HF_TOKEN_PATH)."
    ),
    (
      "HF_HOME, HF_HUB_CACHE, HF_ENDPOINT",
      "Folder of the hub's files, its cache, and the hub's address (defaults: $XDG_CACHE_HOME/huggingface, hub in it, the public hub)."
    ),
    ("HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE", "1, ON, YES or TRUE: use only models that are in the cache."),
    (
      "HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT",
      "Timeouts in seconds: for an answer from the hub, and for a download that stalls (default: 10 each)."
    ),
  ]

  private static let statuses: [(String, String)] = [
    ("0", "Success."),
    (
      "1",
      "Failure: one line on standard error says what went wrong, or, with --json, an object on standard output."
    ),
    ("2", "Wrong usage."),
    (
      "130",
      """
      Interrupted by Ctrl-C (SIGINT); files are complete or absent. Every command with --json then prints an object, as \
      its last line, whose "error" is "interrupted" and whose "status" is this number, beside what is finished: of ask the \
      answer so far, of imagine the pictures that are written, of caption how many pictures are described and where, of \
      train the step that is saved, of evaluate what is measured, of model pull what is fetched.
      """
    ),
    (
      "128+n",
      "The studio, a training run or a caption run was ended by signal n; finished work is saved. With --json, as above, for every command and signal. In the studio, Ctrl-C only cancels the running request."
    ),
  ]
}
