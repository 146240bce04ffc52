import CKernels
import COneDNN

/// Pictures and feature maps `[batch, height, width, channels]`.
extension Tensor {
  /// Repeats every pixel `factor` times in both directions.
  public func upsampledNearest(by factor: Int) -> Tensor {
    resampled(factor, up: true, .resizeNearest).recorded(from: [self]) { dy in
      [dy.resampled(factor, up: false, .resizeNearestBackward)]
    }
  }

  /// The nearest pixel of this picture for each of another size: `⌊i · height / newHeight⌋`, in f32 as PyTorch's
  /// `interpolate(mode: nearest)` works it out. Backward: each pixel's gradients, summed.
  public func resizedNearest(height: Int, width: Int) -> Tensor {
    precondition(
      rank == 4 && height > 0 && width > 0, "[batch, height, width, channels] expected, \(shape) found")
    if [height, width] == [shape[1], shape[2]] { return self }
    let factor = height / Swift.max(1, shape[1])
    if factor > 0, shape[1] * factor == height, shape[2] * factor == width {
      return upsampledNearest(by: factor)
    }
    func places(_ count: Int, of size: Int) -> [Int] {
      let scale = Float(size) / Float(count)
      return (0..<count).map { Swift.min(size - 1, Int((Float($0) * scale).rounded(.down))) }
    }
    let (rows, columns) = (places(height, of: shape[1]), places(width, of: shape[2]))
    let indices = (0..<shape[0]).flatMap { b in
      rows.flatMap { y in columns.map { Int32((b * shape[1] + y) * shape[2] + $0) } }
    }
    let pixels = reshaped([shape[0] * shape[1] * shape[2], shape[3]])
    return pixels.gathered(Tensor(indices: indices, shape: [shape[0], height, width]))
  }

  /// The mean of `factor × factor` blocks; the sizes are multiples of the factor.
  public func averagePooled(by factor: Int) -> Tensor {
    resampled(factor, up: false, .averagePool).recorded(from: [self]) { dy in
      [dy.resampled(factor, up: true, .averagePoolBackward)]
    }
  }

  /// The largest of each `kernel × kernel` window, the next one `stride` further on, without padding.
  public func maxPooled(kernel: Int, stride: Int) -> Tensor {
    precondition(
      rank == 4 && kernel > 0 && stride > 0 && shape[1] >= kernel && shape[2] >= kernel,
      "\(shape) has no window of \(kernel) × \(kernel)")
    let x = detached(), (height, width) = ((shape[1] - kernel) / stride + 1, (shape[2] - kernel) / stride + 1)
    let y = Tensor.empty([shape[0], height, width, shape[3]], type)
    func arguments(dy: Tensor?, dx: Tensor?) -> vg_max_pool_args {
      vg_max_pool_args(
        x: x.pointer, dy: dy.map { UnsafeRawPointer($0.pointer) }, y: y.pointer, dx: dx?.pointer,
        height: Int64(shape[1]), width: Int64(shape[2]), channels: Int64(shape[3]), out_height: Int64(height),
        out_width: Int64(width), kernel: Int64(kernel), stride: Int64(stride))
    }
    if y.count > 0 {
      run(
        .maxPool, type, arguments(dy: nil, dx: nil), items: shape[0] * height,
        grain: grain(rowOf: width * shape[3]))
    }
    return y.recorded(from: [self]) { [shape, type] dy in
      let dx = Tensor.zeros(shape, type), dy = dy.cast(to: type)
      if y.count > 0 {
        run(.maxPoolBackward, type, arguments(dy: dy, dx: dx), items: shape[0], grain: 1)
      }
      withExtendedLifetime((x, dy)) {}
      return [dx]
    }
  }

  private func resampled(_ factor: Int, up: Bool, _ kernel: Kernel<vg_resample_args>) -> Tensor {
    precondition(rank == 4 && factor > 0, "[batch, height, width, channels] expected, the shape is \(shape)")
    precondition(
      up || (shape[1] % factor == 0 && shape[2] % factor == 0),
      "\(shape) does not divide into blocks of \(factor)")
    let (height, width) = up ? (shape[1] * factor, shape[2] * factor) : (shape[1] / factor, shape[2] / factor)
    let y = Tensor.empty([shape[0], height, width, shape[3]], type)
    // Upsampling counts in pixels of x, pooling in those of y: always the smaller picture.
    let small = up ? self : y
    guard y.count > 0 else { return y }
    run(
      kernel, type,
      vg_resample_args(
        x: pointer, y: y.pointer, height: Int64(small.shape[1]), width: Int64(small.shape[2]),
        channels: Int64(shape[3]), factor_y: Int64(factor), factor_x: Int64(factor)),
      items: shape[0] * height, grain: grain(rowOf: width * shape[3]))
    return y
  }

  /// Bilinear resizing with pixel centres at one half and no antialiasing
  /// (PyTorch's `interpolate(mode: bilinear, align_corners: false)`).
  public func resizedBilinear(height: Int, width: Int) -> Tensor {
    precondition(
      rank == 4 && height > 0 && width > 0, "[batch, height, width, channels] expected, \(shape) found")
    // f32 inside: the interpolation weights are not bf16 numbers.
    let x = detached().cast(to: .f32), y = Tensor.empty([shape[0], height, width, shape[3]])
    var spec = vugen_resize_spec()
    (spec.batch, spec.height, spec.width, spec.channels) =
      (Int64(shape[0]), Int64(shape[1]), Int64(shape[2]), Int64(shape[3]))
    (spec.out_height, spec.out_width, spec.type) = (Int64(height), Int64(width), Int32(VUGEN_F32))
    _ = vugen_threads()
    if y.count > 0 { check(vugen_resize_bilinear(&spec, x.pointer, y.pointer), "resizing \(self)") }
    withExtendedLifetime(x) {}
    return y.cast(to: type).recorded(from: [self]) { [spec, shape, type] dy in
      var spec = spec
      let dx = Tensor.empty(shape), dy = dy.cast(to: .f32)
      if dx.count > 0 {
        check(vugen_resize_bilinear_backward(&spec, dy.pointer, dx.pointer), "a resizing's gradient")
      }
      withExtendedLifetime(dy) {}
      return [dx.cast(to: type)]
    }
  }
}
