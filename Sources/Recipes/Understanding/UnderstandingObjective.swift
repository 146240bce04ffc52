import Layers
import ModelFiles
import Tensors
import Training
import VUGEN

/// The understanding tower with what only training needs.
///
/// Loss: next token of the answers, the class of each patch (a linear head that is thrown away: without it a
/// small encoder takes far longer to find its objects), and the contrast of pictures and captions.
/// No pixels are reconstructed: understanding features are all that the paper draws from.
final class UnderstandingObjective: Module {
  @Child("tower") var tower: UnderstandingTower
  @Child("alignment") var alignment: ContrastiveAlignment
  @Child("localisation") var localisation: Linear
  let weights: UnderstandingRecipe.Objectives

  init(_ c: UnderstandingConfiguration, recipe: UnderstandingRecipe, classes: Int) {
    weights = recipe.objectives
    var random = Philox(seed: recipe.model.seed)
    let built = UnderstandingTower(c, using: &random)
    built.type = (Precision(rawValue: recipe.run.compute) ?? .f32).activationType
    tower = built
    alignment = ContrastiveAlignment(c, width: recipe.model.alignmentWidth, using: &random)
    localisation = Linear(c.vision.width, classes + 1, using: &random)
  }

  /// Takes the weights of an exported model; the localisation head, which is not exported, starts anew.
  ///
  /// Throws `ModelFileError` or `ModuleLoadError` where the folder holds a model of other sizes.
  func begin(with folder: String) throws {
    let weights = try ModelWeights(folder: folder).allTensors().mapValues { $0.cast(to: .f32) }
    try tower.load(weights, from: folder)
    let path = folder + "/alignment.safetensors"
    try alignment.load(try SafetensorsFile(path: path).allTensors(), from: path)
  }

  func loss(_ batch: PackedBatch, picturePlaces: Range<Int>) -> [LossTerm] {
    let pictures = Tensor(batch.pictures, shape: [batch.batch, batch.side, batch.side, 3])
    let (features, projected) = tower.encode(pictures)
    let hidden = read(batch, projected, picturePlaces)
    let answers = hidden.gathered(Tensor(indices: batch.answerPlaces)).expanded(at: 0)
    var terms = [
      LossTerm(
        "text", weight: weights.text,
        crossEntropy(tower.logits(answers), targets: Tensor(indices: batch.answerTokens)))
    ]
    if weights.localisation > 0 {
      let scores = localisation(features)
      let targets = Tensor(indices: batch.patchClasses, shape: [batch.batch, features.size(1)])
      terms.append(
        LossTerm("localisation", weight: weights.localisation, crossEntropy(scores, targets: targets)))
    }
    if weights.contrastive > 0 {
      let ends = hidden.gathered(Tensor(indices: batch.captionPlaces))
      let loss = alignment.loss(
        pictures: alignment.pictureVectors(features), texts: alignment.textVectors(ends))
      terms.append(LossTerm("contrastive", weight: weights.contrastive, loss))
    }
    return terms
  }

  /// Hidden states `[batch · time, width]`.
  private func read(_ batch: PackedBatch, _ projected: Tensor, _ places: Range<Int>) -> Tensor {
    let language = tower.core.language
    let tokens = Tensor(indices: batch.tokens, shape: [batch.batch, batch.time])
    let text = language.embedding(tokens, type: tower.type)
    let embeddings = Tensor.concatenated(
      [
        text.sliced(0..<places.lowerBound, axis: 1), projected,
        text.sliced(places.upperBound..<batch.time, axis: 1),
      ], axis: 1)
    let mask = MaskTable(batch.mask, batch: batch.batch, queries: batch.time, keys: batch.time)
    let hidden = language(packed: embeddings, positions: batch.positions, mask: .table(mask))
    return hidden.reshaped([batch.batch * batch.time, hidden.size(2)])
  }
}
