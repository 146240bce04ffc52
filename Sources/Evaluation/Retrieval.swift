import DataSets
import Tensors
import VUGEN

/// Finds the right caption for a picture among those of other scenes, by the contrastive vectors.
public struct Retrieval {
  private let model: LoadedModel
  private let alignment: ContrastiveAlignment
  private var tower: UnderstandingTower { model.tower }

  /// Throws `ModelFileError` when the model's folder has no `alignment.safetensors`.
  public init(_ model: LoadedModel) throws {
    self.model = model
    alignment = try model.alignment()
  }

  /// Share of scenes whose own caption is among the `top` nearest of all captions.
  public func share(_ composer: SceneComposer, _ split: Split, scenes: Int, top: Int) throws -> Double {
    var pictures: [[Float]] = [], texts: [[Float]] = []
    for i in 0..<scenes {
      let scene = composer.scene(UInt64(i), split)
      let tile = tower.configuration.vision.tiles(of: scene.picture)
      pictures.append(alignment.pictureVectors(tower.encode(tile).features).toArray())
      texts.append(try vector(of: scene.record.caption))
    }
    let hits = pictures.indices.count { i in
      let cosines = texts.map { zip(pictures[i], $0).reduce(0) { $0 + $1.0 * $1.1 } }
      return cosines.count { $0 > cosines[i] } < top
    }
    return Double(hits) / Double(scenes)
  }

  /// A text's unit vector: the hidden state of its last token, read without a picture.
  private func vector(of text: String) throws -> [Float] {
    let hidden = tower.core.language(try tower.embed(model.template.description(text)))
    let last = hidden.sliced(hidden.size(1) - 1..<hidden.size(1), axis: 1)
    return alignment.textVectors(last.reshaped([1, last.size(2)])).toArray()
  }
}
