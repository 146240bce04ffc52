import Foundation
import Synchronization
import Testing

import Tensors

/// The team of threads that oneDNN and the kernels share.
@Suite(.serialized)
@NumericActor
struct TeamTests {
  /// Products (oneDNN), convolutions, attention and norms (our kernels), forward and backward.
  private nonisolated static func work() -> [[Float]] {
    var random = Philox(seed: 3)
    let x = Tensor.normal([2, 24, 24, 8], using: &random),
      kernel = Tensor.normal([16, 8, 3, 3], using: &random)
    let w = Tensor.normal([48, 48], using: &random), gain = Tensor.full([48], 1, .f32)
    let (y, g) = grad(at: [x, w, gain, kernel]) { inputs in
      let pictures = convolution2D(inputs[0], weight: inputs[3], stride: 2, padding: 1)
      let rows = rmsNorm(pictures.reshaped([2, 48, 48]), weight: inputs[2], epsilon: 1e-5)
      let heads = linear(rows, weight: inputs[1]).reshaped([2, 48, 4, 12])
      return attention(heads, heads, heads, mask: .causal).squared().sum()
    }
    return [y.toArray()] + g.map { $0?.toArray() ?? [] }
  }

  /// Gradients of weights: sums over many pictures or rows, which oneDNN would cut by the number of threads.
  private nonisolated static func longSums(_ type: ElementType) -> [[Float]] {
    var random = Philox(seed: 5)
    var results: [[Float]] = []
    for (batch, size, channels, out) in [(9, 16, 8, 24), (1, 12, 16, 40), (2, 8, 8, 136)] {
      let x = Tensor.normal([batch, size, size, channels], using: &random).cast(to: type),
        kernel = Tensor.normal([out, channels, 3, 3], using: &random).cast(to: type),
        bias = Tensor.normal([out], using: &random)
      let (_, g) = grad(at: [kernel, bias]) { inputs in
        convolution2D(x, weight: inputs[0], bias: inputs[1], padding: 1).cast(to: .f32).squared().sum()
      }
      results += g.map { $0?.toArray() ?? [] }
    }
    for (rows, inputs, outputs) in [(5000, 16, 24), (40_000, 8, 8), (2100, 320, 264)] {
      let x = Tensor.normal([rows, inputs], using: &random).cast(to: type),
        w = Tensor.normal([outputs, inputs], using: &random).cast(to: type)
      let (_, g) = grad(at: [w]) { linear(x, weight: $0[0]).cast(to: .f32).squared().sum() }
      results += g.map { $0?.toArray() ?? [] }
    }
    return results
  }

  @Test func bitsDoNotDependOnThreadsAndWaiting() {
    let (threads, waiting) = (Threads.count, Threads.waiting)
    defer { (Threads.count, Threads.waiting) = (threads, waiting) }
    Threads.count = 1
    let alone = onNewThread { Self.work() + Self.longSums(.f32) + Self.longSums(.bf16) }
    for count: Int32 in [1, 2, 3, 5, 8] {
      Threads.count = count
      for policy in [Threads.Waiting.adaptive, .passive, .counted(0), .counted(100)] {
        Threads.waiting = policy
        // Every new thread has primitives of its own, made for this number of threads.
        #expect(onNewThread { Self.work() } == Array(alone.prefix(5)), "\(policy), \(count) threads")
      }
      let sums = onNewThread { Self.longSums(.f32) + Self.longSums(.bf16) }
      #expect(sums == Array(alone.dropFirst(5)), "\(count) threads")
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

  /// Where parts of a region wait for each other.
  private final class Meeting: Sendable {
    static let size = 2
    let arrived = Atomic(0), isMissed = Atomic(false)

    func attend() {
      let clock = ContinuousClock(), end = clock.now + .seconds(30)
      arrived.add(1, ordering: .sequentiallyConsistent)
      while arrived.load(ordering: .acquiring) < Meeting.size, !isMissed.load(ordering: .relaxed) {
        if clock.now > end { isMissed.store(true, ordering: .relaxed) }
      }
    }
  }

  /// oneDNN's parts may wait for each other in code of its own, which nobody is told of: every part has to begin while
  /// the first waits, also where rivals want the processors and nobody is woken for small regions.
  @Test func partsThatWaitForEachOtherMeetAmongRivals() throws {
    typealias Body = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Region = @convention(c) (Body, UnsafeMutableRawPointer?, UInt32, UInt32) -> Void
    let address = try #require(dlsym(nil, "GOMP_parallel"))
    nonisolated(unsafe) let region = unsafeBitCast(address, to: Region.self)
    let isOver = Mutex(false)
    let rivals = DispatchGroup()
    for _ in 0..<2 * Threads.physicalCores {
      rivals.enter()
      Thread.detachNewThread {
        while !isOver.withLock({ $0 }) {}
        rivals.leave()
      }
    }
    let clock = ContinuousClock(), end = clock.now + .seconds(1)
    var meetings = 0, isMissed = false
    while clock.now < end, !isMissed {
      for _ in 0..<500 { region({ _ in }, nil, UInt32(Meeting.size), 0) }
      let meeting = Meeting()
      region(
        { Unmanaged<Meeting>.fromOpaque($0!).takeUnretainedValue().attend() },
        Unmanaged.passUnretained(meeting).toOpaque(),
        UInt32(Meeting.size), 0)
      isMissed = meeting.isMissed.load(ordering: .relaxed)
      meetings += 1
    }
    isOver.withLock { $0 = true }
    rivals.wait()
    #expect(!isMissed, "the part was not begun in meeting \(meetings)")
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
