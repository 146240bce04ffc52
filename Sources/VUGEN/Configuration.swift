import Foundation
import ModelFiles

/// The sizes of a Perception Language Model, from the `config.json` of its folder.
public struct UnderstandingConfiguration: Sendable, Equatable {
  public var vision: VisionConfiguration
  public var text: TextConfiguration
  /// Side of the blocks of patches that become one token.
  public var poolingRatio: Int
  public var imageToken: Int32
  /// What stands before every conversation; empty for none. Ours alone: `vugen.system_message`.
  public var systemMessage = Self.referenceSystemMessage

  /// The reference's.
  public static let referenceSystemMessage =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    + "provides, and assist the user with a variety of tasks using natural language."

  public init(vision: VisionConfiguration, text: TextConfiguration, poolingRatio: Int, imageToken: Int32) {
    (self.vision, self.text, self.poolingRatio, self.imageToken) = (vision, text, poolingRatio, imageToken)
  }

  /// Tokens of one picture tile.
  public var tokensPerTile: Int {
    let side = vision.grid / poolingRatio
    return side * side
  }
}

/// A Perception Encoder's sizes (arXiv 2504.13181).
public struct VisionConfiguration: Sendable, Equatable {
  public var imageSize = 448
  public var patchSize = 14
  public var width = 1024
  public var layers = 23
  public var heads = 16
  public var hidden = 4096
  public var hasClassToken = true
  public var hasLayerScale = true
  public var epsilon: Float = 1e-5
  public var ropeBase = 10000.0
  /// First position of the rotary grid: 1 where a class token stands before it.
  public var ropeOffset = 1
  /// Side of the grid that positions are scaled to.
  public var referenceGrid = 32

  public init() {}

  /// Patches along one side.
  public var grid: Int { imageSize / patchSize }
}

/// A Llama language model's sizes.
public struct TextConfiguration: Sendable, Equatable {
  public var vocabulary = 128_256
  public var width = 2048
  public var layers = 16
  public var heads = 32
  public var kvHeads = 8
  public var headSize = 64
  public var hidden = 8192
  public var epsilon: Float = 1e-5
  public var context = 11_520
  public var ropeBase = 500_000.0
  public var ropeScaling: RopeScaling?
  public var isTied = true
  public var endTokens: [Int32] = [128_001, 128_009]

  public init() {}
}

/// Llama 3's stretching of slow rotations for long contexts.
public struct RopeScaling: Sendable, Equatable {
  public var factor: Double
  public var lowFrequencyFactor: Double
  public var highFrequencyFactor: Double
  public var originalContext: Double

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
    let path = folder + "/config.json"
    guard FileManager.default.fileExists(atPath: path) else {
      throw ModelFileError(path, "no such file; name a folder that holds a model")
    }
    let raw: RawConfiguration
    do {
      raw = try JSONDecoder().decode(RawConfiguration.self, from: MappedFile.contents(of: path))
    } catch DecodingError.keyNotFound(let key, let context) {
      let place = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
      throw ModelFileError(path, "'\(place)' is missing; copy the file from the model's source again")
    } catch is DecodingError {
      throw ModelFileError(path, "this is no configuration of a Perception Language Model")
    }
    guard raw.modelType == "perception_lm" else {
      throw ModelFileError(path, "the model is of type '\(raw.modelType)', not 'perception_lm'")
    }
    self = try raw.checked(path)
  }
}

/// `config.json` as it is written; unknown fields are ignored.
private struct RawConfiguration: Decodable {
  struct Rope: Decodable {
    let theta, factor, low, high, original: Double?
    let type: String?

    enum CodingKeys: String, CodingKey {
      case factor
      case theta = "rope_theta"
      case low = "low_freq_factor"
      case high = "high_freq_factor"
      case original = "original_max_position_embeddings"
      case type = "rope_type"
    }
  }

  /// One number or several.
  struct Numbers: Decodable {
    let values: [Int]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      values = try (try? container.decode([Int].self)) ?? [container.decode(Int.self)]
    }
  }

  struct Text: Decodable {
    let vocabulary, width, hidden, layers, heads: Int
    let kvHeads, headSize, context: Int?
    let epsilon: Double?
    let theta: Double?
    let scaling, parameters: Rope?
    let tied: Bool?
    let ends: Numbers?

    enum CodingKeys: String, CodingKey {
      case vocabulary = "vocab_size"
      case width = "hidden_size"
      case hidden = "intermediate_size"
      case layers = "num_hidden_layers"
      case heads = "num_attention_heads"
      case kvHeads = "num_key_value_heads"
      case headSize = "head_dim"
      case context = "max_position_embeddings"
      case epsilon = "rms_norm_eps"
      case theta = "rope_theta"
      case scaling = "rope_scaling"
      case parameters = "rope_parameters"
      case tied = "tie_word_embeddings"
      case ends = "eos_token_id"
    }
  }

  struct Vision: Decodable {
    struct Arguments: Decodable {
      let width, layers, heads: Int?
      let imageSize, patchSize, referenceGrid: Numbers?
      let initialScale, mlpRatio, ropeOffset: Double?
      let classToken: Bool?

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

  let modelType: String
  let text: Text
  let vision: Vision
  let poolingRatio: Int?
  let imageToken: Int32
  let tied: Bool?
  let vugen: Studio?

  enum CodingKeys: String, CodingKey {
    case vugen
    case modelType = "model_type"
    case text = "text_config"
    case vision = "vision_config"
    case poolingRatio = "projector_pooling_ratio"
    case imageToken = "image_token_id"
    case tied = "tie_word_embeddings"
  }

  func checked(_ path: String) throws -> UnderstandingConfiguration {
    var result = UnderstandingConfiguration(
      vision: try visionConfiguration(path), text: try textConfiguration(path),
      poolingRatio: poolingRatio ?? 2,
      imageToken: imageToken)
    if let message = vugen?.systemMessage { result.systemMessage = message }
    guard (0..<Int32(clamping: result.text.vocabulary)).contains(result.imageToken) else {
      throw ModelFileError(
        path, "'image_token_id' \(result.imageToken) is not one of \(result.text.vocabulary) tokens")
    }
    guard result.poolingRatio > 0, result.vision.grid % result.poolingRatio == 0 else {
      throw ModelFileError(
        path, "a pooling ratio of \(result.poolingRatio) does not divide \(result.vision.grid) patches")
    }
    return result
  }

  private func textConfiguration(_ path: String) throws -> TextConfiguration {
    var c = TextConfiguration()
    (c.vocabulary, c.width, c.layers, c.heads) = (text.vocabulary, text.width, text.layers, text.heads)
    (c.kvHeads, c.hidden) = (text.kvHeads ?? text.heads, text.hidden)
    guard c.heads > 0, c.kvHeads > 0, c.width > 0, c.layers > 0, c.vocabulary > 0, c.hidden > 0,
      c.heads % c.kvHeads == 0
    else { throw ModelFileError(path, "the sizes in 'text_config' do not fit each other") }
    c.headSize = text.headSize ?? c.width / c.heads
    c.epsilon = Float(text.epsilon ?? 1e-6)
    c.context = text.context ?? 2048
    let rope = text.parameters ?? text.scaling
    c.ropeBase = text.parameters?.theta ?? text.theta ?? 10000
    if let rope, rope.type == "llama3", let factor = rope.factor {
      c.ropeScaling = RopeScaling(
        factor: factor, lowFrequencyFactor: rope.low ?? 1, highFrequencyFactor: rope.high ?? 4,
        originalContext: rope.original ?? 8192)
    } else if let type = rope?.type, type != "default", type != "llama3" {
      throw ModelFileError(path, "rotary scaling of type '\(type)' is not known; 'llama3' and 'default' are")
    }
    c.isTied = text.tied ?? tied ?? true
    c.endTokens = text.ends?.values.compactMap { Int32(exactly: $0) } ?? []
    // Far beyond every published model; a damaged number must not ask for all memory.
    guard Self.areSane([c.vocabulary, c.width, c.hidden, c.context, c.layers, c.heads, c.headSize]),
      c.headSize % 2 == 0
    else {
      throw ModelFileError(path, "a size in 'text_config' is out of range")
    }
    return c
  }

  private static func areSane(_ sizes: [Int]) -> Bool { sizes.allSatisfy { (1...1 << 22).contains($0) } }

  /// What `config.json` leaves to the architecture's name in the reference implementation.
  private func visionConfiguration(_ path: String) throws -> VisionConfiguration {
    var c = VisionConfiguration()
    let a = vision.arguments
    var mlpRatio = 4.0
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
      throw ModelFileError(path, "the vision architecture '\(vision.architecture)' is not known")
    }
    c.width = a?.width ?? c.width
    c.layers = a?.layers ?? c.layers
    c.heads = a?.heads ?? c.heads
    c.imageSize = a?.imageSize?.values.first ?? c.imageSize
    c.patchSize = a?.patchSize?.values.first ?? c.patchSize
    c.referenceGrid = a?.referenceGrid?.values.first ?? c.referenceGrid
    c.hasClassToken = a?.classToken ?? c.hasClassToken
    c.ropeOffset = a?.ropeOffset.flatMap { Int(exactly: $0) } ?? c.ropeOffset
    if let initial = a?.initialScale { c.hasLayerScale = initial != 0 }
    let ratio = a?.mlpRatio ?? mlpRatio
    guard Self.areSane([c.width, c.layers, c.heads, c.imageSize, c.patchSize, c.referenceGrid]),
      c.imageSize <= 1 << 13,
      ratio > 0, ratio < 1024
    else { throw ModelFileError(path, "a size in 'vision_config' is out of range") }
    c.hidden = Int(Double(c.width) * ratio)
    guard c.heads > 0, c.width > 0, c.width % c.heads == 0, c.width / c.heads % 4 == 0,
      c.imageSize >= c.patchSize,
      c.imageSize % c.patchSize == 0, c.layers > 0
    else { throw ModelFileError(path, "the sizes in 'vision_config' do not fit each other") }
    return c
  }
}
