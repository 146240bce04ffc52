import Layers
import Tensors
import TestSupport
import Testing
import Training

/// What is measured is measured at the averaged weights, and leaves no trace.
@NumericActor
struct EvaluationWeightTests {
  @Test(arguments: OptimizerKind.allCases) func averagesStandInForTheWeights(_ kind: OptimizerKind) throws {
    func made() -> (TinyNetwork, Trainer) {
      var random = Philox(seed: 4), settings = Optimization()
      (settings.steps, settings.warmUp, settings.optimizer, settings.rate) = (8, 1, kind, 0.05)
      (settings.beta2, settings.averageStart, settings.averageDecay) = (0.9, 0, 0.5)
      let network = TinyNetwork(using: &random)
      return (network, Trainer(network, settings))
    }
    func step(_ network: TinyNetwork, _ trainer: Trainer) throws {
      _ = try trainer.step { _ in
        var random = Philox(seed: 9, stream: UInt64(trainer.stepCount))
        return [LossTerm("size", network(Tensor.normal([4, 6], using: &random)).squared().mean())]
      }
    }
    func values(_ network: TinyNetwork) -> [String: [Float]] {
      Dictionary(
        uniqueKeysWithValues: network.namedParameters.map { ($0.name, $0.parameter.value.toArray()) })
    }
    let (network, trainer) = made(), (other, plain) = made()
    for _ in 0..<8 {
      try step(network, trainer)
      try step(other, plain)
      let before = values(network), averages = trainer.averagedTensors.mapValues { $0.toArray() }
      let seen = trainer.evaluated {
        // What changes statistics meanwhile changes none of the run's.
        let seen = values(network)
        network.namedParameters[0].parameter.setToZero()
        return seen
      }
      #expect(seen == averages && values(network) == before)
    }
    #expect(values(network) != trainer.averagedTensors.mapValues { $0.toArray() })
    #expect(values(network) == values(other))
  }

  /// A run that is begun from another one's weights and moments takes the step that the other one would have taken.
  @Test(arguments: OptimizerKind.allCases) func aForkGoesOnWithWeightsAndMoments(_ kind: OptimizerKind) throws
  {
    func made(hidden: Int = 32) -> (WiderNetwork, Trainer) {
      var random = Philox(seed: 4), settings = Optimization()
      (settings.steps, settings.warmUp, settings.optimizer, settings.rate) = (50, 0, kind, 0.05)
      (settings.beta2, settings.floor, settings.averageStart) = (0.9, 1, 0)
      let network = WiderNetwork(hidden, using: &random)
      return (network, Trainer(network, settings))
    }
    func step(_ network: WiderNetwork, _ trainer: Trainer, _ number: UInt64) throws {
      _ = try trainer.step { _ in
        var random = Philox(seed: 9, stream: number)
        return [LossTerm("size", network(Tensor.normal([4, 6], using: &random)).squared().mean())]
      }
    }
    func values(_ network: WiderNetwork) -> [[Float]] {
      network.namedParameters.map { $0.parameter.value.toArray() }
    }
    let (network, trainer) = made(), path = temporaryPath(".safetensors"),
      later = temporaryPath(".safetensors")
    for i in 0..<9 { try step(network, trainer, UInt64(i)) }
    try trainer.save(to: path)
    let (other, fork) = made()
    #expect(try fork.begin(from: path).isEmpty && fork.stepCount == 0)
    for i in 9..<12 {
      try step(network, trainer, UInt64(i))
      try step(other, fork, UInt64(i))
    }
    #expect(values(network) == values(other) && fork.stepCount == 3)
    // And so does one that is resumed after that.
    try fork.save(to: later)
    let (third, resumed) = made()
    try resumed.restore(from: later)
    try step(network, trainer, 12)
    try step(third, resumed, 12)
    #expect(values(network) == values(third) && resumed.stepCount == 4)
    // Of another width what fits is taken, and the rest is named.
    let (wide, wider) = made(hidden: 40)
    #expect(try Set(wider.begin(from: path)) == ["first.weight", "first.bias", "second.weight"])
    try step(wide, wider, 0)
    #expect(values(wide).allSatisfy { $0.allSatisfy(\.isFinite) })
  }
}

private final class WiderNetwork: Module {
  @Child("first") var first: Linear
  @Child("second") var second: Linear

  init(_ hidden: Int, using random: inout Philox) {
    first = Linear(6, hidden, using: &random)
    second = Linear(hidden, 3, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(first(x, activation: .silu)) }
}
