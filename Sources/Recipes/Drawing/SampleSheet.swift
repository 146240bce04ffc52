import DataSets
import Files
import Foundation
import Pictures
import Tensors
import VUGEN

/// Sheets of pictures with captions, drawn during training.
enum SampleSheet {
  /// The first pictures of a batch, each beside its reconstructions in several steps and in one: those that are done within
  /// so many `seconds`.
  ///
  /// - Returns: whether there are any.
  static func reconstructions(
    _ batch: PictureStream.Batch, _ encoder: VisionEncoder, _ model: DecodingParts, type: ElementType,
    to path: String, within seconds: Double
  ) throws -> Bool {
    let few = 0..<min(12, batch.count), limit = TimeLimit(seconds: seconds)
    var random = Philox(seed: 0, .decoderNoise)
    let noise = Tensor.normal(like: batch.pictures.sliced(few), using: &random)
    var items: [ContactSheet.Item] = []
    do {
      for i in few {
        let one = i..<i + 1, picture = batch.pictures.sliced(one)
        let latents = model.reducer(encoder(batch.seen.sliced(one).cast(to: type)))
        let grid = latents.reshaped([1, model.grid, model.grid, latents.size(2)])
        func decoded(_ steps: Int, _ original: Picture) throws -> ContactSheet.Item {
          let values = try model.decoder.decode(grid, from: noise.sliced(one), steps: steps, type: type) {
            _ in
            try limit.check()
          }
          let picture = Picture(values: values), name = steps == 1 ? "1 step" : "\(steps) steps"
          return .init(picture, String(format: "%@, %.1f dB", name, picture.psnr(original)))
        }
        let original = Picture(values: picture)
        items += [.init(original, "original"), try decoded(8, original), try decoded(1, original)]
      }
    } catch is TimeLimit.IsOver {}
    return try write(items, columns: 6, to: path)
  }

  /// - Returns: whether there is anything to write.
  static func write(_ items: [ContactSheet.Item], columns: Int, to path: String) throws -> Bool {
    guard !items.isEmpty else { return false }
    let sheet = try ContactSheet(columns: columns, side: 128).draw(items)
    try AtomicFile.write(Data(try sheet.pngData()), to: path)
    return true
  }
}

/// How long something may take.
struct TimeLimit {
  struct IsOver: Error {}

  private let end: ContinuousClock.Instant

  init(seconds: Double) { end = ContinuousClock.now + .seconds(seconds) }

  var isOver: Bool { ContinuousClock.now >= end }

  /// Throws `IsOver` where it is.
  func check() throws { if isOver { throw IsOver() } }
}

/// What reconstruction needs.
struct DecodingParts {
  let reducer: DimensionReducer
  let decoder: PixelDecoder
  let grid: Int
}
