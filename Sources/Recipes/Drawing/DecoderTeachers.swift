import Tensors
import VUGEN

/// The frozen networks that a decoder learns from: the understanding encoder, and, where the recipe names folders
/// with their weights, LPIPS and DINOv2 in its place.
struct DecoderTeachers {
  /// What is known of the pictures that a decoder shall draw.
  struct Targets {
    /// The understanding encoder's last block: what latents are made of.
    let encoded: Tensor
    /// What the perceptual distance compares.
    let perceptual: [Tensor]
    /// What the transformer's features are aligned to, `[batch, patches, width]`.
    let alignment: Tensor
  }

  let encoder: VisionEncoder
  let type: ElementType
  private let own: PerceptualDistance
  private let lpips: LPIPS?
  private let dino: DINOv2?

  /// Throws `ModelFileError` or `ModuleLoadError` where a named folder does not hold the weights.
  init(_ encoder: VisionEncoder, _ objectives: DecoderRecipe.Objectives, type: ElementType) throws {
    (self.encoder, self.type) = (encoder, type)
    own = PerceptualDistance(encoder: encoder, type: type)
    lpips = objectives.lpipsFolder.isEmpty ? nil : try LPIPS(folder: objectives.lpipsFolder, type: type)
    dino = objectives.dinoFolder.isEmpty ? nil : try DINOv2(folder: objectives.dinoFolder)
  }

  /// The perceptual term's name, which says what it stands on.
  var perceptualName: String { lpips == nil ? "perceptual" : "LPIPS" }
  var alignmentName: String { dino == nil ? "alignment" : "REPA" }

  /// Channels of what features are aligned to.
  var alignmentWidth: Int { dino?.configuration.width ?? encoder.configuration.width }

  /// Runs the teachers once, without a tape.
  func targets(_ pictures: Tensor) -> Targets {
    withoutGradients {
      let blocks = encoder.blockOutputs(pictures.cast(to: type)), last = blocks[blocks.count - 1]
      let units = lpips == nil || dino == nil ? own.features(ofBlocks: blocks) : []
      return Targets(
        encoded: last, perceptual: lpips?.features(pictures) ?? units,
        alignment: dino.map { $0(fitting(pictures, $0), type: type).cast(to: .f32) } ?? units[units.count - 1]
      )
    }
  }

  /// DINOv2's patches of 14 pixels on the encoder's own grid.
  private func fitting(_ pictures: Tensor, _ dino: DINOv2) -> Tensor {
    let side = encoder.configuration.grid * dino.configuration.patchSize
    return pictures.cast(to: .f32).resizedBilinear(height: side, width: side)
  }

  /// How far pictures are from those that `targets` came from.
  func distance(_ pictures: Tensor, _ targets: Targets) -> Tensor {
    if let lpips { return lpips(lpips.features(pictures), targets.perceptual) }
    return own(own.features(pictures), targets.perceptual)
  }
}
