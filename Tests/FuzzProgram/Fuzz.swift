import Foundation

struct FuzzError: Error, CustomStringConvertible {
  let description: String
}

/// The rounds and what they found.
struct Fuzz {
  let seed: UInt64
  let program: Program
  let root: String
  let leaves: [CommandTree.Leaf]
  private let patience: Double
  private var corpus: Corpus
  /// Options that want numbers, by command.
  private var numbers: [String: Set<String>] = [:]
  private(set) var failures: [String: [Int]] = [:]
  private var statuses: [Int32: Int] = [:]
  private var cost: [String: (seconds: Double, rounds: Int)] = [:]
  private var done = 0

  init(seed: UInt64, program path: String?, folder: String?, only: String?, patience: Double, isQuick: Bool)
    throws
  {
    (self.seed, self.patience) = (seed, patience)
    let beside = (CommandLine.arguments[0] as NSString).deletingLastPathComponent + "/vugen"
    let absolute = URL(fileURLWithPath: path ?? beside).path
    guard FileManager.default.isExecutableFile(atPath: absolute) else {
      throw FuzzError(description: "\(absolute): no such program; build it, or name it with --program")
    }
    root = folder ?? NSTemporaryDirectory() + "vugen-fuzz-\(getpid())"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    program = Program(path: absolute, environment: ["HOME=\(root)", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"])
    let dump = program.run(["--experimental-dump-help"], in: root)
    leaves = try JSONDecoder().decode(CommandTree.self, from: Data(dump.utf8)).leaves
      .filter { leaf in only.map { leaf.title.hasPrefix($0) } ?? true }
    var tree = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { tree.deleteLastPathComponent() }
    corpus = try Corpus(folder: root + "/corpus", tree: tree.path, program: program, isQuick: isQuick)
    for leaf in leaves { _ = corpus.recipe(of: leaf, program) }
  }

  mutating func round(_ number: Int) throws {
    let leaf = leaves[number % leaves.count]
    // Slow commands have fewer turns; which ones does not change what a round does.
    if let known = cost[leaf.title], known.rounds > 0, known.seconds / Double(known.rounds) > 2,
      number / leaves.count % 5 != 0
    {
      return
    }
    done += 1
    let (start, line) = try prepare(number, leaf, in: root + "/round")
    let found = start.run()
    cost[leaf.title, default: (0, 0)].seconds += found.seconds
    cost[leaf.title, default: (0, 0)].rounds += 1
    statuses[found.signal == 0 ? found.status : 128 + found.signal, default: 0] += 1
    let faults = Verdict(start: start, found: found, line: line).faults
    guard !faults.isEmpty else { return }
    for fault in faults { failures["\(leaf.title): \(fault)", default: []].append(number) }
    let (kept, _) = try prepare(number, leaf, in: "\(root)/failure-\(number)")
    say("\nround \(number): \(faults.joined(separator: "; "))\n  \(kept.line.prefix(3000))")
    let text = String(decoding: found.errors.suffix(1500), as: UTF8.self)
    say(
      text.split(separator: "\n").suffix(6).map { "  | \($0.debugDescription.prefix(600))" }.joined(
        separator: "\n"))
  }

  /// A round's folder and how its program is started: the same each time.
  private mutating func prepare(_ number: Int, _ leaf: CommandTree.Leaf, in folder: String) throws
    -> (Start, [[UInt8]])
  {
    var dice = Dice(seed: seed, round: number)
    let sandbox = try Sandbox(folder, corpus)
    let recipe = corpus.recipe(of: leaf, program)
    let shared = recipe.isEmpty ? corpus.recipes["train understanding"] ?? "" : recipe
    let maker = LineMaker(leaf: leaf, numbers: wanting(leaf), recipe: shared, sandbox: sandbox)
    let line = try maker.line(&dice)
    if leaf.words.first == "---completion" || dice.isOne(in: 8) { try sandbox.placeConfiguration(&dice) }
    var start = Start(
      program: program.path, arguments: line, environment: surroundings(sandbox, &dice), folder: folder,
      seconds: patience)
    if line.contains([45]) || dice.isOne(in: 20) {
      start.input = dice.pick(
        ["/dev/zero", folder + "/in", corpus.pictures[0], "/dev/full", "/dev/null"], else: "")
    }
    if dice.isOne(in: 15) { start.output = dice.pick(["/dev/full", "", "/dev/null"]) }
    return (start, line)
  }

  /// Options that the program wants a number for, as it says itself.
  private mutating func wanting(_ leaf: CommandTree.Leaf) -> Set<String> {
    if let known = numbers[leaf.title] { return known }
    let names = leaf.arguments.filter {
      $0.kind == "option" && $0.defaultValue == nil && $0.completionKind == nil
    }
    let found = names.filter { argument in
      let option = argument.preferredName?.typed ?? ""
      return program.errors(leaf.words + [option, "zzz"], in: root).contains("invalid for '\(option)")
    }
    numbers[leaf.title] = Set(found.map(\.name))
    return numbers[leaf.title] ?? []
  }

  private func surroundings(_ sandbox: Sandbox, _ dice: inout Dice) -> [String] {
    var list = ["PATH=/usr/bin:/bin", "TMPDIR=\(sandbox.folder)/tmp"]
    list.append("LANG=" + (dice.isOne(in: 5) ? "C" : "C.UTF-8"))
    if !dice.isOne(in: 12) {
      list.append("HOME=" + sandbox.home)
    } else {
      list.append("XDG_DATA_HOME=\(sandbox.home)/.local/share")
    }
    if let terminal = dice.pick(["dumb", "xterm", "", "nonsense", nil]), let terminal {
      list.append("TERM=" + terminal)
    }
    if dice.isOne(in: 10) { list.append("XDG_STATE_HOME=relative") }
    if dice.isOne(in: 10) {
      list.append(
        dice.pick(
          [
            "OMP_NUM_THREADS=-1", "OMP_NUM_THREADS=1e19", "OMP_NUM_THREADS=",
            "VUGEN_ISA=nonsense", "VUGEN_ISA=", "COLUMNS=-1", "COLUMNS=99999999999", "NO_COLOR=1",
            "OMP_WAIT_POLICY=x",
            "GOMP_SPINCOUNT=9999999999999999999",
          ], else: ""))
    }
    return list
  }

  func end(rounds: Int) {
    chmod(root + "/round/locked", 0o700)
    let ends = statuses.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }.joined(
      separator: ", ")
    say("\n\(done) of \(rounds) rounds run: \(ends)")
    let slow = cost.sorted { $0.value.seconds > $1.value.seconds }.prefix(8)
    say("most time: " + slow.map { "\($0.key) \(Int($0.value.seconds)) s" }.joined(separator: ", "))
    for (what, numbers) in failures.sorted(by: { $0.value.count > $1.value.count }) {
      say("\(numbers.count) × \(what) (rounds \(numbers.prefix(5).map(String.init).joined(separator: ", ")))")
    }
    guard failures.isEmpty else {
      say("repeat one with: make fuzz SEED=\(seed) FIRST=NUMBER ROUNDS=1")
      return
    }
    try? FileManager.default.removeItem(atPath: root)
  }
}
