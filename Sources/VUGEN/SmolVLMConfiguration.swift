import Files
import Foundation
import ModelFiles

/// `config.json` of a SmolVLM (Idefics3's form), as it is written; unknown fields are ignored.
struct SmolVLMConfigurationFile: Decodable {
  /// What a file leaves out is Idefics3's default.
  struct Vision: Decodable {
    let width, hidden, layers, heads: Int?
    let imageSize, patchSize: Int?
    let epsilon: Double?
    let activation: String?

    enum CodingKeys: String, CodingKey {
      case width = "hidden_size"
      case hidden = "intermediate_size"
      case layers = "num_hidden_layers"
      case heads = "num_attention_heads"
      case imageSize = "image_size"
      case patchSize = "patch_size"
      case epsilon = "layer_norm_eps"
      case activation = "hidden_act"
    }
  }

  let text: TextConfigurationFile
  let vision: Vision
  let scaleFactor: Int?
  let imageToken: Int32?
  let tied: Bool?

  enum CodingKeys: String, CodingKey {
    case text = "text_config"
    case vision = "vision_config"
    case scaleFactor = "scale_factor"
    case imageToken = "image_token_id"
    case tied = "tie_word_embeddings"
  }

  /// Checked, with what the files beside it say. Throws `ModelFileError`.
  func checked(_ path: String, folder: String) throws -> UnderstandingConfiguration {
    let gate = ConfigurationGate(path)
    var vision = try visionConfiguration(gate), text = try text.checked(gate, tied: tied ?? false)
    vision.longestEdge = try PictureProcessorFile.longestEdge(in: folder, side: vision.imageSize)
    text.endTokens += try GenerationDefaultsFile.endTokens(in: folder)
    let result = UnderstandingConfiguration(
      vision: vision, text: text, poolingRatio: scaleFactor ?? 2, imageToken: imageToken ?? 128_257)
    try gate.whole(Int(result.imageToken), "image_token_id", 0...text.vocabulary - 1)
    try gate.whole(result.poolingRatio, "scale_factor", 1...vision.grid)
    try gate.divides(result.poolingRatio, "scale_factor", vision.grid, "the patches along a side")
    return result
  }

  private func visionConfiguration(_ gate: ConfigurationGate) throws -> VisionConfiguration {
    var c = VisionConfiguration()
    func name(_ key: Vision.CodingKeys) -> String { "vision_config.\(key.rawValue)" }
    try gate.known(vision.activation, name(.activation), ["gelu_pytorch_tanh"])
    (c.kind, c.hasClassToken, c.hasLayerScale) = (.sigLIP, false, false)
    (c.width, c.hidden) = (vision.width ?? 1152, vision.hidden ?? 3072)
    (c.layers, c.heads) = (vision.layers ?? 12, vision.heads ?? 16)
    (c.imageSize, c.patchSize) = (vision.imageSize ?? 224, vision.patchSize ?? 32)
    try gate.whole(c.width, name(.width), 1...1 << 16)
    try gate.whole(c.hidden, name(.hidden), 1...1 << 20)
    try gate.whole(c.layers, name(.layers), 1...1024)
    try gate.whole(c.heads, name(.heads), 1...1024)
    try gate.divides(c.heads, name(.heads), c.width, name(.width))
    try gate.whole(c.imageSize, name(.imageSize), 1...8192)
    try gate.whole(c.patchSize, name(.patchSize), 1...c.imageSize)
    try gate.whole(c.grid, "the patches along a side", 1...256)
    c.epsilon = try Float(gate.number(vision.epsilon ?? 1e-6, name(.epsilon), from: 0, below: 1))
    return c
  }
}

/// What `preprocessor_config.json` says of tiles.
private struct PictureProcessorFile: Decodable {
  struct Size: Decodable {
    let longestEdge: Int?

    enum CodingKeys: String, CodingKey { case longestEdge = "longest_edge" }
  }

  let size: Size?

  /// Pixels of the longer side that a picture is enlarged or shrunk to before it is cut into tiles; four tiles where the
  /// folder does not say. Throws `ModelFileError`.
  static func longestEdge(in folder: String, side: Int) throws -> Int {
    let path = folder + "/preprocessor_config.json"
    guard FileName.isTaken(path) else { return 4 * side }
    let file = try ModelJSON.read(PictureProcessorFile.self, at: path, kind: "picture preprocessor")
    guard let edge = file.size?.longestEdge else { return 4 * side }
    // The reference caps it there.
    try ConfigurationGate(path).whole(edge, "size.longest_edge", 1...4096)
    return edge
  }
}

/// What `generation_config.json` says of an answer's end.
private struct GenerationDefaultsFile: Decodable {
  let ends: NumberOrNumbers?

  enum CodingKeys: String, CodingKey { case ends = "eos_token_id" }

  static func endTokens(in folder: String) throws -> [Int32] {
    let path = folder + "/generation_config.json"
    guard FileName.isTaken(path) else { return [] }
    let file = try ModelJSON.read(GenerationDefaultsFile.self, at: path, kind: "generation configuration")
    return file.ends?.values.compactMap { Int32(exactly: $0) } ?? []
  }
}
