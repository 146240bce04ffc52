import Layers
import ModelFiles
import Tensors

/// A model that is ready to answer: both towers, tokenizer, chat template and precision of one folder. It is made once and
/// passed on; several of them, of different precision, answer side by side.
///
/// The half that draws is loaded when it is first asked for. Belongs to one numeric thread, as its modules do.
public final class LoadedModel {
  /// As it was given, for messages.
  public let folder: String
  /// The half that reads and answers.
  public let tower: UnderstandingTower
  /// How text becomes tokens.
  public let template: ChatTemplate
  private var drawing: GenerationModel?

  /// Loads a folder in the Hugging Face layout. Throws `ModelFileError` or `ModuleLoadError`, each naming the file or
  /// folder and what is wrong, or `SystemMemory.Shortage`.
  ///
  /// - Parameter precision: of products with stored weights; what a person would want of a model of its size unless given.
  public convenience init(folder: String, precision: Precision? = nil) throws {
    try WeightMemory.check(folder)
    let tower = try UnderstandingTower(folder: folder)
    tower.precision = precision ?? tower.usualPrecision
    try self.init(tower, Tokenizer(folder: folder), folder: folder)
  }

  /// From parts that are in memory. Throws `ModelFileError` where tokenizer and tower do not belong together.
  ///
  /// - Parameter folder: where the model's other files are, or what it is called where it has none.
  public init(_ tower: UnderstandingTower, _ tokenizer: Tokenizer, folder: String) throws {
    (self.tower, self.folder) = (tower, folder)
    template = try ChatTemplate(tokenizer, tower.configuration, folder: folder)
  }

  /// What a program holds at its peak that asks a folder's model about few small pictures, or draws by it, in bytes.
  public static func peakBytes(of folder: String, drawing draws: Bool = false) -> Int {
    WeightMemory.peak(of: folder, drawing: draws)
  }

  /// What it is called: its folder's name, or NAME of ORG/NAME in a hub's cache.
  public var name: String { ModelFolder.name(of: folder) }
  /// The template's.
  public var tokenizer: Tokenizer { template.tokenizer }
  /// Sizes of the understanding half.
  public var configuration: UnderstandingConfiguration { tower.configuration }
  /// How its stored weights meet many rows of activations.
  public var precision: Precision { tower.precision }

  /// Reducer, decoders and, where it is there, the generation tower, of the model's precision. Throws `ModelFileError` or `ModuleLoadError` where the
  /// folder cannot draw.
  public func generation() throws -> GenerationModel {
    if let drawing { return drawing }
    try WeightMemory.check(drawing: folder, precision)
    let loaded = try GenerationModel(folder: folder, beside: configuration, precision: precision)
    drawing = loaded
    return loaded
  }

  /// The vectors by which pictures and texts are compared. Throws `ModelFileError` when the folder has no
  /// `alignment.safetensors`.
  public func alignment() throws -> ContrastiveAlignment {
    try ContrastiveAlignment(folder: folder, configuration)
  }
}
