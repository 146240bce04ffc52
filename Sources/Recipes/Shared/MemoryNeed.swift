import Files
import Foundation
import Layers
import Tensors
import Training
import VUGEN

extension TrainingRun {
  /// What the run is reckoned to take of the memory, beside what is free, in a line; nil where either is not known.
  public var memoryNote: String? {
    guard let need = memoryNeed, let free = SystemMemory.roomBytes else { return nil }
    let own = SystemMemory.ownBytes ?? 0, numbers = 4 * Double(trainer.parameterCount)
    var parts = [("weights", numbers), ("gradients", numbers), ("moments", 2 * numbers)]
    if trainer.settings.keepsAverage { parts.append(("average", numbers)) }
    let rest = max(0, need - parts.reduce(0) { $0 + $1.1 })
    parts.append(("activations, data and what is frozen", rest))
    let told = parts.map { "\($0.0) \(String(format: "%.2f", $0.1 / 1e9))" }.joined(separator: ", ")
    return
      "about \(MemoryNeed.gigabytes(need)) GB of memory are needed (\(told)); \(MemoryNeed.gigabytes(Double(free + own))) GB are free"
  }
}

/// Sizes that this machine has no room for are refused before the work begins; the system would end it without a word.
enum MemoryNeed {
  /// Throws `RecipeError` where `bytes` are more than are free; returns them.
  ///
  /// - Parameters:
  ///   - names: what of a recipe can be lowered, as a part of a sentence.
  ///   - more: what helps besides.
  @discardableResult
  static func check(_ bytes: Double, _ names: String, more: String = "") throws -> Double {
    guard let free = SystemMemory.roomBytes, bytes > Double(free) else { return bytes }
    throw RecipeError(
      "\(names): these sizes need about \(gigabytes(bytes)) GB of memory, and \(gigabytes(Double(free))) GB are free; make them smaller\(more)"
    )
  }

  /// The same of a recipe, which may say that activations are made again; where that helps, it is named.
  static func check<Recipe: CheckpointingRecipe>(
    _ recipe: Recipe, _ names: String, _ need: (Recipe) throws -> Double
  ) throws -> Double {
    var less = recipe
    less.checkpointsActivations = true
    let bytes = try need(recipe), rest = try need(less)
    let isHelp = !recipe.checkpointsActivations && rest < 0.98 * bytes
    return try check(
      bytes, names,
      more: isHelp ? ", or set run.checkpointActivations = true (about \(gigabytes(rest)) GB)" : "")
  }

  /// Of a batch of pictures as numbers, and as much again while they are looked at.
  static func check(pictures: Int, side: Int) throws {
    try check(2 * 3 * 4 * Double(pictures) * Double(side) * Double(side), "data.batch = \(pictures)")
  }

  static func gigabytes(_ bytes: Double) -> String {
    bytes >= 1e15 ? "1000000" : String(format: "%.1f", bytes / 1e9)
  }
}

/// A recipe whose run can work activations out again.
protocol CheckpointingRecipe { var checkpointsActivations: Bool { get set } }

extension UnderstandingRecipe: CheckpointingRecipe {
  var checkpointsActivations: Bool {
    get { run.checkpointActivations }
    set { run.checkpointActivations = newValue }
  }
}

extension DecoderRecipe: CheckpointingRecipe {
  var checkpointsActivations: Bool {
    get { run.checkpointActivations }
    set { run.checkpointActivations = newValue }
  }
}

extension DistillRecipe: CheckpointingRecipe {
  var checkpointsActivations: Bool {
    get { run.checkpointActivations }
    set { run.checkpointActivations = newValue }
  }
}

extension GeneratorRecipe: CheckpointingRecipe {
  var checkpointsActivations: Bool {
    get { run.checkpointActivations }
    set { run.checkpointActivations = newValue }
  }
}

/// What training takes at its peak, by what dominates. The constants were measured (`VmHWM` of whole runs), and
/// `MemoryTests` measures them again.
package enum TrainingMemory {
  /// The program and its libraries, with oneDNN's scratch memory for products where they are its, and data that are made
  /// ahead.
  static let program = Hardware.hasSteadyProducts ? 70e6 : 45e6
  /// Cut-outs of which scenes are composed.
  static let scenes = 340e6

  /// Of trained weights: with gradients, two moments and the average; with the sum of gradients where a step has several
  /// batches; and twice in a library's own order where that has them, as it has convolutions' everywhere.
  static func weights(_ parameters: Double, _ o: Optimization, areConvolutions: Bool = false) -> Double {
    var bytes = 16.0
    if o.keepsAverage { bytes += 4 }
    if o.accumulation > 1 { bytes += 4 }
    if areConvolutions || Hardware.hasSteadyProducts { bytes += 8 }
    return bytes * parameters
  }

  /// Of a picture's numbers: made ahead, and twice more where it is looked at.
  static func numbers(side: Int) -> Double { 4 * 4 * 3 * Double(side) * Double(side) }

  /// Of a model's files, which are widened to f32.
  static func files(in folder: String) -> Double {
    guard !folder.isEmpty else { return 0 }
    let names = (try? FileName.names(in: folder)) ?? []
    let sizes = names.filter { $0.hasSuffix(".safetensors") }.map {
      FileName.status("\(folder)/\($0)")?.st_size ?? 0
    }
    return Double(sizes.reduce(0, +))
  }

  /// Parameters of the decoder, and of what is trained beside it: the reducer and the head that aligns features.
  static func parameters(of drawing: GenerationConfiguration, alignedTo width: Int) -> Double {
    var random = Philox(seed: 0)
    let decoder = Parameter.deferringValues { PixelDecoder(drawing.decoder, using: &random) }
    let reducer = Parameter.deferringValues { DimensionReducer(drawing.reducer, using: &random) }
    let deepest = Double(drawing.decoder.deepestChannels)
    return Double(decoder.parameterCount + reducer.parameterCount) + deepest * (deepest + Double(width))
  }

  /// What `layers` blocks of a transformer keep for the gradients: where they are worked out again, all of one of them, and
  /// the others' inputs.
  static func blocks(
    _ tokens: Double, _ width: Double, _ layers: Double, _ type: ElementType, again: Bool
  ) -> Double {
    (again ? 28 + 2 * layers : 28 * layers) * tokens * width * size(type)
  }

  /// Parameters of the tower that is trained.
  static func parameters(
    of drawing: GenerationConfiguration, beside text: TextConfiguration, patch: Int
  ) -> Double {
    var random = Philox(seed: 0), c = drawing.tower
    c.patch = patch
    return Double(Parameter.deferringValues { GenerationTower(c, text: text, using: &random) }.parameterCount)
  }

  static func size(_ type: ElementType) -> Double { type == .bf16 ? 2 : 4 }

  static func base(_ data: some StoredPictureData) -> Double { program + (data.isComposed ? scenes : 0) }

  /// Of a picture in an encoder through which gradients go.
  static func encoder(_ c: UnderstandingConfiguration, _ type: ElementType, again: Bool) -> Double {
    let v = c.vision
    return blocks(Double(v.grid * v.grid), Double(v.width), Double(v.layers), type, again: again)
  }

  /// Of a picture in a pixel decoder: the blocks of each level of the U, and the transformer in its middle.
  static func decoder(
    _ c: PixelDecoderConfiguration, side: Int, _ type: ElementType, again: Bool
  ) -> Double {
    var side = Double(side / c.stem)
    // One block of the first level, of what comes up and what was kept on the way down.
    var numbers = again ? 30 * side * side * Double(c.channels) : 0
    for width in c.widths {
      numbers += Double(2 * c.blocks + 1) * side * side * Double(width) * (again ? 2 : 10)
      side /= 2
    }
    let layers = Double(c.layers)
    numbers += (again ? 28 * 4 + 2 * layers : 28 * 4 * layers) * 4 * side * side * Double(c.deepestChannels)
    return numbers * size(type)
  }

  /// VGG-16's layers for each pixel, of two pictures.
  static func perceptual(
    _ o: DecoderRecipe.Objectives, _ c: UnderstandingConfiguration, side: Int, _ type: ElementType,
    again: Bool
  ) -> Double {
    if o.perceptual <= 0 { return 0 }
    return o.lpipsFolder.isEmpty ? encoder(c, type, again: again) : 2200 * Double(side * side)
  }
}

extension UnderstandingRecipe {
  /// At its peak, in bytes.
  package var memoryNeed: Double {
    let vision = Double(model.visionWidth), text = Double(model.textWidth)
    let layers = (Double(model.visionLayers), Double(model.textLayers))
    let grid = Double(model.imageSize / max(1, model.patchSize)),
      pooled = grid / Double(max(1, model.pooling))
    let patch = 3 * Double(model.patchSize) * Double(model.patchSize), aligned = Double(model.alignmentWidth)
    let shared = Double(model.keyValueHeads) / Double(max(1, model.textHeads))
    let parameters =
      layers.0 * 12 * vision * vision
      + layers.1 * text * (2 * text + 2 * shared * text + 3 * Double(model.textHidden))
      + Double(model.vocabulary) * text + (patch + grid * grid) * vision + (vision + text) * (text + aligned)
      + vision * Self.headOutputs
    // A question with its answer has about twenty tokens.
    let tokens = min(pooled * pooled + 21 * Double(data.questions), Double(model.context))
    let type = run.compute.activationType, again = run.checkpointActivations
    let picture =
      TrainingMemory.blocks(grid * grid, vision, layers.0, type, again: again)
      + TrainingMemory.blocks(tokens, text, layers.1, type, again: again)
      // Each word's share of each token, and its gradients.
      + 14 * tokens * Double(model.vocabulary)
      // What lies on each patch, what each token sees, and the vectors that are compared.
      + 12 * grid * grid * Self.headOutputs + 5 * tokens * tokens + 48 * aligned
      + TrainingMemory.numbers(side: model.imageSize)
    // Each picture is compared with each caption.
    let batch = Double(data.batch), pairs = 16 * batch * batch
    return TrainingMemory.base(data) + TrainingMemory.weights(parameters, optimization)
      + batch * picture + pairs
  }

  /// Of the heads that say what lies on a patch: classes, middles, colours, outlines and shades.
  private static let headOutputs = 420.0

  /// Throws `RecipeError` where the weights and a batch do not fit into memory.
  @discardableResult func checkMemory() throws -> Double {
    try MemoryNeed.check(self, "data.batch and the sizes under model") { $0.memoryNeed }
  }
}

extension DecoderRecipe {
  /// At its peak, in bytes, upon an encoder.
  package func memoryNeed(upon c: UnderstandingConfiguration) throws -> Double {
    let drawing = try configuration(for: c), type = run.type, again = run.checkpointActivations
    let parameters = TrainingMemory.parameters(of: drawing, alignedTo: c.vision.width)
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, type, again: again)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, type, again: again)
      + TrainingMemory.numbers(side: drawing.imageSize)
    return TrainingMemory.base(data)
      + TrainingMemory.weights(parameters, optimization, areConvolutions: true) + c.weightBytes(.f32)
      + objectives.teacherBytes + Double(data.batch) * picture
  }

  func checkMemory(upon c: UnderstandingConfiguration) throws -> Double {
    try MemoryNeed.check(self, "data.batch and model.size") { try $0.memoryNeed(upon: c) }
  }
}

extension DistillRecipe {
  /// At its peak, in bytes, of a model's decoder.
  package func memoryNeed(of drawing: GenerationConfiguration, upon c: UnderstandingConfiguration) -> Double {
    let parameters = TrainingMemory.parameters(of: drawing, alignedTo: c.vision.width)
    let again = run.checkpointActivations
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, run.type, again: again)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, run.type, again: again)
      + TrainingMemory.numbers(side: drawing.imageSize)
    return TrainingMemory.base(data)
      + TrainingMemory.weights(parameters, optimization, areConvolutions: true) + c.weightBytes(.f32)
      + objectives.teacherBytes + Double(data.batch) * picture
  }
}

extension DecoderRecipe.Objectives {
  /// Of the networks in other folders that a decoder learns from.
  fileprivate var teacherBytes: Double {
    TrainingMemory.files(in: lpipsFolder) + TrainingMemory.files(in: dinoFolder)
  }
}

extension GeneratorRecipe {
  /// At its peak, in bytes, beside an understanding half.
  ///
  /// - Parameters:
  ///   - type: of the frozen weights in their files, in which they stay.
  ///   - stored: samples in its shards; nil for scenes.
  package func memoryNeed(
    of drawing: GenerationConfiguration, beside c: UnderstandingConfiguration,
    frozen type: ElementType = .bf16,
    stored: Int? = nil
  ) -> Double {
    let text = c.text, vision = c.vision, side = Double(drawing.grid / max(1, model.patch))
    let parameters = TrainingMemory.parameters(of: drawing, beside: text, patch: model.patch)
    // Latents stay in their files; in memory is where each lies.
    let latents = 150 * Double(data.pictures(of: stored))
    // They are made of a few pictures at a time; the encoder keeps nothing for gradients.
    let patches = vision.grid * vision.grid
    let seen = 36 * Double(max(patches, min(4096, 64 * patches)) * vision.width)
    // Its layers keep less than others: what they read of the prompt is frozen.
    let picture =
      0.65
      * TrainingMemory.blocks(
        side * side, Double(text.width), Double(text.layers), run.type, again: run.checkpointActivations)
    // The parts that draw sheets, in f32.
    let drawn = 4 * TrainingMemory.parameters(of: drawing, alignedTo: 0)
    return TrainingMemory.base(data) + TrainingMemory.weights(parameters, optimization)
      + c.weightBytes(type) + drawn + seen + latents + Double(data.batch) * picture
  }
}

extension UnderstandingConfiguration {
  /// Of its weights as they are used: widened to f32 where gradients go through them, else as they are stored, if in
  /// another order.
  fileprivate func weightBytes(_ type: ElementType) -> Double {
    let v = vision, t = text
    let numbers =
      Double(v.layers) * 12 * Double(v.width) * Double(v.width)
      + Double(t.layers) * Double(t.width) * Double(2 * t.width + 3 * t.hidden)
      + Double(t.vocabulary * t.width)
    return TrainingMemory.size(type) * numbers
  }
}
