import DataSets
import Foundation
import ModelFiles
import Pictures
import Tensors
import VUGEN

/// Finds the right caption for a picture among those of other scenes, by the contrastive vectors.
public struct Retrieval {
  private let tower: UnderstandingTower
  private let tokenizer: Tokenizer
  private let alignment: ContrastiveAlignment

  /// Throws `ModelFileError` when the folder has no `alignment.safetensors`.
  public init(_ tower: UnderstandingTower, _ tokenizer: Tokenizer, folder: String) throws {
    (self.tower, self.tokenizer) = (tower, tokenizer)
    alignment = try ContrastiveAlignment(folder: folder, tower.configuration)
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
    let special = tokenizer.specialTokens
    guard let begin = special["<|begin_of_text|>"], let end = special["<|eot_id|>"] else {
      throw ModelFileError("tokenizer.json", "has no tokens that begin and end a text")
    }
    let hidden = tower.core.language(try tower.embed([begin] + tokenizer.encode(text) + [end]))
    let last = hidden.sliced(hidden.size(1) - 1..<hidden.size(1), axis: 1)
    return alignment.textVectors(last.reshaped([1, last.size(2)])).toArray()
  }
}
