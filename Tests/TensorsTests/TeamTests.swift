import Foundation
import Synchronization
import Testing

import Tensors

/// The team of threads that oneDNN and the kernels share.
@Suite(.serialized)
@NumericActor
struct TeamTests {
  /// Products (oneDNN), a convolution, attention and norms (our kernels), forward and backward. The kernel's own
  /// gradient is left out: oneDNN cuts that sum by threads, so that its last bits depend on their number.
  private nonisolated static func work() -> [[Float]] {
    var random = Philox(seed: 3)
    let x = Tensor.normal([2, 24, 24, 8], using: &random),
      kernel = Tensor.normal([16, 8, 3, 3], using: &random)
    let w = Tensor.normal([48, 48], using: &random), gain = Tensor.full([48], 1, .f32)
    let (y, g) = grad(at: [x, w, gain]) { inputs in
      let pictures = convolution2D(inputs[0], weight: kernel, stride: 2, padding: 1)
      let rows = rmsNorm(pictures.reshaped([2, 48, 48]), weight: inputs[2], epsilon: 1e-5)
      let heads = linear(rows, weight: inputs[1]).reshaped([2, 48, 4, 12])
      return attention(heads, heads, heads, mask: .causal).squared().sum()
    }
    return [y.toArray()] + g.map { $0?.toArray() ?? [] }
  }

  /// For one number of threads the very same bits; for another oneDNN may cut a sum elsewhere (3.7 does for 3 threads).
  @Test func bitsDoNotDependOnWaiting() {
    let (threads, waiting) = (Threads.count, Threads.waiting)
    defer { (Threads.count, Threads.waiting) = (threads, waiting) }
    Threads.count = 1
    let alone = onNewThread { Self.work() }
    for count: Int32 in [1, 2, 3] {
      Threads.count = count
      // Every new thread has primitives of its own, made for this number of threads.
      Threads.waiting = .adaptive
      let expected = onNewThread { Self.work() }
      for policy in [Threads.Waiting.passive, .counted(0), .counted(100)] {
        Threads.waiting = policy
        #expect(onNewThread { Self.work() } == expected, "\(policy), \(count) threads")
      }
      for (one, other) in zip(expected, alone) {
        let size = other.map(abs).max() ?? 0
        #expect(zip(one, other).allSatisfy { abs($0 - $1) <= 1e-5 * size }, "\(count) threads")
      }
    }
  }

  /// Hundreds of threads on a few cores would starve the machine.
  @Test func threadsAreAFewTimesTheCores() {
    let threads = Threads.count
    defer { Threads.count = threads }
    for wish: Int32 in [0, -5, 1, 1024, .max] {
      Threads.count = wish
      #expect((1...4 * Threads.physicalCores).contains(Threads.count))
    }
  }

  /// The tests' program exports the same entry points as `vugen` does.
  @Test func oneDNNRunsOnTheTeam() { #expect(Threads.isOneTeam) }

  /// Callers with a team each, all at once, more threads than processors. They keep the numeric thread waiting, so that
  /// no other test changes instruction sets meanwhile.
  @Test func manyCallersAtOnce() {
    let threads = Threads.count
    defer { Threads.count = threads }
    Threads.count = 3
    let expected = onNewThread { Self.work() }
    let wrong = Mutex(0)
    let done = DispatchGroup()
    for _ in 0..<4 {
      done.enter()
      Thread.detachNewThread {
        let differ = (0..<15).count { _ in Self.work() != expected }
        wrong.withLock { $0 += differ }
        done.leave()
      }
    }
    done.wait()
    #expect(wrong.withLock { $0 } == 0)
  }

  /// The numeric thread waits meanwhile.
  private func onNewThread(_ body: @escaping @Sendable () -> [[Float]]) -> [[Float]] {
    let result = Mutex<[[Float]]>([]), done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let value = body()
      result.withLock { $0 = value }
      done.signal()
    }
    done.wait()
    return result.withLock { $0 }
  }
}
