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
    let own = SystemMemory.residentBytes ?? 0
    return
      "about \(MemoryNeed.gigabytes(need)) GB of memory are needed for weights, moments, averages, activations and data; \(MemoryNeed.gigabytes(Double(free + own))) GB are free"
  }
}

/// Sizes that this machine has no room for are refused before the work begins; the system would end it without a word.
enum MemoryNeed {
  /// Throws `RecipeError` where `bytes` are more than are free; returns them.
  ///
  /// - Parameter names: what of a recipe can be lowered, as a part of a sentence.
  @discardableResult static func check(_ bytes: Double, _ names: String) throws -> Double {
    guard let free = SystemMemory.roomBytes, bytes > Double(free) else { return bytes }
    throw RecipeError(
      "\(names): these sizes need about \(gigabytes(bytes)) GB of memory, and \(gigabytes(Double(free))) GB are free; make them smaller"
    )
  }

  /// Of a batch of pictures as numbers, and as much again while they are looked at.
  static func check(pictures: Int, side: Int) throws {
    try check(2 * 3 * 4 * Double(pictures) * Double(side) * Double(side), "data.batch = \(pictures)")
  }

  static func gigabytes(_ bytes: Double) -> String {
    bytes >= 1e15 ? "1000000" : String(format: "%.1f", bytes / 1e9)
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

  /// Of trained weights: with gradients, two moments and the average, and once more while a run is saved; with the sum of
  /// gradients where a step has several batches.
  static func weights(_ parameters: Double, _ o: Optimization) -> Double {
    (o.accumulation > 1 ? 32 : 28) * parameters
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

  /// What `layers` blocks of a transformer keep for the gradients.
  static func blocks(_ tokens: Double, _ width: Double, _ layers: Double, _ type: ElementType) -> Double {
    28 * tokens * width * layers * size(type)
  }

  static func size(_ type: ElementType) -> Double { type == .bf16 ? 2 : 4 }

  static func base(_ data: some StoredPictureData) -> Double { program + (data.isComposed ? scenes : 0) }

  /// Of a picture in an encoder through which gradients go.
  static func encoder(_ c: UnderstandingConfiguration, _ type: ElementType) -> Double {
    let v = c.vision
    return blocks(Double(v.grid * v.grid), Double(v.width), Double(v.layers), type)
  }

  /// Of a picture in a pixel decoder: the blocks of each level of the U, and the transformer in its middle.
  static func decoder(_ c: PixelDecoderConfiguration, side: Int, _ type: ElementType) -> Double {
    var side = Double(side / c.stem), numbers = 0.0
    for width in c.widths {
      numbers += Double(2 * c.blocks + 1) * side * side * Double(width) * 10
      side /= 2
    }
    numbers += 28 * 4 * side * side * Double(c.deepestChannels * c.layers)
    return numbers * size(type)
  }

  /// VGG-16's layers for each pixel, of two pictures.
  static func perceptual(
    _ o: DecoderRecipe.Objectives, _ c: UnderstandingConfiguration, side: Int, _ type: ElementType
  )
    -> Double
  {
    if o.perceptual <= 0 { return 0 }
    return o.lpipsFolder.isEmpty ? encoder(c, type) : 2200 * Double(side * side)
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
    let type = run.compute.activationType
    let picture =
      TrainingMemory.blocks(grid * grid, vision, layers.0, type)
      + TrainingMemory.blocks(tokens, text, layers.1, type)
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
    try MemoryNeed.check(memoryNeed, "data.batch and the sizes under model")
  }
}

extension DecoderRecipe {
  /// At its peak, in bytes, upon an encoder.
  package func memoryNeed(upon c: UnderstandingConfiguration) throws -> Double {
    let drawing = try configuration(for: c), type = run.type
    let parameters = TrainingMemory.parameters(of: drawing, alignedTo: c.vision.width)
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, type)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, type)
      + TrainingMemory.numbers(side: drawing.imageSize)
    return TrainingMemory.base(data) + TrainingMemory.weights(parameters, optimization)
      + c.weightBytes + objectives.teacherBytes + Double(data.batch) * picture
  }

  func checkMemory(upon c: UnderstandingConfiguration) throws -> Double {
    try MemoryNeed.check(try memoryNeed(upon: c), "data.batch and model.size")
  }
}

extension DistillRecipe {
  /// At its peak, in bytes, of a model's decoder.
  package func memoryNeed(of drawing: GenerationConfiguration, upon c: UnderstandingConfiguration) -> Double {
    let parameters = TrainingMemory.parameters(of: drawing, alignedTo: c.vision.width)
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, run.type)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, run.type)
      + TrainingMemory.numbers(side: drawing.imageSize)
    return TrainingMemory.base(data) + TrainingMemory.weights(parameters, optimization)
      + c.weightBytes + objectives.teacherBytes + Double(data.batch) * picture
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
  /// - Parameter stored: samples in its shards; nil for scenes.
  package func memoryNeed(
    of drawing: GenerationConfiguration, beside c: UnderstandingConfiguration, stored: Int? = nil
  ) -> Double {
    let text = c.text, vision = c.vision, side = Double(drawing.grid / max(1, model.patch))
    let square = Double(model.patch) * Double(model.patch) * Double(drawing.reducer.latents)
    // Beside the language model's layers, what joins them to latents and times.
    let parameters =
      1.16 * Double(text.layers) * Double(text.width) * Double(2 * text.width + 3 * text.hidden)
      + (2 * square + side * side) * Double(text.width)
    // All latents are held, and once more where their parts are joined, with several captions each.
    let grid = Double(drawing.grid * drawing.grid), count = Double(data.pictures(of: stored))
    let latents = count * (4 * grid * Double(drawing.reducer.latents) + 800)
    // Latents are made of pictures by chunks; the encoder keeps nothing for gradients.
    let seen = 36 * Double(min(64, data.scenes) * vision.grid * vision.grid * vision.width)
    // Its layers keep less than others: what they read of the prompt is frozen.
    let picture =
      0.65 * TrainingMemory.blocks(side * side, Double(text.width), Double(text.layers), run.type)
    return TrainingMemory.base(data) + TrainingMemory.weights(parameters, optimization)
      + 2 * c.weightBytes + seen + latents + Double(data.batch) * picture
  }
}

extension UnderstandingConfiguration {
  /// Of its weights in f32: as they are widened where they are used.
  fileprivate var weightBytes: Double {
    let v = vision, t = text
    let numbers =
      Double(v.layers) * 12 * Double(v.width) * Double(v.width)
      + Double(t.layers) * Double(t.width) * Double(2 * t.width + 3 * t.hidden)
      + Double(t.vocabulary * t.width)
    return 4 * numbers
  }
}
