import DataSets
import Flow
import Tensors
import Training
import VUGEN

extension Optimization {
  static let keys = RecipeKey.section(
    "optimization",
    [
      ("steps", .whole(1...1 << 30), "steps", "Length of the run."),
      ("rate", .positive, "", "Highest learning rate."),
      ("warmUp", .whole(0...1 << 30), "steps", "Length of the straight rise to the highest rate."),
      ("floor", .share, "", "Last learning rate as a share of the highest."),
      ("decay", .number(least: 0, most: 1e6), "", "Decay of weights with more than one axis."),
      ("beta1", .shareBelowOne, "", "AdamW's memory of gradients."),
      ("beta2", .shareBelowOne, "", "AdamW's memory of their squares."),
      (
        "clip", .number(least: 0, most: .infinity, withLeast: false), "",
        "Largest norm of the gradient; larger ones are scaled down to it."
      ),
      ("accumulation", .whole(1...1 << 16), "batches", "Batches whose gradients make one step."),
      ("averageDecay", .share, "", "Memory of the moving average of the weights, which is what is exported."),
      ("averageStart", .share, "", "Share of the run after which that average begins."),
    ])
}

extension DrawingRun {
  static let keys = RecipeKey.section(
    "run",
    [
      ("checkpointMinutes", .positive, "minutes", "Time between checkpoints."),
      ("sampleMinutes", .weight, "minutes", "Time between sheets of samples; 0 draws none."),
      compute, nice,
    ])

  static let compute: (String, RecipeKey.Kind, String, String) = (
    "compute", .word(Precision.allCases.map(\.rawValue)), "",
    "Precision of products; bf16 where the processor multiplies it."
  )
  static let nice: (String, RecipeKey.Kind, String, String) = (
    "nice", .whole(0...19), "", "How far the run stands back for other programs; 0 not at all."
  )
}

extension PictureData {
  static let keys = RecipeKey.section(
    "data",
    [shards, seed, batch, wideShare, maxSkipped])

  static let shards: (String, RecipeKey.Kind, String, String) = (
    "shards", .folder, "", "Folder of shards; empty for scenes that are composed during training."
  )
  static let seed: (String, RecipeKey.Kind, String, String) = (
    "seed", .seed, "", "Seed of the data's order and of all that is drawn at random."
  )
  static let batch: (String, RecipeKey.Kind, String, String) = (
    "batch", .whole(1...1 << 16), "pictures", "Size of a batch."
  )
  static let wideShare: (String, RecipeKey.Kind, String, String) = (
    "wideShare", .share, "", "Share of the pictures of the wider set among scenes."
  )
  static let maxSkipped: (String, RecipeKey.Kind, String, String) = (
    "maxSkipped", .share, "",
    "Share of the samples in shards that may be damaged or lack something; one may in any case, unless this is 0."
  )
}

extension DecoderRecipe.Times {
  static let keys = RecipeKey.section(
    "times",
    [
      (
        "distribution", .word(TimeDistribution.Kind.allCases.map(\.rawValue)), "",
        "How training times are drawn."
      ),
      ("mean", .any, "", "Mean of logit-normal's normal: above 0 is nearer to the picture."),
      ("deviation", .positive, "", "Its deviation."),
      (
        "pureNoise", .share, "", "Share of the batch that starts from nothing but noise: what one step needs."
      ),
    ])
}

extension DecoderRecipe.Objectives {
  static let keys = RecipeKey.section(
    "objectives",
    [
      ("flow", .positive, "", "Weight of the velocity's error."),
      (
        "perceptual", .weight, "",
        "Weight of the one-step estimate's distance in features of the understanding encoder."
      ),
      ("alignment", .weight, "", "Weight of the distance of the decoder's features to the encoder's (REPA)."),
      ("lpipsFolder", .folder, "", "Folder with the weights of LPIPS; empty for the encoder's features."),
      ("dinoFolder", .folder, "", "Folder of DINOv2; empty for the understanding encoder."),
      ("latentNoise", .weight, "", "Deviation of the noise that is added to latents of deviation 1."),
    ])
}

extension DecoderRecipe {
  /// Every key with what it takes and means.
  public static let keys =
    RecipeKey.section(
      "model",
      [
        (
          "size", .word(PixelDecoderConfiguration.Size.allCases.map(\.rawValue)), "",
          "Size of the pixel decoder."
        ),
        (
          "reducer", .word(ReducerConfiguration.Kind.allCases.map(\.rawValue)), "",
          "Reducer: trained with the decoder, or fitted before."
        ),
        ("ratio", .size, "", "Channels of a feature over channels of a latent."),
        ("frozenReducer", .flag, "", "Whether the reducer stays as --from gives it."),
        ("seed", .seed, "", "Seed of the first weights."),
      ]) + PictureData.keys + Objectives.keys + Times.keys + Optimization.keys + DrawingRun.keys
}

extension DistillRecipe {
  /// Every key with what it takes and means.
  public static let keys =
    RecipeKey.section("teacher", [("steps", .whole(1...100), "steps", "Euler steps of the teacher.")])
    + PictureData.keys + DecoderRecipe.Objectives.keys + Optimization.keys + DrawingRun.keys
}

extension GeneratorRecipe {
  /// Every key with what it takes and means.
  public static let keys =
    RecipeKey.section(
      "model",
      [
        ("seed", .seed, "", "Seed of what is not copied from the language model."),
        ("timeShift", .positive, "", "How sampling steps are moved towards the noise; 1 leaves them even."),
        ("patch", .whole(1...1024), "latents", "Side of the square of latents that is one token."),
      ])
    + RecipeKey.section(
      "data",
      [
        PictureData.shards, PictureData.seed, PictureData.batch, PictureData.wideShare,
        ("pairShare", .share, "", "Share of scenes that show two things whatever else is drawn."),
        (
          "style", .word(SceneStyle.allCases.map(\.rawValue)), "", "How scenes show their things."
        ),
        ("scenes", .whole(1...1 << 24), "pictures", "How many latents are worked out once and kept."),
        ("promptDropout", .share, "", "Share of the prompts that are left empty, which guidance needs."),
        (
          "firstCaptionShare", .share, "",
          "Share of the other prompts that are a scene's first caption, in always the same wording."
        ),
        PictureData.maxSkipped,
      ])
    + RecipeKey.section(
      "measure",
      [
        ("minutes", .weight, "minutes", "Time between measures of what of a prompt is used; 0 for none."),
        ("scenes", .whole(1...100_000), "scenes", "How many each kind of wrong prompt is tried on."),
      ]) + DecoderRecipe.Times.keys + Optimization.keys + DrawingRun.keys
}

extension UnderstandingRecipe {
  /// Every key with what it takes and means.
  public static let keys =
    modelKeys + dataKeys + objectiveKeys + Optimization.keys
    + RecipeKey.section(
      "run",
      [
        ("checkpointMinutes", .positive, "minutes", "Time between checkpoints."), DrawingRun.compute,
        DrawingRun.nice,
      ])

  private static let modelKeys = RecipeKey.section(
    "model",
    [
      ("imageSize", .size, "pixels", "Width and height of the pictures."),
      ("patchSize", .size, "pixels", "Side of the square that the encoder reads as one."),
      (
        "positionSpan", .whole(0...1024), "places",
        "Over how many places a side spans for rotary positions; 0 for one a patch."
      ),
      ("visionWidth", .size, "channels", "Width of the encoder."),
      ("visionLayers", .size, "layers", "Depth of the encoder."),
      ("visionHeads", .size, "heads", "Attention heads of the encoder."),
      ("textWidth", .size, "channels", "Width of the language model."),
      ("textLayers", .size, "layers", "Depth of the language model."),
      ("textHeads", .size, "heads", "Attention heads of the language model."),
      ("keyValueHeads", .size, "heads", "Heads of its keys and values."),
      ("textHidden", .size, "channels", "Width inside its gated layers."),
      ("pooling", .size, "patches", "Side of the square of patches that becomes one token."),
      ("vocabulary", .whole(300...1 << 20), "tokens", "Size of the tokenizer that is learnt."),
      ("context", .size, "tokens", "Longest text with its picture."),
      ("alignmentWidth", .size, "channels", "Width of the vectors by which pictures and texts are compared."),
      ("frozenEncoder", .flag, "", "Whether the encoder stays as --from gives it."),
      ("seed", .seed, "", "Seed of the first weights."),
    ])

  private static let dataKeys = RecipeKey.section(
    "data",
    [
      PictureData.shards, PictureData.seed, PictureData.batch,
      ("questions", .size, "questions", "How many are asked about a picture."),
      (
        "relationShare", .share, "",
        "Share of the questions about two things' places that are asked in any case."
      ),
      ("colourShare", .share, "", "The same of questions about colours."),
      PictureData.wideShare,
      (
        "wordDropout", .shareBelowOne, "",
        "Share of the words read that are replaced, so that answers come from the picture."
      ),
      PictureData.maxSkipped,
    ])

  private static let objectiveKeys = RecipeKey.section(
    "objectives",
    [
      ("text", .weight, "", "Weight of the answers' words."),
      ("localisation", .weight, "", "Weight of which class lies on each patch."),
      ("centres", .weight, "", "Weight of which patches hold the middle of a thing: what counting needs."),
      ("colours", .weight, "", "Weight of the colour of what lies on each patch."),
      ("outlines", .weight, "", "Weight of its outline in parts of a patch."),
      ("shades", .weight, "", "Weight of the colours of each patch's quarters, of grounds too."),
      ("contrastive", .weight, "", "Weight of telling pictures' captions from each other."),
    ])
}
