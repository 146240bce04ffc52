import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training

@Suite(.serialized)
@NumericActor
struct TrainerTests {
  private static func settings(steps: Int, accumulation: Int = 1) -> Optimization {
    var settings = Optimization()
    (settings.steps, settings.warmUp, settings.accumulation) = (steps, 3, accumulation)
    return settings
  }

  private func trainer(_ settings: Optimization) -> (Trainer, TinyNetwork) {
    var random = Philox(seed: 4)
    let network = TinyNetwork(using: &random)
    return (Trainer(network, settings), network)
  }

  private func loss(_ network: TinyNetwork, step: Int, batch: Int) -> [LossTerm] {
    var random = Philox(seed: 9, stream: UInt64(step * 10 + batch))
    let x = Tensor.normal([16, 6], using: &random), y = Tensor.normal([16, 3], using: &random)
    let out = network(x)
    return [LossTerm("fit", meanSquaredError(out, y)), LossTerm("size", weight: 0.1, out.squared().mean())]
  }

  private func temporary() -> String { temporaryPath(".safetensors") }

  @Test(arguments: [1, 2], OptimizerKind.allCases)
  func aResumedRunReachesTheSameBits(_ accumulation: Int, _ optimizer: OptimizerKind) throws {
    var settings = Self.settings(steps: 12, accumulation: accumulation)
    (settings.optimizer, settings.averageRises) = (optimizer, optimizer != .adamW)
    let (whole, network) = trainer(settings)
    while !whole.isFinished {
      _ = try whole.step { loss(network, step: whole.stepCount, batch: $0) }
    }
    for stop in [1, 4, 11] {
      let path = temporary()
      let (first, half) = trainer(settings)
      for _ in 0..<stop { _ = try first.step { loss(half, step: first.stepCount, batch: $0) } }
      try first.save(to: path)
      let (second, other) = trainer(settings)
      try second.restore(from: path)
      #expect(second.stepCount == stop)
      while !second.isFinished { _ = try second.step { loss(other, step: second.stepCount, batch: $0) } }
      for (name, tensor) in network.tensorsByName {
        #expect(tensor.toArray() == other.tensorsByName[name]?.toArray(), "\(name) after a stop at \(stop)")
      }
      for (name, tensor) in whole.averagedTensors {
        #expect(tensor.toArray() == second.averagedTensors[name]?.toArray(), "average of \(name)")
      }
    }
  }

  @Test func theReportHasEachTermAndTheirSum() throws {
    let (trainer, network) = trainer(Self.settings(steps: 5))
    let report = try trainer.step { loss(network, step: 0, batch: $0) }
    #expect(report.terms.map(\.name) == ["fit", "size"])
    #expect(abs(report.loss - (report.terms[0].value + 0.1 * report.terms[1].value)) < 1e-6)
    #expect(report.step == 1 && report.gradientNorm > 0 && report.rate > 0)
  }

  @Test func aNonFiniteLossNamesStepAndCulpritAndChangesNothing() throws {
    let (trainer, network) = trainer(Self.settings(steps: 5))
    _ = try trainer.step { loss(network, step: 0, batch: $0) }
    let before = network.tensorsByName.mapValues { $0.toArray() }
    #expect(throws: TrainingError.nonFinite(step: 2, culprit: "the loss 'size'")) {
      _ = try trainer.step { batch in
        var terms = loss(network, step: 1, batch: batch)
        terms[1] = LossTerm("size", Tensor(scalar: .nan))
        return terms
      }
    }
    // A finite loss with a gradient that is not.
    do {
      _ = try trainer.step { _ in
        [LossTerm("root", (network.first(Tensor.zeros([1, 6])).squared() * 0).squareRoot().sum())]
      }
      Issue.record("a gradient of ∞ · 0 passed")
    } catch let error as TrainingError {
      #expect(error.description.contains("first.weight") && error.description.hasPrefix("step 2"), "\(error)")
    }
    #expect(network.tensorsByName.mapValues { $0.toArray() } == before)
    #expect(trainer.stepCount == 1)
  }

  @Test func aCutCheckpointIsAnErrorAndChangesNothing() throws {
    let (trainer, network) = trainer(Self.settings(steps: 5))
    _ = try trainer.step { loss(network, step: 0, batch: $0) }
    let path = temporary()
    try trainer.save(to: path)
    let whole = try #require(FileManager.default.contents(atPath: path))
    try whole.prefix(whole.count - 10).write(to: URL(fileURLWithPath: path))
    let before = network.tensorsByName.mapValues { $0.toArray() }
    let error = #expect(throws: TrainingError.self) { try trainer.restore(from: path) }
    // Nobody can fetch it again.
    #expect(
      error?.description.contains("begin a new one") == true
        && error?.description.contains("download") == false, "\(error as Any)")
    #expect(network.tensorsByName.mapValues { $0.toArray() } == before)
    #expect(trainer.stepCount == 1)
  }
}

@Suite struct PrefetcherTests {
  @Test func batchesComeInOrder() throws {
    let prefetcher = Prefetcher(from: 5, depth: 3, threads: 2) { number -> Int in
      if number % 3 == 0 { Thread.sleep(forTimeInterval: 0.002) }
      return number * number
    }
    for number in 5..<60 { #expect(try prefetcher.next() == number * number) }
    prefetcher.stop()
  }

  @Test func anErrorArrivesWithItsBatch() throws {
    struct Bad: Error {}
    let prefetcher = Prefetcher(from: 0) { number -> Int in
      if number == 2 { throw Bad() }
      return number
    }
    #expect(try prefetcher.next() == 0)
    #expect(try prefetcher.next() == 1)
    #expect(throws: Bad.self) { try prefetcher.next() }
    prefetcher.stop()
  }
}

@Suite struct MetricsLogTests {
  @Test func aResumedRunDropsStepsThatItTakesAgainAndAHalfWrittenLine() throws {
    let path = temporaryPath(".jsonl")
    func line(_ step: Int) -> String {
      #"{"step":\#(step),"loss":1,"terms":{"a":1},"gradientNorm":1,"rate":1,"picturesPerSecond":2,"seconds":3}"#
    }
    let text = (1...5).map(line).joined(separator: "\n") + "\n{\"step\":6,\"lo"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(try MetricsLog.read(path).map(\.step) == [1, 2, 3, 4, 5])
    _ = try MetricsLog(path: path, keepingThrough: 3)
    let kept = try MetricsLog.read(path)
    #expect(kept.map(\.step) == [1, 2, 3] && kept.allSatisfy { $0.terms == ["a": 1] && $0.seconds == 3 })
  }

  /// One key a number, whatever older lines were like.
  @Test func linesAreFlat() throws {
    let path = temporaryPath(".jsonl")
    let log = try MetricsLog(path: path, keepingThrough: 0)
    let report = Trainer.Report(
      step: 1, loss: 2, terms: [("flow", 0.5), ("a b", 3)], gradientNorm: 4, rate: 5)
    let line = MetricsLog.Line(report, picturesPerSecond: 6, seconds: 7, validationLoss: 8)
    try log.append(line)
    try log.append(.init(report, picturesPerSecond: 6, seconds: 7))
    let text = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let object = try #require(JSONSerialization.jsonObject(with: Data(text[0].utf8)) as? [String: Double])
    #expect(
      object == [
        "step": 1, "loss": 2, "flow": 0.5, "a b": 3, "gradientNorm": 4, "rate": 5, "picturesPerSecond": 6,
        "seconds": 7, "validationLoss": 8,
      ])
    #expect(try MetricsLog.read(path)[0] == line && !text[1].contains("validationLoss"))
  }
}

/// What waits when a run ends.
@Suite struct StoppedPrefetcherTests {
  /// Whoever waits for a batch that will not come any more, or asks for one later, is told so.
  @Test(.timeLimit(.minutes(1))) func stoppingEndsWhoeverWaits() async {
    let gate = DispatchSemaphore(value: 0)
    let prefetcher = Prefetcher(from: 0) { number -> Int in
      gate.wait()
      return number
    }
    let waiting = Task.detached { () -> Bool in
      do { _ = try prefetcher.next() } catch is CancellationError { return true } catch {}
      return false
    }
    prefetcher.stop()
    #expect(await waiting.value)
    gate.signal()
    #expect(throws: CancellationError.self) {
      // The batch in hand may still come.
      for _ in 0..<2 { _ = try prefetcher.next() }
    }
  }
}
