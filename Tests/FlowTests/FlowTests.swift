import Flow
import Foundation
import Requests
import Tensors
import TestSupport
import Testing

@Suite(.serialized)
@NumericActor
struct FlowTests {
  @Test func thePathLeadsFromNoiseToData() {
    var random = Philox(seed: 1)
    let data = Tensor.normal([3, 4, 2], using: &random), noise = Tensor.normal([3, 4, 2], using: &random)
    #expect(relativeError(StraightPath.point(data, noise, at: .zeros([3])), noise) < 1e-6)
    #expect(relativeError(StraightPath.point(data, noise, at: .full([3], 1)), data) < 1e-6)
    // From anywhere on the path, the true velocity leads to the data.
    let t = Tensor([0.1, 0.5, 0.9]), v = StraightPath.velocity(data, noise)
    let x = StraightPath.point(data, noise, at: t)
    #expect(relativeError(StraightPath.dataEstimate(x, velocity: v, at: t), data) < 1e-5)
    #expect(flowMatchingLoss(velocity: v, data: data, noise: noise).item() == 0)
  }

  @Test(arguments: [TimeGrid.even, .power(2), .shifted(3), .shifted(0.5)])
  func timesRiseFromNoughtToOne(_ grid: TimeGrid) {
    for steps in [1, 2, 7, 50] {
      let times = grid.times(steps)
      #expect(times.count == steps + 1 && times[0] == 0 && times[steps] == 1)
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }
  }

  /// dx/dt = x from 1: e at t = 1. Euler's error falls with the step, Heun's with its square.
  @Test func solversHaveTheirOrders() {
    func error(_ solver: Solver, _ steps: Int) -> Double {
      let x = solver.integrate(from: Tensor([1.0]), times: TimeGrid.even.times(steps)) { x, _ in x }
      return abs(Double(x.item()) - exp(1))
    }
    #expect(abs(error(.euler, 20) / error(.euler, 40) - 2) < 0.1)
    #expect(abs(error(.heun, 10) / error(.heun, 20) - 4) < 0.5)
  }

  @Test func aStepThatThrowsEndsTheWay() {
    struct Stop: Error {}
    var steps = 0
    #expect(throws: Stop.self) {
      try Solver.euler.integrate(
        from: Tensor([0.0]), times: TimeGrid.even.times(10),
        onStep: { number, _, _, _ in
          steps = number
          if number == 3 { throw Stop() }
        }, velocity: { x, _ in x })
    }
    #expect(steps == 3)
  }

  @Test func guidanceExtrapolatesWithinItsInterval() {
    let c = Tensor([3.0]), u = Tensor([1.0]), guidance = Guidance(scale: 2, interval: 0.2...0.8)
    #expect(guidance.combine(conditional: c, unconditional: u, at: 0.5).item() == 5)
    #expect(guidance.combine(conditional: c, unconditional: u, at: 0.9).item() == 3)
    #expect(Guidance(scale: 0).combine(conditional: c, unconditional: u, at: 0.5).item() == 1)
    #expect(!Guidance(scale: 1).needsUnconditional)
  }

  @Test func logitNormalTimesCrowdTheMiddle() {
    var random = Philox(seed: 3)
    let t = TimeDistribution.logitNormal(mean: 0, deviation: 1).draw(4000, using: &random).toArray()
    #expect(t.allSatisfy { $0 > 0 && $0 < 1 })
    // Φ(logit(0.75)) − Φ(logit(0.25)) = 0.728.
    #expect(abs(Double(t.count { (0.25...0.75).contains($0) }) / 4000 - 0.728) < 0.03)
  }

  /// a = √(tokens · channels / 4096), and a time is moved by it as a solver's are.
  @Test func timesMoveWithTheSizeOfTheData() {
    for (numbers, shift) in [(256 * 64, 2.0), (1024 * 64, 4), (1024 * 1024, 16), (256 * 16, 1), (64, 1)] {
      #expect(TimeGrid.shift(forNumbers: numbers) == shift)
      let times = TimeGrid.shifted(shift).times(8)
      for (k, time) in times.enumerated() {
        #expect(abs(TimeGrid.moved(Float(k) / 8, by: shift) - time) < 1e-6, "\(shift) \(k)")
      }
      #expect(TimeGrid.moved(0, by: shift) == 0 && TimeGrid.moved(1, by: shift) == 1)
    }
  }
}
