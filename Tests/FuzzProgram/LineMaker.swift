import Foundation

/// Makes a round's command line: sensible values, some of them exchanged for absurd ones.
struct LineMaker {
  let leaf: CommandTree.Leaf
  /// Names of options that want a number, which the program was asked for.
  let numbers: Set<String>
  let recipe: String
  let sandbox: Sandbox

  private struct Part {
    let argument: CommandTree.Argument
    let role: Role
    var isAbsurd = false
    var isSpoilt = false
  }

  /// The words behind the program's name.
  func line(_ dice: inout Dice) throws -> [[UInt8]] {
    var parts = chosen(&dice)
    spoil(&parts, &dice)
    var words = leaf.words.map { Array($0.utf8) }
    for part in parts where part.argument.kind != "positional" { words += try typed(part, &dice) }
    for part in parts where part.argument.kind == "positional" { words += try typed(part, &dice) }
    if dice.isOne(in: 12) { confuse(&words, &dice) }
    return words
  }

  /// What is needed, what keeps the work small, and some of the rest.
  private func chosen(_ dice: inout Dice) -> [Part] {
    // A tokenizer of its own would take a run longer than all the rest.
    let begins = leaf.option("set") != nil && dice.isOne(in: 2)
    return leaf.arguments.compactMap { argument in
      let isAsked = ["help", "version"].contains(argument.name)
      let isUsual =
        !argument.isOptional || Role.small[argument.name] != nil || argument.name == "set"
        || (begins && argument.name == "from")
      guard isUsual || dice.isOne(in: isAsked ? 60 : argument.kind == "positional" ? 2 : 5) else {
        return nil
      }
      return Part(argument: argument, role: Role(argument, isNumber: numbers.contains(argument.name)))
    }
  }

  /// Chooses what becomes absurd. What would make the work large is left alone where it only names a size of model.
  private func spoil(_ parts: inout [Part], _ dice: inout Dice) {
    // Half of the rounds come further than to the options.
    let isPatient = dice.isOne(in: 2)
    for _ in 0...dice.number(below: 2) {
      let able = parts.indices.filter {
        parts[$0].argument.name != "shape" && (!isPatient || parts[$0].role.isRead)
      }
      guard let i = dice.pick(Array(able)) else { return }
      if case .input = parts[i].role, isPatient || !dice.isOne(in: 3) {
        parts[i].isSpoilt = true
      } else if case .flag = parts[i].role {
        continue
      } else {
        parts[i].isAbsurd = true
      }
    }
  }

  private func typed(_ part: Part, _ dice: inout Dice) throws -> [[UInt8]] {
    let argument = part.argument
    let name = dice.pick(argument.names ?? []).map { Array($0.typed.utf8) } ?? []
    if case .flag = part.role { return [name] }
    var words: [[UInt8]] = []
    for value in try values(part, &dice) {
      if argument.kind == "positional" {
        words.append(value)
      } else if name.starts(with: [45, 45]), dice.isOne(in: 3) {
        words.append(name + [61] + value)
      } else {
        words += [name, value]
      }
    }
    // Given twice, or without a value.
    if part.isAbsurd, dice.isOne(in: 10) { words += words }
    if part.isAbsurd, dice.isOne(in: 15) { words.removeLast() }
    return words
  }

  private func values(_ part: Part, _ dice: inout Dice) throws -> [[UInt8]] {
    if case .setting = part.role { return settings(part.isAbsurd, &dice) }
    let count = part.argument.isRepeating ? 1 + dice.number(below: 2) : 1
    return try (0..<count).map { _ in try part.isAbsurd ? absurd(part, &dice) : sensible(part, &dice) }
  }

  private func sensible(_ part: Part, _ dice: inout Dice) throws -> [UInt8] {
    if let small = Role.small[part.argument.name] { return Array(small.utf8) }
    switch part.role {
    case .flag, .setting: return []
    case .choice(let values): return Array(dice.pick(values, else: "").utf8)
    case .number: return Array((part.argument.defaultValue ?? "1").utf8)
    case .output(let endings): return Array((dice.pick(endings).map { "out." + $0 } ?? "out").utf8)
    case .input(let kinds):
      return try sandbox.place(dice.pick(kinds, else: .picture), isSpoilt: part.isSpoilt, &dice)
    case .text: return Array("a red apple".utf8)
    }
  }

  private func absurd(_ part: Part, _ dice: inout Dice) throws -> [UInt8] {
    switch part.role {
    case .flag, .setting: return []
    case .number: return dice.pick(dice.isOne(in: 2) ? Absurd.edges : Absurd.numbers, else: [])
    case .choice, .text: return dice.pick(dice.isOne(in: 3) ? Absurd.numbers : Absurd.texts, else: [])
    case .output(let endings):
      let ending = Array(dice.pick(endings + ["gif", "PNG", "bad", ""], else: "").utf8)
      let odd = dice.pick(Absurd.oddities, else: [])
      let paths = [
        "", "in", "in/", ".", "/dev/null", "/dev/full", "/dev/null/x", "/proc/nothing/x", "-", "locked/x",
        "a/b/c/out", "x", "x/", "/dev/fd/77", "/dev/stdout", "home/../out",
      ].map { Array($0.utf8) }
      return dice.pick(paths + [Array("out.".utf8) + ending, odd + [46] + ending, odd], else: [])
    case .input(let kinds): return try oddPath(kinds, &dice)
    }
  }

  /// Not what is wanted, or what is wanted under an odd name.
  private func oddPath(_ kinds: [Role.Input], _ dice: inout Dice) throws -> [UInt8] {
    if dice.isOne(in: 3) {
      let path = try sandbox.place(dice.pick(kinds, else: .picture), isSpoilt: false, &dice)
      let name = Array("in/".utf8) + dice.pick(Absurd.oddities.filter { $0.count < 200 }, else: [0xFF])
      let new = name + [46] + Array((String(decoding: path, as: UTF8.self) as NSString).pathExtension.utf8)
      guard path.starts(with: Array("in/".utf8)) else { return path }
      let root = Array((sandbox.folder + "/").utf8)
      let old = Start.cString(root + path), target = Start.cString(root + new)
      defer {
        free(old)
        free(target)
      }
      let moved = old.flatMap { old in target.map { rename(old, $0) } }
      return moved == 0 ? new : path
    }
    if dice.isOne(in: 3) {
      return try sandbox.place(dice.pick(Role.Input.allCases, else: .picture), isSpoilt: false, &dice)
    }
    let paths = [
      "", "missing", "missing/deeper.png", "in", "in/", "fifo", "fifo", "/dev/null", "/dev/full", "/dev/zero",
      "locked", "locked/x.png", "/proc/self/mem", "/dev/fd/77", "-", "--", "fifo/x", "/dev/tty", ".",
    ]
    return dice.pick(paths.map { Array($0.utf8) } + Absurd.oddities, else: [])
  }

  /// Values of a recipe: small ones, and one that is absurd.
  private func settings(_ isAbsurd: Bool, _ dice: inout Dice) -> [[UInt8]] {
    let keys = Self.keys(of: recipe)
    var words = Role.smallSettings.filter { setting in keys.contains { setting.hasPrefix($0 + "=") } }
      .map { Array($0.utf8) }
    guard isAbsurd else { return words }
    for _ in 0...dice.number(below: 2) {
      let key = Array(dice.pick(keys + ["", "x", "a.b", "optimization", "data.batch.x", "."], else: "").utf8)
      let number = Array(dice.pick(Absurd.storedNumbers, else: "").utf8)
      words.append(
        key + (dice.isOne(in: 20) ? [] : [61])
          + (dice.isOne(in: 4) ? dice.pick(Absurd.texts, else: []) : number))
    }
    return words
  }

  static func keys(of recipe: String) -> [String] {
    var section = "", keys: [String] = []
    for line in recipe.split(separator: "\n") {
      if line.hasPrefix("[") { section = line.trimmingCharacters(in: CharacterSet(charactersIn: "[] ")) }
      if let key = line.split(separator: " ").first, line.contains(" = ") { keys.append("\(section).\(key)") }
    }
    return keys
  }

  private func confuse(_ words: inout [[UInt8]], _ dice: inout Dice) {
    switch dice.number(below: 4) {
    case 0: words.insert(dice.pick(Absurd.texts, else: []), at: dice.number(below: words.count + 1))
    case 1: if !words.isEmpty { words.remove(at: dice.number(below: words.count)) }
    case 2: words.append(Array("--".utf8) + dice.pick(Absurd.texts, else: []))
    default: words.append(Array("--nonsense".utf8))
    }
  }
}
