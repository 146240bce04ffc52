import Files
import Foundation
import ModelFiles
import Tensors
import Training
import VUGEN

/// Everything that decides an understanding run: sizes, data, objectives, steps.
public struct UnderstandingRecipe: TrainingRecipe, Equatable {
  /// Sizes of the two halves.
  public struct Model: Codable, Sendable, Equatable {
    /// Width and height of the pictures, in pixels.
    public var imageSize = 128
    /// Side of the square that the encoder reads as one token, in pixels.
    public var patchSize = 16
    /// Over how many places a side of the picture spans for the encoder's rotary positions; 0 for one a patch.
    /// An encoder that begins with weights of larger patches keeps their number, so that what its attention
    /// learnt about distances still holds.
    public var positionSpan = 0
    /// Channels of the encoder.
    public var visionWidth = 192
    /// Depth of the encoder.
    public var visionLayers = 6
    /// Attention heads of the encoder.
    public var visionHeads = 4
    /// Channels of the language model.
    public var textWidth = 256
    /// Depth of the language model.
    public var textLayers = 4
    /// Attention heads of the language model.
    public var textHeads = 4
    /// Heads of its keys and values.
    public var keyValueHeads = 2
    /// Width inside its gated layers.
    public var textHidden = 640
    /// Side of the square of patches that becomes one token.
    public var pooling = 2
    /// Tokens of the tokenizer that is learnt.
    public var vocabulary = 2048
    /// Longest text with its picture, in tokens.
    public var context = 1024
    /// Width of the vectors by which pictures and texts are compared.
    public var alignmentWidth = 128
    /// Whether the encoder stays as `--from` gives it: the language model learns on, and what was trained on
    /// the encoder's features, such as a pixel decoder, stays valid.
    public var frozenEncoder = false
    /// Seed of the first weights.
    public var seed: UInt64 = 1

    /// The defaults.
    public init() {}
  }

  /// Pictures, questions and batches.
  public struct Data: StoredPictureData, Equatable {
    /// Folder of shards; empty for scenes that are composed during training.
    public var shards = ""
    /// Several sources in place of `shards`: shards, folders of them, patterns, folders of classes.
    public var sources: [String] = []
    /// How often each source is drawn from, in proportion to each other; empty where each sample is drawn as often.
    public var weights: [Double] = []
    /// Ending of the member of a sample that is its text; empty for `.txt`, `.caption`, a caption in the `.json`, or the `.cls`.
    public var textKey = ""
    /// Key of the caption in a `.json`; empty for a common one.
    public var jsonKey = ""
    /// File with the names of classes, for a `.cls` and for folders of classes; empty for none.
    public var classNames = ""
    /// Caption of a class, in which `[CLS]` stands for its name.
    public var template = "This is an image of a [CLS]."
    /// Tokens of a text that are learnt from, the rest being cut off and counted; 0 for as many as there is room for.
    public var maxTokens = 0
    /// Share of stored samples that a run never learns from and is measured by, such as 0.02, or a folder of shards to
    /// measure it by; 0 for none. Scenes have no share.
    public var validation = "0.02"
    /// Seed of the data's order and of all that is drawn at random.
    public var seed: UInt64 = 1
    /// Pictures in a batch.
    public var batch = 32
    /// Questions a picture.
    public var questions = 4
    /// Share of the questions about two things' places that are asked in any case, before others are drawn.
    public var relationShare = 0.0
    /// The same of questions about colours.
    public var colourShare = 0.0
    /// Share of the pictures of the wider set.
    public var wideShare = 0.12
    /// Share of the words of questions and answers that are replaced when they are read, never when they are
    /// predicted (word dropout, arXiv 1511.06349): an answer must then come from the picture, not from which
    /// words have gone together.
    public var wordDropout = 0.0
    /// Share of the samples in shards that may be damaged or lack something; they are skipped. One may in any case,
    /// unless this is 0.
    public var maxSkipped = 0.01
    /// Which part of a stored picture is trained on.
    public var crop = PictureCrop.center
    /// Side of the smallest random square over the picture's shorter side.
    public var cropFrom = 0.5
    /// Whether stored pictures are mirrored at random; scenes, and pictures of whose sides the caption speaks, are not.
    public var flip = true

    /// The defaults.
    public init() {}
  }

  /// Weights of the parts of the loss.
  public struct Objectives: Codable, Sendable, Equatable {
    /// The answers' words.
    public var text: Float = 1
    /// Which class lies on each patch.
    public var localisation: Float = 0.5
    /// Which patches hold the middle of an object: what counting needs. Part of training from scratch only.
    public var centres: Float = 0.25
    /// The colour of what lies on each patch, and its outline in parts of a patch. Scenes composed during
    /// training alone have both; shards name colours by boxes.
    public var colours: Float = 0.1
    /// The outline of what lies on each patch, in parts of a patch.
    public var outlines: Float = 0.25
    /// What the colours of each patch's quarters are called, of grounds too. Without it an encoder forgets the
    /// colour of what is no object, and a decoder draws plain grounds in blotches.
    public var shades: Float = 0.1
    /// Telling pictures' captions from each other.
    public var contrastive: Float = 0.1

    /// The defaults.
    public init() {}
  }

  /// Checkpoints and precision.
  public struct Run: Codable, Sendable, Equatable {
    /// Minutes between checkpoints.
    public var checkpointMinutes = 5.0
    /// Minutes between measures of what is held out (`data.validation`); 0 for none.
    public var validationMinutes = 10.0
    /// Whether figures are written as TensorBoard reads them, too.
    public var tensorboard = false
    /// What exported models are called; empty for the name of the run's folder.
    public var name = ""
    /// `bf16` where the processor multiplies it, else f32; or `f32`.
    public var compute = Precision.bf16
    /// Whether blocks keep only their inputs for the way back, and are worked out again there: less memory, more time, the
    /// same bits.
    public var checkpointActivations = false
    /// Niceness, 0…19: how far the run stands back for other programs on a busy machine; 0 not at all.
    public var nice: Int32 = 10

    /// The defaults.
    public init() {}
  }

  /// Sizes of the two halves.
  public var model = Model()
  /// Pictures, questions and batches.
  public var data = Data()
  /// Weights of the parts of the loss.
  public var objectives = Objectives()
  /// Steps, rates, averages.
  public var optimization = Optimization()
  /// Checkpoints and precision.
  public var run = Run()

  /// The defaults.
  public init() {}

  /// Throws `RecipeError` naming the first value that makes no sense.
  public func check() throws {
    try checkValues()
    func fits(_ holds: Bool, _ reason: String) throws { if !holds { throw RecipeError(reason) } }
    try fits(
      model.imageSize % model.patchSize == 0 && model.imageSize / model.patchSize % model.pooling == 0,
      "model.patchSize and model.pooling must divide model.imageSize = \(model.imageSize)")
    let side = model.imageSize / model.patchSize / model.pooling
    try fits(
      model.context >= side * side + 64,
      "model.context = \(model.context) has no room for a picture's \(side * side) tokens and a sentence; give \(side * side + 64) or more"
    )
    try fits(
      model.visionWidth % (4 * model.visionHeads) == 0,
      "model.visionWidth = \(model.visionWidth) is not divided by 4 × model.visionHeads")
    try fits(
      model.textWidth % (2 * model.textHeads) == 0 && model.textHeads % model.keyValueHeads == 0,
      "model.textWidth, model.textHeads and model.keyValueHeads do not divide each other")
    let weights = [
      objectives.text, objectives.localisation, objectives.centres, objectives.colours, objectives.outlines,
      objectives.shades, objectives.contrastive,
    ]
    try fits(
      weights.contains { $0 > 0 }, "all weights under objectives are 0; one must be above it")
  }

  /// - Parameter hasWeights: whether the run begins with some.
  func check(hasWeights: Bool) throws {
    try check()
    guard !model.frozenEncoder || hasWeights else {
      throw RecipeError(
        "model.frozenEncoder leaves a random encoder as it is; name a trained model by --from")
    }
  }

  /// The model's sizes.
  ///
  /// - Parameters:
  ///   - tokens: the special tokens' ids.
  ///   - base: of the model that the run begins with.
  func configuration(
    specialTokens tokens: [String: Int32], upon base: UnderstandingConfiguration? = nil
  ) throws -> UnderstandingConfiguration {
    if let base, isSized(as: base) { return base }
    func id(_ name: String) throws -> Int32 {
      guard let id = tokens[name] else {
        throw RecipeError(
          "the tokenizer has no '\(name)'; take one that vugen has made: vugen data tokenizer")
      }
      return id
    }
    var vision = VisionConfiguration(), text = TextConfiguration()
    (vision.imageSize, vision.patchSize) = (model.imageSize, model.patchSize)
    (vision.width, vision.layers, vision.heads) = (model.visionWidth, model.visionLayers, model.visionHeads)
    vision.hidden = 4 * model.visionWidth
    (vision.hasClassToken, vision.hasLayerScale, vision.ropeOffset) = (false, false, 0)
    vision.referenceGrid = model.positionSpan == 0 ? vision.grid : model.positionSpan
    (text.vocabulary, text.width, text.layers) = (model.vocabulary, model.textWidth, model.textLayers)
    (text.heads, text.kvHeads, text.hidden) = (model.textHeads, model.keyValueHeads, model.textHidden)
    (text.headSize, text.context) = (model.textWidth / model.textHeads, model.context)
    text.ropeBase = 10_000
    text.endTokens = [try id("<|end_of_text|>"), try id("<|eot_id|>")]
    var c = UnderstandingConfiguration(
      vision: vision, text: text, poolingRatio: model.pooling, imageToken: try id("<|image|>"))
    c.systemMessage = ""
    return c
  }
}

/// A recipe that cannot be followed, in one line.
public struct RecipeError: Error, CustomStringConvertible, Equatable {
  /// What is wrong with which key, in one line.
  public let description: String

  /// One line that names the key or file.
  public init(_ description: String) { self.description = description.oneLine }
}
