import DataSets
import Files
import Layers
import ModelFiles
import Tensors
import Training
import VUGEN

/// The understanding tower with what only training needs.
///
/// Loss: next token of the answers; the class and colour of what lies on each patch, which parts of the patch
/// it covers, what the colours of its quarters are called, and whether an object's middle lies in it (linear
/// heads that are thrown away: without them a small encoder takes far longer to find its objects); and the
/// contrast of pictures and captions. With the weights of text and contrast at 0 the encoder learns alone.
/// No pixels are reconstructed: understanding features are all that the paper draws from.
final class UnderstandingObjective: Module {
  @Child("tower") var tower: UnderstandingTower
  @Child("alignment") var alignment: ContrastiveAlignment
  @Child("localisation") var localisation: Linear
  @Child("centres") var centres: Linear
  @Child("colours") var colours: Linear
  @Child("outlines") var outlines: Linear
  @Child("shades") var shades: Linear
  let weights: UnderstandingRecipe.Objectives
  let isEncoderFrozen: Bool
  private var ranks: Ranks

  init(
    _ c: UnderstandingConfiguration, recipe: UnderstandingRecipe, weights: UnderstandingRecipe.Objectives,
    classes: Int, ranks: Ranks
  ) {
    (self.weights, isEncoderFrozen, self.ranks) = (weights, recipe.model.frozenEncoder, ranks)
    var random = Philox(seed: recipe.model.seed)
    let built = UnderstandingTower(c, using: &random)
    built.type = recipe.run.compute.activationType
    tower = built
    alignment = ContrastiveAlignment(c, width: recipe.model.alignmentWidth, using: &random)
    localisation = Linear(c.vision.width, classes + 1, using: &random)
    centres = Linear(c.vision.width, 2, using: &random)
    colours = Linear(c.vision.width, ColourName.allCases.count, using: &random)
    outlines = Linear(c.vision.width, 2 * PatchLabels.cells * PatchLabels.cells, using: &random)
    shades = Linear(
      c.vision.width,
      PatchLabels.quarters * PatchLabels.quarters * ColourName.allCases.count * PatchLabels.tones,
      using: &random)
  }

  /// Throws `ModelFileError` where a folder holds no model that a run can begin with: what can be seen without its weights.
  static func check(_ folder: String) throws {
    guard try UnderstandingConfiguration(folder: folder).vision.kind == .perception else {
      throw ModelFileError(
        folder, "a run begins with a Perception Language Model; this is another kind: name another")
    }
  }

  /// Takes the weights of an exported model; the localisation heads, which are not exported, start anew.
  ///
  /// Where the recipe's language model has other sizes than the folder's, the encoder alone is taken: a larger
  /// language model can be grown on an encoder that has learnt to see. An encoder of larger patches is made to
  /// fit. Returns whether the whole model was taken.
  ///
  /// Throws `ModelFileError` or `ModuleLoadError` where the encoder has other sizes.
  func begin(with folder: String) throws -> Bool {
    try Self.check(folder)
    var weights = try ModelWeights(folder: folder).weights()
    let given = try UnderstandingConfiguration(folder: folder), own = tower.configuration
    let prefix = "model.vision_tower.timm_model."
    weights =
      SmallerPatches.resize(weights, prefix: prefix, from: given.vision, to: own.vision) ?? weights
    // The same language model reads as many picture tokens as before.
    guard given.text == own.text, given.tokensPerTile == own.tokensPerTile else {
      try tower.core.encoder.module.load(weights.part(prefix), from: folder)
      return false
    }
    if own.text.isTied { weights["lm_head.weight"] = nil }
    try tower.load(weights, from: folder)
    let path = folder + "/alignment.safetensors"
    // Models from elsewhere have none; it starts anew.
    guard FileName.isTaken(path) else { return true }
    try alignment.load(try SafetensorsFile(path: path).allTensors(), from: path)
    return true
  }

  /// What `work` comes to where each rank has a batch of its own, whatever the others have.
  func alone<Value>(_ work: () throws -> Value) rethrows -> Value {
    let all = ranks
    ranks = .alone
    defer { ranks = all }
    return try work()
  }

  /// The mean over the ranks is that over all that is counted in their batches: words, patches whose label is known, pairs.
  func loss(_ batch: PackedBatch, picturePlaces: Range<Int>) throws -> [LossTerm] {
    let shares = try shares(of: batch)
    let pictures = Tensor(batch.pictures, shape: [batch.batch, batch.side, batch.side, 3])
    func encoded() -> Tensor { tower.core.encoder(pictures.cast(to: tower.type)) }
    let features = isEncoderFrozen ? withoutGradients(encoded) : encoded()
    var terms: [LossTerm] = []
    if weights.text > 0 || weights.contrastive > 0 {
      terms += textTerms(batch, features, picturePlaces, share: shares[0])
    }
    func patchTerm(
      _ name: String, _ weight: Float, _ head: Linear, _ targets: [Int32], _ share: Float, parts: Int = 1
    ) {
      guard weight > 0 else { return }
      let said = head(features), places = [batch.batch, features.size(1) * parts]
      let targets = Tensor(indices: targets, shape: places)
      let logits = said.reshaped(places + [said.size(2) / parts])
      terms.append(LossTerm(name, weight: weight, crossEntropy(logits, targets: targets), share: share))
    }
    let labels = batch.patches, parts = PatchLabels.cells * PatchLabels.cells
    patchTerm("localisation", weights.localisation, localisation, labels.classes, shares[1])
    patchTerm("centres", weights.centres, centres, labels.centres, shares[2])
    patchTerm("colours", weights.colours, colours, labels.colours, shares[3])
    patchTerm("outlines", weights.outlines, outlines, labels.outlines, shares[4], parts: parts)
    let quarters = PatchLabels.quarters * PatchLabels.quarters
    patchTerm("shades", weights.shades, shades, labels.shades, shares[5], parts: quarters)
    return terms
  }

  /// Of what this rank has of each term.
  private func shares(of batch: PackedBatch) throws -> [Float] {
    let labels = batch.patches
    let patches = [labels.classes, labels.centres, labels.colours, labels.outlines, labels.shades]
    return try ranks.shares(of: [batch.answerTokens.count] + patches.map { $0.count { $0 >= 0 } })
  }

  /// What the language model has part in.
  private func textTerms(
    _ batch: PackedBatch, _ features: Tensor, _ places: Range<Int>, share: Float
  ) -> [LossTerm] {
    let hidden = read(batch, tower.core.projector(features), places)
    var terms: [LossTerm] = []
    if weights.text > 0 {
      let answers = hidden.gathered(Tensor(indices: batch.answerPlaces)).expanded(at: 0)
      let loss = crossEntropy(tower.logits(answers), targets: Tensor(indices: batch.answerTokens))
      terms.append(LossTerm("text", weight: weights.text, loss, share: share))
    }
    if weights.contrastive > 0 {
      let ends = hidden.gathered(Tensor(indices: batch.captionPlaces))
      let loss = alignment.loss(
        pictures: ranks.gathered(alignment.pictureVectors(features)),
        texts: ranks.gathered(alignment.textVectors(ends)))
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
    let visible = VisibleKeys(batch.visible, batch: batch.batch, queries: batch.time, keys: batch.time)
    let hidden = language(packed: embeddings, positions: batch.positions, mask: .ranges(visible))
    return hidden.reshaped([batch.batch * batch.time, hidden.size(2)])
  }
}
