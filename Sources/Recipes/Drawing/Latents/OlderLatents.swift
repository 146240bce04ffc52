import Files
import Foundation
import Layers
import ModelFiles
import Tensors
import VUGEN

/// Latents of a run from before they were a set of their own: one file in the run's folder, which such a run goes on with.
package struct OlderLatents {
  /// bf16 `[pictures, patches, channels]`, mapped.
  let latents: Tensor
  /// Several captions a picture.
  let captions: [[String]]

  /// nil where a run's folder has none for these data and weights.
  init?(
    in folder: String, _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: VisionEncoder
  ) {
    let names = (try? FileName.names(in: folder)) ?? []
    // The key takes time, and is worked out only where there is something to open.
    guard names.contains(where: { $0.hasPrefix("latents-") }),
      let file = try? SafetensorsFile(path: "\(folder)/\(Self.name(data, model, encoder))"),
      let latents = try? file.tensor("latents"),
      let captions = try? JSONDecoder().decode(
        [[String]].self, from: Data((file.header.metadata["captions"] ?? "").utf8)),
      latents.rank == 3, latents.type == .bf16, latents.size(0) == captions.count,
      (1...data.scenes).contains(captions.count), !captions.contains(where: \.isEmpty)
    else { return nil }
    (self.latents, self.captions) = (latents, captions)
  }

  /// What the file is called, by the weights and the data that made it.
  package static func name(
    _ data: GeneratorRecipe.Data, _ model: GenerationModel, _ encoder: VisionEncoder
  ) -> String {
    var hash = ContentHash()
    for parameter in encoder.namedParameters + model.reducer.namedParameters {
      hash.add(Array(parameter.name.utf8))
      parameter.parameter.value.withBytes { hash.add($0) }
    }
    hash.add(
      Array("\(data.shards)|\(data.seed)|\(data.wideShare)|\(data.scenes)|\(data.style.rawValue)".utf8))
    if data.pairShare > 0 { hash.add(Array("|\(data.pairShare)".utf8)) }
    // Latents of scenes are the same however stored pictures are framed.
    if !data.isComposed, data.framing != Framing(crop: .squash, flip: false) || data.views > 1 {
      hash.add(Array("|\(data.crop.rawValue)|\(data.cropFrom)|\(data.framing.flip)|\(data.views)".utf8))
    }
    if !data.identity.isEmpty { hash.add(Array("|\(data.identity)".utf8)) }
    return "latents-\(hash.text).safetensors"
  }
}

extension ParameterTree {
  /// Its parameters in order, under their names.
  var namedParameters: [NamedParameter] {
    var list: [NamedParameter] = []
    collect("", into: &list)
    return list
  }
}
