import DataSets
import Files
import Foundation
import ModelFiles
import Pictures
import Recipes
import TestSupport
import Tensors
import Testing
import Training
import VUGEN

/// Latents as a data set of their own.
@Suite(.serialized)
@NumericActor
struct LatentTests {
  private struct Stop: Error {}

  private static var drawing: String?

  /// A tiny model with reducer and decoder, which have learnt nothing.
  private func model() throws -> String {
    if let folder = Self.drawing { return folder }
    var recipe = DecoderRecipe()
    (recipe.data.batch, recipe.data.wideShare, recipe.model.ratio) = (2, 0, 4)
    let run = try DecoderTraining(
      recipe, model: TinyModel.understanding(), folder: temporaryPath(), isResuming: false,
      bank: try curatedCutOuts.get())
    run.stop()
    let folder = temporaryPath()
    try run.export(to: folder)
    Self.drawing = folder
    return folder
  }

  private static func training(
    _ recipe: GeneratorRecipe, _ model: String, _ folder: String = temporaryPath(), latents: String? = nil
  ) throws -> GeneratorTraining {
    try GeneratorTraining(
      recipe, model: model, folder: folder, isResuming: false, latents: latents,
      bank: try curatedCutOuts.get())
  }

  private var scenes: GeneratorRecipe {
    var recipe = GeneratorRecipe()
    (recipe.data.batch, recipe.data.scenes, recipe.data.wideShare) = (4, 150, 0)
    recipe.optimization.steps = 4
    return recipe
  }

  /// Making a run works nothing out; latents that are stopped go on where they were, and are the same in the end.
  static func goOn(_ recipe: GeneratorRecipe, _ model: String) throws {
    var recipe = recipe
    recipe.data.scenes = 200
    let whole = temporaryPath(), parts = temporaryPath()
    var first = try training(recipe, model, whole), done: [Int] = []
    #expect(!FileName.exists(whole + "/latents"))
    try first.prepare { now, _ in done.append(now) }
    #expect(done == [0, 64, 128, 192, 200])
    first = try training(recipe, model, parts)
    #expect(throws: Stop.self) { try first.prepare { now, _ in if now == 64 { throw Stop() } } }
    // The same run goes on, and so does another that is begun in the folder.
    done = []
    #expect(throws: Stop.self) {
      try first.prepare { now, _ in
        done.append(now)
        if now == 128 { throw Stop() }
      }
    }
    #expect(done == [64, 128])
    done = []
    try training(recipe, model, parts).prepare { now, _ in done.append(now) }
    #expect(done == [128, 192, 200])
    let all = try StoredLatents(whole + "/latents"), joined = try StoredLatents(parts + "/latents")
    #expect(all.lines == 200 && joined.lines == 200 && all.entries == joined.entries)
    #expect(all.entries.values.allSatisfy { !$0.captions.isEmpty })
    done = []
    try training(recipe, model, parts).prepare { now, _ in done.append(now) }
    #expect(done.isEmpty)
  }

  /// Runs share a set: a second one makes nothing, also where both are at it at once; a link in the run leads there.
  @Test func runsShareASet() throws {
    let model = try model(), shared = temporaryPath(), a = temporaryPath(), b = temporaryPath()
    let first = try Self.training(scenes, model, a, latents: shared)
    var isBegun = false
    try first.prepare { now, of in
      #expect(of == 150)
      guard now > 0, !isBegun else { return }
      isBegun = true
      try Self.training(scenes, model, b, latents: shared).prepare { _, _ in }
    }
    #expect(try isBegun && StoredLatents(shared).lines == 150)
    for run in [a, b] {
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: run + "/latents") == shared)
      // The link is enough to find it again.
      try Self.training(scenes, model, run).prepare { _, _ in Issue.record("they are there") }
    }
    // Fewer of the same are a part of them; others are others.
    var recipe = scenes
    recipe.data.scenes = 20
    try Self.training(recipe, model, latents: shared).prepare { _, _ in Issue.record("they are there") }
    recipe.data.seed = 7
    try Self.training(recipe, model, latents: shared).prepare { _, _ in }
    #expect(try StoredLatents(shared).entries.count == 170)
    // A step needs no more than what is there.
    #expect(try first.step().loss.isFinite)
    try FileManager.default.moveItem(atPath: shared, toPath: shared + ".away")
    let gone = #expect(throws: RecipeError.self) { try Self.training(scenes, model, a) }
    #expect(gone?.description.contains("--latents") == true)
    let own = #expect(throws: RecipeError.self) {
      let run = temporaryPath()
      try FileName.makeFolder(run + "/latents")
      _ = try Self.training(scenes, model, run, latents: shared)
    }
    #expect(own?.description.contains("latents of its own") == true)
  }

  /// Entries are found by what they were made of: not by where a sample lies, nor by how its set is called.
  @Test func keysAreContents() throws {
    let model = try model(), shared = temporaryPath()
    func sample(_ number: Int, caption: String? = nil) throws -> Sample {
      let rgb = (0..<40 * 30).flatMap { i in (0..<3).map { UInt8(($0 + 1) * (number * 50 + i % 40) % 256) } }
      return Sample(
        key: "s\(number)", picture: try Picture(width: 40, height: 30, rgb: rgb).pngData(),
        pictureType: "png",
        caption: caption ?? "number \(number)", record: [])
    }
    func set(_ shards: [[Sample]]) throws -> String {
      let folder = try temporaryFolder()
      for (i, samples) in shards.enumerated() { try Shards.write(samples, to: "\(folder)/\(i).tar") }
      return folder
    }
    var recipe = scenes
    func count(_ shards: [[Sample]], views: Int = 1) throws -> Int {
      (recipe.data.shards, recipe.data.views, recipe.data.crop) = (try set(shards), views, .random)
      if views == 1 { recipe.data.crop = .center }
      let training = try Self.training(recipe, model, latents: shared)
      try training.prepare { _, _ in }
      #expect(try training.step().loss.isFinite)
      return try StoredLatents(shared).entries.count
    }
    let all = try (0..<4).map { try sample($0) }
    #expect(try count([all]) == 4)
    // In another order, in other files, one of them twice, and fewer of them.
    #expect(try count([[all[3], all[1]], [all[0], all[1]]]) == 4)
    #expect(try count([[all[0], try sample(1, caption: "another caption")]]) == 5)
    #expect(try count([all], views: 3) == 17)
    #expect(try count([all], views: 3) == 17)
    // A damaged picture is left out, and its place taken by another that is there.
    var damaged = all
    damaged[2].picture = Array(damaged[2].picture.prefix(60))
    recipe.data.maxSkipped = 0.3
    #expect(try count([damaged]) == 17)
    // Another model's are others, beside them.
    #expect(try Set(StoredLatents(shared).entries.values.map { $0.numbers.count }).count == 1)
  }

  /// Whatever a killed process has left half written is no entry, and nothing of it is in the way.
  @Test(arguments: [1, 40, 200, 3000]) func whatIsHalfWrittenIsNotRead(_ cut: Int) throws {
    let model = try model(), whole = temporaryPath(), place = temporaryPath()
    try Self.training(scenes, model, latents: whole).prepare { _, _ in }
    let index = try Data(contentsOf: URL(fileURLWithPath: whole + "/000001.index"))
    let numbers = try Data(contentsOf: URL(fileURLWithPath: whole + "/000001.latents"))
    try FileName.makeFolder(place)
    // The index has lost its end; the numbers have more than it says, and no whole entry at their end.
    try index.dropLast(cut).write(to: URL(fileURLWithPath: place + "/000001.index"))
    try numbers.dropLast(7).write(to: URL(fileURLWithPath: place + "/000001.latents"))
    let left = index.dropLast(cut).split(separator: 10, omittingEmptySubsequences: false).count - 2
    var first: Int?
    let training = try Self.training(scenes, model, latents: place)
    try training.prepare { done, _ in first = first ?? done }
    #expect(first == left && training.latentNotes.isEmpty)
    let found = try StoredLatents(place)
    #expect(found.chunks.count == 1 && found.lines == 150)
    #expect(try found.entries == StoredLatents(whole).entries)
  }

  private static func damage(_ path: String, at place: Int, with byte: UInt8? = nil) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[place] = byte ?? bytes[place] ^ 0x55
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  /// What is damaged is named and made anew, once.
  @Test(arguments: ["numbers", "caption", "key", "letter", "short", "cut", "head", "emptied"])
  func damageIsNamed(_ what: String) throws {
    let model = try model(), place = temporaryPath()
    try Self.training(scenes, model, latents: place).prepare { _, _ in }
    let before = try StoredLatents(place).entries
    let index = place + "/000001.index", numbers = place + "/000001.latents"
    let lines = try Data(contentsOf: URL(fileURLWithPath: index)).split(separator: 10)
    let line = lines[5].startIndex
    switch what {
    case "numbers": try Self.damage(numbers, at: 1000)
    case "caption": try Self.damage(index, at: line + 55)
    case "key": try Self.damage(index, at: line + 3, with: lines[5].dropFirst(3).first == 48 ? 49 : 48)
    case "letter": try Self.damage(index, at: line + 3, with: 120)
    // A line feed in its middle makes two of one, and moves all that come behind it.
    case "short": try Self.damage(index, at: lines[lines.count - 1].startIndex + 20, with: 10)
    case "emptied": #expect(truncate(index, 0) == 0)
    case "cut":
      let size = try #require(FileName.status(numbers)?.st_size)
      #expect(truncate(numbers, size - 10) == 0)
    default: try Self.damage(index, at: 2)
    }
    let training = try Self.training(scenes, model, latents: place)
    try training.prepare { _, _ in }
    // A key that is another one's says nothing.
    let isTold = training.latentNotes.count == 1 && training.latentNotes[0].contains("000001")
    #expect(isTold == (what != "key"), "\(training.latentNotes)")
    #expect(try training.step().loss.isFinite)
    if what == "head" {
      #expect(FileName.exists(place + "/000002.index"))
      FileName.remove(index)
      FileName.remove(numbers)
    }
    let again = try Self.training(scenes, model, latents: place)
    try again.prepare { _, _ in Issue.record("it is mended") }
    #expect(again.latentNotes.isEmpty)
    let after = try StoredLatents(place).entries.filter { before[$0.key] != nil }
    #expect(after == before)
  }

  /// Another model's latents lie beside, and are never read.
  @Test func anotherModelsAreOthers() throws {
    let model = try model(), shared = temporaryPath(), other = temporaryPath()
    try FileManager.default.copyItem(atPath: model, toPath: other)
    let path = other + "/" + GenerationFiles.reducer
    var tensors = try SafetensorsFile(path: path).allTensors().mapValues { $0.copied() }
    tensors["fc2.bias"] = .full(try #require(tensors["fc2.bias"]).shape, 0.5, .bf16)
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: path)
    try Self.training(scenes, model, latents: shared).prepare { _, _ in }
    var first: Int?
    try Self.training(scenes, other, latents: shared).prepare { done, _ in first = first ?? done }
    let found = try StoredLatents(shared)
    #expect(first == 0 && found.lines == 300 && found.chunks.count == 2)
  }

  /// A run from before goes on with the file that it has.
  @Test func olderRunsGoOn() throws {
    let model = try model(), run = try temporaryFolder(),
      loaded = try LoadedModel(folder: model, precision: .f32)
    let name = OlderLatents.name(scenes.data, try loaded.generation(), loaded.tower.core.encoder)
    var random = Philox(seed: 3)
    let latents = Tensor.normal([150, 16, 4], type: .bf16, using: &random)
    let captions = (0..<150).map { ["picture \($0)"] }
    try SafetensorsWriter.write(
      ["latents": latents],
      metadata: ["captions": String(decoding: try JSONEncoder().encode(captions), as: UTF8.self)],
      to: "\(run)/\(name)")
    let training = try Self.training(scenes, model, run)
    try training.prepare { _, _ in Issue.record("they are there") }
    #expect(try training.step().loss.isFinite && !FileName.exists(run + "/latents"))
  }
}
