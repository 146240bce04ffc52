import Layers
import Tensors

extension PixelDecoder {
  /// The published first weights: products uniform by Xavier, convolutions normal of deviation 0.02, biases zero, and
  /// zero the last convolution of each residual block and the last product of each transformer block, no other. Weights
  /// that a file will replace stay as they are.
  func startAsPublished(using random: inout Philox) {
    visitModules { _, module in
      if let layer = module as? Linear, let weight = layer.weight {
        let bound = (6 / Float(weight.shape[0] + weight.shape[1])).squareRoot()
        weight.start(with: .uniform(weight.shape, bound: bound, using: &random))
        layer.bias?.setToZero()
      } else if let layer = module as? Convolution2D {
        layer.weight.start(with: .normal(layer.weight.shape, deviation: 0.02, using: &random))
        layer.bias?.setToZero()
      }
    }
    visitModules { _, module in
      (module as? DecoderBlock)?.second.startAtZero()
      (module as? GatedFeedForward)?.second.startAtZero()
    }
  }
}

extension PixelDecoder {
  /// A decoder's tensors by the names that this network has. Files from before the published names lack those; their
  /// gates and scales come first where ours come last.
  public static func named(_ tensors: [String: Tensor]) -> [String: Tensor] {
    guard tensors["time.fc1.weight"] != nil else { return tensors.mapValues(flatTable) }
    var result: [String: Tensor] = [:]
    for (name, tensor) in tensors {
      let isSwapped = name.hasPrefix("middle.") && (name.contains(".context") || name.contains(".gate_up."))
      result[publishedName(of: name)] = isSwapped ? exchangedHalves(tensor) : tensor
    }
    return result
  }

  /// Tables of relative positions may be stored as squares.
  private static func flatTable(_ tensor: Tensor) -> Tensor {
    guard tensor.rank == 3, tensor.size(0) == tensor.size(1) else { return tensor }
    return tensor.reshaped([tensor.size(0) * tensor.size(1), tensor.size(2)])
  }

  private static func exchangedHalves(_ tensor: Tensor) -> Tensor {
    let half = tensor.size(0) / 2
    return .concatenated([tensor.sliced(half..<2 * half), tensor.sliced(0..<half)])
  }

  private static func publishedName(of name: String) -> String {
    var parts = name.split(separator: ".").map(String.init)
    guard let place = parts.first else { return name }
    let whole = ["time": "time_embedding", "context": "ada_ctx_proj.0", "norm_out": "conv_norm_out"]
    let inside: [String: String]
    switch place {
    case "down":
      inside = [
        "down": "down_blocks", "blocks": "resnets", "resample": "downsamplers.0.conv",
        "context": "norm1.ctx_proj",
        "time": "time_emb_proj", "skip": "conv_shortcut",
      ]
    case "up":
      inside = [
        "up": "up_blocks", "blocks": "resnets", "resample": "upsamplers.0.conv", "context": "norm1.ctx_proj",
        "time": "time_emb_proj", "skip": "conv_shortcut",
      ]
    case "middle":
      inside = [
        "middle": "mid_block.transformer_blocks", "context1": "norm1.conv", "context2": "norm2.conv",
        "qkv": "attn1.qkv",
        "proj": "attn1.out_proj", "position_bias": "relative_position_bias.relative_bias_table",
        "mlp": "ff", "gate_up": "proj_in_act.proj", "down": "proj_out",
      ]
    case "time": inside = ["time": "time_embedding", "fc1": "linear_1", "fc2": "linear_2"]
    default:
      parts[0] = whole[place] ?? place
      return parts.joined(separator: ".")
    }
    return parts.map { inside[$0] ?? $0 }.joined(separator: ".")
  }
}
