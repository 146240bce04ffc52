import Foundation
import Pictures
import TestSupport

/// A round's own folder, with copies of what it reads, some of them spoilt.
struct Sandbox {
  let folder: String
  private let corpus: Corpus
  private let manager = FileManager.default

  var home: String { folder + "/home" }
  private var sessions: String { home + "/.local/share/vugen/sessions" }

  init(_ folder: String, _ corpus: Corpus) throws {
    (self.folder, self.corpus) = (folder, corpus)
    chmod(folder + "/locked", 0o700)
    try? manager.removeItem(atPath: folder)
    for name in ["in", "home", "tmp", "locked"] {
      try manager.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    mkfifo(folder + "/fifo", 0o600)
    chmod(folder + "/locked", 0)
  }

  /// Settings and themes of the person's own, spoilt.
  func placeConfiguration(_ dice: inout Dice) throws {
    let place = home + "/.config/vugen"
    try manager.createDirectory(atPath: place + "/themes", withIntermediateDirectories: true)
    let themes = try manager.contentsOfDirectory(atPath: corpus.tree + "/Themes").sorted()
    for i in 0..<3 {
      let theme = manager.contents(atPath: corpus.tree + "/Themes/" + dice.pick(themes, else: "")) ?? Data()
      try Data(Self.spoilt([UInt8](theme), &dice)).write(
        to: URL(fileURLWithPath: "\(place)/themes/\(i).toml"))
    }
    try Data(Self.spoilt(Array("theme = \"nord\"\nsteps = 20\nguidance = 2.5\n".utf8), &dice))
      .write(to: URL(fileURLWithPath: place + "/config.toml"))
  }

  /// A path of an input, spoilt or whole.
  func place(_ input: Role.Input, isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    switch input {
    case .picture: return try picture(isSpoilt, &dice)
    case .tensors: return try copy(corpus.folder + "/features.safetensors", "t.safetensors", isSpoilt, &dice)
    case .recipe:
      let text = dice.pick(
        corpus.recipes.sorted { $0.key < $1.key }.map(\.value).filter { !$0.isEmpty }, else: "")
      return try write(Array(text.utf8), "recipe.toml", isSpoilt, &dice)
    case .list:
      let isCSV = dice.isOne(in: 2)
      return try write(
        Array((isCSV ? Corpus.list : Corpus.lines).utf8), isCSV ? "list.csv" : "list.jsonl", isSpoilt, &dice)
    case .model: return try model(isSpoilt, &dice)
    case .session: return try session(isSpoilt, &dice)
    case .shards: return try folder("shards", isSpoilt, &dice)
    case .run: return try folder("run", isSpoilt, &dice)
    case .captioned: return try folder("captioned", isSpoilt, &dice)
    }
  }

  private func write(_ bytes: [UInt8], _ name: String, _ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8]
  {
    let path = "in/" + name
    try Data(isSpoilt ? Self.spoilt(bytes, &dice) : bytes).write(
      to: URL(fileURLWithPath: "\(folder)/\(path)"))
    return Array(path.utf8)
  }

  private func copy(_ source: String, _ name: String, _ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8]
  {
    try write([UInt8](manager.contents(atPath: source) ?? Data()), name, isSpoilt, &dice)
  }

  private func picture(_ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    if dice.isOne(in: 3) { return try settings(isSpoilt, &dice) }
    let source = dice.pick(corpus.pictures, else: "")
    return try copy(source, "p." + (source as NSString).pathExtension, isSpoilt, &dice)
  }

  /// A picture with settings inside, which are spoilt.
  private func settings(_ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    let gray = Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768))
    let texts = (0...dice.number(below: 2)).map { _ in
      let (key, text) = dice.pick(Corpus.settings, else: ("parameters", ""))
      let bytes = isSpoilt ? Self.spoilt(Array(text.utf8), &dice) : Array(text.utf8)
      return PNGText(key, String(decoding: bytes, as: UTF8.self))
    }
    let format = dice.pick(WrittenFormat.allCases, else: .png)
    return try write(try gray.data(format, texts: texts), "s.\(format.suffix)", false, &dice)
  }

  /// The model that comes with the program, a tiny one, or that of a run.
  private func model(_ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    guard isSpoilt || dice.isOne(in: 2) else { return Array("nano".utf8) }
    let source = dice.pick([corpus.nano, corpus.folder + "/tiny", corpus.folder + "/run/model"], else: "")
    return try folder(at: source, "model", isSpoilt, &dice)
  }

  private func folder(_ name: String, _ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    try folder(at: corpus.folder + "/" + name, name, isSpoilt, &dice)
  }

  /// Links, and a copy of what is spoilt; a run is written to, so that all of it is copied.
  private func folder(at source: String, _ name: String, _ isSpoilt: Bool, _ dice: inout Dice) throws
    -> [UInt8]
  {
    let path = "in/" + name, whole = "\(folder)/\(path)"
    try? manager.removeItem(atPath: whole)
    if name == "run" {
      if manager.fileExists(atPath: source) { try manager.copyItem(atPath: source, toPath: whole) }
    } else {
      try manager.createDirectory(atPath: whole, withIntermediateDirectories: true)
      for file in try manager.contentsOfDirectory(atPath: source).sorted() {
        try manager.createSymbolicLink(atPath: "\(whole)/\(file)", withDestinationPath: "\(source)/\(file)")
      }
    }
    let files = ((try? manager.contentsOfDirectory(atPath: whole)) ?? []).sorted().filter {
      !$0.hasSuffix(".md")
    }
    if isSpoilt, let file = dice.pick(files), let bytes = manager.contents(atPath: "\(whole)/\(file)") {
      try? manager.removeItem(atPath: "\(whole)/\(file)")
      if !dice.isOne(in: 12) {
        try Data(Self.spoilt([UInt8](bytes), &dice)).write(to: URL(fileURLWithPath: "\(whole)/\(file)"))
      }
    }
    return Array(path.utf8)
  }

  /// The recorded sessions of the examples, one of them spoilt, and what names one.
  private func session(_ isSpoilt: Bool, _ dice: inout Dice) throws -> [UInt8] {
    let examples = corpus.tree + "/Examples/sessions"
    let names = try manager.contentsOfDirectory(atPath: examples).sorted()
    let chosen = dice.pick(names, else: "")
    for name in names {
      let place = "\(sessions)/\(name)"
      try manager.createDirectory(atPath: place, withIntermediateDirectories: true)
      try? manager.createSymbolicLink(
        atPath: place + "/pictures", withDestinationPath: "\(examples)/\(name)/pictures")
      let bytes = [UInt8](manager.contents(atPath: "\(examples)/\(name)/log.jsonl") ?? Data())
      let log = isSpoilt && name == chosen ? Self.spoilt(bytes, &dice) : bytes
      try Data(log).write(to: URL(fileURLWithPath: place + "/log.jsonl"))
    }
    return Array((dice.isOne(in: 4) ? "last" : dice.isOne(in: 4) ? String(chosen.prefix(3)) : chosen).utf8)
  }

  /// Bytes changed, or numbers and texts made absurd; of safetensors in the header, whose length is set right again.
  static func spoilt(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
    if dice.isOne(in: 3) { return dice.use { damaged(bytes, &$0) } }
    guard bytes.count > 8 else { return dice.pick(Absurd.texts, else: []) }
    let length = bytes[..<8].enumerated().reduce(0) { $0 | Int($1.element & 0x7F) << (8 * $1.offset) }
    let isTensors = bytes[8] == 0x7B && bytes[0] != 0x7B && length > 0 && length < bytes.count - 8
    let text = isTensors ? Array(bytes[8..<8 + length]) : bytes
    guard text.prefix(4000).allSatisfy({ $0 >= 9 }) else { return dice.use { damaged(bytes, &$0) } }
    let changed =
      (dice.isOne(in: 4) ? TextDamage.quoted(text, &dice) : TextDamage.number(text, &dice))
      ?? dice.use { damaged(text, &$0) }
    guard isTensors else { return changed }
    return (0..<8).map { UInt8(changed.count >> (8 * $0) & 0xFF) } + changed + bytes[(8 + length)...]
  }
}
