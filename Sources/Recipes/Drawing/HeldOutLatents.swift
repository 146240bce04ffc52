import DataSets
import Tensors
import VUGEN

/// Latents of samples that are held out, with the caption of each: worked out when they are asked for first, and kept.
final class HeldOutLatents {
  private let source: ExampleSource
  private var parts: [Range<Int>: (latents: Tensor, captions: [String])] = [:]

  /// Samples in it.
  var count: Int { source.distinct ?? 0 }

  init(_ index: ShardIndex, _ framing: Framing) throws {
    source = try ExampleSource(heldOut: index, framing)
  }

  /// Latents `[samples, patches, channels]` in bf16, as those that are learnt from are kept. Throws `DataSetError`.
  func part(
    _ samples: Range<Int>, _ reducer: DimensionReducer, _ encoder: VisionEncoder, _ type: ElementType
  ) throws -> (latents: Tensor, captions: [String]) {
    if let part = parts[samples] { return part }
    let side = encoder.configuration.imageSize, source = source, first = samples.lowerBound
    let examples = try inParallel(samples.count) { try source.example(first + $0, side: side) }
    let values = examples.flatMap { $0.picture.rgb().map { Float($0) / 127.5 - 1 } }
    let pictures = Tensor(values, shape: [examples.count, side, side, 3])
    let part = (reducer(encoder(pictures.cast(to: type))).cast(to: .bf16), examples.map(\.caption))
    parts[samples] = part
    return part
  }

  /// Captions of the first samples, each once. Throws `DataSetError`.
  func captions(most: Int) throws -> [String] {
    var captions: [String] = []
    for sample in 0..<min(count, most) {
      let caption = try source.example(sample, side: 32).caption
      if !captions.contains(caption) { captions.append(caption) }
    }
    return captions
  }
}
