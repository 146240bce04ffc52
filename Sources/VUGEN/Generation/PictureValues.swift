import Pictures
import Tensors

extension Picture {
  /// A picture of values in −1…1, `[height, width, 3]`; what lies outside is clipped.
  public init(values: Tensor) {
    let shape = Array(values.shape.suffix(3))
    precondition(
      shape.count == 3 && shape[2] == 3 && values.count == shape.reduce(1, *), "\(values) is no picture")
    let bytes = values.toArray().map {
      UInt8(max(0, min(255, (($0.isFinite ? $0 : 0) * 127.5 + 127.5).rounded())))
    }
    self.init(width: shape[1], height: shape[0], rgb: bytes)
  }

  /// Values in −1…1, `[1, height, width, 3]`; transparent parts lie over white.
  public var values: Tensor {
    Tensor(rgb().map { Float($0) / 127.5 - 1 }, shape: [1, height, width, 3])
  }
}
