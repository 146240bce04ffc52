import ArgumentParser
import DataSets
import Files
import Foundation
import Pictures

struct DataInspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Count what shards hold, and make a contact sheet.",
    discussion: """
      Samples are read as training reads them, pictures included; what training would skip is counted and named.

      Example: vugen data inspect scenes --sheet sheet.png
      """)

  @Argument(
    help: "Shard files, or folders of them.", completion: .file(extensions: ["tar"]), transform: readPath)
  var shards: [String]
  @Option(
    help: "Write a contact sheet to this file (.png, .jpg or .webp).",
    completion: .file(extensions: ["png", "jpg", "webp"]), transform: picturePath)
  var sheet: String?
  @OptionGroup var existing: OverwriteOption
  @Option(parsing: .unconditional, help: "Number of pictures on the sheet.") var pictures = 48
  @Option(parsing: .unconditional, help: "Number of classes to list, most frequent first.") var classes = 10
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if classes < 0 { throw ValidationError("--classes must be 0 or more.") }
    if !(1...1000).contains(pictures) { throw ValidationError("--pictures must be 1 to 1000.") }
    try BinaryOutput.check([sheet], isJSON: json)
  }

  func run() throws {
    BinaryOutput.take([sheet])
    let files = try shards.flatMap { try Shards.files(at: $0) }
    try checkOutput(sheet, isNoneOf: files)
    try existing.check(sheet)
    let index = try ShardIndex(files: files)
    let tally = try ShardTally(of: index, pictures: sheet == nil ? 0 : pictures) { done in
      ProgressLine.show("\(done) of \(index.count) samples")
    }
    ProgressLine.end()
    guard tally.samples > 0 else {
      throw CommandError(
        "none of \(counted(tally.skippedCount, "sample")) can be used; the first: \(tally.skippedSamples.first ?? "")"
      )
    }
    if let sheet {
      let items = tally.pictures.map { ContactSheet.Item($0.picture, $0.caption) }
      let drawn = Data(try ContactSheet().draw(items).data(for: sheet))
      try existing.write(sheet) { try AtomicFile.write(drawn, to: $0) }
    }
    if json { print(try jsonLine(report(tally, index))) } else { show(tally, index) }
  }

  private func report(_ tally: ShardTally, _ index: ShardIndex) -> [String: ReportValue] {
    [
      "samples": .number(Double(tally.samples)), "shards": .number(Double(index.files.count)),
      "splits": numbers(tally.splits), "kinds": numbers(tally.kinds), "tasks": numbers(tally.tasks),
      "classes": numbers(tally.names), "damagedRecords": .number(Double(tally.damagedRecords)),
      "skipped": .number(Double(tally.skippedCount)),
      "skippedKinds": numbers(tally.skipped),
      "skippedSamples": .list(tally.skippedSamples.map { .text($0) }),
      "trainingShards": .number(Double(Set(index.files).intersection(trained()).count)),
      "problems": .list(index.problems.map { .text("\($0)") }),
      "passedOver": .number(Double(shards.reduce(0) { $0 + Shards.others(at: $1).count })),
    ]
  }

  private func numbers(_ counts: [String: Int]) -> ReportValue { .numbers(counts.mapValues(Double.init)) }

  private func show(_ tally: ShardTally, _ index: ShardIndex) {
    let (samples, shards) = (counted(tally.samples, "sample"), counted(index.files.count, "shard"))
    let count = tally.names.count, plain = tally.samples - tally.scenes
    let parts = [
      count > 0 ? "things of \(count == 1 ? "1 class" : "\(count) classes")" : "",
      tally.scenes > 0 && plain > 0 ? "\(counted(plain, "sample")) with a caption alone" : "",
    ]
    print((["\(samples) in \(shards)"] + parts.filter { !$0.isEmpty }).joined(separator: ", "))
    for (title, table) in [("split", tally.splits), ("kind", tally.kinds), ("task", tally.tasks)]
    where !table.isEmpty {
      print("  \(title): " + Self.listed(table, most: table.count))
    }
    if !tally.names.isEmpty { print("  class: " + Self.listed(tally.names, most: classes)) }
    if tally.damagedRecords > 0 {
      print(
        "  damaged: \(counted(tally.damagedRecords, "record")) of scenes, such as with a number that is none; "
          + "their captions alone are used")
    }
    if tally.skippedCount > 0 {
      print(
        "  skipped: \(tally.skippedCount) of \(counted(tally.samples + tally.skippedCount, "sample")): "
          + Self.listed(tally.skipped, most: 9))
      for sample in tally.skippedSamples { print("    " + sample.oneLine) }
      if tally.skippedCount > tally.skippedSamples.count { print("    …") }
    }
    for problem in index.problems { print("  not whole: " + "\(problem)".oneLine) }
    for place in self.shards {
      if let line = Shards.others(at: place).line { print("  \(place): \(line)".oneLine) }
    }
    let trained = trained()
    let others = index.files.filter { !trained.contains($0) }
    if !others.isEmpty, others.count < index.files.count {
      print("  training reads \(trained.count) of these shards, not " + Self.fewNames(others))
    }
  }

  /// Those of the shards that training would read.
  private func trained() -> Set<String> { Set(shards.flatMap { (try? Shards.trainingFiles(at: $0)) ?? [] }) }

  private static func fewNames(_ files: [String]) -> String {
    files.prefix(3).map { FileName.last(of: $0).oneLine }.joined(separator: ", ")
      + (files.count > 3 ? ", …" : "")
  }

  private static func listed(_ table: [String: Int], most: Int) -> String {
    let order = table.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = order.prefix(most).map { "\($0.key.oneLine) \($0.value)" }.joined(separator: ", ")
    return shown + (order.count > most ? ", … (\(order.count))" : "")
  }
}

struct DataTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a byte-pair tokenizer on captions and questions.",
    discussion: "Example: vugen data tokenizer --output tokenizer.json --vocabulary 2048")

  @Option(
    name: .shortAndLong, help: "tokenizer.json file to write.", completion: .file(extensions: ["json"]),
    transform: writtenPath)
  var output: String
  @OptionGroup var existing: OverwriteOption
  @Option(parsing: .unconditional, help: "Number of tokens, including special ones.") var vocabulary = 2048
  @Option(parsing: .unconditional, help: "Number of training scenes to read.") var scenes = 20_000
  @Option(parsing: .unconditional, help: "Seed of the scenes.") var seed: UInt64 = 1

  func validate() throws {
    if !(300...200_000).contains(vocabulary) { throw ValidationError("--vocabulary must be 300 to 200000.") }
    if !(1...1_000_000).contains(scenes) { throw ValidationError("--scenes must be 1 to 1000000.") }
  }

  func run() throws {
    BinaryOutput.take([output])
    try existing.check(output)
    let composer = SceneComposer(try ObjectBank(), seed: seed, size: 32)
    let learnt = try BytePairTraining(scenesOf: composer, scenes: scenes, vocabulary: vocabulary)
    let tokenizer = try learnt.json(specialTokens: BytePairTraining.specialTokens)
    let path = try existing.write(output) { path in
      try AtomicFile.write(tokenizer, to: path)
      return path
    }
    print("\(learnt.tokens.count + BytePairTraining.specialTokens.count) tokens in \(path.oneLine)")
  }
}
