import DataSets
import Training
import VUGEN

/// Everything that decides the training of the generation tower.
public struct GeneratorRecipe: TrainingRecipe, Equatable {
  /// Pictures, prompts and batches.
  public struct Data: StoredPictureData, Equatable {
    /// Folder of shards; empty for composed scenes.
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
    public var batch = 64
    /// Share of the pictures of the wider set among scenes.
    public var wideShare = 0.05
    /// Share of the scenes that show two things in a relation whatever else is drawn.
    public var pairShare = 0.0
    /// How scenes show their things: `varied` or `clear`.
    public var style = SceneStyle.varied
    /// Pictures whose latents are worked out once and kept.
    public var scenes = 40_000
    /// Share of the prompts that are left empty: the unconditional side of guidance.
    public var promptDropout = 0.1
    /// Share of the other prompts that are a scene's first caption, "a cat left of a dog on a white background"; the rest
    /// are any of its wordings.
    public var firstCaptionShare = 0.0
    /// Share of the samples in shards that may be damaged or lack something; they are skipped. One may in any case,
    /// unless this is 0.
    public var maxSkipped = 0.01
    /// Which part of a stored picture is trained on.
    public var crop = PictureCrop.center
    /// Side of the smallest random square over the picture's shorter side.
    public var cropFrom = 0.5
    /// Whether stored pictures are mirrored at random; scenes, and pictures of whose sides the caption speaks, are not.
    public var flip = true
    /// Different framings of a stored picture whose latents are kept; of one alone the picture is not mirrored.
    public var views = 1

    /// The defaults.
    public init() {}

    var framing: Framing { Framing(crop: crop, cropFrom: cropFrom, flip: flip && views > 1) }

    /// Pictures whose latents are kept: of `stored` samples no more than there are views, as others would be the same.
    func pictures(of stored: Int?) -> Int {
      stored.map { Int(min(Double(scenes), Double($0) * Double(views))) } ?? scenes
    }
  }

  /// What of the tower is not the language model's.
  public struct Model: Codable, Sendable, Equatable {
    /// Seed of what is not copied from the language model.
    public var seed: UInt64 = 1
    /// How sampling steps are moved towards the noise; 1 leaves them even, 0 goes by the latents' size.
    public var timeShift = 0.0
    /// Whether training's times are moved likewise.
    public var shiftsTraining = true
    /// What the last layer gives.
    public var predicts = TowerPrediction.velocity
    /// Latents along one side of the square that is one token.
    public var patch = 1

    /// The defaults.
    public init() {}
  }

  /// How often a run measures what of a prompt the tower uses.
  public struct Measure: Codable, Sendable, Equatable {
    /// Minutes between measures; 0 for none. Runs on shards have none: no caption there is known to be wrong.
    public var minutes = 10.0
    /// Scenes of each kind of change.
    public var scenes = 32

    /// The defaults.
    public init() {}
  }

  /// What of the tower is not the language model's.
  public var model = Model()
  /// Pictures, prompts and batches.
  public var data = Data()
  /// How often the use of prompts is measured.
  public var measure = Measure()
  /// How training times are drawn.
  public var times = DecoderRecipe.Times()
  /// Steps, rates, averages.
  public var optimization = Optimization()
  /// Checkpoints, samples, precision.
  public var run = DrawingRun()

  /// The defaults.
  public init() {
    (optimization.rate, optimization.decay, optimization.beta2) = (1e-3, 0.1, 0.99)
    (optimization.steps, optimization.averageDecay) = (10_000, 0.999)
  }

  public func check() throws {
    try checkValues()
  }
}

extension GeneratorRecipe {
  /// Their training times were never shifted.
  public static var ofOlderRuns: GeneratorRecipe {
    var recipe = framedAsBefore()
    (recipe.model.timeShift, recipe.model.shiftsTraining) = (1, false)
    return recipe
  }
}
