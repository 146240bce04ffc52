import Foundation
import Layers
import Tensors
import VUGEN

/// Sizes that this machine has no room for are refused before the work begins; the system would end it without a word.
enum MemoryNeed {
  /// Throws `RecipeError` where `bytes` are more than are free.
  ///
  /// - Parameter names: what of a recipe can be lowered, as a part of a sentence.
  static func check(_ bytes: Double, _ names: String) throws {
    guard let free = SystemMemory.roomBytes, bytes > Double(free) else { return }
    throw RecipeError(
      "\(names): these sizes need about \(gigabytes(bytes)) GB of memory, and \(gigabytes(Double(free))) GB are free; make them smaller"
    )
  }

  /// Of a batch of pictures as numbers, and as much again while they are looked at.
  static func check(pictures: Int, side: Int) throws {
    try check(2 * 3 * 4 * Double(pictures) * Double(side) * Double(side), "data.batch = \(pictures)")
  }

  private static func gigabytes(_ bytes: Double) -> String {
    bytes >= 1e15 ? "1000000" : String(format: "%.1f", bytes / 1e9)
  }
}

/// What training takes at its peak, by what dominates. The constants were measured (`VmHWM` of whole runs), and
/// `MemoryTests` measures them again.
package enum TrainingMemory {
  /// The program and its libraries, and data that are made ahead.
  static let program = 70e6
  /// Cut-outs of which scenes are composed.
  static let scenes = 340e6

  /// Of trained weights: with gradients, two moments and the average, and once more while a run is saved.
  static func weights(_ parameters: Double) -> Double { 28 * parameters }

  /// What `layers` blocks of a transformer keep for the gradients.
  static func blocks(_ tokens: Double, _ width: Double, _ layers: Double, _ type: ElementType) -> Double {
    28 * tokens * width * layers * size(type)
  }

  static func size(_ type: ElementType) -> Double { type == .bf16 ? 2 : 4 }

  static func base(_ shards: String) -> Double { program + (shards.isEmpty ? scenes : 0) }

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
    let parameters =
      layers.0 * 12 * vision * vision + layers.1 * text * (2 * text + 3 * Double(model.textHidden))
      + Double(model.vocabulary) * text
    let grid = Double(model.imageSize / model.patchSize), pooled = grid / Double(model.pooling)
    // A question with its answer has about twenty tokens.
    let tokens = min(pooled * pooled + 21 * Double(data.questions), Double(model.context))
    let type = run.compute.activationType
    let picture =
      TrainingMemory.blocks(grid * grid, vision, layers.0, type)
      + TrainingMemory.blocks(tokens, text, layers.1, type)
      // Each word's share of each token, and its gradients.
      + 14 * tokens * Double(model.vocabulary)
    return TrainingMemory.base(data.shards) + TrainingMemory.weights(parameters) + Double(data.batch)
      * picture
  }

  /// Throws `RecipeError` where the weights and a batch do not fit into memory.
  func checkMemory() throws {
    try MemoryNeed.check(memoryNeed, "data.batch and the sizes under model")
  }
}

extension DecoderRecipe {
  /// At its peak, in bytes, upon an encoder.
  package func memoryNeed(upon c: UnderstandingConfiguration) throws -> Double {
    let drawing = try configuration(for: c), type = run.type
    var random = Philox(seed: 0)
    let parts = Parameter.deferringValues { PixelDecoder(drawing.decoder, using: &random) }
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, type)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, type)
    return TrainingMemory.base(data.shards) + TrainingMemory.weights(Double(parts.parameterCount))
      + c.weightBytes + Double(data.batch) * picture
  }

  func checkMemory(upon c: UnderstandingConfiguration) throws {
    try MemoryNeed.check(try memoryNeed(upon: c), "data.batch and model.size")
  }
}

extension DistillRecipe {
  /// At its peak, in bytes, of a model's decoder.
  package func memoryNeed(of drawing: GenerationConfiguration, upon c: UnderstandingConfiguration) -> Double {
    var random = Philox(seed: 0)
    let parts = Parameter.deferringValues { PixelDecoder(drawing.decoder, using: &random) }
    let picture =
      TrainingMemory.decoder(drawing.decoder, side: drawing.imageSize, run.type)
      + TrainingMemory.perceptual(objectives, c, side: drawing.imageSize, run.type)
    return TrainingMemory.base(data.shards) + TrainingMemory.weights(Double(parts.parameterCount))
      + c.weightBytes + Double(data.batch) * picture
  }
}

extension GeneratorRecipe {
  /// At its peak, in bytes, beside an understanding half.
  package func memoryNeed(grid: Int, beside c: UnderstandingConfiguration) -> Double {
    let text = c.text, vision = c.vision, side = Double(grid / max(1, model.patch))
    // Beside the language model's layers, what joins them to latents and times.
    let parameters =
      1.16 * Double(text.layers) * Double(text.width) * Double(2 * text.width + 3 * text.hidden)
    // Latents are made of pictures by chunks; the encoder keeps nothing for gradients.
    let seen = 36 * Double(min(64, data.scenes) * vision.grid * vision.grid * vision.width)
    // Its layers keep less than others: what they read of the prompt is frozen.
    let picture =
      0.65 * TrainingMemory.blocks(side * side, Double(text.width), Double(text.layers), run.type)
    return TrainingMemory.base(data.shards) + TrainingMemory.weights(parameters) + 2 * c.weightBytes + seen
      + Double(data.batch) * picture
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
