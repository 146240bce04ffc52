import Layers

/// One convolution or product of a decoder's step, for comparing a step with what these reach by themselves.
public struct DecoderProduct: Hashable, Sendable {
  /// Rows of the input picture, or 1 for a plain product.
  public var height, width: Int
  /// Channels, the kernel's side and its step.
  public var inputs, outputs, kernel, stride: Int

  /// Multiplications and additions for a picture.
  public var flops: Double {
    2 * Double(height / stride * width / stride) * Double(inputs * outputs * kernel * kernel)
  }
}

extension PixelDecoder {
  /// Every convolution and product of one step for a picture of this size and latents of a grid, in order; attention's
  /// own are left out.
  public func products(height: Int, width: Int, latents latent: (Int, Int)) -> [DecoderProduct] {
    var list = ProductList(
      latent: latent, height: height / configuration.stem, width: width / configuration.stem)
    for layer in [pictureIn, latentIn, input] { if let layer { list.add(layer) } }
    for layer in [context.first, context.second] { if let layer { list.add(layer, latent.0, latent.1) } }
    for level in down {
      for block in level.blocks { list.add(block) }
      if let downsampler = level.downsampler {
        list.add(downsampler)
        (list.height, list.width) = (list.height / 2, list.width / 2)
      }
    }
    list.add(middle)
    for level in up {
      for block in level.blocks { list.add(block) }
      if let upsampler = level.upsampler {
        (list.height, list.width) = (list.height * 2, list.width * 2)
        list.add(upsampler)
      }
    }
    list.add(pictureOut)
    return list.products
  }
}

/// Products as they are met on the way through the decoder.
private struct ProductList {
  let latent: (Int, Int)
  /// The grid that the way is at.
  var height, width: Int
  var products: [DecoderProduct] = []

  init(latent: (Int, Int), height: Int, width: Int) {
    (self.latent, self.height, self.width) = (latent, height, width)
  }

  mutating func add(_ layer: Convolution2D) { add(layer, height, width) }

  mutating func add(_ layer: Convolution2D, _ height: Int, _ width: Int) {
    let shape = layer.weight.shape
    products.append(
      .init(
        height: height, width: width, inputs: shape[1], outputs: shape[0], kernel: shape[2],
        stride: layer.stride))
  }

  mutating func add(_ layer: Linear?, rows: Int) {
    guard let shape = layer?.weight?.shape else { return }
    products.append(.init(height: 1, width: rows, inputs: shape[1], outputs: shape[0], kernel: 1, stride: 1))
  }

  mutating func add(_ block: DecoderBlock) {
    add(block.contextNorm.projection, latent.0, latent.1)
    add(block.first)
    add(block.second)
    if let shortcut = block.shortcut { add(shortcut) }
  }

  mutating func add(_ norm: ContextLayerNorm?) {
    add(norm?.linear, rows: latent.0 * latent.1)
    if let convolution = norm?.convolution { add(convolution, latent.0, latent.1) }
  }

  mutating func add(_ transformer: DecoderTransformer) {
    add(transformer.input, rows: height * width)
    for block in transformer.blocks {
      add(block.attentionNorm)
      add(block.contextNorm)
      let attention = block.attention
      let layers = [attention.query, attention.key, attention.value, attention.fused, attention.output]
      for layer in layers + [block.feedForward.first, block.feedForward.second] {
        add(layer, rows: height * width)
      }
    }
    add(transformer.output, rows: height * width)
  }
}
