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
      (
        "optimizer", .word(OptimizerKind.allCases.map(\.rawValue)), "",
        "Optimiser; schedule-free-radam is evaluated and exported at the average of its weights."
      ),
      ("rate", .positive, "", "Highest learning rate."),
      ("warmUp", .whole(0...1 << 30), "steps", "Length of the linear warm-up."),
      ("floor", .share, "", "Final learning rate, as a share of the highest."),
      (
        "decay", .number(least: 0, most: 1e6), "",
        "Weight decay: of weights with more than one axis, with schedule-free-radam of norms' weights, too."
      ),
      ("beta1", .shareBelowOne, "", "β₁: decay of the average of gradients."),
      ("beta2", .shareBelowOne, "", "β₂: decay of the average of squared gradients."),
      (
        "clip", .number(least: 0, most: .infinity, withLeast: false), "",
        "Maximum gradient norm, of alignment heads by themselves; larger gradients are scaled down to it."
      ),
      ("accumulation", .whole(1...1 << 16), "batches", "Batches accumulated per step."),
      (
        "averageDecay", .share, "",
        "Decay of the moving average of the weights, which is what is exported; 0 for the weights themselves, which saves memory."
      ),
      ("averageStart", .share, "", "Share of the run after which averaging starts."),
      (
        "averageRises", .flag, "",
        "Whether the average's decay rises to averageDecay: (1 + n) / (10 + n) at update n."
      ),
    ])
}

extension DrawingRun {
  static let keys = RecipeKey.section(
    "run",
    [
      ("checkpointMinutes", .positive, "minutes", "Time between checkpoints."),
      (
        "sampleMinutes", .weight, "minutes",
        "Time between sheets of samples, which take a twentieth of a run at most; 0 draws none."
      ),
      validationMinutes, tensorboard, name, compute, checkpointActivations, nice,
    ])

  static let name: (String, RecipeKey.Kind, String, String) = (
    "name", .text, "",
    "Name of the exported model, as the studio shows it; empty for the name of the run's folder."
  )

  static let tensorboard: (String, RecipeKey.Kind, String, String) = (
    "tensorboard", .flag, "",
    "Whether to write event files for TensorBoard, too: losses, rates and sheets of samples."
  )

  static let validationMinutes: (String, RecipeKey.Kind, String, String) = (
    "validationMinutes", .weight, "minutes",
    "Time between measurements of the validation loss; the last step has one, too; 0 for none."
  )

  static let compute: (String, RecipeKey.Kind, String, String) = (
    "compute", .word(Precision.allCases.map(\.rawValue)), "",
    "Precision of products; bf16 is used only where the processor multiplies it."
  )
  static let checkpointActivations: (String, RecipeKey.Kind, String, String) = (
    "checkpointActivations", .flag, "",
    "Whether blocks are computed again in the backward pass: less memory, more time, and the same results bit for bit."
  )
  static let nice: (String, RecipeKey.Kind, String, String) = (
    "nice", .whole(0...19), "", "Niceness: how readily the run yields to other programs."
  )
}

extension PictureData {
  static let keys = RecipeKey.section(
    "data",
    [shards] + stored + [seed, batch, wideShare, maxSkipped] + framing)

  static let shards: (String, RecipeKey.Kind, String, String) = (
    "shards", .folder, "",
    "A shard, a folder of shards, a pattern such as data/{000000..000123}.tar, or a folder of classes; empty to compose scenes."
  )
  /// What is said of stored samples alone.
  static let stored: [(String, RecipeKey.Kind, String, String)] = [
    ("sources", .places, "", "Several of what data.shards names, instead of it."),
    (
      "weights", .weights, "",
      "How often each of data.sources is drawn from, in proportion; empty to draw each sample as often."
    ),
    validation,
    (
      "textKey", .text, "",
      "Ending of the member that is a sample's text; empty for .txt, .caption, a caption in the .json, or the .cls."
    ),
    (
      "jsonKey", .text, "",
      "Key of the caption in the .json; empty for a common one, such as caption or text."
    ),
    (
      "classNames", .file, "",
      "File with the names of classes, for .cls numbers and folders of classes: a line each, or JSON; empty for none."
    ),
    ("template", .text, "", "Caption of a class; [CLS] stands for its name."),
  ]
  static let maxTokens: (String, RecipeKey.Kind, String, String) = (
    "maxTokens", .whole(0...1 << 20), "tokens",
    "Longest text that is learnt from; the rest is cut off and counted; 0 for what the model's context has room for."
  )
  static let validation: (String, RecipeKey.Kind, String, String) = (
    "validation", .shareOrFolder, "",
    "Held out, to measure a run by: a share of the stored samples (1000 at most; 0 for none), or a folder of shards."
  )
  static let seed: (String, RecipeKey.Kind, String, String) = (
    "seed", .seed, "", "Seed of the data order and of all random draws."
  )
  static let batch: (String, RecipeKey.Kind, String, String) = (
    "batch", .whole(1...1 << 16), "pictures", "Batch size."
  )
  static let wideShare: (String, RecipeKey.Kind, String, String) = (
    "wideShare", .share, "", "Share of scenes that show a picture of the wider set."
  )
  static let framing: [(String, RecipeKey.Kind, String, String)] = [
    (
      "crop", .word(PictureCrop.allCases.map(\.rawValue)), "",
      "Part of a stored picture that is used: center (the largest square), random, or squash (all of it, distorted)."
    ),
    (
      "cropFrom", .number(least: 0, most: 1, withLeast: false), "",
      "Side of the smallest random crop, as a share of the picture's shorter side."
    ),
    (
      "flip", .flag, "",
      "Whether half of the stored pictures are mirrored; scenes, and pictures whose caption says left or right, are not."
    ),
  ]
  static let maxSkipped: (String, RecipeKey.Kind, String, String) = (
    "maxSkipped", .share, "",
    "Largest share of samples in shards that may be damaged or incomplete; one is always allowed, unless this is 0."
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
      ("mean", .any, "", "Mean of the logit-normal distribution; above 0, times are nearer to the picture."),
      ("deviation", .positive, "", "Standard deviation of the logit-normal distribution."),
      (
        "pureNoise", .share, "",
        "Share of the batch that starts from pure noise, which one-step decoding needs."
      ),
    ])
}

extension DecoderRecipe.Objectives {
  static let keys = RecipeKey.section(
    "objectives",
    [
      ("flow", .positive, "", "Weight of the velocity error."),
      (
        "perceptual", .weight, "",
        "Weight of the perceptual distance of the one-step estimate, in features of the understanding encoder."
      ),
      ("alignment", .weight, "", "Weight of aligning the decoder's features with the encoder's (REPA)."),
      ("lpipsFolder", .folder, "", "Folder with the weights of LPIPS; empty to use the encoder's features."),
      ("dinoFolder", .folder, "", "Folder of DINOv2; empty to use the understanding encoder."),
      (
        "latentNoise", .weight, "",
        "Standard deviation of the noise added to the latents in training; an addition to the paper, 0 for none."
      ),
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
          "Reducer: mlp is trained with the decoder, pca is fitted beforehand."
        ),
        ("ratio", .size, "", "Reduction ratio: channels of a feature per channel of a latent."),
        (
          "outputSize", .whole(0...8192), "pixels",
          "Width and height of the pictures that are drawn; 0 for the encoder's own."
        ),
        (
          "standardised", .flag, "",
          "Whether latents are brought to mean 0 and deviation 1; an addition to the paper."
        ),
        ("frozenReducer", .flag, "", "Whether to keep the reducer as --from provides it."),
        ("seed", .seed, "", "Seed of the initial weights."),
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
        ("seed", .seed, "", "Seed of the weights that are not copied from the language model."),
        (
          "timeShift", .weight, "",
          "Shift of the sampling steps towards the noise; 1 spaces them evenly, 0 goes by the latents' numbers: √(numbers/4096), 1 at least."
        ),
        ("shiftsTraining", .flag, "", "Whether training's times are shifted likewise."),
        (
          "predicts", .word(TowerPrediction.allCases.map(\.rawValue)), "",
          "What the tower's last layer gives: the velocity, or the data to which it leads."
        ),
        ("patch", .whole(1...1024), "latents", "Side of the square of latents that becomes one token."),
      ])
    + RecipeKey.section(
      "data",
      [
        PictureData.shards
      ] + PictureData.stored + [
        PictureData.maxTokens, PictureData.seed, PictureData.batch, PictureData.wideShare,
        ("pairShare", .share, "", "Share of scenes that are made to show two things."),
        (
          "style", .word(SceneStyle.allCases.map(\.rawValue)), "",
          "Style of the scenes: varied, or clear (large, nearly upright things)."
        ),
        (
          "scenes", .whole(1...1 << 24), "pictures",
          "Number of pictures whose latents are computed once and kept."
        ),
        ("promptDropout", .share, "", "Share of prompts left empty, which guidance needs."),
        (
          "firstCaptionShare", .share, "",
          "Share of the other prompts that use a scene's first caption, whose wording never varies."
        ),
        PictureData.maxSkipped,
      ] + PictureData.framing + [
        (
          "views", .whole(1...1024), "views",
          "Crops or mirrorings of each stored picture whose latents are kept; a single one is never mirrored."
        )
      ])
    + RecipeKey.section(
      "measure",
      [
        ("minutes", .weight, "minutes", "Time between measurements of prompt use; 0 for none."),
        ("scenes", .whole(1...100_000), "scenes", "Scenes on which each kind of wrong prompt is tried."),
      ]) + DecoderRecipe.Times.keys + Optimization.keys + DrawingRun.keys
}

extension UnderstandingRecipe {
  /// Every key with what it takes and means.
  public static let keys =
    modelKeys + dataKeys + objectiveKeys + Optimization.keys
    + RecipeKey.section(
      "run",
      [
        ("checkpointMinutes", .positive, "minutes", "Time between checkpoints."),
        DrawingRun.validationMinutes, DrawingRun.tensorboard, DrawingRun.name, DrawingRun.compute,
        DrawingRun.checkpointActivations, DrawingRun.nice,
      ])

  private static let modelKeys = RecipeKey.section(
    "model",
    [
      ("imageSize", .size, "pixels", "Width and height of the pictures."),
      ("patchSize", .size, "pixels", "Patch size: side of the square that becomes one token of the encoder."),
      (
        "positionSpan", .whole(0...1024), "places",
        "Places that a side spans in the rotary position grid; 0 for one per patch."
      ),
      ("visionWidth", .size, "channels", "Width of the encoder."),
      ("visionLayers", .size, "layers", "Depth of the encoder."),
      ("visionHeads", .size, "heads", "Attention heads of the encoder."),
      ("textWidth", .size, "channels", "Width of the language model."),
      ("textLayers", .size, "layers", "Depth of the language model."),
      ("textHeads", .size, "heads", "Attention heads of the language model."),
      ("keyValueHeads", .size, "heads", "Heads of its keys and values."),
      ("textHidden", .size, "channels", "Inner width of its feed-forward layers."),
      ("pooling", .size, "patches", "Side of the square of patches that becomes one token."),
      ("vocabulary", .whole(300...1 << 20), "tokens", "Vocabulary size of the tokenizer that is trained."),
      ("context", .size, "tokens", "Context length: text and picture together."),
      ("alignmentWidth", .size, "channels", "Width of the vectors that pictures and texts are compared by."),
      ("frozenEncoder", .flag, "", "Whether to keep the encoder as --from provides it."),
      ("seed", .seed, "", "Seed of the initial weights."),
    ])

  private static let dataKeys = RecipeKey.section(
    "data",
    [
      PictureData.shards
    ] + PictureData.stored + [
      PictureData.maxTokens, PictureData.seed, PictureData.batch,
      ("questions", .size, "questions", "Questions per picture."),
      (
        "relationShare", .share, "",
        "Share of questions reserved for the positions of two things."
      ),
      ("colourShare", .share, "", "Share of questions reserved for colours."),
      PictureData.wideShare,
      (
        "wordDropout", .shareBelowOne, "",
        "Share of input words that are replaced, so that answers have to come from the picture."
      ),
      PictureData.maxSkipped,
    ] + PictureData.framing)

  private static let objectiveKeys = RecipeKey.section(
    "objectives",
    [
      ("text", .weight, "", "Weight of the language-model loss on answers."),
      ("localisation", .weight, "", "Weight of predicting the class on each patch."),
      (
        "centres", .weight, "",
        "Weight of predicting which patches hold the centre of a thing, which counting needs."
      ),
      ("colours", .weight, "", "Weight of predicting the colour of the thing on each patch."),
      ("outlines", .weight, "", "Weight of predicting the outline of the thing, finer than a patch."),
      (
        "shades", .weight, "",
        "Weight of predicting the colours of each patch's quarters, backgrounds included."
      ),
      ("contrastive", .weight, "", "Weight of the contrastive loss between pictures and captions."),
    ])
}
