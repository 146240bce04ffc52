import Layers
import Tensors

/// GroupNorm, SiLU, 3×3 convolution, twice, beside a skip.
final class BenchResidualBlock: Module {
  @Child("norm1") var norm1: GroupNorm
  @Child("conv1") var conv1: Convolution2D
  @Child("norm2") var norm2: GroupNorm
  @Child("conv2") var conv2: Convolution2D
  @Child("skip") var skip: Convolution2D?

  init(_ inputs: Int, _ outputs: Int, using random: inout Philox) {
    norm1 = GroupNorm(groups: 8, channels: inputs)
    conv1 = Convolution2D(inputs, outputs, kernel: 3, padding: 1, using: &random)
    norm2 = GroupNorm(groups: 8, channels: outputs)
    conv2 = Convolution2D(outputs, outputs, kernel: 3, padding: 1, using: &random)
    skip = inputs == outputs ? nil : Convolution2D(inputs, outputs, kernel: 1, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = conv1(norm1(x, activation: .silu))
    return (skip?(x) ?? x) + conv2(norm2(h, activation: .silu))
  }
}

/// Blocks of one resolution, then a way to the next.
final class BenchStage: Module {
  @Child("blocks") var blocks: [BenchResidualBlock]
  @Child("sample") var sample: Convolution2D?

  init(blocks: [BenchResidualBlock], sample: Convolution2D?) {
    self.blocks = blocks
    self.sample = sample
  }
}

/// 2 residual blocks a level down, 3 up with skips; the same network as `pytorch.py`'s.
final class BenchUNet: Module {
  @Child("stem") var stem: Convolution2D
  @Child("down") var down: [BenchStage]
  @Child("up") var up: [BenchStage]
  @Child("norm") var norm: GroupNorm
  @Child("head") var head: Convolution2D

  init(inputs: Int = 6, outputs: Int = 3, channels: [Int] = [32, 64, 96], using random: inout Philox) {
    stem = Convolution2D(inputs, channels[0], kernel: 3, padding: 1, using: &random)
    var width = channels[0], skips = [channels[0]]
    var downStages: [BenchStage] = [], upStages: [BenchStage] = []
    for (level, c) in channels.enumerated() {
      var blocks: [BenchResidualBlock] = []
      for _ in 0..<2 {
        blocks.append(BenchResidualBlock(width, c, using: &random))
        width = c
        skips.append(c)
      }
      let isLast = level + 1 == channels.count
      if !isLast { skips.append(c) }
      downStages.append(
        BenchStage(
          blocks: blocks,
          sample: isLast ? nil : Convolution2D(c, c, kernel: 3, stride: 2, padding: 1, using: &random)))
    }
    for (level, c) in channels.enumerated().reversed() {
      var blocks: [BenchResidualBlock] = []
      for _ in 0..<3 {
        blocks.append(BenchResidualBlock(width + skips.removeLast(), c, using: &random))
        width = c
      }
      upStages.append(
        BenchStage(
          blocks: blocks,
          sample: level == 0 ? nil : Convolution2D(c, c, kernel: 3, padding: 1, using: &random)))
    }
    norm = GroupNorm(groups: 8, channels: width)
    head = Convolution2D(width, outputs, kernel: 3, padding: 1, using: &random)
    (down, up) = (downStages, upStages)
  }

  func callAsFunction(_ picture: Tensor) -> Tensor {
    var x = stem(picture), skips = [x]
    for stage in down {
      for block in stage.blocks {
        x = block(x)
        skips.append(x)
      }
      if let sample = stage.sample {
        x = sample(x)
        skips.append(x)
      }
    }
    for stage in up {
      for block in stage.blocks { x = block(.concatenated([x, skips.removeLast()], axis: 3)) }
      if let sample = stage.sample { x = sample(x.upsampledNearest(by: 2)) }
    }
    return head(norm(x, activation: .silu))
  }
}

/// A stack of transformer blocks.
final class BenchTransformer: Module {
  @Child("layers") var layers: [PreNormBlock]

  init(depth: Int, width: Int, heads: Int, hidden: Int, using random: inout Philox) {
    var blocks: [PreNormBlock] = []
    for _ in 0..<depth {
      blocks.append(PreNormBlock(width: width, heads: heads, hidden: hidden, using: &random))
    }
    layers = blocks
  }

  func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}
