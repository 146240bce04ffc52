import Layers
import Tensors
import VUGEN

/// A guided step of the generation tower and a step of the pixel decoder, with random weights of a shape.
@NumericActor
public func generationMeasurements(_ shape: ModelShape, _ machine: Machine, repeats: Int) -> [Measurement] {
  let type = Precision.bf16.activationType
  return stepMeasurements(shape, type, repeats) + decoderMeasurements(shape, type, repeats)
}

/// One guided step, both rows of latents through the second tower, and its products by themselves.
@NumericActor
private func stepMeasurements(_ shape: ModelShape, _ type: ElementType, _ repeats: Int) -> [Measurement] {
  let c = shape.configuration, grid = c.vision.grid, latents = c.vision.width / 16
  var random = Philox(seed: 1)
  let (tower, generator) = Parameter.deferringValues {
    (
      UnderstandingTower(c, using: &random),
      GenerationTower(.init(latents: latents, grid: grid), text: c.text, using: &random)
    )
  }
  fillRandomly(tower.core.language.parameters + generator.parameters)
  for module in [tower.core.language, generator] as [any Module] { module.setPrecision(.bf16) }
  tower.type = type
  let tokens = (0..<20).map { Int32($0 % c.text.vocabulary) }
  let noise = Tensor.normal([2, grid * grid, latents], using: &random)
  guard let prompts = try? tower.read(prompts: [tokens, tokens], pictureTokens: grid * grid) else {
    return [Measurement(name: "guided step", seconds: .nan)]
  }
  let seconds = medianSeconds(runs: min(3, repeats)) {
    _ = generator(noise, at: Tensor([0.5, 0.5]), prompts: prompts, language: tower.core.language, type: type)
  }
  let weights =
    generator.parameters.filter { $0.shape.count == 2 }.reduce(0) { $0 + $1.count } - grid * grid
    * c.text.width
  let layers = 2 * 2 * Double(grid * grid) * Double(weights)
  // What attention multiplies: each latent's query with all keys, and their shares with all values.
  let text = c.text, queries = Double(grid * grid), keys = queries + Double(tokens.count)
  let attention = 2 * 2 * 2 * queries * keys * Double(text.layers * text.heads * text.headSize)
  let flops = layers + attention
  // At the speed of the layers' products: a fused attention has no products that could be timed by themselves.
  let alone =
    secondsAlone(generator, rows: 2 * grid * grid, type, min(3, repeats), &random) * flops / layers
  return [
    Measurement(
      name: "guided step, \(grid) × \(grid) latents", seconds: seconds, gflops: flops / seconds / 1e9,
      limitShare: alone / seconds),
    Measurement(name: "… its products alone", seconds: alone, gflops: flops / alone / 1e9),
  ]
}

/// What the products of a tower need, each shape by itself, with bf16 weights as they are stored.
@NumericActor
private func secondsAlone(
  _ tower: some Module, rows: Int, _ type: ElementType, _ repeats: Int, _ random: inout Philox
) -> Double {
  var counts: [[Int]: Int] = [:]
  tower.visitModules("") { path, module in
    // Times are two rows.
    guard !path.hasPrefix("time"), let weight = (module as? Linear)?.weight else { return }
    counts[weight.shape, default: 0] += 1
  }
  return counts.reduce(0) { sum, item in
    let input = Tensor.normal([rows, item.key[1]], type: type, using: &random)
    let weight = Parameter(.normal(item.key, deviation: 0.02, type: .bf16, using: &random))
    weight.precision = .bf16
    return sum + Double(item.value) * medianSeconds(runs: repeats) { _ = product(input, weight: weight) }
  }
}

/// One step of the decoder, and its convolutions and products by themselves.
@NumericActor
private func decoderMeasurements(_ shape: ModelShape, _ type: ElementType, _ repeats: Int) -> [Measurement] {
  let side = shape == .tiny ? 64 : 256, size = shape == .tiny ? PixelDecoderConfiguration.Size.small : .medium
  let c = PixelDecoderConfiguration.named(size, latents: 64, imageSize: side)
  var random = Philox(seed: 1)
  let decoder = Parameter.deferringValues { PixelDecoder(c, using: &random) }
  fillRandomly(decoder.parameters)
  let x = Tensor.normal([1, side, side, 3], using: &random)
  let z = Tensor.normal([1, side / 16, side / 16, 64], using: &random)
  let whole = medianSeconds(runs: repeats) {
    _ = decoder.velocity(x, at: Tensor([0]), latents: z, type: type)
  }
  let products = decoder.products(height: side, width: side, latents: (side / 16, side / 16))
  let flops = products.reduce(0) { $0 + $1.flops }, alone = secondsAlone(products, type, repeats, &random)
  return [
    Measurement(
      name: "decoder \(size.rawValue), \(side) × \(side), one step", seconds: whole,
      gflops: flops / whole / 1e9, limitShare: alone / whole),
    Measurement(
      name: "… its convolutions and products alone", seconds: alone, gflops: flops / alone / 1e9),
  ]
}

/// What these products need, each by itself.
@NumericActor
private func secondsAlone(
  _ products: [DecoderProduct], _ type: ElementType, _ repeats: Int, _ random: inout Philox
) -> Double {
  var alone = 0.0
  for (product, count) in Dictionary(products.map { ($0, 1) }, uniquingKeysWith: +) {
    let input = Tensor.normal([1, product.height, product.width, product.inputs], type: type, using: &random)
    let weight = Parameter(
      .normal(
        [product.outputs, product.inputs, product.kernel, product.kernel], deviation: 0.02, using: &random))
    let isPlain = product.height == 1
    let flat = Parameter(weight.value.reshaped([product.outputs, -1]))
    alone +=
      Double(count)
      * medianSeconds(runs: repeats) {
        if isPlain {
          _ = linear(input, weight: flat.tensor(as: type))
        } else {
          _ = convolution2D(
            input, weight: weight.tensor(as: type), stride: product.stride, padding: product.kernel / 2)
        }
      }
  }
  return alone
}

/// Random bf16 values: one block, repeated, as speed does not depend on them.
@NumericActor
func fillRandomly(_ parameters: [Parameter]) {
  var random = Philox(seed: 3)
  let block = Tensor.normal([1 << 20], deviation: 0.02, type: .bf16, using: &random)
  for parameter in parameters {
    let copies = (parameter.count + block.count - 1) / block.count
    let values = Tensor.concatenated([Tensor](repeating: block, count: copies)).sliced(0..<parameter.count)
    parameter.assign(values.reshaped(parameter.shape))
  }
}
