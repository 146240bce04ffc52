import DataSets
import Files
import Foundation
import ModelFiles
import Pictures
import Recipes
import Tensors
import TestSupport
import Testing
import VUGEN

/// Shards that people bring: what of them is trained on, what is skipped, what is cut.
@Suite struct StoredSamplesTests {
  private let folder: String

  init() throws { folder = try temporaryFolder() }

  /// Shards of `count` samples, of which some are no pictures.
  private func shards(_ count: Int, bad: Set<Int> = [], caption: String = "red") throws -> String {
    let png = try Picture(width: 8, height: 8, red: 200, green: 30, blue: 30).pngData()
    let samples = (0..<count).map { i in
      Sample(
        key: "\(i)", picture: bad.contains(i) ? [1, 2, 3] : png, pictureType: "png",
        caption: "\(caption) \(i)",
        record: [])
    }
    try Shards.write(samples, to: folder + "/any.tar")
    return folder
  }

  private func source(_ shards: String, mostSkipped: Double = 0.01) throws -> ExampleSource {
    try ExampleSource(
      shards: shards, seed: 3, wideShare: 0, framing: Framing(), side: 32, mostSkipped: mostSkipped,
      folder: folder
    ) {
      throw DataSetError("", "no cut-outs are needed")
    }
  }

  @Test func damagedSamplesAreSkippedAndNamed() throws {
    let source = try source(shards(12, bad: [0, 5]), mostSkipped: 0.17)
    #expect(source.notes.isEmpty)
    // Two passes; each has every good sample, and any example is the same whenever it is made.
    let captions = try (0..<24).map { try source.example($0, side: 32).caption }
    for pass in [captions.prefix(12), captions.suffix(12)] {
      #expect(Set(pass) == Set((0..<12).filter { $0 != 0 && $0 != 5 }.map { "red \($0)" }))
    }
    let again = try self.source(folder, mostSkipped: 0.17)
    #expect(try (0..<24).reversed().map { try again.example($0, side: 32).caption } == captions.reversed())
    #expect(
      source.notes.count == 1 && source.notes[0].hasPrefix("2 of 12 samples skipped: 2 × damaged picture"))
    let lines = try String(contentsOfFile: folder + "/skipped.jsonl", encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2 && lines.allSatisfy { $0.contains("\"kind\":\"damaged picture\"") })
  }

  /// Records of scenes that cannot be used are counted as `data inspect` counts them; their captions are learnt.
  @Test func damagedRecordsAreCountedAndNamed() throws {
    let png = try Picture(width: 8, height: 8, red: 200, green: 30, blue: 30).pngData()
    let samples = (0..<4).map { i in
      let record = i % 2 == 0 ? "{}" : #"{"background": 3, "objects": "none", "questions": []}"#
      return Sample(
        key: "\(i)", picture: png, pictureType: "png", caption: "red \(i)", record: Array(record.utf8))
    }
    try Shards.write(samples, to: folder + "/any.tar")
    let source = try source(folder)
    #expect(source.notes.isEmpty)
    let captions = try (0..<8).map { try source.example($0, side: 32).caption }
    #expect(Set(captions) == ["red 0", "red 1", "red 2", "red 3"])
    #expect(
      source.notes.count == 1 && source.notes[0].hasPrefix("2 records of scenes are damaged")
        && source.notes[0].contains("their captions alone are learnt")
        && [1, 3].contains { source.notes[0].hasSuffix("any.tar: \($0)") }, "\(source.notes)")
    let tally = try ShardTally(of: ShardIndex(files: Shards.files(at: folder)), pictures: 0)
    #expect(tally.damagedRecords == 2)
  }

  @Test func tooManyDamagedSamplesStopARun() throws {
    let shards = try shards(30, bad: Set(0..<12))
    func all(_ share: Double) throws {
      let source = try source(shards, mostSkipped: share)
      for i in 0..<30 { _ = try source.example(i, side: 32) }
    }
    let error = #expect(throws: DataSetError.self) { try all(0.1) }
    #expect(
      error?.description.contains("4 of 30 samples cannot be used, more than data.maxSkipped = 0.1") == true)
    #expect(error?.description.contains("skipped.jsonl") == true)
    try all(0.5)
    #expect(throws: DataSetError.self) { try all(0) }
    // The share, and one in any case: not ten, as it was.
    for (bad, share, holds) in [(1, 0.01, true), (2, 0.01, false), (3, 0.1, true), (4, 0.1, false)] {
      let some = try source(self.shards(30, bad: Set(0..<bad)), mostSkipped: share)
      func read() throws { for i in 0..<30 { _ = try some.example(i, side: 32) } }
      if holds { try read() } else { #expect(throws: DataSetError.self) { try read() } }
    }
    let none = try source(self.shards(4, bad: [0, 1, 2, 3]))
    #expect(throws: DataSetError.self) { try none.example(0, side: 32) }
    var recipe = UnderstandingRecipe()
    recipe.data.maxSkipped = 2
    #expect(throws: RecipeError.self) { try recipe.check() }
  }

  /// A caption that the model cannot read to its end is cut where its context ends.
  @Test func longCaptionsAreCut() throws {
    var vision = VisionConfiguration(), text = TextConfiguration()
    (vision.imageSize, vision.patchSize) = (32, 8)
    (text.vocabulary, text.context) = (600, 80)
    let path = temporaryPath(".json")
    let learnt = BytePairTraining(words: [:], vocabulary: 256)
    try AtomicFile.write(learnt.json(specialTokens: BytePairTraining.specialTokens), to: path)
    let tokenizer = try Tokenizer(json: path)
    let image = try #require(tokenizer.specialTokens["<|image|>"])
    let c = UnderstandingConfiguration(vision: vision, text: text, poolingRatio: 2, imageToken: image)
    var data = UnderstandingRecipe.Data()
    (data.batch, data.questions) = (2, 2)
    let template = try ChatTemplate(tokenizer, c, folder: path)
    for (caption, isCut) in [(String(repeating: "red apple ", count: 500), true), ("red", false)] {
      let source = try source(shards(2, caption: caption))
      let batch = try BatchPacker(source, template, c, classes: [], data: data).make(0)
      #expect((batch.positions.max() ?? 0 == 79) == isCut && (batch.positions.max() ?? 0) < 80)
      #expect(
        !batch.answerPlaces.isEmpty && batch.answerPlaces.allSatisfy { Int($0) < batch.batch * batch.time })
      #expect(source.notes.contains { $0.hasPrefix("2 captions are longer") } == isCut, "\(source.notes)")
    }
    // A limit of one's own, below the context.
    data.maxTokens = 3
    let source = try source(shards(2, caption: "red apple and more")),
      limited = try BatchPacker(source, template, c, classes: [], data: data).make(0)
    data.maxTokens = 0
    let whole = try BatchPacker(source, template, c, classes: [], data: data).make(0)
    #expect(source.notes.contains { $0.hasPrefix("2 captions are longer") })
    #expect(limited.answerTokens.count == 2 * 4 && whole.answerTokens.count > 2 * 8)
    let (short, wasCut) = template.description(String(repeating: "x ", count: 99), most: 20)
    #expect(short.count == 20 && wasCut && short.last == template.description("").last)
    #expect(template.description("red", most: 20).tokens == template.description("red"))
  }

  /// What was there comes back also from behind a tokenizer that is learnt already.
  @Test func whatWasPutAsideComesBackFromTheWords() throws {
    let run = temporaryPath()
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: run + "/config.json"))
    var recipe = UnderstandingRecipe()
    recipe.data.shards = try shards(3)
    try OutputFolder.putAside(run)
    try UnderstandingTraining.learnTokenizer(recipe, folder: run)
    #expect(try FileManager.default.contentsOfDirectory(atPath: run) == ["tokenizer.json"])
    OutputFolder.putBack(run)
    #expect(try FileManager.default.contentsOfDirectory(atPath: run) == ["config.json"])
    let beside = try FileManager.default.contentsOfDirectory(
      atPath: (run as NSString).deletingLastPathComponent)
    #expect(beside.filter { $0.hasPrefix((run as NSString).lastPathComponent + ".") }.isEmpty)
  }

  @Test(arguments: ["config.json", "train-000000.tar"]) @NumericActor
  func aRunIsNotBegunInAFolderThatHoldsOtherWork(_ name: String) throws {
    try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    let error = #expect(throws: RecipeError.self) {
      try UnderstandingTraining(UnderstandingRecipe(), folder: folder, isResuming: false)
    }
    #expect(error?.description.contains("--overwrite") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [name])
  }
}
