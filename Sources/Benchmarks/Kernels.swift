import Tensors

/// Products, convolutions and memory-bound operations, each against the limit that binds it.
@NumericActor
public func kernelMeasurements(_ machine: Machine, repeats: Int) -> [Measurement] {
  var bench = KernelBench(machine: machine, repeats: repeats)
  for precision in Precision.allCases where precision == .f32 || Hardware.hasBF16Products {
    bench.measureProducts(precision)
    bench.measureConvolutions(precision)
    bench.measureAttention(precision)
    bench.measureMemory(precision)
  }
  bench.measureRandomNumbers()
  return bench.results
}

/// The measurements so far, and what they are made with.
@NumericActor
private struct KernelBench {
  let machine: Machine
  let repeats: Int
  var random = Philox(seed: 3)
  var results: [Measurement] = []

  init(machine: Machine, repeats: Int) { (self.machine, self.repeats) = (machine, repeats) }

  private mutating func add(
    _ name: String, flops: Double? = nil, bytes: Int? = nil, peak: Double? = nil,
    _ body: @NumericActor () -> Void
  ) {
    let calls = 5
    let seconds = medianSeconds(runs: repeats) { for _ in 0..<calls { body() } } / Double(calls)
    let gflops = flops.map { $0 / seconds / 1e9 }, rate = bytes.map { Double($0) / seconds }
    let share = gflops.flatMap { g in peak.map { g / $0 } } ?? rate.map { $0 / machine.readBytesPerSecond }
    results.append(
      Measurement(name: name, seconds: seconds, gflops: gflops, bytesPerSecond: rate, limitShare: share))
  }

  mutating func measureProducts(_ precision: Precision) {
    let type = precision.activationType, peak = machine.peakGflops(precision), tag = precision.rawValue
    for (m, n, k) in [(4096, 256, 1024), (4096, 2048, 256), (192, 1152, 384)] {
      let x = Tensor.normal([m, k], type: type, using: &random)
      let w = Parameter(.normal([n, k], using: &random))
      add("product \(m)×\(n)×\(k) \(tag)", flops: 2 * Double(m * n * k), peak: peak) {
        _ = linear(x, weight: w.tensor(as: type))
      }
    }
  }

  mutating func measureConvolutions(_ precision: Precision) {
    let type = precision.activationType, peak = machine.peakGflops(precision), tag = precision.rawValue
    for (size, c) in [(64, 32), (32, 64), (16, 96)] {
      let x = Tensor.normal([16, size, size, c], type: type, using: &random)
      let w = Parameter(.normal([c, c, 3, 3], using: &random)),
        flops = 2 * 9 * Double(16 * size * size * c * c)
      add("convolution 3×3 \(size)×\(size)×\(c) \(tag)", flops: flops, peak: peak) {
        _ = convolution2D(x, weight: w.tensor(as: type), padding: 1)
      }
      add("… with gradients \(tag)", flops: 3 * flops, peak: peak) {
        _ = grad(at: [x, w.value], seed: x) { convolution2D($0[0], weight: $0[1], padding: 1) }
      }
    }
  }

  mutating func measureAttention(_ precision: Precision) {
    let type = precision.activationType, tag = precision.rawValue
    let qkv = Tensor.normal([32, 128, 768], type: type, using: &random)
    let dy = Tensor.normal([32, 128, 256], type: type, using: &random), flops = 4.0 * 32 * 128 * 128 * 256
    add("attention 32×128, 4 heads \(tag)", flops: flops, peak: machine.peakF32Gflops) {
      _ = selfAttention(qkv: qkv, heads: 4)
    }
    add("… with gradient \(tag)", flops: 3.5 * flops, peak: machine.peakF32Gflops) {
      _ = grad(at: [qkv], seed: dy) { selfAttention(qkv: $0[0], heads: 4) }
    }
  }

  /// Operations that wait for memory.
  mutating func measureMemory(_ precision: Precision) {
    let type = precision.activationType, tag = precision.rawValue
    let rows = Tensor.normal([32768, 1024], type: type, using: &random), weight = Tensor.full([1024], 1)
    let others = Tensor.normal([32768, 1024], type: type, using: &random)
    let picture = rows.reshaped([16, 128, 128, 128]), channel = Tensor.full([128], 1)
    add("RMSNorm 32768×1024 \(tag)", bytes: 2 * rows.byteCount) {
      _ = rmsNorm(rows, weight: weight, epsilon: 1e-5)
    }
    add("LayerNorm 32768×1024 \(tag)", bytes: 2 * rows.byteCount) {
      _ = layerNorm(rows, weight: weight, epsilon: 1e-5)
    }
    add("GroupNorm and SiLU 16×128×128×128 \(tag)", bytes: 3 * rows.byteCount) {
      _ = groupNorm(picture, groups: 8, weight: channel, epsilon: 1e-5, activation: .silu)
    }
    add("SwiGLU 32768×512 \(tag)", bytes: rows.byteCount * 3 / 2) { _ = gated(.swiGLU, gateAndUp: rows) }
    add("sum of two tensors \(tag)", bytes: 3 * rows.byteCount) { _ = rows + others }
  }

  mutating func measureRandomNumbers() {
    let size = Tensor.zeros([4 << 20])
    var random = random
    add("normal numbers, 4 Mi", bytes: size.byteCount) { _ = Tensor.normal(size.shape, using: &random) }
  }
}
