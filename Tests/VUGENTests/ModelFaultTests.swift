import Foundation
import Layers
import ModelFiles
import TestSupport
import Tensors
import Testing
import VUGEN

/// Model folders with something wrong in them: each is refused in one line that says what, where and what to do.
@Suite(.serialized)
@NumericActor
struct ModelFaultTests {
  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private func tiny() throws -> String {
    let folder = temporaryPath()
    try ModelShape.tiny.write(to: folder, seed: 1)
    return folder
  }

  /// One value of `config.json`, or of another file, changed: `a.b` to JSON.
  private func change(_ folder: String, _ key: String, _ json: String, in name: String = "config.json") throws
  {
    let url = URL(fileURLWithPath: "\(folder)/\(name)")
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    func changed(_ object: Any, _ keys: ArraySlice<String>) -> Any {
      guard let first = keys.first else { return value }
      var table = object as? [String: Any] ?? [:]
      table[first] = changed(table[first] ?? [String: Any](), keys.dropFirst())
      return table
    }
    let object = changed(
      try JSONSerialization.jsonObject(with: Data(contentsOf: url)),
      key.split(separator: ".").map(String.init)[...])
    try JSONSerialization.data(withJSONObject: object).write(to: url)
  }

  private static let faults: [(String, String, String)] = [
    ("model_type", "\"llama\"", "of type 'llama'"), ("model_type", "7", "'model_type' must be a text"),
    ("text_config", "[]", "'text_config'"),
    ("vision_config.architecture", "\"resnet\"", "'resnet' is not known"),
    ("text_config.rope_theta", "0", "'text_config.rope_theta' is 0.0, which cannot be"),
    ("text_config.rope_theta", "-5", "rope_theta"), ("text_config.rms_norm_eps", "-1e-5", "rms_norm_eps"),
    ("text_config.rms_norm_eps", "1", "rms_norm_eps"),
    ("text_config.hidden_act", "\"gelu\"", "'silu' and 'swish' are"),
    ("text_config.model_type", "\"qwen2\"", "'qwen2', which is not known here; 'llama' is"),
    ("text_config.num_attention_heads", "0", "'text_config.num_attention_heads' is 0"),
    ("text_config.num_attention_heads", "-4", "num_attention_heads"),
    ("text_config.num_key_value_heads", "3", "'text_config.num_key_value_heads' (3) does not divide"),
    ("text_config.num_key_value_heads", "0", "num_key_value_heads"),
    ("text_config.num_hidden_layers", "0", "num_hidden_layers"),
    ("text_config.num_hidden_layers", "1000000000", "num_hidden_layers"),
    ("text_config.hidden_size", "9223372036854775807", "hidden_size"),
    ("text_config.hidden_size", "1e300", "such as 'text_config.hidden_size'"),
    ("text_config.hidden_size", "\"64\"", "must be a whole number"),
    ("text_config.hidden_size", "null", "hidden_size"),
    ("text_config.intermediate_size", "0", "intermediate_size"),
    ("text_config.vocab_size", "0", "vocab_size"),
    ("text_config.head_dim", "15", "'text_config.head_dim' is 15"),
    ("text_config.head_dim", "4611686018427387904", "head_dim"),
    ("text_config.max_position_embeddings", "0", "max_position_embeddings"),
    ("text_config.max_position_embeddings", "4000000000", "max_position_embeddings"),
    ("text_config.rope_scaling.rope_type", "\"yarn\"", "'yarn', which is not known"),
    ("text_config.rope_scaling.factor", "0", "rope_scaling.factor"),
    ("text_config.rope_scaling.low_freq_factor", "4", "is not below 'high_freq_factor'"),
    ("image_token_id", "512", "'image_token_id' is 512"), ("image_token_id", "-1", "image_token_id"),
    ("projector_pooling_ratio", "0", "projector_pooling_ratio"),
    ("projector_pooling_ratio", "3", "does not divide"),
    ("vision_config.model_args.embed_dim", "0", "embed_dim"),
    ("vision_config.model_args.num_heads", "0", "num_heads"),
    ("vision_config.model_args.num_heads", "5", "does not divide"),
    ("vision_config.model_args.depth", "-1", "depth"),
    ("vision_config.model_args.img_size", "[112,56]", "is no square"),
    ("vision_config.model_args.img_size", "0", "img_size"),
    ("vision_config.model_args.patch_size", "0", "patch_size"),
    ("vision_config.model_args.patch_size", "13", "does not divide"),
    ("vision_config.model_args.mlp_ratio", "-4", "mlp_ratio"),
    ("vision_config.model_args.mlp_ratio", "1e30", "mlp_ratio"),
    ("vision_config.model_args.ref_feat_shape", "0", "ref_feat_shape"),
    ("vision_config.model_args.rope_grid_offset", "1e18", "rope_grid_offset"),
    ("vision_config.model_args.act_layer", "\"relu\"", "'relu', which is not known"),
  ]

  @Test func impossibleNumbersAreNamed() throws {
    let folder = try temporaryFolder(), url = URL(fileURLWithPath: folder + "/config.json")
    let good = try ModelShape.tiny.configuration.fileContents()
    for (key, value, answer) in Self.faults {
      try good.write(to: url)
      try change(folder, key, value)
      let found = reason { _ = try UnderstandingConfiguration(folder: folder) }
      #expect(found.contains("/config.json: ") && !found.contains("\n"), "\(key) \(value): \(found)")
      #expect(found.contains(answer), "\(key) \(value): \(found)")
    }
  }

  @Test func missingKeysAreNamed() throws {
    let folder = try temporaryFolder(), url = URL(fileURLWithPath: folder + "/config.json")
    try Data("{\"model_type\":\"perception_lm\"}".utf8).write(to: url)
    #expect(
      reason { _ = try UnderstandingConfiguration(folder: folder) }.contains("'text_config' is missing"))
    try Data("{}".utf8).write(to: url)
    #expect(reason { _ = try UnderstandingConfiguration(folder: folder) }.contains("'model_type' is missing"))
  }

  /// What loading says, `model info` says, too, without reading the weights.
  @Test func weightsThatDoNotFitAreNamed() throws {
    let folder = try tiny(), path = folder + "/model.safetensors", name = "model.language_model.norm.weight"
    let good = try SafetensorsFile(path: path).allTensors()
    let wrong: [(Tensor, String)] = [
      (Tensor(indices: [Int32](repeating: 1, count: 64)), "of whole numbers 1: \(name)"),
      (Tensor.zeros([32]), "of another shape 1: \(name) ([32], not [64])"),
    ]
    for (tensor, answer) in wrong {
      try SafetensorsWriter.write(good.merging([name: tensor]) { $1 }, metadata: [:], to: path)
      let found = reason { _ = try UnderstandingTower(folder: folder) }
      #expect(found.contains(answer), "\(found)")
      #expect(try ModelFolderReport(folder: folder).problems == [found])
    }
    let broken = Tensor.full([64], .nan)
    try SafetensorsWriter.write(good.merging([name: broken]) { $1 }, metadata: [:], to: path)
    #expect(reason { _ = try UnderstandingTower(folder: folder) }.contains("NaN, not numbers, 1: \(name)"))
    // One that is not a number among others is the model's business.
    try SafetensorsWriter.write(
      good.merging([name: Tensor([.nan] + [Float](repeating: 1, count: 63))]) { $1 }, metadata: [:], to: path)
    let talk = Conversation(try LoadedModel(folder: folder))
    var random = Philox(seed: 0)
    for temperature in [Float(0), 1] {
      _ = try talk.ask(Turn(.user, "hi"), sampling: .init(temperature: temperature), most: 2, using: &random)
    }
  }

  @Test func anotherModelsTokenizerIsNamed() throws {
    let folder = try tiny(), path = folder + "/tokenizer.json"
    func found() throws -> String {
      let configuration = try UnderstandingConfiguration(folder: folder)
      let found = reason { _ = try Tokenizer(folder: folder, for: configuration) }
      #expect(try ModelFolderReport(folder: folder).problems == [found])
      return found
    }
    let others: [(String, String)] = [
      (try fixtures() + "/tokenizer.json", "the tokenizer is another model's"),
      (EmbeddedModel.folder + "/tokenizer.json", "it knows 2048 tokens and the model 512"),
    ]
    for (other, answer) in others {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(atPath: other, toPath: path)
      #expect(try found().contains(answer))
    }
    let bytes = (0...255).map { [UInt8($0)] }
    let specials: [([String], String)] = [
      (["<s>", "</s>"], "it has no '<|begin_of_text|>'"),
      (
        Array(Tokenizer.plmSpecialTokens.dropFirst()) + ["<|begin_of_text|>"],
        "its '<|image|>' is token 257 and the model's 258"
      ),
    ]
    for (special, answer) in specials {
      try TokenizerFile.json(tokens: bytes, merges: [], specialTokens: special)
        .write(to: URL(fileURLWithPath: path))
      #expect(try found().contains(answer))
    }
    try change(folder, "model.type", "\"Unigram\"", in: "tokenizer.json")
    #expect(try found().contains("of type 'Unigram' is not read"))
    try Data("{\"model\":{\"vocab\":{}}}".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try found().contains("'model.merges' is missing"))
    try FileManager.default.removeItem(atPath: path)
    #expect(try found().contains("neither tokenizer.json nor tokenizer.model"))
  }

  @Test func theDrawingHalfIsCheckedToo() throws {
    let folder = temporaryPath()
    try FileManager.default.copyItem(atPath: EmbeddedModel.folder, toPath: folder)
    let tower = try UnderstandingTower(folder: folder)
    func found() throws -> String {
      let found = reason { _ = try GenerationModel(folder: folder, beside: tower.configuration) }
      #expect(!found.contains("\n"))
      return found
    }
    let faults: [(String, String, String)] = [
      ("decoder.channels", "-4", "do not fit together"),
      ("decoder.window", "1e300", "such as 'decoder.window'"),
      ("decoder.multipliers", "[1,1,1,1,1,1,1]", "do not fit together"), ("grid", "0", "do not fit together"),
      ("timeShift", "0", "do not fit together"), ("reducer.kind", "\"x\"", "'reducer.kind'"),
      ("decoder.layers", "100000", "do not fit together"),
    ]
    for (key, value, answer) in faults {
      try change(folder, key, value, in: "generation.json")
      let line = try found()
      #expect(line.contains(answer), "\(key): \(line)")
      #expect(try ModelFolderReport(folder: folder).problems == [line])
      try FileManager.default.removeItem(atPath: folder + "/generation.json")
      try FileManager.default.copyItem(
        atPath: EmbeddedModel.folder + "/generation.json", toPath: folder + "/generation.json")
    }
    try SafetensorsWriter.write(["mean": Tensor(indices: [1])], to: folder + "/reducer.safetensors")
    #expect(try found().contains("tensor 'mean': whole numbers"))
  }
}
