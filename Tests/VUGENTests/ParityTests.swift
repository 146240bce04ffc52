import Foundation
import Layers
import ModelFiles
import Pictures
import TestSupport
import Tensors
import Testing
import VUGEN

/// The folder that `make_plm_models.py` writes.
func fixtures() throws -> String {
  try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).path
}

let modelNames = ["plain", "bare", "rounded", "wide"]

/// The whole tower against transformers and timm, on four random models that differ in class token,
/// LayerScale, depth, pooling, tied output, rope scaling, key/value heads, head size and file type.
@Suite(.serialized)
@NumericActor
struct ParityTests {
  private func load(_ name: String) throws -> (tower: UnderstandingTower, reference: [String: Tensor]) {
    let folder = try fixtures() + "/" + name
    return (
      try UnderstandingTower(folder: folder),
      try SafetensorsFile(path: folder + "/reference.safetensors").allTensors()
    )
  }

  private func pixels(_ tower: UnderstandingTower) throws -> Tensor {
    tower.configuration.vision.tiles(of: try Picture(path: try fixtures() + "/picture.png"))
  }

  @Test(arguments: modelNames)
  func matchesTheReference(_ name: String) throws {
    let (tower, reference) = try load(name)
    let expected = try (
      features: #require(reference["features"]), projected: #require(reference["projected"]),
      logits: #require(reference["logits"]), ids: #require(reference["ids"]).toIndices()
    )
    let (features, projected) = tower.encode(try pixels(tower))
    #expect(relativeError(features, expected.features) < 1e-4)
    #expect(relativeError(projected.reshaped(expected.projected.shape), expected.projected) < 1e-4)
    let hidden = tower.core.language(try tower.embed(expected.ids, projected: projected))
    #expect(relativeError(tower.logits(hidden), expected.logits) < 1e-4)
  }

  @Test(arguments: modelNames)
  func choosesTheSameTokens(_ name: String) throws {
    let (tower, reference) = try load(name)
    let ids = try #require(reference["ids"]).toIndices(),
      margins = try #require(reference["margins"]).toArray()
    #expect(margins.allSatisfy { $0 >= 0.03 })
    let cache = tower.makeCache()
    var random = Philox(seed: 0)
    var logits = try tower.prefill(
      tower.embed(ids, projected: tower.encode(pixels(tower)).projected), into: cache)
    var tokens: [Int32] = []
    for _ in margins {
      tokens.append(Sampling.greedy.choose(logits, using: &random))
      logits = try tower.prefill(tower.embed([tokens[tokens.count - 1]]), into: cache)
    }
    #expect(tokens == reference["greedy"]?.toIndices())
  }

  @Test(arguments: modelNames)
  func chunksGiveWhatOnePassGives(_ name: String) throws {
    let (tower, reference) = try load(name)
    let ids = try #require(reference["ids"]).toIndices()
    let embeddings = try tower.embed(ids, projected: tower.encode(pixels(tower)).projected)
    let whole = try tower.prefill(embeddings, into: tower.makeCache())
    for chunk in [1, 2, 7, 16, ids.count] {
      let cache = tower.makeCache()
      #expect(relativeError(try tower.prefill(embeddings, into: cache, chunk: chunk), whole) < 1e-5)
      #expect(cache.count == ids.count)
      // Going back to an earlier turn and reading on gives the same again.
      cache.truncate(to: 5)
      let rest = embeddings.sliced(5..<ids.count, axis: 1)
      #expect(relativeError(try tower.prefill(rest, into: cache, chunk: chunk), whole) < 1e-5)
    }
  }

  /// A wrong epsilon hides in ordinary inputs and shows in flat ones.
  @Test func epsilonsAreThePublishedOnes() throws {
    let (tower, _) = try load("plain")
    #expect(tower.configuration.vision.epsilon == 1e-5 && tower.configuration.text.epsilon == 1e-5)
    let flat = Tensor((0..<64).map { Float($0 % 2) * 1e-3 }, shape: [1, 64])
    let y = LayerNorm(64, epsilon: tower.configuration.vision.epsilon)(flat).toArray()
    // variance 2.5e-7: (±5e-4) / √(2.5e-7 + 1e-5)
    #expect(abs(y[1] - 5e-4 / Float(1.025e-5).squareRoot()) < 1e-5)
  }

  @Test func saysWhatDoesNotFit() throws {
    let (tower, reference) = try load("plain")
    let ids = try #require(reference["ids"]).toIndices()
    #expect(throws: PromptError.pictureTokens(prompt: 4, pictures: 0)) { try tower.embed(ids) }
    let long = Tensor.zeros([1, 513, 64])
    let error = #expect(throws: PromptError.contextFull(tokens: 513, context: 512)) {
      try tower.prefill(long, into: tower.makeCache())
    }
    #expect(error?.description.contains("drop earlier turns") == true)
    #expect(throws: PromptError.empty) { try tower.prefill(.zeros([1, 0, 64]), into: tower.makeCache()) }
  }
}

@Suite(.serialized)
@NumericActor
struct DamagedFolderTests {
  /// A copy of a model's folder, and its path.
  private func copy(_ name: String) throws -> (path: String, remove: () -> Void) {
    let target = temporaryPath()
    try FileManager.default.copyItem(atPath: try fixtures() + "/" + name, toPath: target)
    return (target, { try? FileManager.default.removeItem(atPath: target) })
  }

  private func reason(_ folder: String) -> String {
    do { _ = try UnderstandingTower(folder: folder) } catch { return "\(error)" }
    return "no error"
  }

  private func edit(_ path: String, _ change: (String) -> String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try change(text).write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func namesFileAndRemedy() throws {
    let (path, remove) = try copy("plain"), config = path + "/config.json",
      weights = path + "/model.safetensors"
    defer { remove() }
    let original = try String(contentsOfFile: config, encoding: .utf8)
    func expect(_ text: String, after change: (String) -> String) throws {
      try change(original).write(toFile: config, atomically: true, encoding: .utf8)
      let found = reason(path)
      #expect(found.contains(text) && !found.contains("\n"), "\(found)")
    }
    try expect("no error") { $0 }
    try expect("this is not JSON, or it is cut off") { String($0.prefix(100)) }
    try expect("of type 'llava', which is not known here") {
      $0.replacing("\"perception_lm\"", with: "\"llava\"")
    }
    try expect("'text_config.hidden_size' is missing") { $0.replacing("\"hidden_size\"", with: "\"hidden\"") }
    try expect("model.language_model.embed_tokens.weight ([656, 64], not [700, 64])") {
      $0.replacing("\"vocab_size\": 656", with: "\"vocab_size\": 700")
    }
    try expect("missing") { $0.replacing("\"num_hidden_layers\": 2", with: "\"num_hidden_layers\": 3") }
    try expect("'image_token_id' is 99999, which cannot be: 0 to 655 can") {
      $0.replacing("\"image_token_id\": 402", with: "\"image_token_id\": 99999")
    }
    try expect("'text_config.max_position_embeddings' is 999999999999") {
      $0.replacing("\"max_position_embeddings\": 512", with: "\"max_position_embeddings\": 999999999999")
    }
    try expect("'vision_config.model_args.embed_dim' is 4611686018427387904") {
      $0.replacing("\"embed_dim\": 64", with: "\"embed_dim\": 4611686018427387904")
    }
    try expect("is not known") { $0.replacing("vit_pe_core_large_patch14_336", with: "resnet50") }
    try original.write(toFile: config, atomically: true, encoding: .utf8)
    let handle = try #require(FileHandle(forWritingAtPath: weights))
    try handle.truncate(atOffset: 5000)
    #expect(reason(path).contains("model.safetensors: "))
    try FileManager.default.removeItem(atPath: weights)
    #expect(reason(path).contains("neither model.safetensors nor"))
    try FileManager.default.removeItem(atPath: config)
    #expect(reason(path).contains("config.json is missing"))
    #expect(reason("/nowhere").contains("/nowhere: no such folder"))
  }
}
