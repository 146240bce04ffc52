import Foundation
import Layers
import ModelFiles
import Pictures
import Requests
import TestSupport
import Tensors
import Testing
import VUGEN

/// SmolVLM against transformers, on two random models that `make_smolvlm_models.py` writes: of both model types, of even and
/// odd grids, with numbers of two types.
@Suite(.serialized)
@NumericActor
struct SmolVLMTests {
  nonisolated private static let names = ["idefics3", "smolvlm"]
  private static let whole = Tiling.thumbnailAndTiles(most: 36)

  private func load(_ name: String) throws -> (
    model: LoadedModel, reference: [String: Tensor], picture: Picture
  ) {
    let folder = try fixtures() + "/smolvlm/" + name
    return (
      try LoadedModel(folder: folder, precision: .f32),
      try SafetensorsFile(path: folder + "/reference.safetensors").allTensors(),
      try Picture(path: folder + "/picture.png")
    )
  }

  @Test(arguments: names)
  func matchesTheReference(_ name: String) throws {
    let (model, reference, picture) = try load(name)
    let tower = model.tower, vision = model.configuration.vision
    for (tag, tiling) in [("single", Tiling.single), ("tiles", Self.whole)] {
      // Two resizings that each round to 8 bits may end a level apart.
      let levels = try #require(reference["\(tag).pixels"]).toIndices().map(Float.init)
      let own = vision.tiles(of: picture, tiling).toArray().map { ($0 + 1) * 127.5 }
      #expect(own.count == levels.count && zip(own, levels).allSatisfy { abs($0 - $1) < 1.1 }, "\(tag)")
      let side = vision.imageSize
      let tiles = Tensor(
        levels.map { $0 / 127.5 - 1 }, shape: [levels.count / side / side / 3, side, side, 3])
      let (features, projected) = tower.encode(tiles)
      let expected = try #require(reference["\(tag).features"])
      #expect(relativeError(features, expected) < 1e-4, "\(tag)")
      #expect(relativeError(projected, try #require(reference["\(tag).projected"])) < 1e-4)
      let ids = try #require(reference["\(tag).ids"]).toIndices(),
        logits = try #require(reference["\(tag).logits"])
      let all = tower.logits(tower.core.language(try tower.embed(ids, projected: projected)))
      #expect(relativeError(all.sliced(all.size(0) - logits.size(0)..<all.size(0)), logits) < 1e-4)
    }
  }

  /// Prompts and greedy answers, by conversations and by batches.
  @Test(arguments: names)
  func asksAndAnswersAlike(_ name: String) throws {
    let (model, reference, picture) = try load(name)
    var random = Philox(seed: 0)
    let question = Question("Describe this.", pictures: [picture])
    for (tag, tiling) in [("single", Tiling.single), ("tiles", Self.whole)] {
      let talk = Conversation(model), turn = Turn(question, for: model, tiling)
      let answer = try talk.ask(turn, most: 16, using: &random)
      #expect(talk.promptTokens == reference["\(tag).ids"]?.toIndices(), "\(tag)")
      var batched: BatchAnswer?, isAsked = false
      _ = try AnswerBatch(model, slots: 2).run {
        defer { isAsked = true }
        return isAsked ? nil : .success(BatchQuestion(turn, most: 16))
      } isCancelled: {
        false
      } onAnswer: { _, result in
        batched = try result.get()
      }
      #expect(batched?.tokens == answer.tokens && batched?.text == answer.text)
      if tag == "single" {
        let greedy = try #require(reference["greedy"]).toIndices()
        #expect(answer.tokens == greedy.filter { !model.template.ends($0) })
      }
    }
  }

  /// A conversation's later turns, and words beside digits.
  @Test(arguments: names)
  func conversationsAreSpelledAlike(_ name: String) throws {
    let (model, reference, _) = try load(name)
    var random = Philox(seed: 0)
    for (i, text) in [
      "Describe this.", "How many things: 3, 12 or 345?  And  what's left?", "naïve 😀 12 345\n\nyes",
    ].enumerated() {
      let talk = Conversation(model)
      talk.recall([Turn(.user, text), Turn(.assistant, "Yes.")])
      _ = try talk.ask(Turn(.user, "More?"), most: 1, using: &random)
      #expect(talk.promptTokens == reference["words.\(i)"]?.toIndices(), "\(text)")
    }
  }

  private struct Sizes: Decodable {
    let width, height, rows, columns: Int
  }

  /// The tiles of twenty sizes.
  @Test(arguments: names)
  func cutsTheReferencesTiles(_ name: String) throws {
    let folder = try fixtures() + "/smolvlm/" + name
    let vision = try UnderstandingConfiguration(folder: folder).vision
    let list = try JSONDecoder().decode(
      [Sizes].self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/tilings.json")))
    #expect(list.count == 20)
    for one in list {
      let plain = Picture(
        width: one.width, height: one.height, rgb: [UInt8](repeating: 90, count: one.width * one.height * 3))
      let tiled = vision.tiled(plain, Self.whole)
      #expect(tiled.grid == TileGrid(columns: one.columns, rows: one.rows), "\(one)")
      #expect(tiled.count == one.columns * one.rows + 1)
      let fewer = vision.tiled(plain, .thumbnailAndTiles(most: 4))
      #expect(fewer.count <= 5 || one.width > 20 * one.height || one.height > 20 * one.width, "\(one)")
    }
  }

  @Test func saysWhatDoesNotFit() throws {
    let folder = temporaryPath()
    try FileManager.default.copyItem(atPath: try fixtures() + "/smolvlm/smolvlm", toPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func reason(_ file: String, _ change: (String) -> String) throws -> String {
      let path = "\(folder)/\(file)", before = try String(contentsOfFile: path, encoding: .utf8)
      try change(before).write(toFile: path, atomically: true, encoding: .utf8)
      defer { try? before.write(toFile: path, atomically: true, encoding: .utf8) }
      do {
        _ = try LoadedModel(folder: folder)
        return ""
      } catch { return "\(error)" }
    }
    #expect(try reason("config.json") { $0 } == "")
    #expect(
      try reason("config.json") { $0.replacing("\"scale_factor\": 3", with: "\"scale_factor\": 4") }.contains(
        "does not divide"))
    #expect(
      try reason("config.json") { $0.replacing("\"patch_size\": 7", with: "\"patch_size\": 0") }.contains(
        "patch_size"))
    #expect(
      try reason("preprocessor_config.json") { $0.replacing("135", with: "-1") }.contains("longest_edge"))
    #expect(
      try reason("tokenizer.json") { $0.replacing("<end_of_utterance>", with: "<end>") }.contains(
        "<end_of_utterance>"))
    #expect(
      try reason("chat_template.json") { $0.replacing("end_of_utterance", with: "eot") }.contains(
        "SmolVLM's is"))
  }
}
