import ModelFiles
import VUGEN

extension UnderstandingRecipe {
  /// The defaults, with the sizes of the model that a run begins with. Throws `ModelFileError`.
  public static func sized(as folder: String) throws -> UnderstandingRecipe {
    var recipe = UnderstandingRecipe()
    recipe.model.take(try UnderstandingConfiguration(folder: folder))
    let alignment = try? SafetensorsFile(path: folder + "/alignment.safetensors")
    if let width = alignment?.header.entries["picture.weight"]?.shape.first {
      recipe.model.alignmentWidth = width
    }
    return recipe
  }

  /// Whether all its sizes are those of a model: a run then keeps that model's configuration, of which a recipe says only
  /// a part, such as no class token.
  func isSized(as c: UnderstandingConfiguration) -> Bool {
    var other = model
    other.take(c)
    return other == model
  }
}

extension UnderstandingRecipe.Model {
  fileprivate mutating func take(_ c: UnderstandingConfiguration) {
    let v = c.vision, t = c.text
    (imageSize, patchSize) = (v.imageSize, v.patchSize)
    positionSpan = v.referenceGrid == v.grid ? 0 : v.referenceGrid
    (visionWidth, visionLayers, visionHeads) = (v.width, v.layers, v.heads)
    (textWidth, textLayers, textHeads) = (t.width, t.layers, t.heads)
    (keyValueHeads, textHidden, vocabulary, context) = (t.kvHeads, t.hidden, t.vocabulary, t.context)
    pooling = c.poolingRatio
  }
}
