import Foundation
import Layers
import ModelFiles
import Tensors

/// DINOv2, the encoder that REPA aligns a generator's features to.
///
/// Shapes: pictures `[batch, side, side, 3]` in −1…1, side = patch · grid → patches `[batch, grid², width]` after the
/// last norm, without the class token. Source: Oquab et al., arXiv 2304.07193; REPA, arXiv 2410.06940. The weights
/// are the person's own: a folder in the Hugging Face layout of `facebook/dinov2-base`.
package final class DINOv2: Module {
  struct Configuration: Decodable {
    var width, layers, heads, mlpRatio, patchSize, imageSize: Int
    var epsilon: Float

    private enum CodingKeys: String, CodingKey {
      case width = "hidden_size"
      case layers = "num_hidden_layers"
      case heads = "num_attention_heads"
      case mlpRatio = "mlp_ratio"
      case patchSize = "patch_size"
      case imageSize = "image_size"
      case epsilon = "layer_norm_eps"
    }
  }

  final class Block: Module {
    @Child("norm1") var attentionNorm: LayerNorm
    @Child("attention") var attention: FullAttention
    @Weight("layer_scale1.lambda1") var attentionScale: Parameter
    @Child("norm2") var mlpNorm: LayerNorm
    @Child("mlp.fc1") var up: Linear
    @Child("mlp.fc2") var down: Linear
    @Weight("layer_scale2.lambda1") var mlpScale: Parameter

    init(_ c: Configuration, using random: inout Philox) {
      attentionNorm = LayerNorm(c.width, epsilon: c.epsilon)
      attention = FullAttention(
        width: c.width, heads: c.heads,
        names: .init(
          query: "attention.query", key: "attention.key", value: "attention.value", output: "output.dense"),
        using: &random)
      attentionScale = Parameter(.full([c.width], 1))
      mlpNorm = LayerNorm(c.width, epsilon: c.epsilon)
      up = Linear(c.width, c.mlpRatio * c.width, using: &random)
      down = Linear(c.mlpRatio * c.width, c.width, using: &random)
      mlpScale = Parameter(.full([c.width], 1))
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = x + attention(attentionNorm(x)) * attentionScale.tensor(as: x.type)
      return h + down(up(mlpNorm(h), activation: .geluErf)) * mlpScale.tensor(as: x.type)
    }
  }

  @Weight("embeddings.cls_token") var classToken: Parameter
  @Weight("embeddings.position_embeddings") var positions: Parameter
  @Child("embeddings.patch_embeddings.projection") var patches: Convolution2D
  @Child("encoder.layer") var blocks: [Block]
  @Child("layernorm") var norm: LayerNorm
  let configuration: Configuration
  private var fittedPositions: (grid: Int, table: Tensor)?

  /// Reads a folder with `config.json` and `model.safetensors`. Throws `ModelFileError` or `ModuleLoadError`.
  package init(folder: String) throws {
    let path = folder + "/config.json"
    guard let c = try? JSONDecoder().decode(Configuration.self, from: try ModelFolder.contents(of: path)),
      c.width > 0, c.heads > 0, c.width % c.heads == 0,
      c.patchSize > 0,
      c.imageSize >= c.patchSize, (1...256).contains(c.layers), c.mlpRatio > 0
    else {
      throw ModelFileError(path, "is no configuration of DINOv2; name a folder like facebook/dinov2-base")
    }
    configuration = c
    var random = Philox(seed: 0)
    let side = c.imageSize / c.patchSize
    classToken = Parameter(.zeros([1, 1, c.width]))
    positions = Parameter(.zeros([1, side * side + 1, c.width]))
    patches = Convolution2D(3, c.width, kernel: c.patchSize, stride: c.patchSize, using: &random)
    var list: [Block] = []
    for _ in 0..<c.layers { list.append(Block(c, using: &random)) }
    blocks = list
    norm = LayerNorm(c.width, epsilon: c.epsilon)
    let weights = folder + "/model.safetensors"
    let tensors = try SafetensorsFile(path: weights).weights()
    try load(tensors, from: weights) { $0 == "embeddings.mask_token" }
  }

  package func callAsFunction(_ pictures: Tensor, type: ElementType) -> Tensor {
    // ImageNet's mean and deviation, for pictures in −1…1.
    let mean = Tensor([2 * 0.485 - 1, 2 * 0.456 - 1, 2 * 0.406 - 1], shape: [3])
    let scale = Tensor([2 * 0.229, 2 * 0.224, 2 * 0.225], shape: [3])
    let grid = patches(((pictures.cast(to: .f32) - mean) / scale).cast(to: type)), side = grid.size(1)
    let tokens = grid.reshaped([grid.size(0), side * side, grid.size(3)])
    let first = classToken.tensor(as: type).broadcast(to: [grid.size(0), 1, grid.size(3)])
    let x = Tensor.concatenated([first, tokens], axis: 1) + positionTable(side).cast(to: type)
    let last = norm(blocks.reduce(x) { $1($0) })
    return last.sliced(1..<last.size(1), axis: 1)
  }

  /// Positions for a grid of another side than the one trained with: bicubic, as the reference does.
  private func positionTable(_ grid: Int) -> Tensor {
    if let fittedPositions, fittedPositions.grid == grid { return fittedPositions.table }
    let stored = configuration.imageSize / configuration.patchSize, width = configuration.width
    let all = positions.value.cast(to: .f32)
    var table = all
    if grid != stored {
      let values = all.toArray()
      let square = bicubic(Array(values[width...]), side: stored, to: grid, channels: width)
      table = Tensor(Array(values[..<width]) + square, shape: [1, grid * grid + 1, width])
    }
    fittedPositions = (grid, table)
    return table
  }
}

/// Bicubic resizing of `[side, side, channels]` with a = −0.75, pixel centres at one half, edges repeated and no
/// antialiasing: PyTorch's `interpolate(mode: bicubic, align_corners: false)`.
func bicubic(_ x: [Float], side: Int, to size: Int, channels: Int) -> [Float] {
  let a = -0.75
  func weight(_ t: Double) -> Double {
    let d = abs(t)
    if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
  }
  /// The four entries that a place reads, with their weights.
  func taps(_ place: Int) -> [(Int, Double)] {
    let from = (Double(place) + 0.5) * Double(side) / Double(size) - 0.5, first = Int(from.rounded(.down))
    return (-1...2).map { (min(side - 1, max(0, first + $0)), weight(from - Double(first + $0))) }
  }
  var result: [Float] = []
  result.reserveCapacity(size * size * channels)
  for row in 0..<size {
    for column in 0..<size {
      var sums = [Double](repeating: 0, count: channels)
      for (y, v) in taps(row) {
        for (z, u) in taps(column) {
          let start = (y * side + z) * channels
          for c in 0..<channels { sums[c] += v * u * Double(x[start + c]) }
        }
      }
      result += sums.map { Float($0) }
    }
  }
  return result
}
