import TestSupport
import Testing

import Tensors

@Suite(.serialized)
@NumericActor
struct TapeTests {
  private func parameters(_ random: inout Philox) -> (w: Parameter, v: Parameter, x: Tensor) {
    (
      Parameter(.normal([8, 6], using: &random)), Parameter(.normal([4, 8], using: &random)),
      .normal([5, 6], using: &random)
    )
  }

  private func loss(_ x: Tensor, _ w: Parameter, _ v: Parameter) -> Tensor {
    linear(linear(x, weight: w.tensor).silu(), weight: v.tensor).squared().mean()
  }

  @Test func givesNothingForWhatIsNotWatched() {
    var random = Philox(seed: 1)
    let (w, v, x) = parameters(&random)
    let both = grad(of: [w, v]) { loss(x, w, v) }
    let one = grad(of: [v]) { loss(x, w, v) }
    #expect(one.gradients[w] == nil && one.gradients.count == 1)
    #expect(one.gradients[v]?.toArray() == both.gradients[v]?.toArray())
    #expect(loss(x, w, v).node == nil)
  }

  @Test func keepsNoActivationsOfFrozenParts() {
    var random = Philox(seed: 2)
    let (w, v, _) = parameters(&random)
    let x = Tensor.normal([2000, 6], using: &random)
    var held = 0, heldFrozen = 0
    _ = grad(of: [w, v]) {
      let before = MemoryPool.shared.counters.bytesInUse
      let y = loss(x, w, v)
      held = MemoryPool.shared.counters.bytesInUse - before
      return y
    }
    _ = grad(of: [v]) {
      let before = MemoryPool.shared.counters.bytesInUse
      let frozen = linear(x, weight: w.tensor).silu()
      let y = frozen.mean()
      heldFrozen = MemoryPool.shared.counters.bytesInUse - before - MemoryPool.capacity(for: frozen.byteCount)
      return y + v.tensor.mean()
    }
    #expect(held > 2000 * 8 * 4)
    #expect(heldFrozen < 2000 * 8 * 4)
  }

  @Test func stopsGradients() {
    let w = Parameter(Tensor([2, 3]))
    let (_, g) = grad(of: [w]) { (w.tensor * w.tensor.detached()).sum() }
    #expect(g[w]?.toArray() == [2, 3])
    let (_, none) = grad(of: [w]) { withoutGradients { w.tensor.squared().sum() } }
    #expect(none[w] == nil)
  }

  /// Whoever follows the way back is told of each gradient once, when nothing more comes to it: last layers first.
  @Test(arguments: [false, true]) func gradientsAreToldWhenTheyAreDone(_ isCheckpointed: Bool) {
    var random = Philox(seed: 12)
    let (w, v, x) = parameters(&random)
    let shared = Parameter(.normal([6], using: &random)), idle = Parameter(.zeros([3]))
    var told: [(Parameter, [Float]?)] = [], steps = 0
    let observer = GradientObserver(
      isDone: { told.append(($0, $1?.toArray())) }, step: { steps += 1 })
    let (_, gradients) = grad(of: [w, v, shared, idle], observer: observer) {
      // The same weight at the beginning and in the end.
      let begun = x * shared.tensor
      let y =
        isCheckpointed ? checkpoint([begun]) { loss($0[0], w, v) } : loss(begun, w, v)
      return y + shared.tensor.squared().mean()
    }
    #expect(told.count == 4 && steps > 3)
    for (parameter, values) in told { #expect(values == gradients[parameter]?.toArray()) }
    let order = told.map { told in [w, v, shared, idle].firstIndex { $0 === told.0 } }
    #expect(Set(order) == [0, 1, 2, 3])
    // Those that a checkpoint uses come together, in the order in which they are watched.
    #expect(order == (isCheckpointed ? [3, 0, 1, 2] : [3, 1, 0, 2]))
  }

  @Test func addsGradientsOfSeveralPasses() {
    var random = Philox(seed: 3)
    let (w, v, _) = parameters(&random)
    let x = Tensor.normal([8, 6], using: &random)
    let whole = grad(of: [w, v]) { loss(x, w, v) }.gradients
    var sum = Gradients()
    for part in [0..<4, 4..<8] { sum.add(grad(of: [w, v]) { loss(x.sliced(part), w, v) }.gradients) }
    sum.scale(by: 0.5)
    for p in [w, v] {
      #expect(relativeError(sum[p] ?? .zeros([0]), whole[p] ?? .zeros([1])) < 1e-5)
    }
  }

  @Test func usesOfOneTensorAddUp() {
    let (_, g) = grad(at: [Tensor([3])]) { ($0[0] * $0[0] + $0[0]).sum() }
    #expect(g[0]?.item() == 7)
  }

  @Test func checkpointsGiveTheSameGradientsAndHoldLess() {
    var random = Philox(seed: 4)
    let (w, v, _) = parameters(&random)
    let x = Tensor.normal([3000, 6], using: &random)
    let block = { (inputs: [Tensor]) in linear(linear(inputs[0], weight: w.tensor).silu(), weight: v.tensor) }
    func measured(_ body: @NumericActor () -> Tensor) -> (Gradients, Int) {
      var held = 0
      let result = grad(of: [w, v]) {
        let before = MemoryPool.shared.counters.bytesInUse
        let y = body().squared().mean()
        held = MemoryPool.shared.counters.bytesInUse - before
        return y
      }
      return (result.gradients, held)
    }
    let plain = measured { block([x]) }, saved = measured { checkpoint([x], block) }
    for p in [w, v] { #expect(plain.0[p]?.toArray() == saved.0[p]?.toArray()) }
    #expect(saved.1 < plain.1 / 2)
    let inner = grad(at: [x], seed: .full([3000, 4], 1)) { checkpoint($0, block) }
    let outer = grad(at: [x], seed: .full([3000, 4], 1), block)
    #expect(inner.gradients[0]?.toArray() == outer.gradients[0]?.toArray())
  }

  /// A block of a network that may be a checkpoint.
  private typealias Block = ([Tensor], @escaping ([Tensor]) -> Tensor) -> Tensor

  /// Blocks with a residual, a condition of all of them, and weights that several use.
  private struct Blocks {
    let shared, gate: Parameter
    let up, down: [Parameter]
    var all: [Parameter] { [shared, gate] + up + down }

    init(_ random: inout Philox) {
      shared = Parameter(.normal([24], using: &random))
      gate = Parameter(.normal([32, 24], using: &random))
      up = (0..<3).map { _ in Parameter(.normal([32, 24], deviation: 0.3, using: &random)) }
      down = (0..<3).map { _ in Parameter(.normal([24, 32], deviation: 0.3, using: &random)) }
    }

    func loss(_ x: Tensor, _ condition: Tensor, _ block: Block) -> Tensor {
      let first = condition * shared.tensor
      let last = (0..<3).reduce(x) { h, i in
        block([h, first, h]) { inputs in
          let normed = rmsNorm(inputs[0], weight: shared.tensor, epsilon: 1e-6) + inputs[1]
          let hidden = linear(normed, weight: up[i].tensor, activation: .silu)
          let opened = hidden * linear(inputs[2], weight: gate.tensor, activation: .geluErf)
          return inputs[0] + linear(opened, weight: down[i].tensor)
        }
      }
      return (last * first).squared().mean()
    }
  }

  /// What comes to a gradient from several places comes in the same order, and both passes take the same ways.
  @Test func checkpointsChangeNoBit() {
    var random = Philox(seed: 14)
    let blocks = Blocks(&random)
    let x = Tensor.normal([40, 24], using: &random), condition = Tensor.normal([24], using: &random)
    func gradients(_ block: @escaping Block) -> (loss: Float, parts: [[Float]]) {
      let parameters = [Parameter(x), Parameter(condition)] + blocks.all
      let (value, found) = grad(of: parameters) {
        blocks.loss(parameters[0].tensor, parameters[1].tensor, block)
      }
      return (value.item(), parameters.map { found[$0]?.toArray() ?? [] })
    }
    let plain = gradients { $1($0) }
    for saved in [
      gradients(checkpoint), gradients { inputs, body in checkpoint(inputs) { checkpoint($0, body) } },
    ] {
      #expect(saved.loss == plain.loss)
      for (a, b) in zip(plain.parts, saved.parts) { #expect(a == b && a.contains { $0 != 0 }) }
    }
    // What depends on nothing that is watched leaves no trace.
    _ = grad(of: [blocks.shared]) {
      #expect(checkpoint([x]) { $0[0].silu() }.node == nil)
      return blocks.shared.tensor.sum()
    }
  }

  @Test func bf16CopiesFollowTheirMaster() {
    let w = Parameter(Tensor([1, 2, 3, 4], shape: [2, 2]))
    #expect(w.tensor(as: .bf16).toArray() == [1, 2, 3, 4])
    let moments = Moments(like: w)
    let step = AdamWStep(rate: 0.5, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0, step: 1)
    w.apply(step, gradient: .full([2, 2], 1), moments: moments, gradientScale: Tensor(scalar: 1))
    #expect(w.tensor(as: .bf16).toArray() == w.value.cast(to: .bf16).toArray())
    #expect(abs(w.value.toArray()[0] - 0.5) < 1e-5)
    let x = Tensor([1, 1], shape: [1, 2]).cast(to: .bf16)
    let (_, g) = grad(of: [w]) { linear(x, weight: w.tensor(as: .bf16)).sum() }
    #expect(g[w]?.type == .f32 && g[w]?.toArray() == [1, 1, 1, 1])
  }

  /// A packed weight is made anew after the weight has changed.
  @Test func packedWeightsAreNeverStale() {
    var random = Philox(seed: 6)
    let w = Parameter(.normal([16, 16], using: &random)), x = Tensor.normal([4, 16], using: &random)
    let k = Parameter(.normal([8, 8, 3, 3], using: &random)),
      image = Tensor.normal([1, 5, 5, 8], using: &random)
    func outputs() -> ([Float], [Float], [Float]) {
      let (y, g) = grad(at: [image], seed: image) { convolution2D($0[0], weight: k.tensor, padding: 1) }
      return (linear(x, weight: w.tensor).toArray(), y.toArray(), g[0]?.toArray() ?? [])
    }
    let before = outputs()
    for p in [w, k] { p.move(towards: .zeros(p.shape), weight: 0.5) }
    let after = outputs()
    func isHalf(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).allSatisfy { abs($0 * 0.5 - $1) < 1e-5 } }
    #expect(isHalf(before.0, after.0) && isHalf(before.1, after.1) && isHalf(before.2, after.2))
  }
}
