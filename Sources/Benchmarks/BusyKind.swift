import Foundation
import Tensors
import VUGEN

/// Work that a process repeats beside others.
public enum BusyKind: String, CaseIterable, Sendable {
  case loop, answer, sampling
  case trainStep = "train-step"

  /// In a report.
  public var title: String {
    switch self {
    case .loop: "busy loop"
    case .answer: "answer of 64 tokens"
    case .sampling: "50 guided steps"
    case .trainStep: "training step"
    }
  }
}

extension BusyKind {
  /// Repeats the work for so many seconds, at least once, and returns the median of its times. The loop goes on until the
  /// process that started this one is gone, and has none. Throws what keeps the embedded model from being loaded.
  @NumericActor
  public func run(seconds: Double) throws -> Double? {
    switch self {
    case .loop:
      let parent = getppid()
      var x: UInt64 = 1
      while getppid() == parent, x != 0 {
        for _ in 0..<1_000_000 { x = (x &* 6_364_136_223_846_793_005) | 1 }
      }
      return nil
    case .answer: return Self.times(of: try answering(), for: seconds).median
    case .trainStep: return Self.times(of: trainStepWork(.bf16), for: seconds).median
    case .sampling: return Self.times(of: samplingWork(.bf16, cachingText: true), for: seconds).median
    }
  }

  @NumericActor
  private static func times(of body: @NumericActor () -> Void, for seconds: Double) -> [Double] {
    body()
    let clock = ContinuousClock(), start = clock.now
    var times: [Double] = []
    while times.isEmpty || clock.now - start < .seconds(seconds) {
      times.append(clock.measure(body) / .seconds(1))
    }
    return times
  }
}

/// 64 tokens of the embedded model behind a short prompt, whether they end the answer or not.
@NumericActor
private func answering() throws -> @NumericActor () -> Void {
  let tower = try LoadedModel(folder: EmbeddedModel.folder).tower
  return {
    let cache = tower.makeCache()
    for token in 0..<64 { _ = try? tower.prefill(tower.embed([Int32(token + 40)]), into: cache) }
  }
}
