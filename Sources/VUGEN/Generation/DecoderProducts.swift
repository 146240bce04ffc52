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
  /// Every convolution and product of one step for a picture of this size, in order; attention's own are left out.
  public func products(height: Int, width: Int) -> [DecoderProduct] {
    let c = configuration
    var list: [DecoderProduct] = []
    var (h, w) = (height / c.stem, width / c.stem)
    let latent = (height / c.patchSize, width / c.patchSize)
    func add(_ layer: Convolution2D, _ height: Int, _ width: Int) {
      let shape = layer.weight.shape
      list.append(
        .init(
          height: height, width: width, inputs: shape[1], outputs: shape[0], kernel: shape[2],
          stride: layer.stride))
    }
    func add(_ layer: Linear, rows: Int) {
      guard let shape = layer.weight?.shape else { return }
      list.append(.init(height: 1, width: rows, inputs: shape[1], outputs: shape[0], kernel: 1, stride: 1))
    }
    func add(_ block: DecoderBlock) {
      add(block.context, latent.0, latent.1)
      add(block.first, h, w)
      add(block.second, h, w)
      if let skip = block.skip { add(skip, h, w) }
    }
    add(pictureIn, h, w)
    add(latentIn, h, w)
    add(joined, h, w)
    add(context, latent.0, latent.1)
    for level in down {
      level.blocks.forEach(add)
      if let resample = level.resample {
        add(resample, h, w)
        (h, w) = (h / 2, w / 2)
      }
    }
    for block in middle {
      add(block.attentionContext, latent.0, latent.1)
      add(block.mlpContext, latent.0, latent.1)
      for layer in [block.qkv, block.output, block.mlp.gateAndUp, block.mlp.down] { add(layer, rows: h * w) }
    }
    for level in up {
      level.blocks.forEach(add)
      if let resample = level.resample {
        (h, w) = (h * 2, w * 2)
        add(resample, h, w)
      }
    }
    add(pictureOut, h, w)
    return list
  }
}
