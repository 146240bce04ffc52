import Foundation
import ModelFiles

/// The sizes of a model that understands pictures, from the `config.json` of its folder: a Perception Language Model or a
/// SmolVLM.
public struct UnderstandingConfiguration: Sendable, Equatable {
  /// Of the encoder.
  public var vision: VisionConfiguration
  /// Of the language model.
  public var text: TextConfiguration
  /// Side of the blocks of patches that become one token, by means (Perception Language Models) or side by side (SmolVLM).
  public var poolingRatio: Int
  /// The token that holds a picture's places in a prompt.
  public var imageToken: Int32
  /// What stands before every conversation; empty for none, nil for what the model's template says. Ours alone:
  /// `vugen.system_message`.
  public var systemMessage: String?

  /// The reference's, for models without a template.
  public static let referenceSystemMessage =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    + "provides, and assist the user with a variety of tasks using natural language."

  /// Each argument is the property of its name; the system message is the template's.
  public init(vision: VisionConfiguration, text: TextConfiguration, poolingRatio: Int, imageToken: Int32) {
    (self.vision, self.text, self.poolingRatio, self.imageToken) = (vision, text, poolingRatio, imageToken)
  }

  /// The form of its conversations.
  var form: ChatForm { ChatForm(vision.kind) }

  /// What stands before the names of the model's tensors, by part.
  var names: (encoder: String, projector: String, language: String) {
    switch vision.kind {
    case .perception: ("vision_tower.timm_model", "multi_modal_projector", "language_model")
    case .sigLIP: ("vision_model", "connector", "text_model")
    }
  }

  /// Tokens of one picture tile.
  public var tokensPerTile: Int {
    let side = vision.grid / poolingRatio
    return side * side
  }
}

/// A vision tower's sizes: a Perception Encoder's (arXiv 2504.13181) or a SigLIP's (arXiv 2303.15343).
public struct VisionConfiguration: Sendable, Equatable {
  /// The families of vision towers, each with its own way of cutting pictures into tiles.
  public enum Kind: Sendable { case perception, sigLIP }

  /// The family.
  public var kind = Kind.perception
  /// Pixels of a tile's side.
  public var imageSize = 448
  /// Pixels of a patch's side.
  public var patchSize = 14
  /// Channels of a token.
  public var width = 1024
  /// Transformer blocks.
  public var layers = 23
  /// Attention heads of each block.
  public var heads = 16
  /// Channels inside the feed-forward.
  public var hidden = 4096
  /// Whether a token of its own stands before the patches.
  public var hasClassToken = true
  /// Whether each branch is scaled channel by channel.
  public var hasLayerScale = true
  /// Of the norms.
  public var epsilon: Float = 1e-5
  /// Base of the rotary frequencies.
  public var ropeBase = 10000.0
  /// First position of the rotary grid: 1 where a class token stands before it.
  public var ropeOffset = 1
  /// Side of the grid that positions are scaled to.
  public var referenceGrid = 32
  /// Pixels of the longer side that SmolVLM brings a picture to before it is cut into tiles.
  public var longestEdge = 2048

  /// PE-L/14's, as in the 1B and 3B checkpoints.
  public init() {}

  /// Patches along one side.
  public var grid: Int { imageSize / patchSize }
}

/// A Llama language model's sizes.
public struct TextConfiguration: Sendable, Equatable {
  /// Tokens that it knows.
  public var vocabulary = 128_256
  /// Channels of a token.
  public var width = 2048
  /// Transformer blocks.
  public var layers = 16
  /// Attention heads of each block.
  public var heads = 32
  /// Heads of keys and values, each read by `heads / kvHeads` queries.
  public var kvHeads = 8
  /// Channels of a head.
  public var headSize = 64
  /// Channels inside the gated feed-forward.
  public var hidden = 8192
  /// Of the norms.
  public var epsilon: Float = 1e-5
  /// The most tokens of a prompt and its answer.
  public var context = 11_520
  /// Base of the rotary frequencies.
  public var ropeBase = 500_000.0
  /// nil where frequencies are as they come.
  public var ropeScaling: RopeScaling?
  /// Whether the output reads the embedding's rows.
  public var isTied = true
  /// Any of them ends an answer.
  public var endTokens: [Int32] = [128_001, 128_009]

  /// PLM-1B's: Llama 3.2 1B with a shorter context.
  public init() {}
}

/// Llama 3's stretching of slow rotations for long contexts.
public struct RopeScaling: Sendable, Equatable {
  /// By how much the slow ones are slowed down.
  public var factor: Double
  /// Wavelengths above `originalContext` / this are stretched in full.
  public var lowFrequencyFactor: Double
  /// Wavelengths below `originalContext` / this stay.
  public var highFrequencyFactor: Double
  /// Tokens of the context that the model first learnt.
  public var originalContext: Double

  /// Each argument is the property of its name.
  public init(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Double
  ) {
    (self.factor, self.lowFrequencyFactor) = (factor, lowFrequencyFactor)
    (self.highFrequencyFactor, self.originalContext) = (highFrequencyFactor, originalContext)
  }

  /// Turns a frequency in radians a position. Wavelengths in between are mixed.
  public func scaled(_ frequency: Double) -> Double {
    let wavelength = 2 * Double.pi / frequency
    if wavelength < originalContext / highFrequencyFactor { return frequency }
    if wavelength > originalContext / lowFrequencyFactor { return frequency / factor }
    let smooth =
      (originalContext / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
    return (1 - smooth) * frequency / factor + smooth * frequency
  }
}

extension UnderstandingConfiguration {
  /// Reads `config.json` of a folder in the Hugging Face layout. Throws `ModelFileError` naming the file and
  /// what is missing.
  public init(folder: String) throws {
    try ModelFolder.checkConfiguration(folder)
    let path = folder + "/config.json"
    // The type first: another kind of model lacks more than a key.
    let type = try ModelJSON.read(ModelType.self, at: path, kind: "configuration of a model").name
    switch type {
    case "perception_lm":
      let kind = "configuration of a Perception Language Model"
      self = try ModelJSON.read(RawConfiguration.self, at: path, kind: kind).checked(path)
    case "idefics3", "smolvlm":
      let file = try ModelJSON.read(
        SmolVLMConfigurationFile.self, at: path, kind: "configuration of a SmolVLM")
      self = try file.checked(path, folder: folder)
    default:
      throw ModelFileError(
        path,
        "the model is of type '\(type)', which is not known here; 'perception_lm', 'idefics3' and 'smolvlm' are: name "
          + "another model")
    }
  }
}

private struct ModelType: Decodable {
  let name: String

  enum CodingKeys: String, CodingKey { case name = "model_type" }
}

/// `config.json` as it is written; unknown fields are ignored.
private struct RawConfiguration: Decodable {
  struct Vision: Decodable {
    struct Arguments: Decodable {
      let width, layers, heads: Int?
      let imageSize, patchSize, referenceGrid: NumberOrNumbers?
      let initialScale, mlpRatio, ropeOffset: Double?
      let classToken: Bool?
      let activation: String?

      enum CodingKeys: String, CodingKey {
        case width = "embed_dim"
        case layers = "depth"
        case heads = "num_heads"
        case imageSize = "img_size"
        case patchSize = "patch_size"
        case referenceGrid = "ref_feat_shape"
        case initialScale = "init_values"
        case mlpRatio = "mlp_ratio"
        case ropeOffset = "rope_grid_offset"
        case classToken = "class_token"
        case activation = "act_layer"
      }
    }
    let architecture: String
    let arguments: Arguments?

    enum CodingKeys: String, CodingKey {
      case architecture
      case arguments = "model_args"
    }
  }

  struct Studio: Decodable {
    let systemMessage: String?

    enum CodingKeys: String, CodingKey { case systemMessage = "system_message" }
  }

  let text: TextConfigurationFile
  let vision: Vision
  let poolingRatio: Int?
  let imageToken: Int32
  let tied: Bool?
  let vugen: Studio?

  enum CodingKeys: String, CodingKey {
    case vugen
    case text = "text_config"
    case vision = "vision_config"
    case poolingRatio = "projector_pooling_ratio"
    case imageToken = "image_token_id"
    case tied = "tie_word_embeddings"
  }

  func checked(_ path: String) throws -> UnderstandingConfiguration {
    let gate = ConfigurationGate(path)
    var result = UnderstandingConfiguration(
      vision: try visionConfiguration(gate), text: try text.checked(gate, tied: tied),
      poolingRatio: poolingRatio ?? 2,
      imageToken: imageToken)
    result.systemMessage = vugen?.systemMessage
    try gate.whole(Int(result.imageToken), "image_token_id", 0...result.text.vocabulary - 1)
    try gate.whole(result.poolingRatio, "projector_pooling_ratio", 1...result.vision.grid)
    try gate.divides(
      result.poolingRatio, "projector_pooling_ratio", result.vision.grid, "the patches along a side")
    return result
  }

  private func visionConfiguration(_ gate: ConfigurationGate) throws -> VisionConfiguration {
    let (named, mlpRatio) = try architecture(gate), a = vision.arguments
    var c = named
    func name(_ key: Vision.Arguments.CodingKeys) -> String { "vision_config.model_args.\(key.rawValue)" }
    func side(_ numbers: NumberOrNumbers?, _ key: Vision.Arguments.CodingKeys, _ usual: Int) throws -> Int {
      guard let first = numbers?.values.first else { return usual }
      guard let numbers, numbers.values.allSatisfy({ $0 == first }) else {
        throw gate.failure("'\(name(key))' is no square")
      }
      return first
    }
    try gate.known(a?.activation, name(.activation), ["gelu"])
    (c.width, c.layers, c.heads) = (a?.width ?? c.width, a?.layers ?? c.layers, a?.heads ?? c.heads)
    c.imageSize = try side(a?.imageSize, .imageSize, c.imageSize)
    c.patchSize = try side(a?.patchSize, .patchSize, c.patchSize)
    c.referenceGrid = try side(a?.referenceGrid, .referenceGrid, c.referenceGrid)
    c.hasClassToken = a?.classToken ?? c.hasClassToken
    if let offset = a?.ropeOffset {
      c.ropeOffset = Int(try gate.number(offset, name(.ropeOffset), from: 0, below: 1024))
    }
    if let initial = a?.initialScale { c.hasLayerScale = initial != 0 }
    try gate.whole(c.width, name(.width), 1...1 << 16)
    try gate.whole(c.layers, name(.layers), 1...1024)
    try gate.whole(c.heads, name(.heads), 1...1024)
    try gate.whole(c.referenceGrid, name(.referenceGrid), 1...1024)
    try gate.whole(c.imageSize, name(.imageSize), 1...8192)
    try gate.whole(c.patchSize, name(.patchSize), 1...c.imageSize)
    try gate.divides(c.patchSize, name(.patchSize), c.imageSize, name(.imageSize))
    try gate.whole(c.grid, "the patches along a side", 1...256)
    try gate.divides(4 * c.heads, "4 · \(name(.heads))", c.width, name(.width))
    let ratio = try gate.number(a?.mlpRatio ?? mlpRatio, name(.mlpRatio), from: 1e-4, below: 1024)
    c.hidden = max(1, Int(Double(c.width) * ratio))
    return c
  }

  /// What `config.json` leaves to the architecture's name in the reference implementation.
  private func architecture(_ gate: ConfigurationGate) throws -> (VisionConfiguration, mlpRatio: Double) {
    var c = VisionConfiguration(), mlpRatio = 4.0
    switch vision.architecture {
    case "vit_pe_core_large_patch14_336":
      (c.imageSize, c.layers, c.hasLayerScale, c.referenceGrid) = (336, 24, false, 24)
    case "vit_pe_lang_large_patch14_448":
      break
    case "vit_pe_core_gigantic_patch14_448", "vit_pe_lang_gigantic_patch14_448":
      (c.width, c.layers, c.hasClassToken, c.ropeOffset) = (
        1536, vision.architecture.contains("lang") ? 47 : 50, false, 0
      )
      c.hasLayerScale = vision.architecture.contains("lang")
      mlpRatio = 8960 / 1536
    default:
      throw gate.failure("the vision architecture '\(vision.architecture)' is not known; name another model")
    }
    return (c, mlpRatio)
  }
}
