import Tensors
import VUGEN

/// The frozen networks that a decoder learns from: the understanding encoder, and, where the recipe names folders
/// with their weights, LPIPS and DINOv2 in its place.
package struct DecoderTeachers {
  /// What is known of the pictures that a decoder shall draw.
  package struct Targets {
    /// The understanding encoder's last block: what latents are made of.
    package let encoded: Tensor
    /// What the transformer's features are aligned to, `[batch, patches, width]`.
    package let alignment: Tensor
    /// What the perceptual distance compares.
    package var perceptual: [Tensor]
  }

  let encoder: VisionEncoder
  let type: ElementType
  private let own: PerceptualDistance
  private let lpips: LPIPS?
  private let dino: DINOv2?
  /// Side of the transformer's grid.
  private let grid: Int

  /// - Parameter grid: side of the grid of the decoder's transformer, to which DINOv2's is fitted.
  ///
  /// Throws `ModelFileError` or `ModuleLoadError` where a named folder does not hold the weights.
  package init(
    _ encoder: VisionEncoder, _ objectives: DecoderRecipe.Objectives, grid: Int, type: ElementType
  ) throws {
    (self.encoder, self.grid, self.type) = (encoder, grid, type)
    own = PerceptualDistance(encoder: encoder, type: type)
    lpips = objectives.lpipsFolder.isEmpty ? nil : try LPIPS(folder: objectives.lpipsFolder, type: type)
    dino = objectives.dinoFolder.isEmpty ? nil : try DINOv2(folder: objectives.dinoFolder)
  }

  /// The perceptual term's name, which says what it stands on.
  package var perceptualName: String { lpips == nil ? "perceptual" : "LPIPS" }
  package var alignmentName: String { dino == nil ? "alignment" : "REPA" }

  /// Channels of what features are aligned to.
  package var alignmentWidth: Int { dino?.configuration.width ?? encoder.configuration.width }

  /// Runs the teachers of features once, without a tape.
  ///
  /// - Parameters:
  ///   - pictures: as they are to be drawn.
  ///   - seen: the same at the encoder's size.
  ///   - comparing: whether the perceptual distance will be asked for.
  package func targets(_ pictures: Tensor, seen: Tensor, comparing: Bool) -> Targets {
    withoutGradients {
      let blocks = encoder.blockOutputs(seen.cast(to: type)), last = blocks[blocks.count - 1]
      let isSeen = lpips == nil && pictures.size(1) == seen.size(1)
      return Targets(
        encoded: last,
        alignment: dino.map { $0(fitting(pictures, $0), type: type).cast(to: .f32) }
          ?? own.features(ofBlocks: [last])[0],
        // Where the encoder compares what it has just seen, it need not look again.
        perceptual: comparing ? isSeen ? own.features(ofBlocks: blocks) : features(pictures) : [])
    }
  }

  /// What the perceptual distance compares of pictures that are to be reached.
  func perceptual(_ pictures: Tensor) -> [Tensor] { withoutGradients { features(pictures) } }

  /// DINOv2's patches on the grid of the decoder's transformer.
  private func fitting(_ pictures: Tensor, _ dino: DINOv2) -> Tensor {
    let side = grid * dino.configuration.patchSize, from = pictures.size(1)
    guard side != from else { return pictures }
    let resized = (0..<pictures.size(0)).map { i -> Tensor in
      let picture = pictures.sliced(i..<i + 1).cast(to: .f32).toArray()
      return Tensor(bicubic(picture, side: from, to: side, channels: 3), shape: [1, side, side, 3])
    }
    return .concatenated(resized)
  }

  private func features(_ pictures: Tensor) -> [Tensor] {
    if let lpips { return lpips.features(pictures) }
    let side = encoder.configuration.imageSize
    return own.features(
      pictures.size(1) == side
        ? pictures : pictures.cast(to: .f32).resizedBilinear(height: side, width: side))
  }

  /// How far pictures are from those that `targets` came from.
  package func distance(_ pictures: Tensor, _ targets: Targets) -> Tensor {
    let found = features(pictures)
    return lpips.map { $0(found, targets.perceptual) } ?? own(found, targets.perceptual)
  }
}
