import Foundation
import Layers
import ModelFiles
import TestSupport
import Tensors
import Testing
import Training

/// Two layers: enough to train.
final class TinyNetwork: Module {
  @Child("first") var first: Linear
  @Child("norm") var norm: LayerNorm
  @Child("second") var second: Linear

  init(using random: inout Philox) {
    first = Linear(6, 32, using: &random)
    norm = LayerNorm(32)
    second = Linear(32, 3, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(norm(first(x, activation: .silu))) }
}

@Suite(.serialized)
@NumericActor
struct TrainingTests {
  @Test func adamWMatchesPyTorch() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/adamw", withExtension: "safetensors"))
    let file = try SafetensorsFile(path: url.path)
    let p = Parameter(try file.tensor("adamw.start"))
    let optimizer = AdamW([
      .init([NamedParameter(name: "p", parameter: p)], .init(rate: 0.01, beta1: 0.9, beta2: 0.95, decay: 0.1))
    ])
    for step in 0..<5 {
      var gradients = Gradients()
      gradients[p] = try file.tensor("adamw.gradient.\(step)")
      optimizer.step(gradients)
      #expect(relativeError(p.value, try file.tensor("adamw.value.\(step)")) < 1e-6)
    }
  }

  @Test func learnsAndDecaysByGroup() {
    var random = Philox(seed: 1)
    let network = TinyNetwork(using: &random)
    let x = Tensor.normal([64, 6], using: &random), target = x.sliced(0..<3, axis: 1).squared()
    let optimizer = AdamW.decayingMatricesOnly(network, .init(rate: 1e-2, decay: 0.01))
    #expect(optimizer.groups[0].parameters.map(\.name) == ["first.weight", "second.weight"])
    #expect(optimizer.groups[1].settings.decay == 0)
    var losses: [Float] = []
    for _ in 0..<200 {
      let (loss, gradients) = grad(of: optimizer.parameters) { meanSquaredError(network(x), target) }
      losses.append(loss.item())
      optimizer.step(gradients)
    }
    #expect(losses[199] < losses[0] * 0.05)
  }

  /// Stopped, stored and taken up again: the same bits as without a break.
  @Test func goesOnBitForBit() throws {
    var random = Philox(seed: 2)
    let x = Tensor.normal([16, 6], using: &random), target = Tensor.normal([16, 3], using: &random)
    func run(_ network: TinyNetwork, _ optimizer: AdamW, steps: Int) {
      for _ in 0..<steps {
        optimizer.step(grad(of: optimizer.parameters) { meanSquaredError(network(x), target) }.gradients)
      }
    }
    func fresh() -> (TinyNetwork, AdamW) {
      var seed = Philox(seed: 3)
      let network = TinyNetwork(using: &seed)
      return (network, AdamW(network, .init(rate: 1e-2)))
    }
    let (unbroken, first) = fresh()
    run(unbroken, first, steps: 7)
    let (broken, second) = fresh()
    run(broken, second, steps: 4)
    let path = temporaryPath(".safetensors")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let state = second.state.merging(broken.tensorsByName) { a, _ in a }
    try SafetensorsWriter.write(state, to: path)
    let (resumed, third) = fresh()
    let stored = try SafetensorsFile(path: path).allTensors()
    try resumed.load(stored, from: path) {
      $0.hasPrefix("first.first") || $0.hasPrefix("first.norm")
        || $0.hasPrefix("first.second") || $0.hasPrefix("second.first") || $0.hasPrefix("second.norm")
        || $0.hasPrefix("second.second")
    }
    third.restore(stored, stepCount: second.stepCount)
    run(resumed, third, steps: 3)
    for (name, tensor) in unbroken.tensorsByName {
      #expect(tensor.toArray() == resumed.tensorsByName[name]?.toArray(), "\(name)")
    }
  }

  /// After the second step nothing new comes from the system, whatever earlier work left in the pool: the first makes
  /// the moments, which take blocks that its forward pass gave back.
  @Test func furtherStepsAllocateNothing() {
    var random = Philox(seed: 4)
    let network = PreNormBlock(width: 64, heads: 4, hidden: 128, using: &random)
    let x = Tensor.normal([4, 24, 64], using: &random), optimizer = AdamW(network, .init())
    func step() {
      optimizer.step(grad(of: optimizer.parameters) { network(x).squared().mean() }.gradients)
    }
    MemoryPool.shared.trim()
    for _ in 0..<2 { step() }
    let after = MemoryPool.shared.counters.systemAllocations
    for _ in 0..<5 { step() }
    #expect(MemoryPool.shared.counters.systemAllocations == after)
    #expect(MemoryPool.shared.counters.reuses > 0)
  }

  @Test func clipsByGlobalNorm() {
    let a = Parameter(.zeros([2])), b = Parameter(.zeros([1]))
    var gradients = Gradients()
    gradients[a] = Tensor([3, 0])
    gradients[b] = Tensor([4])
    let (scale, norm) = gradients.clippingScale(of: [a, b], limit: 1)
    #expect(norm == 5 && abs(scale - 0.2) < 1e-6)
    #expect(gradients.clippingScale(of: [a, b], limit: 10).scale == 1)
    gradients[b] = Tensor([.nan])
    #expect(gradients.globalNorm(of: [a, b]).isNaN)
  }

  @Test func averagesFollowTheWeights() {
    var random = Philox(seed: 5)
    let network = TinyNetwork(using: &random), average = MovingAverage(network, decay: 0.75)
    let before = network.second.bias?.value.toArray() ?? []
    #expect(!average.hasStarted)
    average.update()
    network.second.bias?.assign(Tensor(before.map { $0 + 4 }))
    average.update()
    let found = average.tensors["second.bias"]?.toArray() ?? []
    for (a, b) in zip(found, before) { #expect(abs(a - b - 1) < 1e-5) }
    let other = MovingAverage(network, decay: 0.75)
    other.restore(average.tensors)
    #expect(other.tensors["second.bias"]?.toArray() == found)
  }

  @Test func schedulesRiseAndFall() {
    let schedule = Schedule.cosine(warmUp: 10, total: 110, floor: 0.1)
    #expect(schedule.factor(at: 0) == 0.1 && schedule.factor(at: 9) == 1)
    #expect(abs(schedule.factor(at: 60) - 0.55) < 1e-5)
    #expect(abs(schedule.factor(at: 110) - 0.1) < 1e-6 && abs(schedule.factor(at: 500) - 0.1) < 1e-6)
    #expect(Schedule.constant.factor(at: 7) == 1)
  }
}
