import Layers
import Tensors

/// A model's vision tower, of the family that its configuration names. The last block's output is the understanding
/// embedding z of the paper.
///
/// Shapes: pictures `[batch, side, side, 3]` in −1…1 → features `[batch, patches, width]`, row by row.
public enum VisionEncoder: ParameterTree {
  /// Perception Language Models'.
  case perception(PerceptionEncoder)
  /// SmolVLM's.
  case sigLIP(SigLIPEncoder)

  init(_ c: VisionConfiguration, using random: inout Philox) {
    self =
      switch c.kind {
      case .perception: .perception(PerceptionEncoder(c, using: &random))
      case .sigLIP: .sigLIP(SigLIPEncoder(c, using: &random))
      }
  }

  /// The tower itself.
  public var module: any Module {
    switch self {
    case .perception(let encoder): encoder
    case .sigLIP(let encoder): encoder
    }
  }

  /// Its sizes.
  public var configuration: VisionConfiguration {
    switch self {
    case .perception(let encoder): encoder.configuration
    case .sigLIP(let encoder): encoder.configuration
    }
  }

  /// The type in which its weights are stored.
  var storedType: ElementType {
    switch self {
    case .perception(let encoder): encoder.positions.value.type
    case .sigLIP(let encoder): encoder.positions.weight.value.type
    }
  }

  /// Pictures `[batch, side, side, 3]` → features `[batch, patches, width]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    switch self {
    case .perception(let encoder): encoder(pictures)
    case .sigLIP(let encoder): encoder(pictures)
    }
  }

  /// Every block's output, of patches alone, in order; the last is the understanding embedding.
  public func blockOutputs(_ pictures: Tensor) -> [Tensor] {
    switch self {
    case .perception(let encoder): encoder.blockOutputs(pictures)
    case .sigLIP(let encoder): encoder.blockOutputs(pictures)
    }
  }

  /// Appends the tower's parameters.
  public func collect(_ prefix: String, into list: inout [NamedParameter]) {
    module.collect(prefix, into: &list)
  }

  /// Visits the tower's modules.
  public func visitModules(_ path: String, _ visit: (String, any Module) -> Void) {
    module.visitModules(path, visit)
  }
}
