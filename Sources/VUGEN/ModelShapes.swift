import Files
import Foundation
import Layers
import ModelFiles
import Tensors

/// Shapes of models that can be made with random weights, for tests and measurements of speed.
public enum ModelShape: String, Sendable, CaseIterable {
  case plm1B = "plm-1b"
  case tiny

  /// The sizes that a name stands for.
  public var configuration: UnderstandingConfiguration {
    var vision = VisionConfiguration(), text = TextConfiguration()
    text.ropeScaling = RopeScaling(
      factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
    var image: Int32 = 128_002
    if self == .tiny {
      (vision.imageSize, vision.width, vision.layers, vision.heads, vision.hidden) = (112, 64, 2, 4, 256)
      vision.referenceGrid = vision.grid
      (text.vocabulary, text.width, text.layers, text.heads, text.kvHeads) = (512, 64, 2, 4, 2)
      (text.headSize, text.hidden, text.context, text.endTokens) = (16, 192, 2048, [257, 265])
      image = 258
    }
    return UnderstandingConfiguration(vision: vision, text: text, poolingRatio: 2, imageToken: image)
  }

  /// Writes a model folder with random bf16 weights and a tokenizer of single bytes. One tensor is held at a
  /// time. Throws `ModelFileError`.
  public func write(to folder: String, seed: UInt64) throws {
    let c = configuration
    var random = Philox(seed: seed)
    let tower = Parameter.deferringValues { UnderstandingTower(c, using: &random) }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelFileError(folder, "cannot be made: \(FileName.reason(of: error))")
    }
    let named = tower.namedParameters
    var shapes: [String: [Int]] = [:]
    for item in named { shapes[item.name] = item.parameter.shape }
    try SafetensorsWriter.write(
      named.map { .init(name: $0.name, type: .bf16, shape: $0.parameter.shape) }, metadata: ["format": "pt"],
      summed: true, to: folder + "/model.safetensors"
    ) { name, body in
      let shape = shapes[name] ?? []
      try Self.value(name, shape, &random).cast(to: .bf16).withBytes(body)
    }
    try AtomicFile.write(c.fileContents(), to: folder + "/config.json")
    try AtomicFile.write(Self.tokenizerFile(vocabulary: c.text.vocabulary), to: folder + "/tokenizer.json")
  }

  /// Sizes of numbers that keep activations near 1.
  private static func value(_ name: String, _ shape: [Int], _ random: inout Philox) -> Tensor {
    if name.hasSuffix("bias") { return .zeros(shape) }
    if name.contains("norm") { return .full(shape, 1) }
    if name.contains("gamma") { return .full(shape, 0.1) }
    let inputs = shape.count > 1 ? shape.dropFirst().reduce(1, *) : shape[0]
    let deviation: Float =
      name.contains("embed_tokens") || name.contains("pos_embed") || name.contains("cls_token")
      ? 0.02 : 1 / Float(inputs).squareRoot()
    return .normal(shape, deviation: deviation, using: &random)
  }

  /// The tokenizer of such a model. Throws `ModelFileError`.
  public func byteTokenizer() throws -> Tokenizer {
    let path = NSTemporaryDirectory() + "vugen-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try AtomicFile.write(Self.tokenizerFile(vocabulary: configuration.text.vocabulary), to: path)
    return try Tokenizer(json: path)
  }

  /// A token a byte, and the special tokens at the end of the vocabulary.
  private static func tokenizerFile(vocabulary: Int) throws -> Data {
    let special = Tokenizer.plmSpecialTokens
    return try TokenizerFile.json(
      tokens: (0...255).map { [UInt8($0)] }, merges: [], specialTokens: special,
      firstSpecial: vocabulary - special.count)
  }
}

extension UnderstandingConfiguration {
  /// `config.json` in the Hugging Face layout.
  public func fileContents() throws -> Data {
    try JSONSerialization.data(
      withJSONObject: huggingFace, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }

  private var huggingFace: [String: Any] {
    var text: [String: Any] = [
      "model_type": "llama", "vocab_size": self.text.vocabulary, "hidden_size": self.text.width,
      "intermediate_size": self.text.hidden, "num_hidden_layers": self.text.layers,
      "num_attention_heads": self.text.heads, "num_key_value_heads": self.text.kvHeads,
      "head_dim": self.text.headSize,
      "rms_norm_eps": 1e-5, "rope_theta": self.text.ropeBase, "max_position_embeddings": self.text.context,
      "tie_word_embeddings": self.text.isTied, "eos_token_id": self.text.endTokens.map(Int.init),
    ]
    if let s = self.text.ropeScaling {
      text["rope_scaling"] = [
        "rope_type": "llama3", "factor": s.factor, "low_freq_factor": s.lowFrequencyFactor,
        "high_freq_factor": s.highFrequencyFactor, "original_max_position_embeddings": s.originalContext,
      ]
    }
    var file: [String: Any] = [
      "architectures": ["PerceptionLMForConditionalGeneration"], "model_type": "perception_lm",
      "dtype": "bfloat16",
      "image_token_id": Int(imageToken), "video_token_id": Int(imageToken) + 1,
      "projector_pooling_ratio": poolingRatio,
      "vision_use_cls_token": vision.hasClassToken, "text_config": text,
      "vision_config": [
        "model_type": "timm_wrapper", "architecture": "vit_pe_core_large_patch14_336",
        "model_args": [
          "embed_dim": vision.width, "depth": vision.layers, "num_heads": vision.heads, "global_pool": "",
          "img_size": [vision.imageSize, vision.imageSize], "patch_size": vision.patchSize,
          "mlp_ratio": Double(vision.hidden) / Double(vision.width), "rope_grid_offset": vision.ropeOffset,
          "class_token": vision.hasClassToken, "init_values": vision.hasLayerScale ? 0.1 : NSNull(),
          "ref_feat_shape": [vision.referenceGrid, vision.referenceGrid], "use_post_transformer_norm": false,
        ],
      ],
    ]
    if let systemMessage { file["vugen"] = ["system_message": systemMessage] }
    return file
  }
}
