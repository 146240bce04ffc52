import Files
import Foundation
import Layers
import ModelFiles
import Tensors

/// The drawing half of a model folder, beside the understanding half:
///
///     generation.json                    sizes
///     reducer.safetensors                features → latents, and their statistics
///     decoder.safetensors                latents → picture, in several steps
///     decoder_one_step.safetensors       the same, distilled (may be missing)
///     generator.safetensors              the generation tower (may be missing: then nothing can be imagined)
public struct GenerationConfiguration: Codable, Sendable, Equatable {
  /// How features become latents.
  public var reducer: ReducerConfiguration
  /// How latents become pictures.
  public var decoder: PixelDecoderConfiguration
  /// Latents along one side of a picture.
  public var grid: Int
  /// Side in pixels of the pictures that are drawn; the encoder may look at another one.
  public var imageSize: Int
  /// Latents along one side of the square that is one token of the generation tower.
  public var generatorPatch = 1
  /// How the sampler's steps are moved towards the noise; 1 leaves them even. See `TimeGrid.shifted`.
  public var timeShift = 1.0
  /// What the generation tower's last layer gives.
  public var predicts = TowerPrediction.velocity

  /// Tokens of one latent, and even steps.
  public init(
    reducer: ReducerConfiguration, decoder: PixelDecoderConfiguration, grid: Int, imageSize: Int
  ) {
    (self.reducer, self.decoder, self.grid, self.imageSize) = (reducer, decoder, grid, imageSize)
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    reducer = try values.decode(ReducerConfiguration.self, forKey: .reducer)
    self.decoder = try values.decode(PixelDecoderConfiguration.self, forKey: .decoder)
    grid = try values.decode(Int.self, forKey: .grid)
    timeShift = try values.decode(Double.self, forKey: .timeShift)
    // Folders from before there was a choice lack it.
    generatorPatch = try values.decodeIfPresent(Int.self, forKey: .generatorPatch) ?? 1
    predicts = try values.decodeIfPresent(TowerPrediction.self, forKey: .predicts) ?? .velocity
    let earlier = try values.nestedContainer(
      keyedBy: PixelDecoderConfiguration.EarlierKeys.self, forKey: .decoder)
    if !values.contains(.imageSize), let patch = try earlier.decodeIfPresent(Int.self, forKey: .patchSize) {
      imageSize = grid.multipliedReportingOverflow(by: patch).partialValue
    } else {
      imageSize = try values.decode(Int.self, forKey: .imageSize)
    }
  }

  /// Sizes of the generation tower.
  public var tower: GenerationTowerConfiguration {
    .init(latents: reducer.latents, grid: grid, patch: generatorPatch, predicts: predicts)
  }

  /// Reads `generation.json`. Throws `ModelFileError`.
  public init(folder: String) throws {
    let path = folder + "/" + GenerationFiles.configuration
    guard FileName.isTaken(path) else {
      let parts = [GenerationFiles.decoder, GenerationFiles.generator]
      if let part = parts.first(where: { FileName.isTaken("\(folder)/\($0)") }) {
        throw ModelFileError(
          path, "no such file, and \(part) cannot be used without it; copy it from the model's source")
      }
      throw ModelFileError(
        path,
        "no such file: this model understands pictures but cannot draw; train it with vugen train decoder")
    }
    let found: GenerationConfiguration
    do {
      found = try ModelJSON.read(Self.self, at: path, kind: "description of a drawing model")
      try found.decoder.check()
    } catch let error as GenerationError {
      throw ModelFileError(path, error.description)
    }
    let sizes = [found.grid, found.reducer.features, found.reducer.latents]
    guard sizes.allSatisfy({ (1...1 << 16).contains($0) }), found.decoder.latents == found.reducer.latents,
      found.grid <= 1024, (1...found.grid).contains(found.generatorPatch),
      found.grid % found.generatorPatch == 0, found.timeShift > 0, found.timeShift.isFinite,
      (1...1 << 13).contains(found.imageSize), found.imageSize % found.decoder.multiple == 0,
      found.imageSize / found.decoder.multiple <= 128
    else {
      throw ModelFileError(path, "its sizes do not fit together; copy the file from the model's source again")
    }
    self = found
  }

  /// `generation.json` as it is written.
  public func fileContents() throws -> Data { try JSONText.lines(self) }

  /// What the understanding half must have. Throws `ModelFileError` naming the folder.
  func check(against c: UnderstandingConfiguration, folder: String) throws {
    guard c.vision.width == reducer.features, c.vision.grid == grid else {
      throw ModelFileError(
        folder,
        "the drawing half was made for another encoder (\(reducer.features) channels, \(grid) × \(grid) "
          + "patches, not \(c.vision.width) and \(c.vision.grid) × \(c.vision.grid)); train it again")
    }
  }
}

/// File names of the drawing half.
public enum GenerationFiles {
  /// Sizes.
  public static let configuration = "generation.json"
  /// Features → latents.
  public static let reducer = "reducer.safetensors"
  /// Latents → picture, in several steps.
  public static let decoder = "decoder.safetensors"
  /// The same, distilled.
  public static let oneStepDecoder = "decoder_one_step.safetensors"
  /// The generation tower.
  public static let generator = "generator.safetensors"

  /// All of them.
  static let all = [configuration] + weights

  /// Those that hold tensors.
  public static let weights = [reducer, decoder, oneStepDecoder, generator]

  /// What to say of a folder whose drawing half lacks what it cannot do without; nil where nothing is missing, or where
  /// there is no such half.
  static func obstacle(in folder: String) -> ModelFileError? {
    func isThere(_ name: String) -> Bool { FileName.isTaken("\(folder)/\(name)") }
    guard isThere(configuration) else { return nil }
    let missing = [reducer, decoder].filter { !isThere($0) }
    guard !missing.isEmpty else { return nil }
    let (verb, them) = missing.count == 1 ? ("is", "it") : ("are", "them")
    let others = [reducer, decoder, generator].filter(isThere)
    // A tower draws the latents of one reducer, which is trained with its decoder.
    let next =
      isThere(generator)
      ? "copy \(them) from the model's source, or train all that draws again: vugen train decoder, then vugen train generator"
      : "copy \(them) from the model's source, or train the decoder again: vugen train decoder"
    return ModelFileError(
      folder,
      "the half that draws is incomplete: \(missing.joined(separator: " and ")) \(verb) missing"
        + (others.isEmpty ? "" : " beside \(others.joined(separator: " and "))") + "; \(next)")
  }

  /// Writes one part in bf16. Statistics stay f32: latents are divided by them.
  public static func write(_ tensors: [String: Tensor], to path: String) throws {
    func isStatistic(_ name: String) -> Bool { name == "mean" || name == "deviation" }
    // One after the other: a tower is as large as what is left of memory behind a run.
    let items = tensors.keys.sorted().map { name in
      SafetensorsWriter.Item(
        name: name, type: isStatistic(name) ? .f32 : .bf16, shape: tensors[name]?.shape ?? [])
    }
    try SafetensorsWriter.write(items, metadata: ["format": "pt"], summed: true, to: path) { name, body in
      try tensors[name]?.cast(to: isStatistic(name) ? .f32 : .bf16).withBytes(body)
    }
  }
}

/// A model folder's drawing half, loaded: reducer, decoders and, where it is there, the generation tower.
public final class GenerationModel {
  /// Sizes of all parts.
  public let configuration: GenerationConfiguration
  /// Features → latents.
  public let reducer: DimensionReducer
  /// Latents → picture, in several steps.
  public let decoder: PixelDecoder
  /// The same in one step; nil where there is none.
  public let oneStepDecoder: PixelDecoder?
  /// Prompt → latents; nil where there is none: then nothing can be imagined.
  public let generator: GenerationTower?
  /// The type in which it computes: bf16 where that is the precision, its weights are stored so, and the processor
  /// multiplies them.
  public let type: ElementType

  /// Throws `ModelFileError` or `ModuleLoadError`, naming the file and what is wrong.
  ///
  /// - Parameter precision: f32 widens the weights; bf16 keeps those that are stored so, in the mapped files.
  public init(
    folder: String, beside understanding: UnderstandingConfiguration, precision: Precision = .f32
  ) throws {
    let c = try GenerationConfiguration(folder: folder)
    try c.check(against: understanding, folder: folder)
    if let obstacle = GenerationFiles.obstacle(in: folder) { throw obstacle }
    configuration = c
    func path(_ name: String) -> String { folder + "/" + name }
    func exists(_ name: String) -> Bool { FileName.isTaken(path(name)) }
    func loaded<M: Module>(
      _ name: String, names: ([String: Tensor]) -> [String: Tensor] = { $0 }, _ build: (inout Philox) -> M
    ) throws -> M {
      var random = Philox(seed: 0)
      let module = Parameter.deferringValues { build(&random) }
      let file = try SafetensorsFile(path: path(name))
      // Widened they are twice as much memory, and exact in every product.
      try module.load(
        names(precision == .bf16 ? file.allTensors() : file.weights()), from: path(name))
      module.setPrecision(precision)
      return module
    }
    func decoder(_ name: String) throws -> PixelDecoder {
      try loaded(name, names: PixelDecoder.named) { PixelDecoder(c.decoder, using: &$0) }
    }
    reducer = try loaded(GenerationFiles.reducer) { DimensionReducer(c.reducer, using: &$0) }
    self.decoder = try decoder(GenerationFiles.decoder)
    oneStepDecoder =
      exists(GenerationFiles.oneStepDecoder) ? try decoder(GenerationFiles.oneStepDecoder) : nil
    generator =
      exists(GenerationFiles.generator)
      ? try loaded(GenerationFiles.generator) {
        GenerationTower(c.tower, text: understanding.text, using: &$0)
      } : nil
    let isStored = (generator?.output.weight ?? self.decoder.input.weight).value.type == .bf16
    type = isStored && precision.multipliesBF16 ? .bf16 : .f32
  }

  /// Latents `[batch, patches, channels]` as the decoder's grid.
  func grid(_ latents: Tensor) -> Tensor {
    latents.reshaped([latents.size(0), configuration.grid, configuration.grid, latents.size(2)])
  }

  /// The decoder for a number of steps: the distilled one for a single step.
  public func decoder(for steps: Int) -> PixelDecoder { steps == 1 ? oneStepDecoder ?? decoder : decoder }

  /// Pictures of latents `[batch, patches, channels]`, in −1…1, `[batch, side, side, 3]`.
  ///
  /// - Parameters:
  ///   - type: in which it computes; its own unless given.
  ///   - random: gives the decoder's noise.
  public func decode(
    _ latents: Tensor, steps: Int, type: ElementType? = nil, using random: inout Philox,
    onStep: (Int) throws -> Void
  ) rethrows -> Tensor {
    let side = configuration.imageSize
    let noise = Tensor.normal([latents.size(0), side, side, 3], using: &random)
    return try decoder(for: steps).decode(
      grid(latents), from: noise, steps: steps, type: type ?? self.type, onStep: onStep)
  }
}
