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
      Dictionary(uniqueKeysWithValues: network.namedParameters.map { ($0.name, $0.parameter.value.toArray()) })
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
}
