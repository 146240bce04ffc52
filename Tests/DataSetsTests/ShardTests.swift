import DataSets
import Files
import Foundation
import ModelFiles
import Pictures
import Tensors
import TestSupport
import Testing

/// All samples of shards in order.
private func stored(_ files: [String]) throws -> [Sample] {
  let index = try ShardIndex(files: files)
  return try (0..<index.count).map(index.sample)
}

@Suite struct ShardTests {
  private func folder() throws -> String {
    let path = temporaryPath()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  @Test func shardsAreTheSameByteForByteAndReadBack() throws {
    let composer = SceneComposer(try bank.get(), seed: 5, size: 64)
    var builder = SceneShardBuilder(composer)
    builder.scenesPerShard = 20
    let a = try folder(), b = try folder()
    for path in [a, b] { try builder.write([(.train, 30), (.heldOut, 10)], to: path) }
    let names = try FileManager.default.contentsOfDirectory(atPath: a).sorted()
    #expect(names == ["held-out-000000.tar", "held_out.json", "train-000000.tar", "train-000001.tar"])
    for name in names {
      #expect(
        FileManager.default.contents(atPath: "\(a)/\(name)")
          == FileManager.default.contents(atPath: "\(b)/\(name)"))
    }
    let samples = try stored(Shards.trainingFiles(at: a))
    #expect(samples.count == 30)
    let scene = composer.scene(21, .train)
    #expect(samples[21].scene == scene.record)
    #expect(samples[21].caption == scene.record.caption)
    #expect(try Picture(bytes: samples[21].picture, name: "21") == scene.picture)
  }

  @Test func shardsAreCounted() throws {
    let path = try folder(), png = try Picture(width: 8, height: 8, red: 9, green: 8, blue: 7).pngData()
    func sample(_ key: String, _ picture: [UInt8], _ caption: String) -> Sample {
      Sample(key: key, picture: picture, pictureType: "png", caption: caption, record: [123, 125])
    }
    for name in ["x", "y"] {
      try Shards.write(
        [sample("a", png, "one"), sample("b", [1, 2, 3], "two"), sample("c", png, "three")],
        to: "\(path)/\(name).tar")
    }
    var done: [Int] = []
    let tally = try ShardTally(of: ShardIndex(files: ["\(path)/x.tar", "\(path)/y.tar"]), pictures: 3) {
      done.append($0)
    }
    #expect(tally.samples == 4 && tally.skippedCount == 2 && done.count == 6)
    #expect(tally.skipped == ["damaged picture": 2] && tally.skippedSamples.count == 2)
    #expect(tally.pictures.map(\.caption) == ["one", "three", "one"])
    #expect(tally.splits.isEmpty && tally.names.isEmpty)
  }

  @Test func scenesAreCountedByWhatTheyShow() throws {
    let path = try folder(), composer = SceneComposer(try curatedCutOuts.get(), seed: 5, size: 32)
    try SceneShardBuilder(composer).write([(.train, 6), (.heldOut, 3)], to: path)
    let tally = try ShardTally(of: ShardIndex(files: Shards.files(at: path)), pictures: 0)
    #expect(tally.splits == ["train": 6, "held-out": 3] && tally.samples == 9 && tally.pictures.isEmpty)
    #expect(tally.kinds.values.reduce(0, +) == 9 && !tally.names.isEmpty && !tally.tasks.isEmpty)
    #expect(tally.damagedRecords == 0)
    // A number that is none takes the record with it, and that is told.
    var samples = try stored(Shards.files(at: path))
    samples[0].record = [UInt8](
      String(decoding: samples[0].record, as: UTF8.self).replacing(
        #/"angle":[-0-9.e]+/#, with: "\"angle\":NaN"
      ).utf8)
    samples[1].record = Array(#"{"background": 1, "width": NaN}"#.utf8)
    try Shards.write(samples, to: path + "/spoilt.tar")
    let spoilt = try ShardTally(of: ShardIndex(files: [path + "/spoilt.tar"]), pictures: 0)
    #expect(spoilt.damagedRecords == 1 && spoilt.samples == 9 && spoilt.scenes == 7)
  }

  @Test func systemTarReadsThem() throws {
    let path = try folder()
    let sample = Sample(
      key: "a", picture: [1, 2, 3], pictureType: "png", caption: "a cat", record: [123, 125])
    try Shards.write([sample], to: path + "/x.tar")
    let ended = try ChildProgram.run(["/bin/tar", "-xOf", path + "/x.tar", "a.txt"])
    #expect(ended.status == 0 && ended.output == "a cat")
  }

  @Test func ownPicturesBecomeShards() throws {
    let path = try folder()
    let png = try Picture(width: 40, height: 20, red: 9, green: 8, blue: 7).pngData()
    for name in ["a", "b", "c"] { try Data(png).write(to: URL(fileURLWithPath: "\(path)/\(name).png")) }
    try Data("a dark picture\n".utf8).write(to: URL(fileURLWithPath: path + "/a.txt"))
    #expect(try FolderImport.pairs(in: path).pairs.map(\.caption) == ["a dark picture"])
    let csv = "file,caption\na.png,\"one, \"\"two\"\"\"\nb.png,plain\nmissing.png,none\n"
    try Data(csv.utf8).write(to: URL(fileURLWithPath: path + "/list.csv"))
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: path + "/missing.png"))
    let pairs = try FolderImport.pairs(in: path, list: path + "/list.csv").pairs
    #expect(pairs.map(\.caption) == ["one, \"two\"", "plain", "none"])
    let bad = try FolderImport.write(pairs, to: path + "/shards", size: 10)
    #expect(bad.count == 1 && bad[0].path.hasSuffix("missing.png"))
    let samples = try stored(Shards.files(at: path + "/shards"))
    #expect(samples.map(\.caption) == ["one, \"two\"", "plain"])
    #expect(try Picture(bytes: samples[0].picture, name: "a").width == 10)
    try Data("{\"file\": \"a.png\"}\n".utf8).write(to: URL(fileURLWithPath: path + "/list.jsonl"))
    #expect(throws: DataSetError.self) { try FolderImport.pairs(in: path, list: path + "/list.jsonl") }
  }

  /// A bitmap of one pixel, which becomes PNG; a JPEG that lies on its side; PNG, WebP and JPEG.
  private func files() throws -> [(String, [UInt8])] {
    var random = Philox(seed: 2)
    let pixels = random.integers(below: 256, count: 200 * 120 * 3).map { UInt8($0) }
    let noise = Picture(width: 200, height: 120, rgb: pixels), plain = try noise.jpegData()
    let exif: [UInt8] =
      Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
    let turned: [UInt8] =
      Array(plain.prefix(2)) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + Array(plain.dropFirst(2))
    let bitmap: [UInt8] =
      Array("BM".utf8) + [
        58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0,
      ]
      + [UInt8](repeating: 0, count: 24) + [7, 8, 9, 0]
    return [
      ("a.bmp", bitmap), ("b.jpg", turned), ("c.png", try noise.pngData()), ("d.webp", try noise.webpData()),
      ("e.jpeg", plain),
    ]
  }

  /// A whole disk by a slip: shards are not looked for without an end.
  @Test func shardsAreNotLookedForWithoutAnEnd() throws {
    let folder = try temporaryFolder()
    for name in ["a/b/c/x.txt", "d/e/y.txt"] {
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: path))
    }
    let error = #expect(throws: DataSetError.self) { try Shards.files(at: folder, most: 5) }
    #expect(
      error?.description
        == "\(folder): holds no shards (.tar) itself, and more than 5 files and folders below, too many to look through; name the folder of the shards"
    )
    let none = #expect(throws: DataSetError.self) { try Shards.files(at: folder) }
    #expect(none?.description.contains("holds no shards (.tar); make some") == true)
    try Data().write(to: URL(fileURLWithPath: folder + "/d/e/z.tar"))
    #expect(try Shards.files(at: folder) == [folder + "/d/e/z.tar"])
  }

  /// A shard is no larger than what lies in it: PNG, JPEG and WebP stay as they are, and lie as EXIF says.
  @Test func filesStayAsTheyAre() throws {
    let path = try folder(), files = try files()
    for (name, bytes) in files {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
      try Data(name.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name).txt"))
    }
    let pairs = try FolderImport.pairs(in: path).pairs
    #expect(try FolderImport.write(pairs, to: path + "/shards", size: 200).isEmpty)
    let shards = try Shards.files(at: path + "/shards"), samples = try stored(shards)
    #expect(samples.map(\.pictureType) == ["png", "jpeg", "png", "webp", "jpeg"])
    for (sample, file) in zip(samples, files).dropFirst() { #expect(sample.picture == file.1, "\(file.0)") }
    let size = try Data(contentsOf: URL(fileURLWithPath: shards[0])).count
    // Three members of each, with a header and padding, and the end.
    #expect(size <= files.reduce(0) { $0 + $1.1.count } + files.count * 3 * 1536 + 10_240)
    var sizes: [[Int]] = []
    try ShardIndex(files: shards).readAll { _, read in
      let picture = try read.get().picture
      sizes.append([picture.width, picture.height])
    }
    #expect(sizes == [[1, 1], [120, 200], [200, 120], [200, 120], [200, 120]])
    // What is shrunk is written anew.
    #expect(try FolderImport.write(pairs, to: path + "/small", size: 100).isEmpty)
    #expect(try stored(Shards.files(at: path + "/small")).allSatisfy { $0.pictureType == "png" })
  }
}

@Suite struct BytePairTests {
  @Test func frequentWordsBecomeTokensAndTextComesBack() throws {
    let counts = try Tokenizer.wordCounts(of: ["a red apple left of a red car", "the red apple"])
    let learnt = BytePairTraining(words: counts, vocabulary: 290)
    let path = temporaryPath(".json")
    try AtomicFile.write(learnt.json(specialTokens: BytePairTraining.specialTokens), to: path)
    let tokenizer = try Tokenizer(json: path)
    #expect(tokenizer.encode(" red").count == 1)
    for text in ["a red apple", "Ünïcode — 🍎 <|eot_id|>", ""] {
      #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }
    #expect(tokenizer.specialTokens["<|eot_id|>"] == Int32(learnt.tokens.count + 6))
    #expect(!tokenizer.encode("<|eot_id|>").contains(Int32(learnt.tokens.count + 6)))
  }

  @Test func theFirstMergeIsTheMostFrequentPair() {
    let learnt = BytePairTraining(words: ["abab": 3, "bc": 4], vocabulary: 257)
    #expect(learnt.tokens.last == Array("ab".utf8))
  }
}
