import Tensors

/// Sizes that this machine has no room for are refused before the work begins; the system would end it without a word.
enum MemoryNeed {
  /// Throws `RecipeError` where `bytes`, which is the least that is needed, are more than are free.
  static func check(_ bytes: Double, _ names: String) throws {
    guard let free = SystemMemory.roomBytes, bytes > Double(free) else { return }
    throw RecipeError(
      "\(names): these sizes need at least \(gigabytes(bytes)) GB of memory, and \(gigabytes(Double(free))) GB are free; make them smaller"
    )
  }

  /// Of a batch of pictures as numbers, and as much again while they are looked at.
  static func check(pictures: Int, side: Int) throws {
    try check(2 * 3 * 4 * Double(pictures) * Double(side) * Double(side), "data.batch = \(pictures)")
  }

  private static func gigabytes(_ bytes: Double) -> String {
    bytes < 1e9 ? "less than 1" : bytes < 1e15 ? "\(Int(bytes / 1e9))" : "1000000"
  }
}

extension UnderstandingRecipe {
  /// Throws `RecipeError` where the weights or a batch do not fit into memory.
  func checkMemory() throws {
    let vision = Double(model.visionWidth), text = Double(model.textWidth)
    let layers = (Double(model.visionLayers), Double(model.textLayers))
    let parameters =
      layers.0 * 12 * vision * vision + layers.1 * text * (2 * text + 3 * Double(model.textHidden))
      + Double(model.vocabulary) * text
    // Each with its gradient, two moments and the average.
    try MemoryNeed.check(20 * parameters, "the sizes under model")
    try MemoryNeed.check(pictures: data.batch, side: model.imageSize)
    // What each layer keeps of each patch for the gradients.
    let grid = Double(model.imageSize / model.patchSize)
    try MemoryNeed.check(
      Double(data.batch) * grid * grid * vision * layers.0 * 2, "data.batch and the sizes under model")
  }
}
