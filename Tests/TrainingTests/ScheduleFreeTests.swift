import Foundation
import Layers
import ModelFiles
import TestSupport
import Tensors
import Testing
import Training

/// RAdam without a schedule, and what the trainer does around it.
@Suite(.serialized)
@NumericActor
struct ScheduleFreeTests {
  /// Fifty steps of the package `schedulefree`: what is trained, and what it is evaluated at.
  @Test func itMatchesThePackage() throws {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/schedule_free", withExtension: "safetensors"))
    let file = try SafetensorsFile(path: url.path)
    let p = NamedParameter(name: "p.weight", parameter: Parameter(try file.tensor("start").copied()))
    let optimizer = ScheduleFreeRAdam([p], .init(rate: 0.03, beta1: 0.9, beta2: 0.99, decay: 0.05)) { _ in
      true
    }
    for step in 0..<50 {
      var gradients = Gradients()
      gradients[p.parameter] = try file.tensor("gradient.\(step)")
      optimizer.step(gradients, rateFactor: 1) { _ in 1 }
      #expect(relativeError(p.parameter.value, try file.tensor("value.\(step)")) < 1e-5, "step \(step)")
      if let average = try? file.tensor("average.\(step)") {
        #expect(relativeError(optimizer.evaluated(p), average) < 1e-5, "step \(step)")
      }
    }
  }

  private func network() -> TinyNetwork {
    var random = Philox(seed: 4)
    return TinyNetwork(using: &random)
  }

  /// Weights of products and norms shrink without a pull, biases do not.
  @Test func weightsOfNormsDecayAndBiasesDoNot() {
    let network = network(), before = network.tensorsByName.mapValues { $0.toArray() }
    var settings = Optimization()
    (settings.decay, settings.rate, settings.beta2) = (0.5, 0.1, 0.9)
    let optimizer = OptimizerKind.scheduleFreeRAdam.made(for: network, settings)
    var gradients = Gradients()
    for item in network.namedParameters { gradients[item.parameter] = .zeros(item.parameter.shape) }
    for _ in 0..<20 { optimizer.step(gradients, rateFactor: 1) { _ in 1 } }
    for item in network.namedParameters {
      let isSame = item.parameter.value.toArray() == before[item.name]
      #expect(isSame == item.name.hasSuffix("bias"), "\(item.name)")
    }
  }

  /// One part's large gradients leave another's as they are.
  @Test func partsAreClippedApart() throws {
    func moved(apart: String?) throws -> [String: Float] {
      let network = network(), before = network.tensorsByName.mapValues { $0.copied() }
      var settings = Optimization()
      // Without RAdam's division, and AdamW's, a step would show the gradient's size; so let ε do it.
      (settings.steps, settings.warmUp, settings.clip, settings.decay) = (1, 0, 1e-9, 0)
      let trainer = Trainer(network, settings, clippingApart: apart)
      let x = Tensor([Float](repeating: 0.5, count: 12), shape: [2, 6])
      _ = try trainer.step { _ in
        [LossTerm("fit", network(x).squared().mean() + (network.second.tensorSum() * 1e6).squared())]
      }
      return network.tensorsByName.reduce(into: [:]) { result, item in
        let change = item.value - (before[item.key] ?? item.value)
        result[item.key] = Float(change.sumOfSquares().squareRoot())
      }
    }
    let together = try moved(apart: nil), apart = try moved(apart: "second.")
    #expect((apart["first.weight"] ?? 0) > 100 * (together["first.weight"] ?? 0))
    #expect(abs((apart["second.weight"] ?? 0) / (together["second.weight"] ?? 1) - 1) < 0.01)
  }

  @Test func anAverageMayRise() {
    let network = network(), average = MovingAverage(network, decay: 0.999, isRising: true)
    average.update()
    network.second.bias?.assign(Tensor([1, 1, 1]))
    let first = average.tensors["second.bias"]?.toArray() ?? []
    average.update()
    // The second update, n = 1: a decay of 2 / 11.
    let found = average.tensors["second.bias"]?.toArray() ?? []
    for (a, b) in zip(found, first) { #expect(abs(a - (b * 2 / 11 + 9.0 / 11)) < 1e-5) }
    #expect(average.updateCount == 2)
  }

  @Test func anotherOptimisersCheckpointIsRefused() throws {
    let path = temporaryPath(".safetensors")
    var settings = Optimization()
    try Trainer(network(), settings).save(to: path)
    settings.optimizer = .scheduleFreeRAdam
    let error = #expect(throws: TrainingError.self) { try Trainer(network(), settings).restore(from: path) }
    #expect(error?.description.contains("optimization.optimizer = 'adamw'") == true)
  }
}

extension Linear {
  fileprivate func tensorSum() -> Tensor {
    weight.map { $0.tensor.sum() } ?? Tensor(scalar: 0)
  }
}
