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
    let c = configuration
    var list: [DecoderProduct] = []
    var (h, w) = (height / c.stem, width / c.stem)
    func add(_ layer: Convolution2D, _ height: Int, _ width: Int) {
      let shape = layer.weight.shape
      list.append(
        .init(
          height: height, width: width, inputs: shape[1], outputs: shape[0], kernel: shape[2],
          stride: layer.stride))
    }
    func add(_ layer: Linear?, rows: Int) {
      guard let shape = layer?.weight?.shape else { return }
      list.append(.init(height: 1, width: rows, inputs: shape[1], outputs: shape[0], kernel: 1, stride: 1))
    }
    func add(_ block: DecoderBlock) {
      add(block.contextNorm.projection, latent.0, latent.1)
      add(block.first, h, w)
      add(block.second, h, w)
      if let shortcut = block.shortcut { add(shortcut, h, w) }
    }
    func add(_ norm: ContextLayerNorm?) {
      add(norm?.linear, rows: latent.0 * latent.1)
      if let convolution = norm?.convolution { add(convolution, latent.0, latent.1) }
    }
    for layer in [pictureIn, latentIn, input] { if let layer { add(layer, h, w) } }
    for layer in [context.first, context.second] { if let layer { add(layer, latent.0, latent.1) } }
    for level in down {
      level.blocks.forEach(add)
      if let downsampler = level.downsampler {
        add(downsampler, h, w)
        (h, w) = (h / 2, w / 2)
      }
    }
    add(middle.input, rows: h * w)
    for block in middle.blocks {
      add(block.attentionNorm)
      add(block.contextNorm)
      let attention = block.attention
      let layers = [attention.query, attention.key, attention.value, attention.fused, attention.output]
      for layer in layers + [block.feedForward.first, block.feedForward.second] { add(layer, rows: h * w) }
    }
    add(middle.output, rows: h * w)
    for level in up {
      level.blocks.forEach(add)
      if let upsampler = level.upsampler {
        (h, w) = (h * 2, w * 2)
        add(upsampler, h, w)
      }
    }
    add(pictureOut, h, w)
    return list
  }
}
