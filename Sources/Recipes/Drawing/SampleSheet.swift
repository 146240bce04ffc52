import DataSets
import Files
import Foundation
import Pictures
import Tensors
import VUGEN

/// Sheets of pictures with captions, drawn during training.
enum SampleSheet {
  /// The first pictures of a batch, each beside its reconstructions in several steps and in one.
  static func reconstructions(
    _ batch: PictureStream.Batch, _ encoder: VisionEncoder, _ model: DecodingParts, type: ElementType,
    to path: String
  ) throws {
    let few = 0..<min(12, batch.count), pictures = batch.pictures.sliced(few)
    let latents = model.reducer(encoder(batch.seen.sliced(few).cast(to: type)))
    let grid = latents.reshaped([latents.size(0), model.grid, model.grid, latents.size(2)])
    var random = Philox(seed: 0, .decoderNoise)
    let noise = Tensor.normal(like: pictures, using: &random)
    let several = model.decoder.decode(grid, from: noise, steps: 8, type: type) { _ in }
    let one = model.decoder.decode(grid, from: noise, steps: 1, type: type) { _ in }
    var items: [ContactSheet.Item] = []
    for i in 0..<pictures.size(0) {
      let original = Picture(values: pictures.sliced(i..<i + 1))
      func add(_ values: Tensor, _ name: String) {
        let picture = Picture(values: values.sliced(i..<i + 1))
        items.append(.init(picture, String(format: "%@, %.1f dB", name, picture.psnr(original))))
      }
      items.append(.init(original, "original"))
      add(several, "8 steps")
      add(one, "1 step")
    }
    try write(items, columns: 6, to: path)
  }

  static func write(_ items: [ContactSheet.Item], columns: Int, to path: String) throws {
    let sheet = try ContactSheet(columns: columns, side: 128).draw(items)
    try AtomicFile.write(Data(try sheet.pngData()), to: path)
  }
}

/// What reconstruction needs.
struct DecodingParts {
  let reducer: DimensionReducer
  let decoder: PixelDecoder
  let grid: Int
}
