import ArgumentParser
import DataSets
import Foundation
import ModelFiles
import Pictures

struct DataInspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Count what shards hold, and make a contact sheet.",
    discussion: "Example: vugen data inspect scenes --sheet sheet.png")

  @Argument(help: "Shard files, or folders of them.", completion: .file(extensions: ["tar"]))
  var shards: [String]
  @Option(
    help: "Write a contact sheet to this file (.png, .jpg or .webp).",
    completion: .file(extensions: ["png", "jpg", "webp"]))
  var sheet: String?
  @Option(help: "Number of pictures on the sheet.") var pictures = 48
  @Option(help: "Number of classes to list, most frequent first.") var classes = 10
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if classes < 0 { throw ValidationError("--classes must be 0 or more.") }
    if !(1...1000).contains(pictures) { throw ValidationError("--pictures must be 1 to 1000.") }
  }

  func run() throws {
    let files = try shards.flatMap { try Shards.files(at: $0) }
    var samples = 0, splits: [String: Double] = [:], kinds: [String: Double] = [:]
    var tasks: [String: Double] = [:], names: [String: Double] = [:]
    var items: [ContactSheet.Item] = []
    for file in files {
      let all = try Shards.read(file)
      samples += all.count
      for sample in all {
        guard let scene = sample.scene else { continue }
        splits[scene.split.rawValue, default: 0] += 1
        kinds[scene.kind.rawValue, default: 0] += 1
        for question in scene.questions { tasks[question.task.rawValue, default: 0] += 1 }
        for name in Set(scene.objects.map(\.name)) { names[name, default: 0] += 1 }
      }
      let wanted = sheet == nil ? 0 : (pictures + files.count - 1) / files.count
      for sample in all.prefix(min(wanted, pictures - items.count)) {
        items.append(
          .init(try Picture(bytes: sample.picture, name: "\(file): \(sample.key)"), sample.caption))
      }
    }
    if let sheet { try AtomicFile.write(Data(try ContactSheet().draw(items).data(for: sheet)), to: sheet) }
    if json {
      print(
        try jsonLine([
          "samples": .number(Double(samples)), "shards": .number(Double(files.count)),
          "splits": .numbers(splits),
          "kinds": .numbers(kinds), "tasks": .numbers(tasks), "classes": .numbers(names),
        ]))
      return
    }
    print("\(samples) samples in \(files.count) shards, \(names.count) classes and other captions")
    for (title, table) in [("split", splits), ("kind", kinds), ("task", tasks)] where !table.isEmpty {
      print("  \(title): " + Self.listed(table, most: table.count))
    }
    if !names.isEmpty { print("  class: " + Self.listed(names, most: classes)) }
  }

  private static func listed(_ table: [String: Double], most: Int) -> String {
    let order = table.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = order.prefix(most).map { "\($0.key) \(Int($0.value))" }.joined(separator: ", ")
    return shown + (order.count > most ? ", … (\(order.count))" : "")
  }
}

struct DataTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a byte-pair tokenizer on captions and questions.",
    discussion: "Example: vugen data tokenizer --output tokenizer.json --vocabulary 2048")

  @Option(name: .shortAndLong, help: "tokenizer.json file to write.", completion: .file(extensions: ["json"]))
  var output: String
  @Option(help: "Number of tokens, including special ones.") var vocabulary = 2048
  @Option(help: "Number of training scenes to read.") var scenes = 20_000
  @Option(help: "Seed of the scenes.") var seed: UInt64 = 1

  func validate() throws {
    if !(300...200_000).contains(vocabulary) { throw ValidationError("--vocabulary must be 300 to 200000.") }
    if scenes < 1 { throw ValidationError("--scenes must be at least 1.") }
  }

  func run() throws {
    let composer = SceneComposer(try ObjectBank(), seed: seed, size: 32)
    let learnt = try BytePairTraining(scenesOf: composer, scenes: scenes, vocabulary: vocabulary)
    try AtomicFile.write(learnt.json(specialTokens: BytePairTraining.specialTokens), to: output)
    print("\(learnt.tokens.count + BytePairTraining.specialTokens.count) tokens in \(output)")
  }
}
