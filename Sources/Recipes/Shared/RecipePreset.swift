import Flow
import Tensors
import Training
import VUGEN

/// Recipes by name: the paper's two settings (VUGEN, arXiv 2510.06529; its decoder's values are those of SSDD, arXiv
/// 2510.04961), and how nano was trained.
public enum RecipePreset: String, Sendable, CaseIterable {
  case imagenet, stockmix, nano
}

extension TrainingRecipe {
  /// None, where the paper has nothing to say of a stage.
  public static func preset(_ preset: RecipePreset) -> Self? { preset == .nano ? Self() : nil }
}

extension DecoderRecipe {
  /// The paper's decoder M on pictures of 256 pixels, by SSDD's first stage: 300 passes over ImageNet, the average from step
  /// 50 000. No standardisation and no noise on latents: the paper has neither.
  public static func preset(_ preset: RecipePreset) -> DecoderRecipe? {
    var recipe = DecoderRecipe()
    guard preset != .nano else {
      recipe.optimization = .nano(rate: 1e-3, decay: 1e-3)
      recipe.optimization.steps = 5000
      return recipe
    }
    (recipe.model.size, recipe.model.outputSize, recipe.model.standardised) = (.medium, 256, false)
    recipe.objectives.latentNoise = 0
    recipe.data.batch = 256
    recipe.optimization.steps = 300 * imagesOfImageNet / 256
    recipe.optimization.averageStart = 50_000 / Double(recipe.optimization.steps)
    return recipe
  }

  fileprivate static let imagesOfImageNet = 1_281_167
}

extension DistillRecipe {
  /// Ten passes over ImageNet, the average from step 50 000: a copy until then, and so to the end.
  public static func preset(_ preset: RecipePreset) -> DistillRecipe? {
    var recipe = DistillRecipe()
    guard preset != .nano else {
      recipe.optimization = .nano(rate: 2e-4, decay: 1e-3)
      recipe.optimization.steps = 2000
      return recipe
    }
    recipe.objectives.latentNoise = 0
    recipe.data.batch = 256
    recipe.optimization.steps = 10 * DecoderRecipe.imagesOfImageNet / 256
    recipe.optimization.averageStart = min(1, 50_000 / Double(recipe.optimization.steps))
    return recipe
  }
}

extension GeneratorRecipe {
  /// AdamW with decay 0.1 and an average of 0.9999, begun at 20 % of 50 000 steps (ImageNet) or 25 % of 200 000
  /// (StockMix). Guidance is chosen when a picture is drawn: 1.8 and 5.
  public static func preset(_ preset: RecipePreset) -> GeneratorRecipe? {
    var recipe = GeneratorRecipe()
    // Plain velocity and even times, as the paper has them and nano was trained.
    (recipe.model.timeShift, recipe.model.predicts) = (1, .velocity)
    let isImageNet = preset == .imagenet
    guard preset != .nano else { return recipe }
    (recipe.optimization.decay, recipe.optimization.averageDecay) = (0.1, 0.9999)
    recipe.optimization.steps = isImageNet ? 50_000 : 200_000
    recipe.optimization.averageStart = isImageNet ? 0.2 : 0.25
    return recipe
  }
}

extension Optimization {
  /// AdamW under half a cosine, as nano's decoders were trained.
  fileprivate static func nano(rate: Float, decay: Float) -> Optimization {
    var o = Optimization()
    (o.rate, o.decay, o.beta2) = (rate, decay, 0.99)
    return o
  }
}
