import Foundation
import Layers
import ModelFiles
import Tensors

/// Learned perceptual distance of pictures in features of VGG-16 or AlexNet.
///
///     d(x, y) = Σ over layers l of the mean over places of Σ_c w_lc (f̂_lc(x) − f̂_lc(y))²,   f̂ = f / ‖f‖
///
/// Shapes: pictures `[batch, height, width, 3]` in −1…1 → `[]`, f32: the mean over the batch.
/// Source: Zhang et al., arXiv 1801.03924. The weights are the person's own: a folder with the network's
/// safetensors under torchvision's names (`features.0.weight` …) and the heads' (`lin0.model.1.weight` …).
package final class LPIPS {
  /// Which features are compared, and what lies between.
  package enum Network: String, CaseIterable, Sendable {
    case vgg16, alexnet

    /// Places of the convolutions in torchvision's `features`, by compared layer; a layer begins with pooling
    /// where it says so.
    package var layers: [(isPooled: Bool, convolutions: [Int])] {
      switch self {
      case .vgg16:
        [
          (false, [0, 2]), (true, [5, 7]), (true, [10, 12, 14]), (true, [17, 19, 21]), (true, [24, 26, 28]),
        ]
      case .alexnet: [(false, [0]), (true, [3]), (true, [6]), (false, [8]), (false, [10])]
      }
    }

    /// Inputs, outputs, kernel, stride and padding of the convolution at a place.
    package func shape(_ place: Int) -> (inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int) {
      switch self {
      case .vgg16:
        let widths = [
          0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 17: (256, 512),
        ]
        let (inputs, outputs) = widths[place] ?? (place < 17 ? (256, 256) : (512, 512))
        return (inputs, outputs, 3, 1, 1)
      case .alexnet:
        switch place {
        case 0: return (3, 64, 11, 4, 2)
        case 3: return (64, 192, 5, 1, 2)
        case 6: return (192, 384, 3, 1, 1)
        case 8: return (384, 256, 3, 1, 1)
        default: return (256, 256, 3, 1, 1)
        }
      }
    }

    /// Side of the pooling window; its stride is 2.
    var poolingKernel: Int { self == .vgg16 ? 2 : 3 }
  }

  let network: Network
  private let convolutions: [Int: Convolution2D]
  /// `[channels]` by compared layer.
  private let heads: [Tensor]
  private let type: ElementType

  /// Reads a folder's safetensors. Throws `ModelFileError` or `ModuleLoadError`.
  package init(folder: String, type: ElementType) throws {
    let tensors = try Self.tensors(in: folder)
    guard
      let network = Network.allCases.first(where: { network in
        network.layers.allSatisfy { $0.convolutions.allSatisfy { tensors["features.\($0).weight"] != nil } }
      })
    else {
      throw ModelFileError(
        folder,
        "holds neither VGG-16's nor AlexNet's features; save torchvision's weights as safetensors there")
    }
    (self.network, self.type) = (network, type)
    var random = Philox(seed: 0), found: [Int: Convolution2D] = [:], heads: [Tensor] = []
    for (number, layer) in network.layers.enumerated() {
      for place in layer.convolutions {
        let s = network.shape(place)
        let convolution = Parameter.deferringValues {
          Convolution2D(
            s.inputs, s.outputs, kernel: s.kernel, stride: s.stride, padding: s.padding, using: &random)
        }
        var own: [String: Tensor] = [:]
        for part in ["weight", "bias"] { own[part] = tensors["features.\(place).\(part)"] }
        try convolution.load(own, from: folder)
        found[place] = convolution
      }
      let name = "lin\(number).model.1.weight", channels = network.shape(layer.convolutions[0]).outputs
      guard let head = tensors[name], head.count == channels else {
        throw ModelFileError(
          folder, tensor: name,
          "is missing or has not \(channels) numbers; put LPIPS's linear heads there too")
      }
      heads.append(head.reshaped([channels]))
    }
    (convolutions, self.heads) = (found, heads)
  }

  private static func tensors(in folder: String) throws -> [String: Tensor] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let files = names.filter { $0.hasSuffix(".safetensors") }.sorted()
    guard !files.isEmpty else {
      throw ModelFileError(folder, "holds no safetensors file; name the folder of LPIPS's weights")
    }
    var all: [String: Tensor] = [:]
    for file in files {
      for (name, tensor) in try SafetensorsFile(path: "\(folder)/\(file)").weights() { all[name] = tensor }
    }
    return all
  }

  /// Unit features of each compared layer.
  package func features(_ pictures: Tensor) -> [Tensor] {
    // ImageNet's mean and deviation, for pictures in −1…1.
    let mean = Tensor([-0.030, -0.088, -0.188], shape: [3]),
      scale = Tensor([0.458, 0.448, 0.450], shape: [3])
    var x = ((pictures.cast(to: .f32) - mean) / scale).cast(to: type)
    return network.layers.map { layer in
      if layer.isPooled { x = x.maxPooled(kernel: network.poolingKernel, stride: 2) }
      for place in layer.convolutions {
        if let convolution = convolutions[place] { x = convolution(x, activation: .relu) }
      }
      let channels = Float(x.size(3))
      return rmsNorm(x.cast(to: .f32), epsilon: 1e-20) * (1 / channels.squareRoot())
    }
  }

  package func callAsFunction(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
    let parts = zip(zip(a, b), heads).map { pair, head in
      ((pair.0 - pair.1).squared() * head).sum(axes: [3]).mean()
    }
    return parts.dropFirst().reduce(parts[0], +)
  }
}
