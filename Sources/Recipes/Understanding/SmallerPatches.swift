import Tensors
import VUGEN

/// An encoder's weights for patches that are smaller by a whole factor.
package enum SmallerPatches {
  /// The kernel of the patches and the learnt positions, changed so that the encoder begins by seeing a picture
  /// as it saw the same picture enlarged by the factor: a kernel's entries that fall on one pixel are summed, a
  /// position between two others is interpolated. Everything else stays.
  ///
  /// What FlexiViT (arXiv 2212.08013, §3.4) does to change a patch's size, for a nearest-neighbour enlargement.
  ///
  /// - Parameter prefix: of the encoder's names.
  /// - Returns: nil where the sizes are not related so, or a class token stands between.
  package static func resize(
    _ weights: [String: Tensor], prefix: String, from old: VisionConfiguration, to new: VisionConfiguration
  ) -> [String: Tensor]? {
    guard old.imageSize == new.imageSize, !old.hasClassToken, !new.hasClassToken,
      old.patchSize > new.patchSize, old.patchSize % new.patchSize == 0,
      let kernel = weights[prefix + "patch_embed.proj.weight"], let positions = weights[prefix + "pos_embed"],
      kernel.shape == [old.width, 3, old.patchSize, old.patchSize],
      positions.shape == [1, old.grid * old.grid, old.width]
    else { return nil }
    let factor = old.patchSize / new.patchSize, side = new.patchSize
    var result = weights
    result[prefix + "patch_embed.proj.weight"] =
      kernel.reshaped([old.width, 3, side, factor, side, factor]).sum(axes: [3, 5])
    result[prefix + "pos_embed"] =
      positions.reshaped([1, old.grid, old.grid, old.width]).resizedBilinear(
        height: new.grid, width: new.grid
      )
      .reshaped([1, new.grid * new.grid, old.width])
    return result
  }
}
